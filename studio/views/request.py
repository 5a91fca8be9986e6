"""Preview of a request: the prepared pictures, what was done to them, and the request's body."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PIL import Image

from wan_client import WanError
from wan_client.hosting import in_preparing_thread, prepared
from wan_client.hosting.data_uri import DataUri

from .render import render

if TYPE_CHECKING:
    from collections.abc import Iterable

    from studio.i18n.texts import Texts
    from studio.prompt.form import Form
    from wan_client import Change

THUMBNAIL_SIDE = 160
BY_ADDRESS = ("bucket", "public")


@dataclass(frozen=True)
class PreviewedImage:
    """What is shown of a prepared picture; its bytes are not kept.

    Attributes:
        media_type: Such as ``image/png``.
        width: In pixels, as it is sent.
        height: In pixels, as it is sent.
        size: Of the file, in bytes.
        changes: What was done to it; empty where the file goes byte for byte.
        thumbnail: A small JPEG of it, as a ``data:`` URI.
    """

    media_type: str
    width: int
    height: int
    size: int
    changes: tuple[Change, ...]
    thumbnail: str = field(repr=False)


@dataclass(frozen=True)
class RequestPreview:
    """A request as it would be sent.

    Attributes:
        images: The pictures, in the order of their numbers.
        body: The JSON body, for reading: what stands for a picture is shortened.
        size: Of the whole body as it is sent, in bytes.
        way: How the pictures are handed over: ``data``, ``bucket``, ``public`` or ``fallback``.
    """

    images: tuple[PreviewedImage, ...]
    body: str
    size: int
    way: str = "data"


async def preview(form: Form, *, way: str = "data", by_address: bool = False) -> RequestPreview:
    """Prepare the pictures as a run does, in threads, and keep only what is to be shown of them.

    Args:
        form: What the visitor entered.
        way: How the pictures are handed over, as `Engines.picture_delivery` says.
        by_address: Whether they are prepared to be fetched, and not to travel inside the request.

    Raises:
        InvalidRequest: A value is outside its limits.
        ImageError: A picture can't be read, is incomplete, or is too large to be opened.
    """
    request, inside = form.request(), way not in BY_ADDRESS
    ready = await asyncio.gather(
        *(
            in_preparing_thread(_prepared, str(path), number, by_address=by_address, inside=inside)
            for number, path in enumerate(request.images, 1)
        )
    )
    images = tuple(image for image, _ in ready)
    addresses = ["https://…" if not inside else f"data:{image.media_type};base64,…" for image in images]
    size = len(json.dumps(request.body([""] * len(images))).encode()) + sum(length for _, length in ready)
    return RequestPreview(images, json.dumps(request.body(addresses), ensure_ascii=False, indent=2), size, way)


def _prepared(path: str, number: int, *, by_address: bool, inside: bool) -> tuple[PreviewedImage, int]:
    """Return a prepared picture, and the length of its data URI in the body."""
    image = prepared(path, number=number, by_address=by_address)
    described = PreviewedImage(
        image.media_type, image.width, image.height, len(image.data), image.changes, _thumbnail(image.data)
    )
    return described, len(DataUri().host(image)) if inside else 0


def _thumbnail(data: bytes) -> str:
    with Image.open(io.BytesIO(data)) as image:
        image.draft("RGB", (THUMBNAIL_SIDE, THUMBNAIL_SIDE))
        small = image.convert("RGB")
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    small.info = {}
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def change_words(texts: Texts, changes: Iterable[Change]) -> list[str]:
    """Return each change in words."""
    return [texts(f"change.{change.code}", **change.values) for change in changes]


def request_preview_html(texts: Texts, sent: RequestPreview | WanError, *, sandbox: bool = False) -> str:
    """Render what will be sent, or the sentence that says why nothing can be."""
    if isinstance(sent, WanError):
        return render("request_refused", words=texts.sentences(sent, sandbox=sandbox))
    images = [_image(texts, number, image) for number, image in enumerate(sent.images, 1)]
    return render("request", texts=texts, images=images, size=_format_size(sent.size), body=sent.body, way=sent.way)


def _image(texts: Texts, number: int, image: PreviewedImage) -> dict[str, object]:
    kind = image.media_type.rpartition("/")[2].upper()
    return {
        "name": texts(f"slot.{number}"),
        "thumbnail": image.thumbnail,
        "facts": f"{image.width} × {image.height} · {kind} · {_format_size(image.size)}",
        "changes": change_words(texts, image.changes) or [texts("request.unchanged")],
    }


def _format_size(size: int) -> str:
    described = f"{size / 1_000_000:.1f} MB" if size >= 1_000_000 else f"{math.ceil(size / 1000)} kB"
    return described.replace(" ", "\N{NO-BREAK SPACE}")
