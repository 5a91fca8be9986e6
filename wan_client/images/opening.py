"""Opening a picture: which file, which format, how large, and how much memory it may take."""

from __future__ import annotations

import base64
import io
import math
import threading
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard
from urllib.parse import unquote_to_bytes

from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from wan_client.errors import ImageError
from wan_client.schema import SIDE_MAX

from .changes import Change, sizes
from .containers import is_camera_raw
from .resize import TURNS, early_divisor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike
    from typing import BinaryIO

# What preparing takes at its peak, of all pictures at work together. A picture that needs more alone is refused:
# that begins well above what cameras write, which is mostly JPEG, and that is decoded at a reduced size.
MEMORY_MEGABYTES_MAX = 385
MEGAPIXELS_MAX = 100
MEGAPIXELS_MAX_OF = {"JPEG": 250, "MPO": 250}
FILE_MEGABYTES_MAX = 256
# For each pixel of the file, in bytes, as `benchmarks.pictures` measures it: these decoders keep copies of their own.
_DECODER_BYTES = {"WEBP": 16.0, "AVIF": 9.2, "HEIF": 7.3, "JPEG2000": 19.0}
_PROGRESSIVE_BYTES = 6.0
_MODE_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}

# Formats that run another program, or that Pillow can only name and not read.
_NOT_OPENED = {"EPS", "WMF", "GRIB", "HDF5", "BUFR", "FITS", "MPEG"}
# Grey of 12 and 16 bits that Pillow can unpack but has not listed: byte order, photometric interpretation, sample
# format, fill order, bits, extra samples → the mode and what unpacks it.
_GREY_TIFFS: dict[tuple[bytes, int, tuple[int], int, tuple[int, ...], tuple[int, ...]], tuple[str, str]] = {
    (b"MM", 0, (1,), 1, (16,), ()): ("I;16B", "I;16B"),
    (b"MM", 1, (1,), 1, (12,), ()): ("I;16", "I;12"),
    (b"MM", 0, (1,), 1, (12,), ()): ("I;16", "I;12"),
    (b"II", 0, (1,), 1, (12,), ()): ("I;16", "I;12"),
}
_opening = threading.Lock()
_memory = threading.Condition()
_memory_queue = threading.Lock()
_memory_taken = 0.0


def is_data_uri(source: object) -> TypeGuard[str]:
    """Return whether the source holds the picture itself, as ``data:`` addresses do."""
    return isinstance(source, str) and source[:5].lower() == "data:"


@contextmanager
def room_for(image: Image.Image, *, full: bool = False) -> Iterator[None]:
    """Wait until there is memory for the picture; first come, first served, so that small ones don't starve a large."""
    global _memory_taken  # noqa: PLW0603  # memory is the process's
    megabytes = _bytes_per_pixel(image, full=full) * image.width * image.height / 1e6
    with _memory_queue, _memory:
        _memory.wait_for(lambda: not _memory_taken or _memory_taken + megabytes <= MEMORY_MEGABYTES_MAX)
        _memory_taken += megabytes
    try:
        yield
    finally:
        with _memory:
            _memory_taken -= megabytes
            _memory.notify_all()


def _of_data_uri(uri: str, number: int) -> bytes:
    """Return the file inside the address. It is treated as any other, so that its metadata does not leave."""
    head, comma, text = uri.partition(",")
    if not comma or not head[5:].lower().startswith("image/"):
        raise ImageError("image_url_refused", field="images", number=number)
    plain = unquote_to_bytes(text)
    return base64.b64decode(plain) if head.lower().endswith(";base64") else plain


def opened_file(source: str | PathLike[str] | bytes, number: int) -> BinaryIO:
    """Return the opened file; a large one is not read into memory."""
    if is_data_uri(source):
        source = _of_data_uri(source, number)
    if isinstance(source, bytes):
        file: BinaryIO = io.BytesIO(source)
    else:
        path = Path(source)
        try:
            if not path.is_file():  # a pipe or a device may never end
                raise FileNotFoundError
            file = path.open("rb")
        except (OSError, ValueError):
            raise ImageError("image_missing_file", field="images", number=number, file=path.name) from None
    size = file_size(file)
    if 0 < size <= FILE_MEGABYTES_MAX * 1_000_000 and not is_camera_raw(file):
        return file
    file.close()
    if 0 < size <= FILE_MEGABYTES_MAX * 1_000_000:
        raise ImageError("image_raw", field="images", number=number)
    if not size:
        raise ImageError("image_empty", field="images", number=number)
    raise ImageError(
        "image_file_too_large", field="images", number=number, megabytes=size // 1_000_000, limit=FILE_MEGABYTES_MAX
    )


def file_size(file: BinaryIO) -> int:
    """Return the file's size in bytes."""
    return file.seek(0, io.SEEK_END)


def content(file: BinaryIO, most: int = -1) -> bytes:
    """Return the file's bytes from its start."""
    file.seek(0)
    return file.read(most)


