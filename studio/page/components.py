"""The page's components by name: handlers say what changes by naming it, never by its position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import gradio as gr

if TYPE_CHECKING:
    from collections.abc import Callable

    from studio.i18n.texts import Texts
    from studio.prompt.form import Form

    from .slot import Slot

# What a component shows, as a function of the visitor's texts; see `rendering`.
Localised: TypeAlias = "Callable[[Texts], Any]"
# What a handler returns: the components that change, each with its new value or a `Localised` one.
Changes = dict[Any, Any]

FIELDS = ("prompt", "image_1", "image_2", "image_3", "negative_prompt", "image_size", "seed", "prompt_extend")


@dataclass
class Shown:
    """Which result a page shows, in its session. Its handlers share it, including those that are still running.

    Attributes:
        key: The run's key; empty where the page shows none.
        stays: Whether another run's result does not take its place.
    """

    key: str = ""
    stays: bool = False

    def look_at(self, key: str) -> None:
        """Show a run's result until another one is chosen; with an empty key, none."""
        self.key, self.stays = key, bool(key)


@dataclass(frozen=True, eq=False)
class Components:
    """The page's components, in the order of the page.

    Attributes:
        kept: What the browser keeps, handed to a handler by `store.READ`.
        notes: What the browser shall keep of its runs.
        draft: What the browser shall keep of the form.
        drop: Where a picture arrives that was dropped beside the slots.
        token: The visitor's own token, in this session's memory on the server.
        engine: Which engine the page shows: the server may have forgotten a token since.
        group: The runs that are shown, by what the variations of one click have in common.
        shown: Which result is shown, as `Shown`.
        size_chosen: Whether the aspect ratio was chosen; until then it follows image 1.
        waiting: The newest run that the browser waited for as the page opened, if there is one.
        unpriced: Whether the catalogue had yet to name the price as the page opened.
    """

    kept: gr.Textbox
    notes: gr.HTML
    draft: gr.HTML
    drop: gr.HTML
    token: gr.State
    engine: gr.Textbox
    group: gr.State
    shown: gr.State
    size_chosen: gr.State
    waiting: gr.Textbox
    unpriced: gr.Checkbox
    banner: gr.HTML
    languages: gr.HTML
    image_1: Slot
    image_2: Slot
    image_3: Slot
    swap_1_2: gr.Button
    swap_2_3: gr.Button
    prompt: gr.Textbox
    chips: gr.HTML
    findings: gr.HTML
    image_size: gr.Dropdown
    frame: gr.HTML
    like: gr.Button
    variations: gr.Radio
    generate: gr.Button
    cancel: gr.Button
    cost: gr.HTML
    negative_prompt: gr.Textbox
    seed: gr.Number
    dice: gr.Button
    prompt_extend: gr.Checkbox
    sound: gr.Checkbox
    shortcuts: gr.Checkbox
    request_box: gr.Accordion
    request_preview: gr.HTML
    token_box: gr.Textbox
    token_use: gr.Button
    token_forget: gr.Button
    status: gr.HTML
    again: gr.Button
    anyway: gr.Button
    panel: gr.HTML
    filmstrip: gr.HTML
    caption: gr.HTML
    tools: gr.Row
    downloads: gr.HTML
    use: gr.Button
    back: gr.Button
    settings: gr.Button
    copies: gr.HTML
    code: gr.HTML
    programme: gr.HTML
    examples: gr.HTML
    history: gr.HTML
    keeping: gr.HTML
    code_box: gr.Textbox
    code_fetch: gr.Button
    open_recipe: gr.UploadButton
    forget: gr.Button

    @property
    def page(self) -> list[Any]:
        """What a handler that runs something knows of the page: what the browser keeps, the token, what is shown."""
        return [self.kept, self.token, self.shown]

    @property
    def shown_run(self) -> list[Any]:
        """What a handler that shows a run knows of the page: what the browser keeps, and what is shown."""
        return [self.kept, self.shown]

    @property
    def slots(self) -> list[Slot]:
        """The three places for pictures, in the order of their numbers."""
        return [self.image_1, self.image_2, self.image_3]

    @property
    def fields(self) -> dict[str, Any]:
        """The form's components, under the names of the form's attributes."""
        return {name: getattr(self, name) for name in FIELDS}

    def filled(self, form: Form) -> Changes:
        """Put a form into its components."""
        return {component: getattr(form, name) for name, component in self.fields.items()}

    @property
    def no_change(self) -> Changes:
        """No change at all: Gradio takes an empty dictionary for a change that empties everything."""
        return {self.status: gr.skip()}

    @property
    def run(self) -> list[Any]:
        """What changes as runs go on. Kept short: it is processed at each change, for each page that waits."""
        return [
            self.notes,
            self.group,
            self.generate,
            self.cancel,
            self.status,
            self.again,
            self.anyway,
            self.panel,
            self.filmstrip,
            self.caption,
            self.tools,
            self.downloads,
            self.back,
            self.copies,
            self.code,
            self.history,
        ]

    @property
    def derived(self) -> list[Any]:
        """What is computed from the form."""
        return [self.findings, self.chips, self.frame]

    @property
    def form(self) -> list[Any]:
        """The form, what is computed from it, and the line that says what happened to it."""
        return [*self.fields.values(), *self.derived, self.status]

    @property
    def own_token(self) -> list[Any]:
        """What changes with the visitor's token."""
        return [self.token, self.engine, self.token_box, self.token_forget, self.banner, self.cost, self.status]

    @property
    def opened(self) -> list[Any]:
        """What changes as the page opens."""
        return [
            *self.fields.values(),
            *self.derived,
            self.size_chosen,
            self.waiting,
            self.unpriced,
            self.engine,
            self.banner,
            self.cost,
            self.generate,
            self.variations,
            self.draft,
            self.keeping,
            self.panel,
            self.history,
        ]

    @property
    def everything(self) -> list[Any]:
        """All of the page that a handler changes."""
        rest = [self.size_chosen, self.variations, self.draft, self.keeping, self.request_preview]
        return list(dict.fromkeys([*self.run, *self.form, *self.own_token, *rest]))
