"""A picture brought to the frame of another, so that the two lie over each other."""

from __future__ import annotations

import io

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
    shown = (max(left, 0.0), max(top, 0.0), min(right, 1.0), min(bottom, 1.0))
    source = (shown[0] * image.width, shown[1] * image.height, shown[2] * image.width, shown[3] * image.height)
    place = [
        round((shown[side] - (left, top)[side % 2]) / (right - left, bottom - top)[side % 2] * size[side % 2])
        for side in range(4)
    ]
    laid = image.resize((place[2] - place[0], place[3] - place[1]), Image.Resampling.LANCZOS, source)
    if laid.size != size:
        canvas = _backdrop(image, size)
        canvas.paste(laid, (place[0], place[1]))
        laid = canvas
    return jpeg(laid)


def jpeg(image: Image.Image, quality: int = JPEG_QUALITY) -> bytes:
    """Return the picture as a JPEG."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _backdrop(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return the picture enlarged to the frame and blurred: so soft that a small copy is enough."""
    small = ImageOps.fit(image, (max(1, size[0] // 8), max(1, size[1] // 8)))
    return small.filter(ImageFilter.GaussianBlur(max(small.size) / 24)).resize(size, Image.Resampling.BICUBIC)


def _whole(image: tuple[int, int], frame: tuple[int, int]) -> Box:
    """Return the part that fills the frame if little is lost by that, else the whole image and the space around it."""
    ratio = (image[0] / image[1]) / (frame[0] / frame[1])
    share = min(ratio, 1 / ratio)
    across = ratio > 1
    if 1 - share <= CROP_AT_MOST:
        edge = (1 - share) / 2
        return (edge, 0, 1 - edge, 1) if across else (0, edge, 1, 1 - edge)
    edge = (1 / share - 1) / 2
    return (0, -edge, 1, 1 + edge) if across else (-edge, 0, 1 + edge, 1)
