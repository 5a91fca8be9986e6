"""Event handlers for the form: as it is filled in, fixed, swapped, restored."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import gradio as gr

from studio import uploads
from studio.browser import store
from studio.prompt import recipe, references, settings_link, sizes
from studio.prompt.examples import load as load_examples
from studio.prompt.form import Form, how_many
from studio.public.limits import price_of
from studio.public.visitors import visitor_of
from studio.runs.engines import FRESH_SECONDS, SANDBOX, VISITOR
from studio.views import examples
from studio.views import request as request_preview
from studio.views import run as view
from studio.views.render import render
from wan_client import ImageSize, WanError
from wan_client.recipe import fingerprint, read
from wan_client.schema import DEFAULT_IMAGE_SIZE, IMAGES_MAX
from wan_client.settings import check_token

from .components import Changes, Shown  # noqa: TC001  # Gradio reads a handler's annotations as the page is built
from .rendering import localised, rendered, status_note
from .run_handlers import clicked_composite

if TYPE_CHECKING:
    from studio.i18n.texts import Texts
    from studio.prompt.examples import Example
    from studio.runs.jobs import Jobs
    from studio.settings import PageSettings
    from wan_client import ModelEntry

    from .components import Components, Localised
    from .run_handlers import RunHandlers


class FormHandlers:
    """The form's event handlers.

    Args:
        jobs: The server's jobs.
        components: The page's components.
        settings: The page's settings.
        run_handlers: What shows a run.
    """

    def __init__(self, jobs: Jobs, components: Components, settings: PageSettings, run_handlers: RunHandlers) -> None:
        self._run_handlers = run_handlers
        self._jobs = jobs
        self._components = components
        self._settings = settings

    @rendered
    async def opened(self, kept: str, request: gr.Request) -> Changes:
        """Fill a page in as it opens: from its link, else the draft of this tab, else the newest waiting run."""
        known = store.read(kept)
        form = settings_link.from_query(request.query_params)
        chosen = form != Form()
        if not chosen:
            form = known.draft or (known.waiting[0].form if known.waiting else form)
            nearest = await asyncio.to_thread(self._nearest, form.image_1)
            chosen = form.image_size != (nearest or DEFAULT_IMAGE_SIZE).value
        # An unchanged form is not filled in: the visitor may have typed before this response arrives.
        filled = self._components.filled(form) if form != Form() else {}
        if known.variations > 1:
            filled[self._components.variations] = known.variations
        return {
            **filled,
            **self._derived(form),
            **await self._engine(request, "", known.variations),
            self._components.size_chosen: chosen,
            self._components.waiting: known.waiting[0].key if known.waiting else "",
            self._components.unpriced: self._jobs.engines.is_price_due(),
            self._components.generate: localised(_generate_text, self._jobs.engines.known_model(), known.variations),
            self._components.draft: store.storage_patch(opened=form),
            self._components.keeping: view.keeps_nothing if not known.lasts else "",
            self._components.panel: examples.ready,
            self._components.history: self._run_handlers.history(known),
        }

    @rendered
    def changed(self, request: gr.Request, **fields: Any) -> Changes:
        """Update what is computed from the form, after each change."""
        return self._derived(Form(**fields))

    @rendered
    def apply_fix(self, event: gr.EventData, request: gr.Request, **fields: Any) -> Changes:
        """Do what a button of the reference check offers."""
        form = Form(**fields)
        fixes = [fix for finding in _findings(form) for fix in finding.fixes]
        index = str(getattr(event, "fix", ""))
        if not index.isdigit() or int(index) >= len(fixes):
            return {}
        fix = fixes[int(index)]
        if fix.move:
            form = _moved(form, fix.move)
        if fix.prompt is not None:
            form = replace(form, prompt=fix.prompt)
        return self._filled(form)

    @rendered
    def swap_1_2(self, request: gr.Request, **fields: Any) -> Changes:
        """Exchange images 1 and 2, in the slots and in the prompt."""
        return self._swapped(Form(**fields), (2, 1, 3))

    @rendered
    def swap_2_3(self, request: gr.Request, **fields: Any) -> Changes:
        """Exchange images 2 and 3, in the slots and in the prompt."""
        return self._swapped(Form(**fields), (1, 3, 2))

    @rendered
    def moved(self, event: gr.EventData, request: gr.Request, **fields: Any) -> Changes:
        """Exchange the pictures of two slots, one of which was dropped on the other, and their numbers."""
        places = (getattr(event, "from", None), getattr(event, "to", None))
        if not all(place in range(1, IMAGES_MAX + 1) for place in places) or places[0] == places[1]:
            return {}
        exchanged = dict(zip(places, reversed(places), strict=True))
        move = tuple(exchanged.get(number, number) for number in range(1, IMAGES_MAX + 1))
        return self._swapped(Form(**fields), move)

    def choose_example(self, event: gr.EventData) -> Changes:
        """Put an example into the form, and let the aspect ratio follow image 1 again."""
        example = _example(event)
        if example is None:
            return {self._components.prompt: gr.skip()}
        return {
            **dict(zip_longest(self._components.slots, example.images)),
            self._components.prompt: example.prompt,
            self._components.image_size: example.image_size.value,
            self._components.size_chosen: False,
        }

    def example_dropped(self, event: gr.EventData) -> Any:
        """Return the first picture of an example."""
        example = _example(event)
        return example.images[0] if example else gr.skip()

    def like_image_1(self, image_1: str | None) -> Changes:
        """Let the aspect ratio follow image 1, now and from now on."""
        return {
            self._components.image_size: self.follow_image_1(image_1, chosen=False),
            self._components.size_chosen: False,
        }

    def follow_image_1(self, image_1: str | None, chosen: bool) -> Any:  # a component's value
        """Return the aspect ratio nearest to image 1's, unless a person has chosen one."""
        size = None if chosen else self._nearest(image_1)
        return size.value if size else gr.skip()

    def choose_size(self) -> bool:
        """Note that a person has chosen the aspect ratio."""
        return True

    def _nearest(self, image: str | None) -> ImageSize | None:
        size = sizes.size_of(image) if image and uploads.is_upload(image) else None
        return sizes.nearest(*size) if size else None

    @rendered
    async def preview_request(self, token: str, request: gr.Request, **fields: Any) -> Changes:
        """Show the pictures and the request as they will be sent."""
        sent: request_preview.RequestPreview | WanError
        try:
            way = await self._jobs.engines.picture_delivery(token)
            sent = await request_preview.preview(Form(**fields), way=way, by_address=self._settings.engine.by_address)
        except WanError as problem:
            sent = problem
        sandbox = self._jobs.engines.name(token) == SANDBOX
        html = localised(request_preview.request_preview_html, sent, sandbox=sandbox)
        return {self._components.request_preview: html}

    @rendered
    def use_result(self, kept: str, shown: Shown, request: gr.Request, **fields: Any) -> Changes:
        """Use the result as image 1, the only picture of the form."""
        entry = store.read(kept).find(shown.key)
        result = self._run_handlers.run_view(entry).outcome if entry else None
        return self._with_only_image_1(Form(**fields), str(result.path), "result.used") if result else {}

    @rendered
    def use_kept(self, event: gr.EventData, request: gr.Request, **fields: Any) -> Changes:
        """Use a kept composite as image 1, the only picture of the form."""
        key, picture = clicked_composite(event)
        return self._with_only_image_1(Form(**fields), str(picture.file(key)), "kept.used") if picture else {}

    def _with_only_image_1(self, form: Form, path: str, key: str) -> Changes:
        """Put a picture of this server into the form as its only one, and say so with the text of that key."""
        return {
            **self._filled(replace(form, image_1=path, image_2=None, image_3=None, prompt="")),
            self._components.status: status_note(key),
            self._components.again: gr.update(visible=False),
        }

    @rendered
    def back(self, kept: str, shown: Shown, request: gr.Request) -> Changes:
        """Show the run that the shown one's image 1 came from, and restore its form."""
        known = store.read(kept)
        entry = known.find(shown.key)
        return self._restored(known, entry and known.parent(entry), shown)

    @rendered
    def restore_shown(self, kept: str, shown: Shown, request: gr.Request) -> Changes:
        """Restore the form of the run that is shown."""
        known = store.read(kept)
        return self._restored(known, known.find(shown.key), shown)

    @rendered
    def restore(self, kept: str, shown: Shown, event: gr.EventData, request: gr.Request) -> Changes:
        """Restore the form of an earlier run."""
        known = store.read(kept)
        return self._restored(known, known.find(str(getattr(event, "key", ""))), shown)

    async def restore_dropped(
        self, kept: str, shown: Shown, event: gr.EventData, request: gr.Request, **fields: Any
    ) -> Changes:
        """Restore the form from the recipe of a dropped picture."""
        changes: Changes = await self.restore_recipe(kept, shown, str(getattr(event, "path", "")), request, **fields)
        return changes

    @rendered
    async def restore_recipe(self, kept: str, shown: Shown, path: str, request: gr.Request, **fields: Any) -> Changes:
        """Restore the form from a picture's recipe, with its references where this browser's history has them."""
        form = Form(**fields)
        try:
            found = await asyncio.to_thread(read, uploads.check_upload(path, number=1))
        except WanError:
            found = None
        if found is None:
            noted = store.storage_patch(uploads=[path] if path else [])
            return {self._components.status: status_note("recipe.none"), self._components.notes: noted}
        runs = store.read(kept)
        known = next((entry for entry in runs.entries if entry.request_id == found.request_id), None)
        before = known.form if known else form
        form = replace(
            recipe.settings_of(found), image_1=before.image_1, image_2=before.image_2, image_3=before.image_3
        )
        prints = await asyncio.to_thread(
            lambda: [fingerprint(slot) if slot and uploads.is_upload(slot) else None for slot in form.slots]
        )
        # A mask belongs to the result that it was painted on.
        painted = known if known and known.result and found.kept else None
        return {
            **self._filled(form),
            self._components.size_chosen: True,
            self._components.status: localised(recipe.restored, found, prints),
            self._components.notes: store.storage_patch(uploads=[path]),
            self._components.again: gr.update(visible=False),
            **(await asyncio.to_thread(self._run_handlers.show_result, runs, painted, shown) if painted else {}),
        }

    @rendered
    async def cost_changed(self, token: str, variations: int, group: str, request: gr.Request) -> Changes:
        """Show what the next run costs, after a change to that."""
        count = how_many(variations)
        model = await self._jobs.engines.model(token, age=FRESH_SECONDS)
        cost = {self._components.cost: await self._cost(request, token, count, model)}
        return cost | self._generate_button(request, group, model, count)

    @rendered
    async def price_arrived(self, token: str, variations: int, group: str, request: gr.Request) -> Changes:
        """Show the engine and the price, once the catalogue has given it."""
        count = how_many(variations)
        model = await self._jobs.engines.model(token)
        return await self._engine(request, token, count) | self._generate_button(request, group, model, count)

    def _generate_button(self, request: gr.Request, group: str, model: ModelEntry, variations: int) -> Changes:
        """Set the text of the Generate button, unless it says that a run is at work."""
        if self._jobs.is_at_work(request.session_hash, group):
            return {}
        return {self._components.generate: localised(_generate_text, model, variations)}

    @rendered
    async def use_token(self, typed: str, variations: int, request: gr.Request) -> Changes:
        """Move a visitor's own token from the box into this session's memory."""
        token = (typed or "").strip()
        try:
            check_token(token)
            await self._jobs.admit(token, visitor_of(request))
        except WanError as problem:
            return {
                self._components.token_box: "",
                self._components.status: localised(view.failure, problem, sandbox=False),
            }
        return {
            self._components.token: token,
            self._components.token_box: _token_box("token.in_use"),
            self._components.token_forget: gr.update(visible=True),
            **await self._engine(request, token, how_many(variations)),
        }

    @rendered
    async def forget_token(self, variations: int, request: gr.Request) -> Changes:
        """Forget the visitor's own token."""
        return {
            self._components.token: "",
            self._components.token_box: _token_box("token.placeholder"),
            self._components.token_forget: gr.update(visible=False),
            **await self._engine(request, "", how_many(variations)),
        }

    async def _engine(self, request: gr.Request, token: str, variations: int) -> Changes:
        """Show the engine, and its price if that is known: this does not wait for the catalogue."""
        engines = self._jobs.engines
        engine, model = engines.name(token), engines.known_model(token)
        return {
            self._components.engine: engine,
            self._components.banner: localised(view.banner, engine, engines.base(engine), model),
            self._components.cost: await self._cost(request, token, variations, model),
        }

    async def _cost(self, request: gr.Request, token: str, variations: int, model: ModelEntry) -> Localised | str:
        """Return what the next run costs, and how many more this page allows."""
        engines = self._jobs.engines
        engine = engines.name(token)
        if engine != SANDBOX and engines.is_asking(token):
            # It is not known yet whether there is a price.
            return ""
        is_limited = engine != VISITOR
        left = await self._jobs.limits.status(visitor_of(request), price=price_of(model)) if is_limited else None
        return localised(view.cost, None if engine == SANDBOX else model, variations, left)

    def _derived(self, form: Form) -> Changes:
        """Update what is computed from the form."""
        return {
            self._components.findings: localised(references.findings_html, _findings(form)),
            self._components.chips: localised(_chips, form),
            self._components.frame: localised(sizes.frame_html, ImageSize.parse(form.image_size)),
        }

    def _filled(self, form: Form) -> Changes:
        return {**self._components.filled(form), **self._derived(form)}

    def _swapped(self, form: Form, move: tuple[int, ...]) -> Changes:
        swapped = _moved(form, move)
        mapping = {old: new for new, old in enumerate(move, 1)}
        swapped = replace(swapped, prompt=references.renumber(form.prompt or "", mapping))
        key = "swap.rewritten" if swapped.prompt != (form.prompt or "") else "swap.done"
        numbers = [number for number, old in enumerate(move, 1) if number != old]
        return {**self._filled(swapped), self._components.status: status_note(key, first=numbers[0], second=numbers[1])}

    def _restored(self, known: store.BrowserStore, entry: store.Entry | None, shown: Shown) -> Changes:
        if entry is None:
            return {}
        there = all(uploads.is_upload(slot) for slot in entry.form.slots if slot)
        changes = {
            **self._filled(entry.form),
            self._components.size_chosen: True,
            self._components.status: status_note("history.restored" if there else "history.restored_without"),
            self._components.again: gr.update(visible=False),
            self._components.anyway: gr.update(visible=False),
        }
        is_here = self._run_handlers.run_view(entry).outcome
        return changes | self._run_handlers.show_result(known, entry, shown) if is_here else changes


