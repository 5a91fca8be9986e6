"""The check of a picture as it arrives in a slot, before anything is sent."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from PIL import Image
from starlette.responses import JSONResponse, Response

from studio.i18n.texts import texts_for
from studio.prompt.form import PATH_MAX
from studio.uploads import is_upload
from wan_client import ImageError, prepare
from wan_client.hosting import in_preparing_thread
from wan_client.images import size_of
from wan_client.schema import IMAGES_MAX, SIDE_MIN

if TYPE_CHECKING:
    from starlette.requests import Request

    from studio.i18n.texts import Texts
    from wan_client import Change

THUMBNAIL_SIDE = 480
# Preparing takes memory and a processor; beyond this many waiting calls, a slot gets no check and shows the picture.
AT_ONCE, WAITING_MAX = 2, 50
# Enlarged from less than half of what the model takes, a picture is visibly soft.
TINY_SIDE = SIDE_MIN / 2
# Changes that are made to nearly every picture and can't be seen in it.
ROUTINE = {"colours", "decoded_smaller", "depth", "encoded", "lightened", "metadata", "mode", "reduced", "turned"}


class PictureCheckRoute:
    """The route that slots call."""

    def __init__(self) -> None:
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def answer(self, request: Request) -> Response:
        """Return the result of the check of an uploaded file, as JSON."""
        given = _parse_body(await request.body())
        if given is None:
            return Response(status_code=400)
        if self._waiting >= WAITING_MAX:
            return Response(status_code=503)
        self._waiting += 1
        try:
            async with self._at_once:
                return JSONResponse(await in_preparing_thread(check_picture, texts_for(gr.Request(request)), *given))
        finally:
            self._waiting -= 1


def check_picture(texts: Texts, path: str, number: int) -> dict[str, Any]:
    """Return what a slot shows of a file.

    Args:
        texts: The visitor's language.
        path: What the slot holds.
        number: The slot's number.
    """
    if not is_upload(path):
        return {"state": "gone", "words": [texts("error.image_gone", number=number), texts("error.image_gone.hint")]}
    file = Path(path).stat()
    found = _inspect(path, file.st_mtime_ns, file.st_size)
    if isinstance(found, ImageError):
        values = {**found.values, "number": number}
        return {"state": "refused", "words": [texts(f"error.{found.code}{part}", **values) for part in ("", ".hint")]}
    changes, thumbnail, is_tiny = found
    routine = ROUTINE if is_tiny else ROUTINE | {"enlarged"}
    sentence = "; ".join(
        texts(f"change.{change.code}", **change.values) for change in changes if change.code not in routine
    )
    return {
        "state": "ready",
        "words": [f"{sentence[0].upper()}{sentence[1:]}."] if sentence else [],
        "thumbnail": thumbnail,
    }


@lru_cache(maxsize=64)
def _inspect(path: str, _changed: int, _size: int) -> tuple[tuple[Change, ...], str, bool] | ImageError:
    """Return what a run would do to the picture, a small copy of what it would send, and whether it is far too small.

    An error says why it can't be sent.
    """
    try:
        is_tiny = min(size_of(path)) < TINY_SIDE
        image = prepare(path)
    except ImageError as problem:
        problem.__cause__ = problem.__context__ = None
        return problem.with_traceback(None)
    return image.changes, _thumbnail(image.data), is_tiny


def _thumbnail(data: bytes) -> str:
    with Image.open(io.BytesIO(data)) as image:
        image.draft("RGB", (THUMBNAIL_SIDE, THUMBNAIL_SIDE))
        small = image.convert("RGB")
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _parse_body(body: bytes) -> tuple[str, int] | None:
    """Return the path and the slot's number from a request's body; None where there are none."""
    try:
        given = json.loads(body)
        path, number = given["path"], given["number"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    fits = isinstance(path, str) and len(path) <= PATH_MAX and number in range(1, IMAGES_MAX + 1)
    return (path, int(number)) if fits else None
