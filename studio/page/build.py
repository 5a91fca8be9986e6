"""The page: laid out, connected to its handlers, served."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import gradio as gr

from studio.browser.store import READ
from studio.gradio_compat import without_building_app
from studio.i18n.language import first_value_by_language, word
from studio.i18n.texts import DEFAULT_LANGUAGE, translations
from studio.public import endpoints
from studio.stage.handlers import StageHandlers
from studio.views import examples
from studio.views import run as view
from studio.views.programme import cards as programme_cards
from wan_client import ModelEntry
from wan_client.schema import SEED_MAX

from .blocks import Page
from .form_handlers import FormHandlers
from .layout import lay_out
from .run_handlers import RunHandlers
from .validation import validate

if TYPE_CHECKING:
    from collections.abc import Callable

    from studio.i18n.texts import Texts
    from studio.runs.jobs import Jobs
    from studio.settings import PageSettings
    from studio.stage.programme import Programme

    from .components import Components

# Many may wait at little cost: the API's queue bounds the work.
THREADS = 400
UPLOAD_LIMIT = "40mb"
# Gradio keeps 0.2 MB for each session, and drops the oldest beyond this number.
SESSIONS = 2000
PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


def build(settings: PageSettings, jobs: Jobs, programme: Programme | None = None) -> gr.Blocks:
    """Build the page over the server's jobs, with the programme's cards if there is one, without serving it."""
    with without_building_app():
        return _built(settings, jobs, programme)


def _built(settings: PageSettings, jobs: Jobs, programme: Programme | None) -> gr.Blocks:
    page = Page(
        title=translations()[DEFAULT_LANGUAGE]["page.title"],
        analytics_enabled=False,
    )
    gr.set_static_paths(list(examples.FOLDERS))
    with page:
        cards = first_value_by_language(partial(programme_cards, programme)) if programme else ""
        banner, panel = first_value_by_language(partial(_banner, jobs)), first_value_by_language(examples.ready)
        components = lay_out(banner, panel, cards)
        # Before the page's own listeners: Gradio names all of them by their functions, each name once.
        endpoints.publish(page, jobs)
        run_handlers = RunHandlers(jobs, components)
        form_handlers = FormHandlers(jobs, components, settings, run_handlers)
        page.load(form_handlers.opened, components.kept, components.opened, js=READ, queue=False, **PRIVATE)
        # Asked for only by pages that have something to wait for, which few do as they open.
        _name_price(form_handlers, components, components.unpriced.change)
        resumed = components.waiting.change(run_handlers.resume, components.page, components.run, js=READ, **PRIVATE)
        _name_cost(form_handlers, components, resumed.then)
        page.unload(run_handlers.page_closed)
        _connect_runs(run_handlers, form_handlers, components)
        _connect_kept(run_handlers, form_handlers, components)
        _connect_form(form_handlers, components)
        _connect_browser(page, components)
        if programme:
            _connect_programme(StageHandlers(programme, components, run_handlers), form_handlers, components)
        page.queue(default_concurrency_limit=None, api_open=False)
    # No event shows progress, but at each response Gradio's browser code renders again all components that a running
    # event could show progress on, so that is made a single one.
    for event in page.fns.values():
        event.show_progress_on = [components.status]
    return page


def _banner(jobs: Jobs, texts: Texts) -> str:
    """Return the banner before the catalogue is asked for the price."""
    engine = jobs.engines.name("")
    return view.banner(texts, engine, jobs.engines.base(engine), ModelEntry())


def _name_price(form_handlers: FormHandlers, components: Components, event: Callable[..., Any]) -> None:
    """Show the price after an event, as soon as it is known."""
    known = [components.token, components.variations, components.group]
    shown = [components.engine, components.banner, components.cost, components.generate]
    event(form_handlers.price_arrived, known, shown, queue=False, **PRIVATE)


def _name_cost(form_handlers: FormHandlers, components: Components, event: Callable[..., Any]) -> None:
    """Show what the next press of Generate costs, after an event."""
    known = [components.token, components.variations, components.group]
    event(form_handlers.cost_changed, known, [components.cost, components.generate], queue=False, **PRIVATE)


def _connect_runs(run_handlers: RunHandlers, form_handlers: FormHandlers, components: Components) -> None:
    """Connect the buttons that generate, cancel, fetch, show and delete runs."""
    known: dict[str, Any] = {"outputs": components.run, "js": READ, **PRIVATE}
    quick: dict[str, Any] = {**known, "queue": False}
    form = [*components.page, components.engine, components.variations]
    for button, handler in (
        (components.generate, run_handlers.generate),
        (components.anyway, run_handlers.generate_anyway),
    ):
        run = button.click(handler, form, inputs_kwargs=components.fields, validator=validate, **known)
        _name_cost(form_handlers, components, run.then)
    # As runs begin, also those that a reopened page resumes.
    _name_cost(form_handlers, components, partial(gr.on, [components.group.change, components.variations.change]))
    again = components.again.click(run_handlers.resume, components.page, **known)
    _name_cost(form_handlers, components, again.then)
    fetched = gr.on(
        [components.code_fetch.click, components.code_box.submit],
        run_handlers.fetch,
        [*components.page, components.code_box],
        [*components.run, components.code_box],
        js=READ,
        **PRIVATE,
    )
    _name_cost(form_handlers, components, fetched.then)
    retried = components.filmstrip.retry(run_handlers.retry, components.page, **known)
    _name_cost(form_handlers, components, retried.then)
    components.cancel.click(run_handlers.cancel, components.group, components.run, queue=False, **PRIVATE)
    for strip in (components.filmstrip, components.history):
        strip.click(run_handlers.show, components.shown_run, **quick)
    components.history.delete(run_handlers.delete, components.shown_run, **quick)
    everything = {**quick, "outputs": components.everything}
    components.forget.click(
        run_handlers.forget_everything, components.shown_run, inputs_kwargs=components.fields, **everything
    )


def _connect_kept(run_handlers: RunHandlers, form_handlers: FormHandlers, components: Components) -> None:
    """Connect the buttons for kept composites."""
    quick: dict[str, Any] = {"queue": False, **PRIVATE}
    components.panel.kept(run_handlers.kept, components.shown_run, components.run, js=READ, **quick)
    components.panel.use(
        form_handlers.use_kept, outputs=components.everything, inputs_kwargs=components.fields, **quick
    )


def _connect_programme(stage_handlers: StageHandlers, form_handlers: FormHandlers, components: Components) -> None:
    """Connect the programme's cards, each of which starts a real run."""
    played = components.programme.retry(
        stage_handlers.play,
        [*components.page, components.engine],
        components.everything,
        js=READ,
        **PRIVATE,
    )
    _name_cost(form_handlers, components, played.then)


