"""From a picture of any size to exactly the size asked for, never stretched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from wan_sandbox.preview.render.colour import Array, blend, smoothstep, to_array, to_oklab
from wan_sandbox.preview.render.texture import blur, edges

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAP = 96
KEEP = 0.66
KEEP_IN_PANEL = 0.45


def fit(image: Image.Image, size: tuple[int, int], keep: float = KEEP) -> Array:
    """Crop to the part with the most interest, or extend the edges where a crop would lose too much of it.

    `keep` is the share of what there is to see that a crop must hold.
    """
    image = image.convert("RGB")
    box, inner = _placed(image, size, keep)
    picture = to_array(image.resize(inner, Image.Resampling.LANCZOS, box=box, reducing_gap=3))
    return picture if inner == size else _extend(picture, size)


def shown(image: Image.Image, size: tuple[int, int], keep: float = KEEP) -> tuple[float, float, float, float]:
    """Return which part of an image `fit` shows: left, top, right, bottom in shares of its sides.

    Beyond 0 and 1 where the edges are extended. It is needed to lay the image over the result.
    """
    (left, top, right, bottom), inner = _placed(image.convert("RGB"), size, keep)
    across = (right - left) * (size[0] / inner[0] - 1) / 2
    down = (bottom - top) * (size[1] / inner[1] - 1) / 2
    width, height = image.size
    return (left - across) / width, (top - down) / height, (right + across) / width, (bottom + down) / height


def _placed(
    image: Image.Image, size: tuple[int, int], keep: float
) -> tuple[tuple[float, float, float, float], tuple[int, int]]:
    """Find the part of the image to show, and the pixels that it takes up in the middle of the frame."""
    width, height = size
    wanted = width / height
    box = _window(image, wanted, keep)
    inside = (box[2] - box[0]) / (box[3] - box[1])
    if inside > wanted:
        return box, (width, max(1, min(height, round(width / inside))))
    return box, (max(1, min(width, round(height * inside))), height)


def _window(image: Image.Image, wanted: float, keep: float) -> tuple[float, float, float, float]:
    """Find the part of the picture to show: of the ratio wanted, or closer to its own."""
    width, height = image.size
    ratio = width / height
    interest = _interest(image)
    if ratio > wanted:
        start, end = _span(interest.sum(0), wanted / ratio, keep)
        return start * width, 0, end * width, height
    start, end = _span(interest.sum(1), ratio / wanted, keep)
    return 0, start * height, width, end * height


def _span(profile: Array, share: float, keep: float) -> tuple[float, float]:
    """Find the stretch of a profile that holds the most interest, widened until it holds enough."""
    total = np.concatenate([[0], np.cumsum(profile)]) / max(float(profile.sum()), 1e-9)
    places = np.linspace(0, 1, len(total))
    while True:
        starts = np.linspace(0, 1 - share, 61)
        held = np.interp(starts + share, places, total) - np.interp(starts, places, total)
        # Near-ties go to the middle: an even picture is cropped evenly.
        best = int(np.argmax(held - 0.06 * np.abs(starts - (1 - share) / 2)))
        if held[best] >= keep or share >= 1:
            return float(starts[best]), float(starts[best] + share)
        share = min(1, share + 0.04)


def _interest(image: Image.Image) -> Array:
    """Map how interesting each place of a picture is, by its detail and by colours that stand out."""
    small = to_oklab(to_array(image.resize((_MAP, _MAP), Image.Resampling.BOX, reducing_gap=2)))
    detail = blur(edges(small[..., 0]), 1.5)
    apart = blur(np.linalg.norm(small - small.mean((0, 1)), axis=-1), 1.5)
    # What matters stands in the middle, and rather above it than below: heads, not feet.
    across = np.linspace(-1, 1, _MAP, dtype=np.float32)[None]
    down = np.linspace(-0.6, 1.4, _MAP, dtype=np.float32)[:, None]
    middle = (1 - 0.35 * across**2) * (1 - 0.45 * down**2)
    result: Array = (detail / (detail.mean() + 1e-6) + apart / (apart.mean() + 1e-6)) ** 1.5 * middle
    return result


def _extend(picture: Array, size: tuple[int, int]) -> Array:
    """Extend the picture beyond its edges, mirrored and ever softer."""
    height, width = picture.shape[:2]
    spare = (size[0] - width, size[1] - height)
    pads = [(gap // 2, gap - gap // 2) for gap in spare]
    wide = np.pad(picture, (pads[1], pads[0], (0, 0)), mode="symmetric")
    distance = _distance(wide.shape[:2], pads)
    reach = float(min(size))
    soft = blend(wide, blur(wide, 0.015 * reach), smoothstep(0, 0.02 * reach, distance))
    soft = blend(soft, blur(wide, 0.06 * reach), smoothstep(0, 0.14 * reach, distance))
    return soft * (1 - 0.3 * smoothstep(0, 0.5 * reach, distance)[..., None])


def _distance(shape: Sequence[int], pads: Sequence[tuple[int, int]]) -> Array:
    """Measure how far outside the original picture each pixel lies."""
    height, width = shape
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    across = np.maximum(np.maximum(pads[0][0] - x, x - (width - 1 - pads[0][1])), 0)
    down = np.maximum(np.maximum(pads[1][0] - y, y - (height - 1 - pads[1][1])), 0)
    return np.maximum(across[None], down[:, None])


def thumbnail(image: Image.Image, longest: int) -> Image.Image:
    """Reduce a large picture to a working size; small ones stay as they are."""
    if max(image.size) <= longest:
        return image
    image = image.copy()
    image.thumbnail((longest, longest), Image.Resampling.LANCZOS, reducing_gap=3)
    return image
