"""What is where on the page."""

from __future__ import annotations

from typing import Any

import gradio as gr

from studio.i18n.language import LANGUAGES, first_value_by_language, word
from studio.prompt.form import VARIATIONS_MAX
from studio.views import examples
from studio.views.render import render
from wan_client import ImageSize
from wan_client.schema import (
    DEFAULT_IMAGE_SIZE,
    DEFAULT_NEGATIVE_PROMPT,
    DEFAULT_PROMPT_EXTEND,
    DEFAULT_SEED,
    IMAGES_MAX,
    NEGATIVE_PROMPT_MAX,
    PROMPT_MAX,
    count_characters,
)

from .components import Components, Shown
from .slot import Slot

# A click on an element with data-event raises that event of the component, with the element's data.
CLICKS = """element.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-event]");
  if (button) trigger(button.dataset.event, { ...button.dataset });
});"""
# Gradio finds a component's custom events by this line.
KEPT_EVENTS = 'const events = ["kept", "use"];'
# A picture that is dropped beside the slots may carry a recipe.
DROPS = """const outside = (event) =>
  [...(event.dataTransfer?.items ?? [])].some((item) => item.kind === "file") && !event.target.closest?.("#slots");
document.addEventListener("dragover", (event) => { if (outside(event)) event.preventDefault(); });
document.addEventListener("drop", async (event) => {
  if (!outside(event)) return;
  event.preventDefault();
  const { path } = await upload(event.dataTransfer.files[0]).catch(() => ({ path: "" }));
  trigger("upload", { path });
});"""


def lay_out(first_banner: str, first_panel: str, programme: str = "") -> Components:
    """Lay out the page within the blocks that are open.

    Args:
        first_banner: The banner in the page's first answer, by `first_value_by_language`.
        first_panel: The stage in the page's first answer, by `first_value_by_language`.
        programme: The programme's cards, by `first_value_by_language`; empty where there is none.
    """
    made = _hidden() | _head(first_banner)
    with gr.Row(elem_id="columns", equal_height=False):
        with gr.Column(elem_id="inputs"):
            made |= _pictures() | _prompt() | _negative_prompt() | _settings() | _buttons() | _accordions()
        with gr.Column(elem_id="outputs"):
            made |= _result(first_panel)
        with gr.Column(elem_id="below"):
            made |= _programme(programme) | _examples() | _history()
    return Components(**made)


def _hidden() -> dict[str, Any]:
    return {
        "kept": gr.Textbox(visible=False),
        "notes": gr.HTML(elem_id="notes", visible="hidden", js_on_load=None),
        "draft": gr.HTML(elem_id="draft", visible="hidden", js_on_load=None),
        "drop": gr.HTML(elem_id="drop", visible="hidden", js_on_load=DROPS),
        "token": gr.State(""),
        "engine": gr.Textbox(visible=False),
        "group": gr.State(""),
        "shown": gr.State(Shown()),
        "size_chosen": gr.State(value=False),
        # Not a state: Gradio raises no change of one after an event that bypasses the queue.
        "waiting": gr.Textbox(visible=False),
        "unpriced": gr.Checkbox(visible=False),
    }


def _head(first_banner: str) -> dict[str, Any]:
    with gr.Row(elem_id="head"):
        gr.Markdown(word("page.heading"), elem_id="heading")
        return {"banner": _html("banner", first_banner), "languages": _html("languages", LANGUAGES)}


def _pictures() -> dict[str, Any]:
    """Lay out the three slots in the order of their numbers, and the buttons that exchange them."""
    with gr.Column(elem_id="pictures"):
        with gr.Row(elem_id="slots"):
            slots = [Slot(number) for number in range(1, IMAGES_MAX + 1)]
        with gr.Row(elem_id="swaps"):
            swaps = {
                "swap_1_2": gr.Button(word("swap.1_2"), size="sm", min_width=32),
                "swap_2_3": gr.Button(word("swap.2_3"), size="sm", min_width=32),
            }
    return {"image_1": slots[0], "image_2": slots[1], "image_3": slots[2], **swaps}