def _connect_form(form_handlers: FormHandlers, components: Components) -> None:
    """Connect the form: its changes, fixes, swaps and what restores it."""
    quick: dict[str, Any] = {"queue": False, **PRIVATE}
    known: dict[str, Any] = {"outputs": components.everything, "js": READ, **quick}
    fields: dict[str, Any] = {"inputs_kwargs": components.fields}
    filled: dict[str, Any] = {"outputs": components.form, **fields, **quick}
    others = [field.change for field in components.fields.values() if field not in components.slots]
    # Gradio's `on` does not accept a component's custom events.
    for changed in (partial(gr.on, others), *(slot.settled for slot in components.slots)):
        # First what needs no server: Gradio begins with the next once an event has its answer.
        changed(None, list(components.fields.values()), None, js="(...values) => wanForm(...values)", **PRIVATE)
        changed(form_handlers.changed, outputs=components.derived, trigger_mode="always_last", **fields, **quick)
    components.findings.click(form_handlers.apply_fix, **filled)
    components.swap_1_2.click(form_handlers.swap_1_2, **filled)
    components.swap_2_3.click(form_handlers.swap_2_3, **filled)
    size = [components.image_size, components.size_chosen]
    components.like.click(form_handlers.like_image_1, components.image_1, size, **quick)
    components.image_size.input(form_handlers.choose_size, None, components.size_chosen, **quick)
    image_1 = [components.image_1, components.size_chosen]
    followed = components.image_1.settled(form_handlers.follow_image_1, image_1, components.image_size, **quick)
    followed.then(None, js="() => wanFollowed()", **PRIVATE)
    components.request_box.expand(
        form_handlers.preview_request, components.token, components.request_preview, **fields, **quick
    )
    typed = [components.token_box, components.variations]
    own: dict[str, Any] = {"outputs": components.own_token, **quick}
    for changed in (
        gr.on([components.token_use.click, components.token_box.submit], form_handlers.use_token, typed, **own),
        components.token_forget.click(form_handlers.forget_token, components.variations, **own),
    ):
        _name_price(form_handlers, components, changed.then)
    components.use.click(form_handlers.use_result, components.shown_run, **fields, **known)
    components.back.click(form_handlers.back, components.shown_run, **known)
    components.settings.click(form_handlers.restore_shown, components.shown_run, **known)
    components.history.select(form_handlers.restore, components.shown_run, **known)
    components.drop.upload(form_handlers.restore_dropped, components.shown_run, **fields, **known)
    chosen = [*components.shown_run, components.open_recipe]
    components.open_recipe.upload(form_handlers.restore_recipe, chosen, **fields, **known)
    for slot in components.slots:
        slot.move(form_handlers.moved, **filled)
        slot.example(form_handlers.example_dropped, None, slot, **quick)
    example = [*components.slots, components.prompt, components.image_size, components.size_chosen]
    components.examples.click(form_handlers.choose_example, None, example, **quick)


