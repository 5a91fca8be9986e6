"""How a picture's file is labelled as a local preview or a kept composite."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PIL import Image

if TYPE_CHECKING:
    from os import PathLike

PREVIEW_NAME: Final = "local-preview"
KEPT_NAME: Final = "kept"
# Keyword and text of PNG's text chunks. The sandbox writes the first two into everything that it draws.
PREVIEW_TEXTS: Final = (
    ("Title", "Local preview"),
    ("Comment", "A local preview drawn by the sandbox. It was not made by the model."),
)
KEPT_TEXT: Final = (
    "Description",
    "A kept composite: parts of an edited picture, blended into the original. Everything else is the original's.",
)


def is_preview(picture: str | PathLike[str] | bytes | Image.Image) -> bool:
    """Return whether a picture says of itself, in its metadata or its file name, that it is a local preview."""
    if isinstance(picture, Image.Image):
        return picture.info.get("Title") == PREVIEW_TEXTS[0][1]
    if not isinstance(picture, bytes) and PREVIEW_NAME in Path(picture).name:
        return True
    try:
        with Image.open(BytesIO(picture) if isinstance(picture, bytes) else picture) as image:
            return is_preview(image)
    except OSError:
        return False


def text_chunk(keyword: str, text: str) -> bytes:
    """Return a whole text chunk of a PNG."""
    return make_chunk(b"tEXt", keyword.encode("latin-1") + b"\0" + text.encode("latin-1"))


def make_chunk(name: bytes, content: bytes) -> bytes:
    """Return a whole chunk of a PNG: length, name, content, checksum."""
    return struct.pack(">I4s", len(content), name) + content + struct.pack(">I", zlib.crc32(name + content))
