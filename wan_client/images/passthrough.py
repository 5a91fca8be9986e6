"""Whether a file may be sent byte for byte, because it holds nothing but the picture."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from .opening import exif

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import Image

# The metadata that a file may have and still be passed on as it is.
_HARMLESS_METADATA = {
    "jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi", "progressive", "progression", "gamma", "srgb",
    "interlace", "compression", "loop", "background", "duration", "timestamp",
}  # fmt: skip
_PNG_CHUNKS = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"gAMA", b"sRGB", b"pHYs", b"bKGD", b"sBIT"}


def has_only_harmless_metadata(image: Image.Image) -> bool:
    """Return whether a decoded picture's file does not reveal where, when or by whom it was made."""
    # A JFIF header may hold a small copy of the picture, as it was before it was cut.
    segments = {name for name, content in getattr(image, "applist", ()) if name != "APP0" or content[:4] == b"JFXX"}
    chunks = getattr(image, "private_chunks", ())
    return not (set(image.info) - _HARMLESS_METADATA or segments or chunks or exif(image))


def may_pass_through(image: Image.Image, data: bytes) -> bool:
    """Return whether the file may be sent as it is: the model takes its format and mode, and it hides no data."""
    whole = _IS_ONLY_PICTURE.get(image.format or "")
    return (
        whole is not None
        and image.mode == "RGB"
        and not image.has_transparency_data
        and has_only_harmless_metadata(image)
        and whole(data)
    )


def _is_one_jpeg(data: bytes) -> bool:
    # This marker can't occur within a picture's data: a second one ends another picture, or other data follows.
    end = b"\xff\xd9"
    return data.endswith(end) and data.count(end) == 1


def _is_plain_png(data: bytes) -> bool:
    place, eight_bits = 8, data[24] == 8
    while place < len(data):
        length, name = struct.unpack_from(">I4s", data, place)
        if name not in _PNG_CHUNKS:
            return False
        place += length + 12
        if name == b"IEND":
            break
    return eight_bits and place == len(data)


def _is_plain_webp(data: bytes) -> bool:
    name, length = struct.unpack_from("<4sI", data, 12)
    return name in {b"VP8 ", b"VP8L"} and 20 + length + length % 2 == len(data)


def _is_plain_bmp(data: bytes) -> bool:
    length, start, header = struct.unpack_from("<I4xII", data, 2)
    return bool(length == len(data) and start == 14 + header and header == 40)


_IS_ONLY_PICTURE: dict[str, Callable[[bytes], bool]] = {
    "JPEG": _is_one_jpeg,
    "PNG": _is_plain_png,
    "WEBP": _is_plain_webp,
    "BMP": _is_plain_bmp,
}
