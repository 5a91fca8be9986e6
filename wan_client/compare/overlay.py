"""Warping a picture to lie over another, by their alignment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ._opencv import opencv
from .geometry import for_warp, scale_of, scaling, square
from .pictures import Picture, opened, resized, scaled

if TYPE_CHECKING:
    from .alignment import Alignment


def warp_to_after(before: Picture, alignment: Alignment) -> Image.Image:
    """Return *before* brought to *after*'s frame; what it does not reach shows the colours of its edge.

    Args:
        before: The picture before the edit, as it was aligned.
        alignment: Where it lies in *after*.

    Raises:
        ImageError: The picture can't be read.
        SettingsError: OpenCV is not installed.
    """
    cv2 = opencv()
    old, lies = opened(before), square(alignment.matrix)
    # Reduced first where it becomes smaller: a warp alone would leave out pixels.
    copy = resized(old, scaled(old.size, min(1.0, scale_of(lies))))
    warp = for_warp(lies @ scaling(old.width / copy.shape[1], old.height / copy.shape[0]))
    laid = cv2.warpAffine(copy, warp, alignment.after_size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return Image.fromarray(laid.astype(np.uint8))
