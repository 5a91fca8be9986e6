"""The pixels of any picture → opaque 8-bit sRGB, piece by piece, so that no second copy of a large one is needed."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from PIL import Image, ImageCms, ImageMath, UnidentifiedImageError

from .changes import Change
from .cicp import converter, declared_space
from .opening import content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    Convert: TypeAlias = Callable[[Image.Image], Image.Image]
    Box: TypeAlias = tuple[int, int, int, int]

# What a piece takes while it is converted is up to some forty times as many bytes.
_TILE_PIXELS = 250_000
_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
# What a profile describes, where it is not the mode itself.
_PROFILE_MODES = {"RGBA": "RGB", "RGBa": "RGB", "P": "RGB", "PA": "RGB", "LA": "L", "La": "L", "1": "L", "F": "L"}
_BITS_PER_SAMPLE, _PHOTOMETRIC = 258, 262


class _ToSrgb(NamedTuple):
    mode: str
    convert: Convert


def opaque_rgb(image: Image.Image, file: BinaryIO | None, changes: list[Change], factor: int) -> Image.Image:
    """Return a decoded picture in sRGB without alpha, its sides divided by a factor."""
    mode = image.mode
    bits = _bits(image, file)
    key = _transparent_key(image, bits)
    see_through = key is not None or image.has_transparency_data
    to_eight_bits, to_srgb = _to_eight_bits(image, bits), _to_srgb(image, file)
    if bits > 8 and not to_eight_bits:
        changes.append(Change("depth"))
    if mode == "RGB" and not see_through and to_srgb is None:
        return image.reduce(factor) if factor > 1 else image
    target = Image.new("RGB", (math.ceil(image.width / factor), math.ceil(image.height / factor)), "white")
    least, most = 255, 0
    for box in _tiles(image.size, factor):
        tile = image.crop(box)
        mask = _mask(tile, key) if see_through else None
        tile = _converted(to_eight_bits(tile) if to_eight_bits else tile, to_srgb)
        if mask:
            low, high = mask.getextrema()
            least, most = min(least, int(low)), max(most, int(high))  # type: ignore[arg-type]  # one band, two numbers
            tile = Image.composite(tile, Image.new("RGB", tile.size, "white"), mask)
        target.paste(tile.reduce(factor) if factor > 1 else tile, (box[0] // factor, box[1] // factor))
    if to_srgb and mode != "LAB":
        changes.append(Change("colours"))
    if to_eight_bits:
        changes.append(Change("depth"))
    if see_through and least < 255:
        changes.append(Change("flattened"))
        if most == 0:
            changes.append(Change("transparent"))
    elif mode != "RGB" and not to_eight_bits:
        changes.append(Change("mode", {"mode": mode}))
    return target


def _tiles(size: tuple[int, int], factor: int) -> Iterator[Box]:
    """Yield boxes that cover the picture; each but the last is a whole number of divisions wide and high."""
    width, height = size
    columns = factor * max(1, min(math.ceil(width / factor), _TILE_PIXELS // (factor * min(factor, height))))
    rows = factor * max(1, _TILE_PIXELS // (columns * factor))
    for top in range(0, height, rows):
        for left in range(0, width, columns):
            yield left, top, min(left + columns, width), min(top + rows, height)


def _converted(tile: Image.Image, to_srgb: _ToSrgb | None) -> Image.Image:
    if tile.mode in {"RGBa", "La"}:
        tile = tile.convert("RGBA" if tile.mode == "RGBa" else "LA")
    if to_srgb:
        tile = to_srgb.convert(tile if tile.mode == to_srgb.mode else tile.convert(to_srgb.mode))
    # Without its transparent colour, which the mask handles.
    tile.info.pop("transparency", None)
    return tile.convert("RGB")


def _mask(tile: Image.Image, key: int | None) -> Image.Image:
    """Return how opaque each pixel is."""
    if key is not None:
        opaque: Image.Image = ImageMath.lambda_eval(lambda v: (v["tile"] != key) * 255, tile=tile.convert("I"))
        return opaque.convert("L")
    return (tile.convert("LA") if tile.mode == "La" else tile).convert("RGBA").getchannel("A")


def _bits(image: Image.Image, file: BinaryIO | None) -> int:
    """Return the bits of each component in the file, where they may be others than the mode says."""
    if image.format == "PNG" and file:
        return content(file, 25)[24]
    values = getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, (8,)) if image.format == "TIFF" else (8,)
    return max((value for value in values if isinstance(value, int)), default=8)


def _transparent_key(image: Image.Image, bits: int) -> int | None:
    """Return the value of 16 bits that is transparent in a PNG; bring keys of other depths to the decoded pixels'."""
    key = image.info.get("transparency")
    if image.format != "PNG" or key is None:
        return None
    if image.mode.startswith("I"):
        return key if isinstance(key, int) else None
    if isinstance(key, int) and image.mode == "L" and bits < 8:
        image.info["transparency"] = key * 255 // (2**bits - 1)
    elif isinstance(key, tuple) and bits == 16:
        image.info["transparency"] = tuple(value >> 8 for value in key)
    return None


def _to_srgb(image: Image.Image, file: BinaryIO | None) -> _ToSrgb | None:
    """Return a function that turns pieces into sRGB; None where they are in it already or the profile is broken."""
    try:
        if file and (space := declared_space(image, file)):
            return _ToSrgb("RGB", converter(space))
        mode = "L" if image.mode.startswith("I") else _PROFILE_MODES.get(image.mode, image.mode)
        if mode == "LAB":
            source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        else:
            source = ImageCms.ImageCmsProfile(io.BytesIO(image.info.get("icc_profile") or b""))
            if "srgb" in ImageCms.getProfileDescription(source).lower():
                return None
        transform = ImageCms.buildTransform(source, _SRGB, mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, ZeroDivisionError, OverflowError):
        return None
    return _ToSrgb(mode, lambda tile: ImageCms.applyTransform(tile, transform) or tile)


def _to_eight_bits(image: Image.Image, bits: int) -> Convert | None:
    """Return a function that turns pieces of 16 or 32 bits, or of floating point numbers, into 8 bits of grey."""
    if image.mode != "F" and not image.mode.startswith("I"):
        return None
    if image.mode.startswith("I;16"):
        # Of 12 bits, say, the pixels are as in the file.
        low, high = 0.0, 2.0 ** (bits if image.format == "TIFF" and 8 < bits < 16 else 16) - 1
    else:
        low, high = _range(image)
    if image.format == "TIFF" and getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == 0:
        low, high = high, low  # white is zero
    scale = 255 / (high - low or 1)
    return lambda tile: tile.convert("F").point(lambda value: value * scale + (0.5 - low * scale)).convert("L")


def _range(image: Image.Image) -> tuple[float, float]:
    """Return the values that stand for black and white."""
    low, high = (float(value) for value in image.getextrema())  # type: ignore[arg-type]  # one band, two numbers
    if not (math.isfinite(low) and math.isfinite(high)):
        raise UnidentifiedImageError
    if low < 0 or high > 65535:
        return low, high
    return 0.0, next(white for white in (1.0, 255.0, 65535.0) if high <= white)
