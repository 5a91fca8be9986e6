"""Any picture a person has → bytes that the model accepts, and a list of what was changed on the way.

The model takes 8-bit RGB pictures without alpha, 385 to 4999 px a side, of fewer than 10,000,000 bytes. Metadata
(GPS above all) never leaves: a picture that holds any is saved anew.
"""

from __future__ import annotations

import io
import math
import threading
import warnings
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from .errors import ImageError
from .messages import MESSAGES
from .schema import IMAGE_BYTES_MAX, SIDE_MAX, SIDE_MIN

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

# Above any camera on sale; JPEG alone is decoded at a reduced size, the others need three bytes a pixel.
JPEG_MEGAPIXELS_MAX = 250
MEGAPIXELS_MAX = 100
FILE_MEGABYTES_MAX = 256

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
_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
_opening = threading.Lock()


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
    source: str | PathLike[str] | bytes | Image.Image, *, number: int = 1, bytes_max: int = IMAGE_BYTES_MAX
) -> PreparedImage:
    """Make a picture ready for the model: upright, sRGB, opaque, within the limits, without metadata.

    Args:
        source: A path, a file's bytes, or a PIL image.
        number: Its place among the references, which messages call it by.
        bytes_max: The most bytes that the prepared file may have.

    Raises:
        ImageError: It can't be read, is incomplete, or is too large to be opened.
    """
    changes: list[Change] = []
    try:
        if isinstance(source, Image.Image):
            data, image = b"", source.copy()
            _check_pixels(image, number)
        else:
            data = _read(source, number)
            image, data = _open(data, number, changes)
        original = image.format or "PNG"
        keep = bool(data) and not changes and _is_clean(image, data)
        had_metadata = bool(data) and not _has_only_harmless(image)
        image = _fit(_opaque_rgb(_upright(image, changes), changes), changes)
        if keep and not changes and len(data) <= bytes_max:
            return PreparedImage(data, _MEDIA_TYPES[original], *image.size)
        if had_metadata:
            changes.append(Change("metadata"))
        return _encode(image, lossy=original in _LOSSY, bytes_max=bytes_max, changes=changes)
    except (ImageError, MemoryError):
        raise
    except Exception as problem:  # a broken file makes a decoder raise anything at all
        code = "image_truncated" if "truncated" in str(problem) else "image_unreadable"
        raise ImageError(code, field="images", number=number) from problem


def _read(source: str | PathLike[str] | bytes, number: int) -> bytes:
    if isinstance(source, bytes):
        size = len(source)
    else:
        path = Path(source)
        try:
            size = path.stat().st_size
            source = path.read_bytes() if size <= FILE_MEGABYTES_MAX * 1_000_000 else b""
        except OSError:
            raise ImageError("image_missing_file", field="images", number=number, file=path.name) from None
    if size > FILE_MEGABYTES_MAX * 1_000_000:
        raise ImageError(
            "image_file_too_large",
            field="images",
            number=number,
            megabytes=size // 1_000_000,
            limit=FILE_MEGABYTES_MAX,
        )
    if not source:
        raise ImageError("image_empty", field="images", number=number)
    return source


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


def _open(data: bytes, number: int, changes: list[Change]) -> tuple[Image.Image, bytes]:
    """The decoded first frame, and the bytes that it was decoded from."""
    image = _open_header(data)
    _check_pixels(image, number)
    if (frames := getattr(image, "n_frames", 1)) > 1 and image.format != "MPO":
        changes.append(Change("frame", {"count": frames}))
    before = image.size
    image.draft(None, (SIDE_MAX, SIDE_MAX))
    if image.size != before:
        changes.append(Change("decoded_smaller", _sizes(before, image.size)))
    try:
        image.load()
    except OSError:
        if image.format not in {"JPEG", "MPO"}:
            raise
        data += b"\xff\xd9"
        image = _open_header(data)
        image.draft(None, (SIDE_MAX, SIDE_MAX))
        image.load()
        if _ends_in_filler(image):
            raise ImageError("image_truncated", field="images", number=number) from None
        changes.append(Change("mended"))
    return image, data


def _open_header(data: bytes) -> Image.Image:
    # Pillow's own guard against bombs is one number for the whole process, below what phones make; ours follows.
    with _opening, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        guard, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(io.BytesIO(data), formats=_formats())
        finally:
            Image.MAX_IMAGE_PIXELS = guard


def _check_pixels(image: Image.Image, number: int) -> None:
    limit = JPEG_MEGAPIXELS_MAX if image.format in {"JPEG", "MPO"} else MEGAPIXELS_MAX
    if (megapixels := image.width * image.height / 1e6) > limit:
        raise ImageError(
            "image_too_many_pixels",
            field="images",
            number=number,
            megapixels=math.ceil(megapixels),
            limit=limit,
        )
    if 0 in image.size:
        raise UnidentifiedImageError


