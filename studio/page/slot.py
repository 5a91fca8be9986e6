"""A slot: the place for a picture, which can be chosen, dropped, pasted or photographed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.processing_utils import save_file_to_cache
from gradio.utils import get_upload_folder

from studio.prompt.examples import ASSETS
from studio.prompt.form import PATH_MAX
from studio.uploads import is_upload


class Slot(gr.HTML):
    """A place for one picture: chosen, dropped, pasted, photographed, or moved from elsewhere on the page.

    Its value is the path of an uploaded file. ``slot.js`` draws it, uploads what it is given, and asks the server to
    check it (`studio.page.picture_check`). A slot raises ``move`` where another slot's picture is dropped on it,
    ``example`` where an example is, and ``settled`` once for each picture that it holds from then on, or once it is
    empty. Gradio raises its own ``change`` of such a component several times for one value.

    Args:
        number: Its place among the slots, from 1.
        render: Whether it becomes part of the page. Gradio makes one that does not for each update that is skipped.
    """

    def __init__(self, number: int, *, render: bool = True) -> None:
        self.number = number
        super().__init__(
            html_template="",
            # Gradio finds the custom events by the first line.
            js_on_load="""const events = ["move", "example", "settled"];
window.wanSlot(element, props, trigger, watch);""",
            elem_id=f"slot-{number}",
            apply_default_css=False,
            container=True,
            padding=False,
            min_width=100,
            number=number,
            render=render,
        )

    def preprocess(self, payload: Any) -> str | None:
        """Return the path, whether or not its file is still there: the form says which picture is missing.

        Raises:
            ValueError: It can't be a path. No browser sends that.
        """
        if not payload:
            return None
        if not isinstance(payload, str) or len(payload) > PATH_MAX:
            raise ValueError("no path")
        return payload

    def postprocess(self, value: str | None) -> str | None:
        """Return the path for the browser: an example's picture is copied to where files are served from."""
        if value and not is_upload(value) and ASSETS.resolve() in Path(value).resolve().parents:
            copied: str = save_file_to_cache(value, get_upload_folder())
            return copied
        return value or None
