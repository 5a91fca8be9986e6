"""Pictures of any kind a caller has → pixels, and reduced copies of them to work on."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, Union

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wan_client.images import open_full

if TYPE_CHECKING:
    from os import PathLike

    from .geometry import Size

Pixels: TypeAlias = NDArray[np.uint8]
# A path, a file's bytes, a PIL image, or an array of rows, columns and RGB. The first two are opened as references are.
Picture: TypeAlias = Union[str, "PathLike[str]", bytes, Image.Image, Pixels]


def opened(picture: Picture, *, number: int = 1) -> Image.Image:
    """Return a picture as it is seen: upright, in sRGB, opaque, 8 bits a channel, at its full size.

    Raises:
        ImageError: It can't be read or is too large.
    """
    if isinstance(picture, np.ndarray):
        return Image.fromarray(picture).convert("RGB")
    return open_full(picture, number=number)


def resized(image: Image.Image, size: Size, mode: str = "RGB") -> Pixels:
    """Return the pixels of a copy of exactly that size."""
    image = image.convert(mode)
    return np.asarray(image if size == image.size else image.resize(size, Image.Resampling.HAMMING, reducing_gap=2))


def scaled(size: Size, scale: float) -> Size:
    """Return a size times a factor, in whole pixels."""
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
