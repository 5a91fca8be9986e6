"""Any picture a person has → bytes that the model accepts, and a list of what was changed on the way.

The model takes 8-bit RGB pictures without alpha, 385 to 4999 px a side, of fewer than 10,000,000 bytes. Metadata
(GPS above all) never leaves: a picture that holds any is saved anew.
"""

from __future__ import annotations

import io
import math
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PIL import Image, UnidentifiedImageError

from wan_client.errors import ImageError
from wan_client.schema import IMAGE_BYTES_MAX, SIDE_MIN

from .changes import Change, sizes
from .colour import opaque_rgb
from .opening import (
    FILE_MEGABYTES_MAX,
    check_pixels,
    content,
    decode,
    file_size,
    is_data_uri,
    open_header,
    opened_file,
    orientation,
    room_for,
)
from .passthrough import has_only_harmless_metadata, may_pass_through
from .resize import early_divisor, fit, resized, scaled, upright

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike
    from typing import BinaryIO

__all__ = ["FILE_MEGABYTES_MAX", "Change", "PreparedImage", "is_data_uri", "open_full", "prepare", "size_of"]

_JPEG_QUALITIES = (95, 90, 85)
# Of zlib; its usual 6 takes more than twice as long, for 5 % fewer bytes of a photograph.
_PNG_LEVEL = 4
_MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "BMP": "image/bmp"}
_LOSSY = {"JPEG", "MPO", "WEBP", "AVIF", "HEIF"}
_SIDEWAYS = {5, 6, 7, 8}
_copying = threading.Lock()


@dataclass(frozen=True)
class PreparedImage:
    """A picture as it is sent.

    Attributes:
        data: The file's bytes.
        media_type: Such as ``image/png``.
        width: In pixels, 385 to 4999.
        height: In pixels, 385 to 4999.
        changes: What was done to it, in order. Empty: the file was passed on byte for byte.
    """

    data: bytes = field(repr=False)
    media_type: str
    width: int
    height: int
    changes: tuple[Change, ...] = ()


def prepare(
    source: str | PathLike[str] | bytes | Image.Image,
    *,
    number: int = 1,
    bytes_max: int = IMAGE_BYTES_MAX,
    png_first: bool = False,
) -> PreparedImage:
    """Make a picture ready for the model: upright, sRGB, opaque, within the limits, without metadata.

    Args:
        source: A path, a ``data:`` address, a file's bytes, or a PIL image.
        number: Its place among the references, which messages call it by.
        bytes_max: The most bytes that the prepared file may have.
        png_first: Whether any picture is to be a PNG, as long as that is no larger.

    Raises:
        ImageError: It can't be read, is incomplete, or is too large to be opened.
    """
    with _opened(source, number) as (image, file):
        return _prepared(image, file, number, bytes_max, png_first=png_first)


def open_full(source: str | PathLike[str] | bytes | Image.Image, *, number: int = 1) -> Image.Image:
    """Open a picture as `prepare` shows it to the model, but at its full size: upright, sRGB, opaque, 8 bits a channel.

    Args:
        source: As for `prepare`.
        number: Its place among the references, which messages call it by.

    Raises:
        ImageError: It can't be read, is incomplete, or is too large to be opened at its full size.
    """
    with _opened(source, number, full=True) as (image, file):
        seen = decode(image, file, number, [], full=True) if file else image
        return _as_seen(seen, file, [], full=True)


def size_of(source: str | PathLike[str] | bytes, *, number: int = 1) -> tuple[int, int]:
    """Return width and height of a picture as it is seen, by its header alone.

    Args:
        source: As for `prepare`.
        number: Its place among the references, which messages call it by.

    Raises:
        ImageError: It is no picture, or too large to be opened.
    """
    with _naming_picture(number), opened_file(source, number) as file:
        image = open_header(file)
        check_pixels(image, number)
        # A TIFF is opened with its turn done.
        turn = orientation(image) if image.format != "TIFF" else 1
        return (image.height, image.width) if turn in _SIDEWAYS else image.size


