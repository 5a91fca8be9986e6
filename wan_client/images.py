"""Any picture a person has → bytes that the model accepts, and a list of what was changed on the way.

The model takes 8-bit RGB pictures without alpha, 385 to 4999 px a side, of fewer than 10,000,000 bytes. Metadata
(GPS above all) never leaves: a picture that holds any is saved anew.
"""

from __future__ import annotations

import base64
import io
import math
import struct
import threading
from collections.abc import Mapping  # noqa: TC003  # a page notes changes down by this annotation
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard
from urllib.parse import unquote_to_bytes

from PIL import Image, ImageCms, UnidentifiedImageError

from .errors import ImageError
from .messages import MESSAGES
from .schema import IMAGE_BYTES_MAX, SIDE_MAX, SIDE_MIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from os import PathLike
    from typing import BinaryIO, TypeAlias

    Convert: TypeAlias = Callable[[Image.Image], Image.Image]

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

_JPEG_QUALITIES = (95, 90, 85)
_MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "BMP": "image/bmp"}
_LOSSY = {"JPEG", "MPO", "WEBP", "AVIF", "HEIF"}
# Formats that run another program, or that Pillow can only name and not read.
_NOT_OPENED = {"EPS", "WMF", "GRIB", "HDF5", "BUFR", "FITS", "MPEG"}
# What a file may say about itself and still be passed on as it is.
_HARMLESS = {
    "jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi", "progressive", "progression", "gamma", "srgb",
    "interlace", "compression", "loop", "background", "duration", "timestamp",
}  # fmt: skip
_PNG_CHUNKS = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"gAMA", b"sRGB", b"pHYs", b"bKGD", b"sBIT"}
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_STRIP = 64
_LARGE_MEGAPIXELS = 25
_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
_opening = threading.Lock()
_memory = threading.Condition()
_memory_queue = threading.Lock()
_memory_taken = 0.0


@dataclass(frozen=True)
class Change:
    """One thing that was done to a picture. ``str()`` tells it in English; a page translates by `code`."""

    code: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return MESSAGES[f"change.{self.code}"].format(**self.values)


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
    with _named(number):
        if isinstance(source, Image.Image):
            _check_pixels(source, number)
            with _room_for(source):
                return _prepared(source.copy(), None, number, bytes_max, png_first=png_first)
        with _file(source, number) as file:
            image = _open_header(file)
            _check_pixels(image, number)
            with _room_for(image):
                return _prepared(image, file, number, bytes_max, png_first=png_first)


def check(source: str | PathLike[str] | bytes, *, number: int = 1) -> None:
    """Look, by its header alone, whether a picture can be opened.

    Args:
        source: As for `prepare`.
        number: Its place among the references, which messages call it by.

    Raises:
        ImageError: It is no picture, or too large to be opened.
    """
    with _named(number), _file(source, number) as file:
        _check_pixels(_open_header(file), number)


def size_of(source: str | PathLike[str] | bytes, *, number: int = 1) -> tuple[int, int]:
    """Width and height of a picture as it is seen, by its header alone.

    Args:
        source: As for `prepare`.
        number: Its place among the references, which messages call it by.

    Raises:
        ImageError: It is no picture, or too large to be opened.
    """
    with _named(number), _file(source, number) as file:
        image = _open_header(file)
        _check_pixels(image, number)
        # A format's own way to its metadata may decode the picture. A TIFF is opened with its turn done.
        turn = Image.Image.getexif(image).get(0x0112) if image.format != "TIFF" else None
        return (image.height, image.width) if turn in {5, 6, 7, 8} else image.size


def is_data_uri(source: object) -> TypeGuard[str]:
    """Whether the source holds the picture itself, as ``data:`` addresses do."""
    return isinstance(source, str) and source[:5].lower() == "data:"


@contextmanager
def _named(number: int) -> Iterator[None]:
    """Whatever goes wrong with a picture, its error names it."""
    try:
        yield
    except ImageError:
        raise
    except Exception as problem:  # a broken file makes a decoder raise anything at all
        code = "image_truncated" if "truncated" in str(problem) else "image_unreadable"
        raise ImageError(code, field="images", number=number) from problem


@contextmanager
def _room_for(image: Image.Image) -> Iterator[None]:
    """Wait until there is memory for the picture; first come, first served, so that small ones don't starve a large."""
    global _memory_taken  # noqa: PLW0603  # memory is the process's
    megabytes = _bytes_per_pixel(image) * image.width * image.height / 1e6
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
    """The file inside the address. It is treated as any other, so that its metadata does not leave."""
    head, comma, text = uri.partition(",")
    if not comma or not head[5:].lower().startswith("image/"):
        raise ImageError("image_url_refused", field="images", number=number)
    plain = unquote_to_bytes(text)
    return base64.b64decode(plain) if head.lower().endswith(";base64") else plain


