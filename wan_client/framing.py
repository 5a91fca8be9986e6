"""A picture brought to the frame of another, so that the two lie over each other."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image, ImageFilter, ImageOps

Box = tuple[float, float, float, float]

# Where cropping would lose more of the picture than this, all of it is shown on a soft backdrop instead.
CROP_AT_MOST = 0.15
JPEG_QUALITY = 92


def framed(picture: bytes, size: tuple[int, int], box: Box | None = None) -> bytes:
    """Return the picture as a JPEG of exactly this size, without metadata.

    Args:
        picture: The file.
        size: Width and height of the frame in pixels.
        box: Which part of the picture fills the frame, in shares of its sides. By default all of it, or nearly all.
    """
    with Image.open(io.BytesIO(picture)) as opened:
        image = opened.convert("RGB")
    left, top, right, bottom = box or _whole(image.size, size)
    extent = (left * image.width, top * image.height, right * image.width, bottom * image.height)
    options: dict[str, Any] = {"method": Image.Transform.EXTENT, "data": extent, "resample": Image.Resampling.BICUBIC}
    shown = image.transform(size, **options)
    inside = Image.new("L", image.size, 255).transform(size, **options)
    backdrop = ImageOps.fit(image, size).filter(ImageFilter.GaussianBlur(max(size) / 24))
    buffer = io.BytesIO()
    Image.composite(shown, backdrop, inside).save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()


def _whole(image: tuple[int, int], frame: tuple[int, int]) -> Box:
    """The part of an image that fills the frame if little is lost by that, else all of it and the space around it."""
    ratio = (image[0] / image[1]) / (frame[0] / frame[1])
    share = min(ratio, 1 / ratio)
    across = ratio > 1
    if 1 - share <= CROP_AT_MOST:
        edge = (1 - share) / 2
        return (edge, 0, 1 - edge, 1) if across else (0, edge, 1, 1 - edge)
    edge = (1 / share - 1) / 2
    return (0, -edge, 1, 1 + edge) if across else (-edge, 0, 1 + edge, 1)