def _token_box(key: str) -> Localised:
    """Empty the token's box, with the text of that key as its placeholder."""
    return lambda texts: gr.update(value="", placeholder=texts(key))


def _example(event: gr.EventData) -> Example | None:
    """Return the example that an event names."""
    name = getattr(event, "name", "")
    return next((example for example in load_examples() if example.name == name), None)


def _generate_text(texts: Texts, model: ModelEntry, variations: int) -> str:
    """Return the text of the Generate button, with the price of this press if it is known."""
    price = view.price(texts, model, variations)
    return texts("button.generate_for", price=price) if price else texts("button.generate")


def _findings(form: Form) -> tuple[references.Finding, ...]:
    return references.check(form.prompt or "", [bool(slot) for slot in form.slots])


def _moved(form: Form, move: tuple[int, ...]) -> Form:
    """Return the form with its pictures in other slots: slot n gets the picture of slot ``move[n - 1]``."""
    image_1, image_2, image_3 = (form.slots[number - 1] for number in move)
    return replace(form, image_1=image_1, image_2=image_2, image_3=image_3)


def _chips(texts: Texts, form: Form) -> str:
    """Render a button for each picture, which puts its name into the prompt at the cursor."""
    names = [texts("chip.insert", number=number) for number in range(1, IMAGES_MAX + 1) if form.slots[number - 1]]
    return render("chips", texts=texts, names=names) if names else ""