def _connect_browser(page: gr.Blocks, components: Components) -> None:
    """Connect what the browser does without the server."""
    components.dice.click(
        None, None, components.seed, js=f"() => Math.floor(Math.random() * {SEED_MAX + 1})", **PRIVATE
    )
    page.load(None, None, components.shortcuts, js="() => wanLocal.get('wan-shortcuts') !== 'off'", **PRIVATE)
    components.shortcuts.change(None, components.shortcuts, None, js="on => wanShortcuts(on)", **PRIVATE)
    components.variations.change(
        None, components.variations, None, js="count => wanTab.set('wan-variations', count)", **PRIVATE
    )
    components.sound.change(None, components.sound, None, js="on => wanSound(on)", **PRIVATE)


def launch(page: gr.Blocks, **options: Any) -> tuple[Any, str, str]:
    """Serve the page with everything that belongs to it.

    Args:
        page: What `build` returned.
        options: Gradio's own, such as ``server_port`` or ``app_kwargs``.
    """
    served: tuple[Any, str, str] = page.launch(
        i18n=word,
        theme=gr.themes.Soft(
            primary_hue="indigo",
            neutral_hue="slate",
            radius_size="md",
            font=["system-ui", "sans-serif"],
            font_mono=["ui-monospace", "monospace"],
        ).set(
            block_title_background_fill="none",
            block_title_background_fill_dark="none",
            block_title_padding="0",
            block_title_text_color="*body_text_color",
            block_title_text_color_dark="*body_text_color",
            block_label_background_fill="*background_fill_primary",
            block_label_background_fill_dark="*background_fill_primary",
            block_label_text_color="*body_text_color",
            block_label_text_color_dark="*body_text_color",
            block_border_width="1px",
            body_text_color_subdued="*neutral_500",
            input_placeholder_color="*neutral_500",
            input_placeholder_color_dark="*neutral_400",
            button_primary_background_fill="*primary_600",
            button_primary_background_fill_dark="*primary_600",
            button_primary_background_fill_hover="*primary_700",
            button_primary_background_fill_hover_dark="*primary_700",
            button_secondary_background_fill_hover_dark="*primary_600",
            checkbox_label_background_fill_selected="*primary_600",
            checkbox_label_background_fill_selected_dark="*primary_600",
        ),
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        max_threads=THREADS,
        state_session_capacity=SESSIONS,
        max_file_size=UPLOAD_LIMIT,
        footer_links=["api"],
        **options,
    )
    return served
