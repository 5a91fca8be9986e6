"""The page: laid out, connected to its handlers, served."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from markupsafe import Markup

from studio.browser.store import READ
from studio.i18n.language import by_language, switch, word
from studio.i18n.texts import DEFAULT_LANGUAGE, translations
from studio.public import endpoints as published
from studio.public.malformed_calls import Page
from studio.views import examples
from studio.views import run as view
from studio.views.render import render
from wan_client import ModelEntry
from wan_client.schema import SEED_MAX

from .form_handlers import Editing
from .layout import lay_out
from .run_handlers import Actions
from .validation import validate

if TYPE_CHECKING:
    from studio.i18n.texts import Texts
    from studio.runs.jobs import Jobs
    from studio.settings import PageSettings

    from .components import Parts

_STATIC = Path(__file__).parent.parent / "browser" / "static"
_STYLES = ("page.css", "language.css", "input.css", "slot.css", "viewer.css", "runs.css", "access.css")
_SCRIPTS = ("store.js", "page.js", "slot.js", "viewer.js", "access.js")
# Waiting costs a page next to nothing, so many may wait: what bounds the work is the API's queue.
THREADS = 400
UPLOAD_LIMIT = "40mb"
# Of each visit Gradio keeps 0.2 MB, and of the oldest nothing.
SESSIONS = 2000
PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


def build(settings: PageSettings, jobs: Jobs) -> gr.Blocks:
    """The page over the server's jobs. Nothing is started or launched."""
    page = Page(
        title=translations()[DEFAULT_LANGUAGE]["page.title"],
        analytics_enabled=False,
    )
    gr.set_static_paths([examples.FOLDER])
    with page:
        parts = lay_out(by_language(partial(_banner, jobs)), by_language(examples.ready))
        actions = Actions(jobs, parts)
        editing = Editing(jobs, parts, settings, actions)
        page.load(switch, None, parts.languages, queue=False, **PRIVATE)
        page.load(editing.opened, parts.kept, parts.everything, js=READ, queue=False, **PRIVATE).then(
            actions.resume, [parts.kept, parts.token], parts.run, js=READ, **PRIVATE
        )
        page.unload(actions.left)
        _connect_runs(actions, editing, parts)
        _connect_form(editing, parts)
        _connect_browser(parts)
        for endpoint in published.endpoints(jobs):
            gr.events.api(endpoint, api_name=endpoint.__name__, concurrency_limit=None)
        page.queue(default_concurrency_limit=None, api_open=False)
    return page


def _banner(jobs: Jobs, texts: Texts) -> str:
    """Return the banner before the catalogue is asked for the price."""
    engine = jobs.engines.name("")
    return view.banner(texts, engine, jobs.engines.base(engine), ModelEntry())


def _connect_runs(actions: Actions, editing: Editing, parts: Parts) -> None:
    """Generate, cancel, fetch, look at, delete."""
    cost: dict[str, Any] = {"inputs": [parts.token, parts.variations], "outputs": parts.cost, "queue": False}
    known: dict[str, Any] = {"outputs": parts.run, "js": READ, **PRIVATE}
    quick: dict[str, Any] = {**known, "queue": False}
    form = [parts.kept, parts.token, parts.engine, parts.variations]
    for button, handler in ((parts.generate, actions.generate), (parts.anyway, actions.generate_anyway)):
        run = button.click(handler, form, inputs_kwargs=parts.fields, validator=validate, **known)
        run.then(editing.cost_changed, **cost, **PRIVATE)
    parts.again.click(actions.resume, [parts.kept, parts.token], **known)
    for asked in (parts.code_fetch.click, parts.code_box.submit):
        asked(
            actions.fetch, [parts.kept, parts.token, parts.code_box], [*parts.run, parts.code_box], js=READ, **PRIVATE
        )
    parts.takes.retry(actions.retry, [parts.kept, parts.token], **known)
    parts.cancel.click(actions.cancel, parts.group, parts.run, queue=False, **PRIVATE)
    for strip in (parts.takes, parts.history):
        strip.click(actions.show, parts.kept, **quick)
    parts.history.delete(actions.delete, parts.kept, **quick)
    everything = {**quick, "outputs": parts.everything}
    parts.forget.click(actions.forget_everything, parts.kept, inputs_kwargs=parts.fields, **everything)


