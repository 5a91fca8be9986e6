"""Turning a picture upright and bringing its sides within the model's limits."""

from __future__ import annotations

import math

from PIL import Image

from wan_client.schema import SIDE_MAX, SIDE_MIN

from .changes import Change, sizes

TURNS = {
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


def early_divisor(size: tuple[int, int]) -> int:
    """Return the whole number by which a large picture is divided as early as possible, to save memory."""
    return math.ceil(max(size) / SIDE_MAX) if size[0] * size[1] > _LARGE_MEGAPIXELS * 1e6 else 1


def upright(image: Image.Image, orientation: int, changes: list[Change]) -> Image.Image:
    """Turn a picture upright, by its EXIF orientation."""
    if orientation not in TURNS:
        return image
    changes.append(Change("turned"))
    return image.transpose(TURNS[orientation])


def fit(image: Image.Image, changes: list[Change]) -> Image.Image:
    """Bring both sides within the limits: never stretched; a very long picture gets margins."""
    before = image.size
    short, long = sorted(before)
    if long > SIDE_MAX or short < SIDE_MIN:
        scale = min(SIDE_MIN / short if short < SIDE_MIN else 1.0, SIDE_MAX / long)
        if long > SIDE_MAX:
            scale = SIDE_MAX / long
        size = (scaled(before[0], scale), scaled(before[1], scale))
        image = resized(image, size)
        if size != before:
            changes.append(Change("enlarged" if scale > 1 else "reduced", sizes(before, size)))
    framed = (max(image.width, SIDE_MIN), max(image.height, SIDE_MIN))
    if framed != image.size:
        changes.append(Change("padded", sizes(image.size, framed)))
        frame = Image.new("RGB", framed, "white")
        frame.paste(image, ((framed[0] - image.width) // 2, (framed[1] - image.height) // 2))
        image = frame
    return image


def resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return the picture in another size, made in strips, because Pillow's intermediate picture takes memory too."""
    target, scale = Image.new("RGB", size), image.height / size[1]
    for top in range(0, size[1], _STRIP):
        bottom = min(top + _STRIP, size[1])
        box = (0, top * scale, image.width, bottom * scale)
        target.paste(image.resize((size[0], bottom - top), Image.Resampling.LANCZOS, box), (0, top))
    return target


def scaled(side: int, scale: float) -> int:
    """Return a side's length at a scale, at least a pixel."""
    return max(1, round(side * scale))
