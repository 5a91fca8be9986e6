"""Pictures whose differences are known: photographs that are moved, recoloured, noised, and changed in one place."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wan_client.compare.geometry import Array, apply, corners, for_warp, framing, shifting, square

Pixels = NDArray[np.uint8]
PHOTOS = Path(__file__).parents[2] / "assets" / "photos"


def _folder(package: str) -> Path:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


SKIMAGE = _folder("skimage") / "data"
GRADIO = _folder("gradio")
FILES = {
    **{file.stem: file for file in sorted(PHOTOS.glob("*.jpg"))},
    **{
        name.partition(".")[0]: SKIMAGE / name
        for name in (
            "brick.png", "camera.png", "coins.png", "grass.png", "gravel.png", "hubble_deep_field.jpg", "ihc.png",
            "moon.png", "motorcycle_left.png", "motorcycle_right.png", "page.png", "retina.jpg", "text.png",
        )
    },
    **{
        Path(name).stem: GRADIO / name
        for name in (
            "media_assets/images/cheetah.jpg", "media_assets/images/cheetah1.jpg", "test_data/cheetah2.jpg",
            "media_assets/images/lion.jpg", "media_assets/images/tower.jpg",
        )
    },
}  # fmt: skip


@cache
def photo(name: str) -> Image.Image:
    with Image.open(FILES[name]) as image:
        return image.convert("RGB")


@dataclass(frozen=True)
class Move:
    """How a picture is moved within a frame, beyond lying in its middle."""

    dx: float = 0.0
    dy: float = 0.0
    scale: float = 1.0
    rotation: float = 0.0

    def transform(self, before: tuple[int, int], after: tuple[int, int]) -> Array:
        angle = math.radians(self.rotation)
        cos, sin = self.scale * math.cos(angle), self.scale * math.sin(angle)
        turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
        x, y = after[0] / 2, after[1] / 2
        moved: Array = shifting(x + self.dx, y + self.dy) @ turn @ shifting(-x, -y) @ square(framing(before, after))
        return moved


def moved(image: Image.Image, move: Move, size: tuple[int, int]) -> Pixels:
    warp = for_warp(move.transform(image.size, size))
    found = cv2.warpAffine(np.asarray(image), warp, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    return found.astype(np.uint8)


def recoloured(pixels: Pixels, gains: tuple[float, float, float], offset: float = 0.0) -> Pixels:
    coloured: Pixels = np.clip(pixels * np.array(gains) + offset, 0, 255).astype(np.uint8)
    return coloured


def noised(pixels: Pixels, rng: np.random.Generator, share: float = 0.01) -> Pixels:
    grainy: Pixels = np.clip(np.rint(pixels + rng.normal(0, 255 * share, pixels.shape)), 0, 255).astype(np.uint8)
    return grainy


def patched(pixels: Pixels, patch: Image.Image, box: tuple[int, int, int, int]) -> Pixels:
    left, top, right, bottom = box
    changed: Pixels = pixels.copy()
    changed[top:bottom, left:right] = np.asarray(patch.resize((right - left, bottom - top)))
    return changed


def jpeg(pixels: Pixels, quality: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def corner_error(found: Array, true: Array, size: tuple[int, int]) -> float:
    """How far off the corners of the frame come to lie, in pixels of the frame."""
    ends = corners(size)
    return float(np.linalg.norm(apply(found @ np.linalg.inv(true), ends) - ends, axis=1).max())


def rectangle(size: tuple[int, int], box: tuple[int, int, int, int]) -> Image.Image:
    mask = Image.new("L", size)
    mask.paste(255, box)
    return mask