def _prompt() -> dict[str, Any]:
    with gr.Column(elem_id="asking"):
        with gr.Column(elem_classes="counted"):
            prompt = gr.Textbox(
                label=word("prompt.label"),
                placeholder=word("prompt.placeholder"),
                lines=3,
                max_lines=8,
                elem_id="prompt",
            )
            _count("prompt", "", PROMPT_MAX)
        chips = _html("chips")
        with gr.Accordion(word("starters.title"), open=False, elem_id="starters-box"), gr.Row():
            _html("starters", first_value_by_language(examples.prompt_starters))
        findings = gr.HTML(elem_id="findings", js_on_load=CLICKS, padding=False)
    return {
        "prompt": prompt,
        "chips": chips,
        "findings": findings,
    }


def _negative_prompt() -> dict[str, Any]:
    with gr.Column(elem_classes="counted", elem_id="avoiding"):
        negative_prompt = gr.Textbox(
            value=DEFAULT_NEGATIVE_PROMPT,
            label=word("negative.label"),
            lines=1,
            max_lines=4,
            elem_id="negative-prompt",
        )
        _count("negative-prompt", DEFAULT_NEGATIVE_PROMPT, NEGATIVE_PROMPT_MAX)
    return {"negative_prompt": negative_prompt}


def _settings() -> dict[str, Any]:
    with gr.Row(elem_id="settings"):
        with gr.Column(elem_id="frame-box", min_width=210, scale=5):
            image_size = gr.Dropdown(
                choices=[(word(f"size.{size.name.lower()}"), size.value) for size in ImageSize],
                value=DEFAULT_IMAGE_SIZE.value,
                label=word("size.label"),
                elem_id="image-size",
                filterable=False,
            )
            with gr.Row(elem_id="frame-row"):
                frame = _html("frame")
                like = gr.Button(word("size.like_image_1"), size="sm", elem_classes="quiet", min_width=60)
        with gr.Column(elem_id="seed-row", min_width=130, scale=3):
            # Without Gradio's bounds, which it would check before `validate`, with a message in English.
            seed = gr.Number(value=DEFAULT_SEED, precision=0, label=word("seed.label"), elem_id="seed")
            dice = gr.Button(word("seed.dice"), elem_id="dice", size="sm", min_width=28)
    with gr.Row(elem_id="extend-row"):
        prompt_extend = gr.Checkbox(
            value=DEFAULT_PROMPT_EXTEND,
            label=word("extend.label"),
            elem_id="prompt-extend",
            container=False,
            min_width=120,
        )
        gr.Markdown(word("extend.hint"), elem_id="extend-hint")
    return {
        "image_size": image_size,
        "frame": frame,
        "like": like,
        "seed": seed,
        "dice": dice,
        "prompt_extend": prompt_extend,
    }


def _buttons() -> dict[str, Any]:
    with gr.Column(elem_id="sending"):
        with gr.Row(elem_id="buttons"):
            variations = gr.Radio(
                choices=list(range(1, VARIATIONS_MAX + 1)),
                value=1,
                label=word("variations.label"),
                elem_id="variations",
                min_width=130,
                scale=2,
            )
            generate = gr.Button(word("button.generate"), variant="primary", elem_id="generate", scale=3)
            cancel = gr.Button(word("button.cancel"), interactive=False, elem_id="cancel", scale=1)
        cost = _html("cost")
    return {"generate": generate, "cancel": cancel, "cost": cost, "variations": variations}


def _accordions() -> dict[str, Any]:
    """Lay out the accordions, which are closed at first."""
    with gr.Accordion(word("request.title"), open=False, elem_id="request-box") as request_box:
        request_preview = _html("request-preview")
    with gr.Accordion(word("token.title"), open=False, elem_id="token-panel"):
        gr.Markdown(word("token.explained"), elem_id="token-explained")
        with gr.Row():
            token_box = gr.Textbox(
                label=word("token.label"),
                placeholder=word("token.placeholder"),
                # No password box, which browsers offer to store; page.css hides what is typed.
                max_lines=1,
                html_attributes=gr.InputHTMLAttributes(
                    autocomplete="off", autocapitalize="off", autocorrect="off", spellcheck=False
                ),
                elem_id="token-box",
                scale=3,
            )
            token_use = gr.Button(word("token.use"), size="sm", min_width=80, scale=1, elem_id="token-use")
            token_forget = gr.Button(
                word("token.forget"), size="sm", min_width=80, scale=1, visible=False, elem_id="token-forget"
            )
    with gr.Accordion(word("more.title"), open=False, elem_id="more"):
        sound = gr.Checkbox(value=False, label=word("sound.label"), elem_id="sound", container=False)
        gr.Markdown(word("keys.explained"), elem_id="keys-explained")
        shortcuts = gr.Checkbox(value=True, label=word("keys.label"), elem_id="shortcuts", container=False)
    return {
        "sound": sound,
        "shortcuts": shortcuts,
        "request_box": request_box,
        "request_preview": request_preview,
        "token_box": token_box,
        "token_use": token_use,
        "token_forget": token_forget,
    }