def _prepared(
    image: Image.Image, file: BinaryIO | None, number: int, bytes_max: int, *, png_first: bool
) -> PreparedImage:
    changes: list[Change] = []
    data, had_metadata = b"", False
    if file:
        image = _decode(image, file, number, changes)
        had_metadata = not _has_only_harmless(image)
        if not changes and _size(file) <= bytes_max:
            data = _content(file)
        if image.format == "PNG" and image.mode in {"RGB", "RGBA"} and _content(file, 25)[24:] == b"\x10":
            changes.append(Change("depth"))
    original = image.format or "PNG"
    keep = bool(data) and _is_clean(image, data)
    orientation = _orientation(image)
    decoded, rgb = image.size, _opaque_rgb(image, changes)
    if rgb.size != decoded:
        changes.append(Change("decoded_smaller", _sizes(decoded, rgb.size)))
    if rgb is not image:
        image.close()  # its pixels are most of the memory
    ready = _fit(_upright(rgb, orientation, changes), changes)
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


def _file(source: str | PathLike[str] | bytes, number: int) -> BinaryIO:
    """The file, open; a large one is not read into memory."""
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
    size = _size(file)
    if 0 < size <= FILE_MEGABYTES_MAX * 1_000_000:
        return file
    file.close()
    if not size:
        raise ImageError("image_empty", field="images", number=number)
    raise ImageError(
        "image_file_too_large", field="images", number=number, megabytes=size // 1_000_000, limit=FILE_MEGABYTES_MAX
    )


def _size(file: BinaryIO) -> int:
    return file.seek(0, io.SEEK_END)


def _content(file: BinaryIO, most: int = -1) -> bytes:
    file.seek(0)
    return file.read(most)


@cache
def _formats() -> list[str]:
    Image.init()
    try:
        from pillow_heif import register_heif_opener  # noqa: PLC0415  # optional, and slow to import
    except ImportError:
        pass
    else:
        register_heif_opener()
    return [name for name in Image.ID if name not in _NOT_OPENED]


def _decode(image: Image.Image, file: BinaryIO, number: int, changes: list[Change]) -> Image.Image:
    """The decoded first frame."""
    if (frames := getattr(image, "n_frames", 1)) > 1 and image.format != "MPO":
        changes.append(Change("frame", {"count": frames}))
    before = image.size
    # A TIFF is turned as it is decoded. Asking the others so early would decode them, and hide what is broken.
    orientation = _orientation(image) if image.format == "TIFF" else 1
    _reduce_early(image)
    try:
        image.load()
    except OSError:
        if image.format not in {"JPEG", "MPO"}:
            raise
        image = _open_header(io.BytesIO(_content(file) + b"\xff\xd9"))
        _reduce_early(image)
        image.load()
        if _ends_in_filler(image):
            raise ImageError("image_truncated", field="images", number=number) from None
        changes.append(Change("mended"))
    if image.size != before and orientation == 1:
        changes.insert(0, Change("decoded_smaller", _sizes(before, image.size)))
    if orientation in _TURNS:
        changes.append(Change("turned"))
    return image


def _open_header(file: BinaryIO) -> Image.Image:
    # Pillow's own guard against bombs is one number for the whole process, below what phones make; ours follows.
    with _opening:
        guard, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            file.seek(0)
            return Image.open(file, formats=_formats())
        finally:
            Image.MAX_IMAGE_PIXELS = guard


def _check_pixels(image: Image.Image, number: int) -> None:
    if 0 in image.size:
        raise UnidentifiedImageError
    limit = min(
        MEGAPIXELS_MAX_OF.get(image.format or "", MEGAPIXELS_MAX),
        math.floor(MEMORY_MEGABYTES_MAX / _bytes_per_pixel(image)),
    )
    if (megapixels := image.width * image.height / 1e6) > limit:
        raise ImageError(
            "image_too_many_pixels", field="images", number=number, megapixels=math.ceil(megapixels), limit=limit
        )


def _bytes_per_pixel(image: Image.Image) -> float:
    """What preparing takes at its peak for each pixel of the file, told by the header."""
    early = _shrink_early(image)
    own = _DECODER_BYTES.get(image.format or "", 0.0)
    decoded = _MODE_BYTES.get(image.mode, 4)
    copied = image.mode != "RGB" or "icc_profile" in image.info or max(image.size) > SIDE_MAX * early
    copy = 4 / _shrink(image.size) ** 2 if copied else 0
    progressive = _PROGRESSIVE_BYTES if image.info.get("progressive") else 0
    return max(own / early**2, progressive + decoded / early**2 + copy)


