"""What is where on the page, and how it is served."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from wan_client import ImageSize
from wan_client.schema import (
    DEFAULT_IMAGE_SIZE,
    DEFAULT_NEGATIVE_PROMPT,
    DEFAULT_PROMPT_EXTEND,
    DEFAULT_SEED,
    NEGATIVE_PROMPT_MAX,
    PROMPT_MAX,
    SEED_MAX,
    SEED_MIN,
    count_characters,
)

from . import actions, examples, published
from .jobs import FILES_KEPT_SECONDS, Jobs
from .slot import Slot
from .texts import DEFAULT_LANGUAGE, translations
from .uploads import results_folder

if TYPE_CHECKING:
    from wan_client import Settings

_STATIC = Path(__file__).parent / "static"
# Waiting costs a page next to nothing, so many may wait: what bounds the work is the API's queue.
THREADS = 400
UPLOAD_LIMIT = "40mb"
CLEANING_SECONDS = 3600
PENDING_KEY = "wan-studio-pending"


def build(settings: Settings) -> gr.Blocks:
    """The page over an engine that is already there. Nothing is started or launched."""
    jobs = Jobs(settings, results_folder())
    word = gr.I18n()
    page = gr.Blocks(
        title=translations()[DEFAULT_LANGUAGE]["page.title"],
        analytics_enabled=False,
        delete_cache=(CLEANING_SECONDS, FILES_KEPT_SECONDS),
    )
    with page:
        # A fixed key and secret, so that a pending run is found again after a restart. It holds no secret.
        pending = gr.BrowserState("", storage_key=PENDING_KEY, secret=PENDING_KEY)
        with gr.Row(elem_id="head"):
            gr.Markdown(word("page.heading"), elem_id="heading")
            banner = gr.HTML(elem_id="banner", js_on_load=None, padding=False)
        with gr.Row(elem_id="columns", equal_height=False):
            with gr.Column(elem_id="inputs"):
                slots = _slots(word)
                with gr.Column(elem_classes="counted"):
                    prompt = gr.Textbox(
                        label=word("prompt.label"),
                        placeholder=word("prompt.placeholder"),
                        lines=3,
                        max_lines=8,
                        elem_id="prompt",
                    )
                    prompt_count = _count("prompt", "", PROMPT_MAX)
                with gr.Row(elem_id="settings"):
                    image_size = gr.Dropdown(
                        choices=[(word(f"size.{size.name.lower()}"), size.value) for size in ImageSize],
                        value=DEFAULT_IMAGE_SIZE.value,
                        label=word("size.label"),
                        elem_id="image-size",
                        filterable=False,
                        min_width=210,
                        scale=5,
                    )
                    with gr.Row(elem_id="seed-row"):
                        seed = gr.Number(
                            value=DEFAULT_SEED,
                            precision=0,
                            minimum=SEED_MIN,
                            maximum=SEED_MAX,
                            label=word("seed.label"),
                            elem_id="seed",
                            min_width=100,
                            scale=3,
                        )
                        dice = gr.Button(word("seed.dice"), elem_id="dice", min_width=84, scale=1)
                with gr.Column(elem_classes="counted"):
                    negative_prompt = gr.Textbox(
                        value=DEFAULT_NEGATIVE_PROMPT,
                        label=word("negative.label"),
                        lines=1,
                        max_lines=4,
                        elem_id="negative-prompt",
                    )
                    negative_count = _count("negative-prompt", DEFAULT_NEGATIVE_PROMPT, NEGATIVE_PROMPT_MAX)
                prompt_extend = gr.Checkbox(
                    value=DEFAULT_PROMPT_EXTEND,
                    label=word("extend.label"),
                    elem_id="prompt-extend",
                    container=False,
                )
                with gr.Row(elem_id="buttons"):
                    generate = gr.Button(word("button.generate"), variant="primary", elem_id="generate", scale=3)
                    cancel = gr.Button(word("button.cancel"), interactive=False, elem_id="cancel", scale=1)
            with gr.Column(elem_id="outputs"):
                status = gr.HTML(elem_id="status", js_on_load=None, padding=False)
                again = gr.Button(word("button.again"), visible=False, elem_id="again")
                result = gr.HTML(elem_id="result", js_on_load=None, padding=False)
            with gr.Column(elem_id="examples-box"):
                gr.Markdown(word("examples.heading"), elem_id="examples-heading")
                with gr.Row(elem_id="examples"):
                    cards = [
                        (
                            example,
                            gr.Button(word(f"example.{example.name}"), icon=example.thumbnail, elem_classes="example"),
                        )
                        for example in examples.load()
                    ]

        handlers = actions.Actions(jobs)
        fields = [prompt, *slots, negative_prompt, image_size, seed, prompt_extend]
        run_view = [pending, status, result, generate, cancel, again]
        private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}

        page.load(handlers.banner, None, banner, queue=False, **private)
        page.load(handlers.empty, None, result, queue=False, **private).then(
            handlers.restore, pending, fields, **private
        ).then(handlers.resume, pending, run_view, **private)
        page.unload(handlers.left)
        generate.click(handlers.generate, [pending, *fields], run_view, **private)
        again.click(handlers.resume, pending, run_view, **private)
        cancel.click(handlers.cancel, pending, cancel, queue=False, **private)
        dice.click(None, None, seed, js=f"() => Math.floor(Math.random() * {SEED_MAX + 1})", **private)
        for box, count in ((prompt, prompt_count), (negative_prompt, negative_count)):
            box.change(None, box, None, js=f"text => wanCount('{count.elem_id}', text)", **private)
        for example, card in cards:
            card.click(example.values, None, [*slots, prompt, image_size], queue=False, **private)
        gr.events.api(published.endpoint(jobs), api_name="edit", concurrency_limit=None)
        page.queue(default_concurrency_limit=None)
    return page


def _slots(word: gr.I18n) -> list[Slot]:
    """The three places for pictures, in the order of their numbers."""
    with gr.Row(elem_id="slots"):
        return [
            Slot(
                label=word(f"slot.{number}"),
                type="filepath",
                image_mode=None,
                sources=["upload", "clipboard", "webcam"],
                height=172,
                min_width=100,
                elem_id=f"slot-{number}",
                buttons=[],
            )
            for number in (1, 2, 3)
        ]


def _count(field: str, text: str, limit: int) -> gr.HTML:
    """A live count of the characters in a box, kept by the browser."""
    words = f'<p class="count" data-limit="{limit}">{count_characters(text)} / {limit:,}</p>'
    return gr.HTML(words, elem_id=f"{field}-count", js_on_load=None, padding=False)


def launch(page: gr.Blocks, **options: Any) -> tuple[Any, str, str]:
    """Serve the page with everything that belongs to it.

    Args:
        page: What `build` returned.
        options: Gradio's own, such as ``server_port`` or ``prevent_thread_lock``.
    """
    served: tuple[Any, str, str] = page.launch(
        i18n=gr.I18n(**translations()),
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
        ),
        css_paths=[_STATIC / "page.css"],
        head=f"<script>{(_STATIC / 'page.js').read_text('utf-8')}</script>",
        run_history=False,
        ssr_mode=False,
        max_threads=THREADS,
        max_file_size=UPLOAD_LIMIT,
        footer_links=["api"],
        **options,
    )
    return served