def _result(first_panel: str) -> dict[str, Any]:
    with gr.Column(elem_id="stage-box"):
        panel = gr.HTML(first_panel, elem_id="result", js_on_load=f"{KEPT_EVENTS}\n{CLICKS}", padding=False)
        status = _html("status")
    with gr.Row(elem_id="second-tries"):
        again = gr.Button(word("button.again"), visible=False, elem_id="again")
        anyway = gr.Button(word("button.anyway"), visible=False, elem_id="anyway")
    filmstrip = gr.HTML(elem_id="filmstrip", js_on_load=CLICKS, padding=False)
    caption = _html("caption")
    with gr.Row(elem_id="tools", visible=False) as tools:
        downloads = _html("downloads")
        use = gr.Button(word("result.use"), size="sm", elem_id="use", min_width=120)
        back = gr.Button(word("result.back"), size="sm", elem_id="back", visible=False, min_width=120)
        settings = gr.Button(word("result.settings"), size="sm", elem_id="settings-again", min_width=120)
        copies = _html("copies")
    code = _html("code")
    return {
        "status": status,
        "again": again,
        "anyway": anyway,
        "panel": panel,
        "filmstrip": filmstrip,
        "caption": caption,
        "tools": tools,
        "downloads": downloads,
        "use": use,
        "back": back,
        "settings": settings,
        "copies": copies,
        "code": code,
    }


def _programme(cards: str) -> dict[str, Any]:
    return {"programme": gr.HTML(cards, elem_id="programme", js_on_load=CLICKS, padding=False)}


def _examples() -> dict[str, Any]:
    with gr.Column(elem_id="examples-box"):
        gr.Markdown(word("examples.heading"), elem_id="examples-heading")
        cards = gr.HTML(first_value_by_language(examples.cards), elem_id="examples", js_on_load=CLICKS, padding=False)
    return {"examples": cards}


def _history() -> dict[str, Any]:
    with gr.Column(elem_id="history-box"):
        with gr.Row(elem_id="history-head"):
            gr.Markdown(word("history.heading"), elem_id="history-heading")
            # Does the same as dropping a picture, for people who can't drag and drop.
            open_recipe = gr.UploadButton(
                word("recipe.open"),
                size="sm",
                file_types=[".png"],
                elem_classes="quiet",
                elem_id="open-recipe",
                min_width=60,
            )
            forget = gr.Button(word("history.forget"), size="sm", elem_classes="quiet", elem_id="forget", min_width=60)
        keeping = _html("keeping")
        history = gr.HTML(elem_id="history", js_on_load=CLICKS, padding=False)
        with gr.Accordion(word("code.title"), open=False, elem_id="code-panel"), gr.Row():
            code_box = gr.Textbox(
                label=word("code.label"), placeholder=word("code.placeholder"), elem_id="code-box", scale=3
            )
            code_fetch = gr.Button(word("code.fetch"), size="sm", min_width=80, scale=1, elem_id="code-fetch")
    return {
        "history": history,
        "keeping": keeping,
        "code_box": code_box,
        "code_fetch": code_fetch,
        "open_recipe": open_recipe,
        "forget": forget,
    }


def _html(name: str, value: str = "") -> gr.HTML:
    return gr.HTML(value, elem_id=name, js_on_load=None, padding=False)


def _count(field: str, text: str, limit: int) -> None:
    """Show a live count of the characters of a box, which the browser updates."""
    _html(f"{field}-count", render("count", count=count_characters(text), limit=limit))