def _shrink_early(image: Image.Image) -> int:
    """By which power of two the decoder itself divides the picture."""
    factor = 1
    if image.format in {"JPEG", "MPO"}:
        while factor < 8 and 2 * factor <= _shrink(image.size):
            factor *= 2
    elif image.format == "JPEG2000":
        while image.width * image.height / 1e6 * _DECODER_BYTES["JPEG2000"] / factor**2 > MEMORY_MEGABYTES_MAX:
            factor *= 2
    return factor


def _reduce_early(image: Image.Image) -> None:
    factor = _shrink_early(image)
    if image.format == "JPEG2000":
        image.reduce = factor.bit_length() - 1  # type: ignore[method-assign,assignment]
    elif factor > 1:
        image.draft(None, (image.width // factor, image.height // factor))


def _ends_in_filler(image: Image.Image) -> bool:
    """Whether more than the last rows of a mended JPEG are the one flat colour that the decoder fills in."""
    rows = max(48, image.height // 20)
    if rows >= image.height:
        return False
    tail = image.convert("RGB").crop((0, image.height - rows, image.width, image.height))
    return all(low == high and 16 < low < 240 for low, high in tail.getextrema())  # type: ignore[misc]


def _has_only_harmless(image: Image.Image) -> bool:
    # A JFIF header may hold a small copy of the picture, as it was before it was cut.
    segments = {name for name, content in getattr(image, "applist", ()) if name != "APP0" or content[:4] == b"JFXX"}
    chunks = getattr(image, "private_chunks", ())
    return not (set(image.info) - _HARMLESS or segments or chunks or image.getexif())


def _is_clean(image: Image.Image, data: bytes) -> bool:
    """Whether the file itself may be sent: a format and mode that the model takes, nothing hidden, nothing behind."""
    whole = _WHOLE.get(image.format or "")
    return (
        whole is not None
        and image.mode == "RGB"
        and not image.has_transparency_data
        and _has_only_harmless(image)
        and whole(data)
    )


def _is_one_jpeg(data: bytes) -> bool:
    # Within a picture's data this marker can't occur: a second one is another picture, or something behind.
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


_WHOLE: dict[str, Callable[[bytes], bool]] = {
    "JPEG": _is_one_jpeg,
    "PNG": _is_plain_png,
    "WEBP": _is_plain_webp,
    "BMP": _is_plain_bmp,
}


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(0x0112, 1))
    except (OSError, ValueError, SyntaxError, KeyError, TypeError):
        return 1


def _upright(image: Image.Image, orientation: int, changes: list[Change]) -> Image.Image:
    if orientation not in _TURNS:
        return image
    changes.append(Change("turned"))
    return image.transpose(_TURNS[orientation])


def _shrink(size: tuple[int, int]) -> int:
    """By which whole number a large picture is divided as early as possible, to save memory."""
    return math.ceil(max(size) / SIDE_MAX) if size[0] * size[1] > _LARGE_MEGAPIXELS * 1e6 else 1


def _opaque_rgb(image: Image.Image, changes: list[Change]) -> Image.Image:
    """The picture in sRGB without alpha, much too large ones divided; in strips, so that no second copy is needed."""
    mode, factor, see_through = image.mode, _shrink(image.size), image.has_transparency_data
    to_eight_bits, to_srgb = _to_eight_bits(image), _to_srgb(image)
    if mode == "RGB" and not see_through and to_srgb is None:
        return image.reduce(factor) if factor > 1 else image
    target = Image.new("RGB", (math.ceil(image.width / factor), math.ceil(image.height / factor)), "white")
    flattened = False
    for top in range(0, image.height, _STRIP * factor):
        strip = image.crop((0, top, image.width, min(top + _STRIP * factor, image.height)))
        if to_eight_bits:
            strip = to_eight_bits(strip)
        if see_through:
            strip = (strip.convert("LA") if mode == "La" else strip).convert("RGBA")
            flattened = flattened or strip.getchannel("A").getextrema() != (255, 255)
            strip = _on_white(strip, to_srgb)
        elif to_srgb:
            strip = to_srgb(strip.convert("RGB") if mode == "P" else strip)
        strip = strip.convert("RGB")
        target.paste(strip.reduce(factor) if factor > 1 else strip, (0, top // factor))
    if to_srgb and mode != "LAB":
        changes.append(Change("colours"))
    if to_eight_bits:
        changes.append(Change("depth"))
    if flattened:
        changes.append(Change("flattened"))
    elif mode != "RGB" and not to_eight_bits:
        changes.append(Change("mode", {"mode": mode}))
    return target


def _on_white(strip: Image.Image, to_srgb: Convert | None) -> Image.Image:
    opaque = strip.convert("RGB")
    white = Image.new("RGB", strip.size, "white")
    return Image.composite(to_srgb(opaque) if to_srgb else opaque, white, strip.getchannel("A"))


def _to_srgb(image: Image.Image) -> Convert | None:
    """What turns strips of the picture into sRGB; None where they are so already or the profile is broken."""
    mode = {"RGBA": "RGB", "P": "RGB", "PA": "RGB", "LA": "RGB"}.get(image.mode, image.mode)
    try:
        if mode == "LAB":
            source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        else:
            source = ImageCms.ImageCmsProfile(io.BytesIO(image.info.get("icc_profile") or b""))
            if "srgb" in ImageCms.getProfileDescription(source).lower():
                return None
        transform = ImageCms.buildTransform(source, _SRGB, mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    return lambda strip: ImageCms.applyTransform(strip, transform) or strip


def _to_eight_bits(image: Image.Image) -> Convert | None:
    """What turns strips of 16 or 32 bits, or of floating point numbers, into 8 bits of grey; None for all others."""
    if image.mode != "F" and not image.mode.startswith("I"):
        return None
    low, high = (float(value) for value in image.getextrema())  # type: ignore[arg-type]  # one band, two numbers
    if not (math.isfinite(low) and math.isfinite(high)):
        raise UnidentifiedImageError
    if image.mode.startswith("I;16") or 255 < high <= 65535:
        low, high = 0.0, 65535.0
    elif low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    elif low >= 0 and high <= 255:
        low, high = 0.0, 255.0
    scale = 255 / (high - low or 1)
    return lambda strip: strip.convert("F").point(lambda value: value * scale + (-low * scale)).convert("L")


def _fit(image: Image.Image, changes: list[Change]) -> Image.Image:
    """Bring both sides within the limits: never stretched; a very long picture gets margins."""
    before = image.size
    short, long = sorted(before)
    if long > SIDE_MAX or short < SIDE_MIN:
        scale = min(SIDE_MIN / short if short < SIDE_MIN else 1.0, SIDE_MAX / long)
        if long > SIDE_MAX:
            scale = SIDE_MAX / long
        size = (_scaled(before[0], scale), _scaled(before[1], scale))
        image = _resized(image, size)
        if size != before:
            changes.append(Change("enlarged" if scale > 1 else "reduced", _sizes(before, size)))
    framed = (max(image.width, SIDE_MIN), max(image.height, SIDE_MIN))
    if framed != image.size:
        changes.append(Change("padded", _sizes(image.size, framed)))
        frame = Image.new("RGB", framed, "white")
        frame.paste(image, ((framed[0] - image.width) // 2, (framed[1] - image.height) // 2))
        image = frame
    return image


def _png(image: Image.Image, bytes_max: int) -> bytes | None:
    """Return the picture as a PNG; None where that would be larger than it may be."""
    # A PNG of a photograph is about half of its raw size: past four times the limit it is not worth trying.
    if image.width * image.height * 3 > 4 * bytes_max:
        return None
    data = _save(image, "PNG")
    return data if len(data) <= bytes_max else None


def _jpeg(image: Image.Image, bytes_max: int, changes: list[Change]) -> PreparedImage:
    """Return the picture as the best JPEG that is not too large."""
    original = image.size
    while True:
        for quality in _JPEG_QUALITIES:
            data = _save(image, "JPEG", quality=quality, subsampling=0)
            if len(data) <= bytes_max:
                if image.size != original:
                    changes.append(Change("lightened", _sizes(original, image.size)))
                return _finished(image, data, "JPEG", changes)
        size = (_scaled(image.width, 0.8), _scaled(image.height, 0.8))
        if min(size) < SIDE_MIN:
            raise UnidentifiedImageError
        image = _resized(image, size)


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture in another size; in strips, as the way there takes as much memory as the picture."""
    target, scale = Image.new("RGB", size), image.height / size[1]
    for top in range(0, size[1], _STRIP):
        bottom = min(top + _STRIP, size[1])
        box = (0, top * scale, image.width, bottom * scale)
        target.paste(image.resize((size[0], bottom - top), Image.Resampling.LANCZOS, box), (0, top))
    return target


def _save(image: Image.Image, file_format: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    image.info = {}
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def _finished(image: Image.Image, data: bytes, file_format: str, changes: list[Change]) -> PreparedImage:
    changes.append(Change("encoded", {"format": file_format, "kilobytes": math.ceil(len(data) / 1000)}))
    return PreparedImage(data, _MEDIA_TYPES[file_format], *image.size, tuple(changes))


def _scaled(side: int, scale: float) -> int:
    return max(1, round(side * scale))


def _sizes(before: tuple[int, int], after: tuple[int, int]) -> dict[str, object]:
    return {"before": "{} × {}".format(*before), "after": "{} × {}".format(*after)}