@contextmanager
def _opened(
    source: str | PathLike[str] | bytes | Image.Image, number: int, *, full: bool = False
) -> Iterator[tuple[Image.Image, BinaryIO | None]]:
    """Open a picture that is to be decoded, where there is room for it; one without a file is copied."""
    with _naming_picture(number):
        if isinstance(source, Image.Image):
            check_pixels(source, number, full=full)
            with room_for(source, full=full):
                with _copying:  # one picture may be given several times, and is read from its file by the first
                    copy = source.copy()
                yield copy, None
            return
        with opened_file(source, number) as file:
            image = open_header(file)
            check_pixels(image, number, full=full)
            with room_for(image, full=full):
                yield image, file


@contextmanager
def _naming_picture(number: int) -> Iterator[None]:
    """Turn any error into an `ImageError` that names the picture."""
    try:
        yield
    except ImageError:
        raise
    except Exception as problem:  # a broken file makes a decoder raise anything at all
        code = "image_truncated" if "truncated" in str(problem) else "image_unreadable"
        raise ImageError(code, field="images", number=number) from problem


def _prepared(
    image: Image.Image, file: BinaryIO | None, number: int, bytes_max: int, *, png_first: bool
) -> PreparedImage:
    changes: list[Change] = []
    data, had_metadata = b"", False
    if file:
        image = decode(image, file, number, changes)
        had_metadata = not has_only_harmless_metadata(image)
        if not changes and file_size(file) <= bytes_max:
            data = content(file)
    original = image.format or "PNG"
    keep = bool(data) and may_pass_through(image, data)
    ready = fit(_as_seen(image, file, changes), changes)
    as_it_is = PreparedImage(data, _MEDIA_TYPES[original], *ready.size) if keep and not changes else None
    if as_it_is and not (png_first and original != "PNG"):
        return as_it_is
    if had_metadata:
        changes.append(Change("metadata"))
    if (png_first or original not in _LOSSY) and (png := _png(ready, bytes_max)):
        return _finished(ready, png, "PNG", changes)
    if as_it_is and original == "JPEG":
        return as_it_is
    return _jpeg(ready, bytes_max, changes)


def _as_seen(image: Image.Image, file: BinaryIO | None, changes: list[Change], *, full: bool = False) -> Image.Image:
    """Return the picture upright and in opaque sRGB, and close the decoded one."""
    turn = orientation(image)
    decoded, rgb = image.size, opaque_rgb(image, file, changes, 1 if full else early_divisor(image.size))
    if rgb.size != decoded:
        changes.append(Change("decoded_smaller", sizes(decoded, rgb.size)))
    if rgb is not image:
        image.close()  # its pixels are most of the memory
    if any(change.code == "frame" for change in changes) and _is_of_one_colour(rgb):
        changes.append(Change("frame_empty"))
    return upright(rgb, turn, changes)


def _is_of_one_colour(image: Image.Image) -> bool:
    return all(low == high for low, high in image.getextrema())  # type: ignore[misc]  # three bands, pairs of numbers


def _png(image: Image.Image, bytes_max: int) -> bytes | None:
    """Return the picture as a PNG; None where that would be larger than it may be."""
    # A PNG of a photograph is about half of its raw size: past four times the limit it is not worth trying.
    if image.width * image.height * 3 > 4 * bytes_max:
        return None
    data = _save(image, "PNG", compress_level=_PNG_LEVEL)
    return data if len(data) <= bytes_max else None


def _jpeg(image: Image.Image, bytes_max: int, changes: list[Change]) -> PreparedImage:
    """Return the picture as the best JPEG that is not too large."""
    original = image.size
    while True:
        for quality in _JPEG_QUALITIES:
            data = _save(image, "JPEG", quality=quality, subsampling=0)
            if len(data) <= bytes_max:
                if image.size != original:
                    changes.append(Change("lightened", sizes(original, image.size)))
                return _finished(image, data, "JPEG", changes)
        size = (scaled(image.width, 0.8), scaled(image.height, 0.8))
        if min(size) < SIDE_MIN:
            raise UnidentifiedImageError
        image = resized(image, size)


def _save(image: Image.Image, file_format: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    image.info = {}
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def _finished(image: Image.Image, data: bytes, file_format: str, changes: list[Change]) -> PreparedImage:
    changes.append(Change("encoded", {"format": file_format, "kilobytes": math.ceil(len(data) / 1000)}))
    return PreparedImage(data, _MEDIA_TYPES[file_format], *image.size, tuple(changes))
