"""Small copies of pictures."""

from __future__ import annotations

import base64
import io
from typing import IO, TYPE_CHECKING

from PIL import Image

from wan_client.framing import jpeg

if TYPE_CHECKING:
    from pathlib import Path


def thumbnail(picture: Path | IO[bytes], side: int, *, quality: int = 80) -> bytes:
    """Return a small copy of a picture, as a JPEG without metadata."""
    with Image.open(picture) as opened:
        opened.draft("RGB", (side, side))
        small = opened.convert("RGB")
    small.thumbnail((side, side))
    small.info = {}
    return jpeg(small, quality)


def thumbnail_uri(data: bytes, side: int) -> str:
    """Return a small copy of a picture, as a ``data:`` URI."""
    return f"data:image/jpeg;base64,{base64.b64encode(thumbnail(io.BytesIO(data), side)).decode()}"
