"""The size that is nearest to a picture's, and a drawing of a size's frame."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from studio.views.render import render
from wan_client import ImageError, ImageSize, images

if TYPE_CHECKING:
    from studio.i18n.texts import Texts

# The box that the drawing fits into.
_BOX_WIDTH, _BOX_HEIGHT = 64, 44


def nearest(width: int, height: int) -> ImageSize:
    """Return the size whose ratio is nearest to a picture's, so that the least is cropped or added."""
    return min(ImageSize, key=lambda size: abs(math.log(width / height * size.pixels[1] / size.pixels[0])))


def size_of(path: str) -> tuple[int, int] | None:
    """Return a picture's width and height as displayed, from its header alone; None where it can't be read."""
    try:
        return images.size_of(path)
    except ImageError:
        return None


def frame_html(texts: Texts, size: ImageSize) -> str:
    """Render the outline of the frame, to scale, with its size beside it."""
    width, height = size.pixels
    scale = min((_BOX_WIDTH - 2) / width, (_BOX_HEIGHT - 2) / height)
    drawn_width, drawn_height = round(width * scale), round(height * scale)
    left, top = (_BOX_WIDTH - drawn_width) / 2, (_BOX_HEIGHT - drawn_height) / 2
    words = texts("frame.size", ratio=size.ratio, width=width, height=height)
    box = {"width": _BOX_WIDTH, "height": _BOX_HEIGHT}
    return render("frame", box=box, width=drawn_width, height=drawn_height, x=left, y=top, words=words)