@cache
def _formats() -> list[str]:
    Image.init()
    TiffImagePlugin.OPEN_INFO.update(_GREY_TIFFS)
    try:
        from pillow_heif import register_heif_opener  # noqa: PLC0415  # optional, and slow to import
    except ImportError:
        pass
    else:
        register_heif_opener()
    return [name for name in Image.ID if name not in _NOT_OPENED]


def decode(
    image: Image.Image, file: BinaryIO, number: int, changes: list[Change], *, full: bool = False
) -> Image.Image:
    """Return the decoded first frame; a very large one at a reduced size, unless the full size is wanted."""
    # Whether there are more, not how many: counting through a file of many pages takes minutes.
    if getattr(image, "is_animated", False) and image.format != "MPO":
        changes.append(Change("frame"))
    before = image.size
    # A TIFF is turned as it is decoded. Asking this of the others so early would decode them, and hide what is broken.
    turn = orientation(image) if image.format == "TIFF" else 1
    if not full:
        _set_decoder_divisor(image)
    try:
        image.load()
    except OSError:
        if image.format not in {"JPEG", "MPO"}:
            raise
        image = open_header(io.BytesIO(content(file) + b"\xff\xd9"))
        if not full:
            _set_decoder_divisor(image)
        image.load()
        if _ends_in_filler(image):
            raise ImageError("image_truncated", field="images", number=number) from None
        changes.append(Change("repaired"))
    if image.size != before and turn == 1:
        changes.insert(0, Change("decoded_smaller", sizes(before, image.size)))
    if turn in TURNS:
        changes.append(Change("turned"))
    return image


def open_header(file: BinaryIO) -> Image.Image:
    """Open a picture without decoding it.

    Raises:
        UnidentifiedImageError: It is none that can be opened.
    """
    # Pillow's own guard against bombs is one number for the whole process, below what phones make; ours follows.
    with _opening:
        guard, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            file.seek(0)
            return Image.open(file, formats=_formats())
        finally:
            Image.MAX_IMAGE_PIXELS = guard


def check_pixels(image: Image.Image, number: int, *, full: bool = False) -> None:
    """Check, by its header, that a picture is no larger than can be opened.

    Raises:
        ImageError: It is.
    """
    if 0 in image.size:
        raise UnidentifiedImageError
    limit = min(
        MEGAPIXELS_MAX_OF.get(image.format or "", MEGAPIXELS_MAX),
        math.floor(MEMORY_MEGABYTES_MAX / _bytes_per_pixel(image, full=full)),
    )
    if (megapixels := image.width * image.height / 1e6) > limit:
        raise ImageError(
            "image_too_many_pixels", field="images", number=number, megapixels=math.ceil(megapixels), limit=limit
        )


def _bytes_per_pixel(image: Image.Image, *, full: bool = False) -> float:
    """Return the peak bytes a pixel of preparing, or of opening at the full size, as the header suggests."""
    early, late = (1, 1) if full else (_decoder_divisor(image), early_divisor(image.size))
    own = _DECODER_BYTES.get(image.format or "", 0.0)
    decoded = _MODE_BYTES.get(image.mode, 4)
    copied = full or image.mode != "RGB" or "icc_profile" in image.info or max(image.size) > SIDE_MAX * early
    copy = 4 / late**2 if copied else 0
    progressive = _PROGRESSIVE_BYTES if image.info.get("progressive") else 0
    return max(own / early**2, progressive + decoded / early**2 + copy)


def _decoder_divisor(image: Image.Image) -> int:
    """Return the power of two by which the decoder itself divides the picture."""
    factor = 1
    if image.format in {"JPEG", "MPO"}:
        while factor < 8 and 2 * factor <= early_divisor(image.size):
            factor *= 2
    elif image.format == "JPEG2000":
        while image.width * image.height / 1e6 * _DECODER_BYTES["JPEG2000"] / factor**2 > MEMORY_MEGABYTES_MAX:
            factor *= 2
    return factor


def _set_decoder_divisor(image: Image.Image) -> None:
    factor = _decoder_divisor(image)
    if image.format == "JPEG2000":
        image.reduce = factor.bit_length() - 1  # type: ignore[method-assign,assignment]
    elif factor > 1:
        image.draft(None, (image.width // factor, image.height // factor))


def _ends_in_filler(image: Image.Image) -> bool:
    """Return whether more than the last rows of a repaired JPEG are the one flat colour that the decoder fills in."""
    rows = max(48, image.height // 20)
    if rows >= image.height:
        return False
    tail = image.crop((0, image.height - rows, image.width, image.height)).convert("RGB")
    return all(low == high and 16 < low < 240 for low, high in tail.getextrema())  # type: ignore[misc]


def exif(image: Image.Image) -> Image.Exif:
    """Return the picture's EXIF values; none where they are broken. A picture is not refused for its metadata."""
    try:
        # A format's own way to them may decode the picture.
        return Image.Image.getexif(image)
    except Exception:  # noqa: BLE001  # broken values make the parser raise anything at all
        return Image.Exif()


def orientation(image: Image.Image) -> int:
    """Return how the picture is turned, by its EXIF values; 1 where it is not."""
    value = exif(image).get(0x0112, 1)
    return value if isinstance(value, int) and value in TURNS else 1
