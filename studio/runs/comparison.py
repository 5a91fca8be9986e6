"""The picture on the left of the comparison: a reference, brought to the result's frame."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageFilter, ImageOps

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wan_client import PreparedImage

Box = tuple[float, float, float, float]

# Where cropping would lose more of the picture than this, all of it is shown on a soft backdrop instead.
CROP_AT_MOST = 0.15


def shown_image(extra: Mapping[str, Any], count: int) -> int:
    """The number of the reference that stands on the left: image 1, unless the sandbox says that it drew another."""
    return _preview_frame(extra, count)[0]


def framed(images: Sequence[PreparedImage], size: tuple[int, int], extra: Mapping[str, Any]) -> bytes:
    """Image 1 as a JPEG of exactly the result's size, laid so that it lines up with the result.

    Where the sandbox says which part of which picture its preview shows, that part; the hosted model does not say.

    Args:
        images: The references as they were sent; at least one.
        size: The result's width and height in pixels.
        extra: What the result says beyond the protocol.
    """
    number, box = _preview_frame(extra, len(images))
    with Image.open(io.BytesIO(images[number - 1].data)) as opened:
        image = opened.convert("RGB")
    left, top, right, bottom = box or _whole(image.size, size)
    extent = (left * image.width, top * image.height, right * image.width, bottom * image.height)
    options: dict[str, Any] = {"method": Image.Transform.EXTENT, "data": extent, "resample": Image.Resampling.BICUBIC}
    shown = image.transform(size, **options)
    inside = Image.new("L", image.size, 255).transform(size, **options)
    backdrop = ImageOps.fit(image, size).filter(ImageFilter.GaussianBlur(max(size) / 24))
    buffer = io.BytesIO()
    Image.composite(shown, backdrop, inside).save(buffer, "JPEG", quality=92)
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


def _preview_frame(extra: Mapping[str, Any], count: int) -> tuple[int, Box | None]:
    match extra.get("local_preview"):
        case {"frame": {"image": int(number), "box": [*sides]}} if 1 <= number <= count and len(sides) == 4:
            if all(isinstance(side, int | float) for side in sides) and sides[0] < sides[2] and sides[1] < sides[3]:
                return number, (sides[0], sides[1], sides[2], sides[3])
    return 1, None