def _connect_form(editing: Editing, parts: Parts) -> None:
    """The form, as it is filled in, mended, swapped, restored."""
    plain: dict[str, Any] = {"outputs": parts.everything, "queue": False, **PRIVATE}
    known: dict[str, Any] = {**plain, "js": READ}
    fields: dict[str, Any] = {"inputs_kwargs": parts.fields}
    changes = [part.change for part in parts.fields.values()]
    gr.on(changes, editing.changed, trigger_mode="always_last", **fields, **plain)
    gr.on(changes, None, list(parts.fields.values()), None, js="(...values) => wanDraft(...values)", **PRIVATE)
    parts.findings.click(editing.mend, **fields, **plain)
    parts.swap_1_2.click(editing.swap_1_2, **fields, **plain)
    parts.swap_2_3.click(editing.swap_2_3, **fields, **plain)
    parts.like.click(editing.like_image_1, parts.image_1, **plain)
    parts.image_size.input(editing.choose_size, None, parts.size_chosen, queue=False, **PRIVATE)
    parts.image_1.change(editing.follow_image_1, [parts.image_1, parts.size_chosen], **plain)
    parts.variations.change(editing.cost_changed, [parts.token, parts.variations], **plain)
    parts.outgoing_box.expand(editing.what_will_be_sent, parts.token, **fields, **plain)
    parts.token_use.click(editing.use_token, [parts.token_box, parts.variations], **plain)
    parts.token_box.submit(editing.use_token, [parts.token_box, parts.variations], **plain)
    parts.token_forget.click(editing.forget_token, parts.variations, **plain)
    parts.use.click(editing.use_result, [parts.kept, parts.shown], **fields, **known)
    parts.back.click(editing.back, [parts.kept, parts.shown], **known)
    parts.settings.click(editing.restore_shown, [parts.kept, parts.shown], **known)
    parts.history.select(editing.restore, parts.kept, **known)
    parts.drop.upload(editing.restore_dropped, parts.kept, **fields, **known)
    parts.open_recipe.upload(editing.restore_recipe, [parts.kept, parts.open_recipe], **fields, **known)
    slots = [parts.image_1, parts.image_2, parts.image_3]
    for slot in slots:
        slot.move(editing.moved, **fields, **plain)
        slot.example(editing.example_dropped, None, slot, queue=False, **PRIVATE)
    for example, card in parts.examples:
        card.click(
            example.values, None, [*slots, parts.prompt, parts.image_size, parts.size_chosen], queue=False, **PRIVATE
        )


def _connect_browser(parts: Parts) -> None:
    """What the browser does by itself."""
    parts.dice.click(None, None, parts.seed, js=f"() => Math.floor(Math.random() * {SEED_MAX + 1})", **PRIVATE)
    for box, count in ((parts.prompt, parts.prompt_count), (parts.negative_prompt, parts.negative_count)):
        box.change(None, box, None, js=f"text => wanCount('{count.elem_id}', text)", **PRIVATE)
    for starter, button in parts.starters:
        button.click(
            None, parts.prompt, parts.prompt, js=f"text => wanStart(text, {json.dumps(starter.prompt)})", **PRIVATE
        )
    parts.shortcuts.change(None, parts.shortcuts, None, js="on => wanShortcuts(on)", **PRIVATE)
    parts.variations.change(None, parts.variations, None, js="count => wanTab.set('wan-variations', count)", **PRIVATE)
    parts.sound.change(None, parts.sound, None, js="on => wanSound(on)", **PRIVATE)


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
        css_paths=[_STATIC / name for name in _STYLES],
        head=render("scripts", scripts=[Markup((_STATIC / name).read_text("utf-8")) for name in _SCRIPTS]),  # noqa: S704
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
