"""The one endpoint for programs: ``/edit``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import gradio as gr

from wan_client.errors import WanError
from wan_client.schema import (
    DEFAULT_IMAGE_SIZE,
    DEFAULT_NEGATIVE_PROMPT,
    DEFAULT_PROMPT_EXTEND,
    DEFAULT_SEED,
)

from .form import Form
from .texts import texts_for

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .jobs import Jobs

# What callers read about the endpoint. Gradio takes it apart at “Args” and “Returns”.
DESCRIPTION = """Edit one to three pictures by instruction, and return the result as a PNG file.

The prompt calls the pictures "image 1", "image 2" and "image 3". With the page's sandbox the result is a labelled
local preview; with RunComfy it is Wan 2.6's own, and the run is paid for by the page's owner."""


def endpoint(jobs: Jobs) -> Callable[..., Awaitable[gr.FileData]]:
    """The function behind ``/edit``: typed, because its types are what the callers see."""

    async def edit(
        prompt: str,
        image_1: gr.FileData,
        image_2: gr.FileData | None = None,
        image_3: gr.FileData | None = None,
        negative_prompt: str = DEFAULT_NEGATIVE_PROMPT,
        image_size: str = DEFAULT_IMAGE_SIZE.value,
        seed: int = DEFAULT_SEED,
        prompt_extend: bool = DEFAULT_PROMPT_EXTEND,
        request: gr.Request = None,  # type: ignore[assignment]  # Gradio fills it in, and knows it by its type
    ) -> gr.FileData:
        texts = texts_for(request)
        try:
            form = Form(
                prompt,
                _path(image_1),
                _path(image_2),
                _path(image_3),
                negative_prompt,
                image_size,
                seed,
                prompt_extend,
            )
            job = await jobs.start(form, None)
        except WanError as problem:
            raise gr.Error(texts.sentences(problem, sandbox=jobs.sandbox), print_exception=False) from None
        try:
            await job.wait()
        except asyncio.CancelledError:
            await asyncio.shield(job.cancel())
            raise
        if job.result is None:
            cause = job.problem or WanError("unexpected")
            told = texts.sentences(cause, sandbox=jobs.sandbox)
            if cause.request_id:
                told += f" ({texts('run.id')} {cause.request_id})"
            raise gr.Error(told, print_exception=False)
        return gr.FileData(path=str(job.result.path), orig_name=job.result.path.name, mime_type="image/png")

    edit.__doc__ = DESCRIPTION
    return edit


def _path(image: Any) -> str | None:
    """A file's path, from the dictionary or the object that Gradio hands over."""
    if not image:
        return None
    return str(image["path"] if isinstance(image, dict) else image.path)
