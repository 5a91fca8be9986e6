"""A picture slot that takes whatever people have, and leaves judging it to the client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

if TYPE_CHECKING:
    from gradio.data_classes import ImageData


def picture_slot(**options: Any) -> gr.Image:
    """Gradio's image component, handing on the uploaded file's path unopened.

    Left alone it would open the file first, and fail without a word on what Pillow alone can't read, such as HEIC.
    The path is the one that the request named: `Form.request` checks it.
    """
    slot = gr.Image(type="filepath", image_mode=None, **options)
    # Not a subclass: Gradio writes a stub file beside the source of each component class.
    slot.preprocess = _path  # type: ignore[method-assign]
    return slot


def _path(payload: ImageData | None) -> str | None:
    return payload.path if payload else None
