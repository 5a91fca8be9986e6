"""Blur, noise, paper and strokes: the materials that the looks are made of."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from wan_sandbox.preview.render.colour import luma, smoothstep

if TYPE_CHECKING:
    from wan_sandbox.preview.render.colour import Array


def unit(picture: Array) -> float:
    """Return the size of a detail that would be one pixel at 1024 × 1024."""
    height, width = picture.shape[:2]
    return float(np.sqrt(height * width)) / 1024


def resize(picture: Array, size: tuple[int, int], method: int = Image.Resampling.BICUBIC) -> Array:
    """Scale a plane or picture to (width, height)."""
    if picture.ndim == 2:
        return np.array(Image.fromarray(picture.astype(np.float32)).resize(size, Image.Resampling(method)))
    return np.stack([resize(picture[..., channel], size, method) for channel in range(picture.shape[2])], -1)


def blur(picture: Array, sigma: float) -> Array:
    """Blur by a Gaussian; wide ones are made on a smaller copy."""
    shrink = int(sigma / 2)
    if shrink > 1:
        height, width = picture.shape[:2]
        small = resize(picture, (ceil(width / shrink), ceil(height / shrink)), Image.Resampling.BOX)
        return resize(blur(small, sigma / shrink), (width, height))
    radius = max(1, ceil(sigma * 2.5))
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / max(sigma, 0.05)) ** 2)
    taps = (taps / taps.sum()).astype(np.float32)
    return _along(_along(picture, taps, 0), taps, 1)


def _along(picture: Array, taps: Array, axis: int) -> Array:
    radius = len(taps) // 2
    pad = [(0, 0)] * picture.ndim
    pad[axis] = (radius, radius)
    padded = np.pad(picture, pad, mode="edge")
    length = picture.shape[axis]
    parts = [padded[radius : radius + length] if axis == 0 else padded[:, radius : radius + length]]
    total: Array = parts[0] * taps[radius]
    for step in range(1, radius + 1):
        low, high = radius - step, radius + step
        if axis == 0:
            pair = padded[low : low + length] + padded[high : high + length]
        else:
            pair = padded[:, low : low + length] + padded[:, high : high + length]
        pair *= taps[high]
        total += pair
    return total


def noise(shape: tuple[int, ...], rng: np.random.Generator, scale: float = 1) -> Array:
    """Return soft noise from 0 to 1 whose blotches are `scale` pixels wide."""
    height, width = shape[:2]
    small = (ceil(width / scale) + 1, ceil(height / scale) + 1)
    cells = rng.random((small[1], small[0]), dtype=np.float32)
    return cells[:height, :width] if scale <= 1 else np.clip(resize(cells, (width, height)), 0, 1)


def clouds(shape: tuple[int, ...], rng: np.random.Generator, scale: float, octaves: int = 4) -> Array:
    """Return noise of several sizes at once, the largest `scale` pixels wide."""
    total = np.zeros(shape[:2], np.float32)
    for octave in range(octaves):
        total += noise(shape, rng, scale / 2**octave) * np.float32(0.5**octave)
    result: Array = total / np.float32(2 - 0.5 ** (octaves - 1))
    return result


def grain(shape: tuple[int, ...], rng: np.random.Generator, size: float = 1) -> Array:
    """Return film grain around 0, about one wide in standard deviation."""
    plane = rng.standard_normal(shape[:2], dtype=np.float32)
    plane = blur(plane, 0.55 * size) if size > 0.6 else plane
    result: Array = plane / plane.std()
    return result


def paper(shape: tuple[int, ...], rng: np.random.Generator, size: float) -> Array:
    """Return the tooth of drawing paper from 0 (valley) to 1 (ridge)."""
    fine = blur(rng.standard_normal(shape[:2], dtype=np.float32), 0.9 * size)
    broad = blur(rng.standard_normal(shape[:2], dtype=np.float32), 2.2 * size)
    tooth = fine / fine.std() + 0.7 * broad / broad.std()
    return smoothstep(-2.4, 2.4, tooth)


def hatching(shape: tuple[int, ...], rng: np.random.Generator, angle: float, size: float) -> Array:
    """Return parallel hand-drawn strokes from 0 to 1 at an angle in degrees."""
    height, width = shape[:2]
    side = ceil(np.hypot(height, width)) + 2
    rows = rng.random((ceil(side / size), ceil(side / (46 * size))), dtype=np.float32)
    # Stretched along one axis, noise becomes strokes; each row drifts a little as a wrist does.
    plane = resize(rows, (side, side))
    plane += 0.35 * (
        resize(rng.random((ceil(side / size), ceil(side / (9 * size))), dtype=np.float32), (side, side)) - 0.5
    )
    turned = Image.fromarray(plane).rotate(angle, Image.Resampling.BILINEAR)
    left, top = (side - width) // 2, (side - height) // 2
    result: Array = np.clip(np.asarray(turned)[top : top + height, left : left + width], 0, 1)
    return result


def local_contrast(plane: Array, sigma: float, floor: float = 0.06) -> Array:
    """Even out light and shade, so that detail in both is equally clear (around 0.5)."""
    mean = blur(plane, sigma)
    spread = np.sqrt(np.maximum(blur((plane - mean) ** 2, sigma), 0))
    return np.clip(0.5 + 0.28 * (plane - mean) / (spread + floor), 0, 1)


def edges(plane: Array) -> Array:
    """Return the strength of the change of brightness at each pixel."""
    down, across = np.gradient(plane)
    result: Array = np.hypot(down, across)
    return result


def vignette(shape: tuple[int, ...], start: float = 0.55, end: float = 1.25) -> Array:
    """Return a mask that is 0 in the middle and 1 in the far corners."""
    height, width = shape[:2]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    return smoothstep(start, end, np.sqrt(x * x + y * y))


def frame_distance(shape: tuple[int, ...]) -> Array:
    """Return the distance of each pixel, in pixels, from the nearest edge of the picture."""
    height, width = shape[:2]
    y, x = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)[None]
    return np.minimum(np.minimum(x, width - 1 - x), np.minimum(y, height - 1 - y))


def flatten(picture: Array, radius: float) -> Array:
    """Paint away fine detail and keep outlines: each pixel leans towards its calmest neighbourhoods."""
    if radius >= 8:
        height, width = picture.shape[:2]
        half = resize(picture, (ceil(width / 2), ceil(height / 2)), Image.Resampling.BOX)
        return np.clip(resize(flatten(half, radius / 2), (width, height)), 0, 1)
    mean = blur(picture, 0.38 * radius)
    level = luma(picture)
    variance = blur(level * level, 0.38 * radius) - luma(mean) ** 2
    calm = 1 / (np.maximum(variance, 0) * 400 + 0.02)
    calm *= calm
    calm *= calm
    reach, slant = max(1, round(0.8 * radius)), max(1, round(0.56 * radius))
    pad = [(reach, reach), (reach, reach)]
    weighted = np.pad(np.concatenate([mean * calm[..., None], calm[..., None]], -1), [*pad, (0, 0)], mode="edge")
    total = np.zeros((*level.shape, 4), np.float32)
    height, width = level.shape
    straight = ((0, reach), (0, -reach), (reach, 0), (-reach, 0))
    for down, right in (*straight, (slant, slant), (slant, -slant), (-slant, slant), (-slant, -slant)):
        total += weighted[reach + down :, reach + right :][:height, :width]
    return total[..., :3] / total[..., 3:]
