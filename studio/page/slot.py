"""A picture slot that takes whatever people have, and leaves judging it to the client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gradio as gr

from studio.uploads import is_upload

if TYPE_CHECKING:
    from gradio.data_classes import ImageData


class Slot(gr.Image):
    """Gradio's image component, handing on the uploaded file's path unopened.

    Left alone it would open the file first, and fail without a word on what Pillow alone can't read, such as HEIC.
    """

    def get_block_name(self) -> str:
        """The component that the browser draws."""
        return "image"

    def preprocess(self, payload: ImageData | None) -> str | None:
        """The uploaded file's path.

        A caller can name any file here, and Gradio would hand out a copy of it with the next answer. What is no
        upload, or is one no longer, is no picture.
        """
        path = payload.path if payload else None
        return path if path and is_upload(path) else None