def _ends_in_filler(image: Image.Image) -> bool:
    """Whether more than the last rows of a mended JPEG are the one flat colour that the decoder fills in."""
    rows = max(48, image.height // 20)
    if rows >= image.height:
        return False
    tail = image.convert("RGB").crop((0, image.height - rows, image.width, image.height))
    return all(low == high and 16 < low < 240 for low, high in tail.getextrema())  # type: ignore[misc]


def _has_only_harmless(image: Image.Image) -> bool:
    segments = {name for name, _ in getattr(image, "applist", ()) if name != "APP0"}
    chunks = getattr(image, "private_chunks", ())
    return not (set(image.info) - _HARMLESS or segments or chunks or image.getexif())


def _is_clean(image: Image.Image, data: bytes) -> bool:
    """Whether the file itself may be sent: a format and mode that the model takes, nothing hidden, nothing behind."""
    ends = {"JPEG": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82"}.get(image.format or "", b"")
    return (
        image.format in _MEDIA_TYPES
        and image.mode == "RGB"
        and not image.has_transparency_data
        and data.endswith(ends)
        and _has_only_harmless(image)
    )


def _upright(image: Image.Image, changes: list[Change]) -> Image.Image:
    try:
        orientation = image.getexif().get(0x0112, 1)
    except (OSError, ValueError, SyntaxError, KeyError, TypeError):
        return image
    if orientation in range(2, 9):
        changes.append(Change("turned"))
        return ImageOps.exif_transpose(image)
    return image


def _opaque_rgb(image: Image.Image, changes: list[Change]) -> Image.Image:
    profile = image.info.get("icc_profile")
    if image.mode == "F" or image.mode.startswith("I"):
        image = _eight_bits(image)
        changes.append(Change("depth"))
    mode = image.mode
    alpha = None
    if image.has_transparency_data:
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
        image = image.convert("RGB")
    elif mode in {"P", "1", "YCbCr", "HSV", "RGBX"}:
        image = image.convert("RGB")
    if profile and image.mode in {"RGB", "CMYK", "L"} and (converted := _to_srgb(image, profile)):
        image = converted
        changes.append(Change("colours"))
    elif image.mode == "LAB":
        image = ImageCms.profileToProfile(image, ImageCms.createProfile("LAB"), _SRGB, outputMode="RGB") or image
    if image.mode != "RGB":
        image = image.convert("RGB")
    if alpha and alpha.getextrema() != (255, 255):
        image = Image.composite(image, Image.new("RGB", image.size, "white"), alpha)
        changes.append(Change("flattened"))
    elif mode != "RGB" and not any(change.code == "depth" for change in changes):
        changes.append(Change("mode", {"mode": mode}))
    return image


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image | None:
    """The picture in sRGB, or None where it is so already or its profile is broken."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(source).lower():
            return None
        return ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _eight_bits(image: Image.Image) -> Image.Image:
    """A picture of 16 or 32 bits, or of floating point numbers, as 8 bits of grey."""
    sixteen = image.mode.startswith("I;16")
    image = image.convert("F")
    low, high = image.getextrema()
    if not (isinstance(low, float) and isinstance(high, float) and math.isfinite(low) and math.isfinite(high)):
        raise UnidentifiedImageError
    if sixteen or 255 < high <= 65535:
        low, high = 0.0, 65535.0
    elif low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    elif low >= 0 and high <= 255:
        low, high = 0.0, 255.0
    scale = 255 / (high - low or 1)
    return image.point(lambda value: value * scale + (-low * scale)).convert("L")


def _fit(image: Image.Image, changes: list[Change]) -> Image.Image:
    """Bring both sides within the limits: never stretched; a very long picture gets margins."""
    before = image.size
    short, long = sorted(before)
    if long > SIDE_MAX or short < SIDE_MIN:
        scale = min(SIDE_MIN / short if short < SIDE_MIN else 1.0, SIDE_MAX / long)
        if long > SIDE_MAX:
            scale = SIDE_MAX / long
        size = (_scaled(before[0], scale), _scaled(before[1], scale))
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
        if size != before:
            changes.append(Change("enlarged" if scale > 1 else "reduced", _sizes(before, size)))
    framed = (max(image.width, SIDE_MIN), max(image.height, SIDE_MIN))
    if framed != image.size:
        changes.append(Change("padded", _sizes(image.size, framed)))
        image = ImageOps.pad(image, framed, color="white")
    return image


def _encode(image: Image.Image, *, lossy: bool, bytes_max: int, changes: list[Change]) -> PreparedImage:
    original = image.size
    raw = image.width * image.height * 3
    # A PNG of a photograph is about half of its raw size: past four times the limit it is not worth trying.
    if not lossy and raw <= 4 * bytes_max and len(data := _save(image, "PNG")) <= bytes_max:
        return _finished(image, data, "PNG", changes)
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
        image = image.resize(size, Image.Resampling.LANCZOS)


def _save(image: Image.Image, file_format: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    clean = image.copy()
    clean.info = {}
    clean.save(buffer, file_format, **options)
    return buffer.getvalue()


def _finished(image: Image.Image, data: bytes, file_format: str, changes: list[Change]) -> PreparedImage:
    changes.append(Change("encoded", {"format": file_format, "kilobytes": math.ceil(len(data) / 1000)}))
    return PreparedImage(data, _MEDIA_TYPES[file_format], *image.size, tuple(changes))


def _scaled(side: int, scale: float) -> int:
    return max(1, round(side * scale))


def _sizes(before: tuple[int, int], after: tuple[int, int]) -> dict[str, object]:
    return {"before": "{} × {}".format(*before), "after": "{} × {}".format(*after)}
