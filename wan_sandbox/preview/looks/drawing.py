"""Looks made of lines on paper: pencil, ink, comic, blueprint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..colour import blend, contrast, from_oklab, luma, rgb, smoothstep, to_oklab
from ..texture import blur, clouds, edges, flatten, hatching, local_contrast, paper, unit, vignette

if TYPE_CHECKING:
    from ..colour import Array
    from .brush import Brush


def lines(plane: Array, width: float, sharpness: float = 12, level: float = 0.5) -> Array:
    """Draw the outlines of a plane: 1 where there is a line, 0 on empty paper (XDoG)."""
    near, far = blur(plane, width), blur(plane, width * 1.6)
    difference = near + 18 * (near - far)
    return 1 - np.clip(1 + np.tanh(sharpness * (difference - level)), 0, 1)


def pencil_sketch(picture: Array, brush: Brush) -> Array:
    """Graphite on paper: soft outlines, tone built up from hatching."""
    size = unit(picture)
    level = luma(picture)
    even = 0.55 * level + 0.45 * local_contrast(level, 60 * size)
    dodge = np.clip(even / (blur(even, 7 * size) + 0.04), 0, 1)
    fine = np.clip(even / (blur(even, 1.8 * size) + 0.03), 0, 1)
    outline = np.clip(1.7 * (1 - dodge) + 1.5 * (1 - fine), 0, 1)
    tone = 1 - contrast(np.clip(even, 0, 1), 0.35)
    shade = np.zeros_like(level)
    for angle, start in ((38, 0.28), (64, 0.5), (-28, 0.68)):
        stroke = hatching(level.shape, brush.rng, angle, 2.6 * size)
        depth = smoothstep(start, start + 0.4, tone)
        shade += 0.42 * depth * smoothstep(0.62 - 0.5 * depth, 1.0, stroke)
    shade += 0.16 * smoothstep(0.1, 0.9, tone)
    tooth = paper(level.shape, brush.rng, size)
    graphite = np.clip(outline * 0.95 + shade * brush.amount, 0, 1)
    graphite = np.clip(graphite * (0.62 + 0.76 * (1 - tooth)), 0, 1)
    edge = vignette(level.shape, 0.85, 1.3) + 0.5 * (clouds(level.shape, brush.rng, 90 * size) - 0.5)
    graphite *= 1 - 0.75 * smoothstep(0.35, 1, edge)
    sheet = rgb("#f6f3ec") * (0.965 + 0.035 * tooth[..., None])
    return blend(sheet, np.broadcast_to(rgb("#2b2b2e"), picture.shape), 0.93 * graphite)


def ink(picture: Array, brush: Brush) -> Array:
    """Black brush ink on cream paper, with a thin wash in the shadows."""
    size = unit(picture)
    level = luma(flatten(picture, max(2, round(5 * size))))
    even = local_contrast(level, 40 * size)
    mixed = 0.6 * even + 0.4 * level
    drawn = lines(blur(mixed, 0.6 * size), 1.3 * size * (0.8 + 0.2 * brush.amount), 9, 0.42)
    black = smoothstep(0.2, 0.12, level + 0.04 * (clouds(level.shape, brush.rng, 12 * size) - 0.5))
    flow = clouds(level.shape, brush.rng, 60 * size)
    wash = 0.5 * smoothstep(0.55, 0.3, level + 0.12 * (flow - 0.5)) + 0.3 * smoothstep(0.8, 0.6, level)
    tooth = paper(level.shape, brush.rng, size)
    sheet = rgb("#f5efe2") * (0.97 + 0.03 * tooth[..., None])
    washed = blend(sheet, np.broadcast_to(rgb("#6d6a68"), picture.shape), 0.55 * wash * (0.85 + 0.3 * tooth))
    return blend(washed, np.broadcast_to(rgb("#14120f"), picture.shape), np.maximum(drawn, black) * (0.9 + 0.1 * tooth))


def comic(picture: Array, brush: Brush) -> Array:
    """Flat strong colours in steps, ink outlines, dots in the shadows."""
    size = unit(picture)
    flat = flatten(flatten(picture, max(2, round(7 * size))), max(2, round(5 * size)))
    lab = to_oklab(flat)
    level = contrast(lab[..., 0], 0.35, 0.55)
    steps = 5
    scaled = level * steps
    lab[..., 0] = np.clip((np.floor(scaled) + smoothstep(0.42, 0.58, scaled % 1)) / steps, 0, 1) * 0.9 + 0.1
    lab[..., 1:] *= 1.5
    colour = from_oklab(lab)
    tone = luma(flat)
    dots = halftone(tone.shape, 9 * size, 35)
    shadow = smoothstep(0.05, -0.05, dots - smoothstep(0.55, 0.12, tone) * 0.75)
    colour = blend(colour, colour * 0.45, shadow * smoothstep(0.6, 0.4, tone))
    drawn = lines(0.5 * local_contrast(tone, 40 * size) + 0.5 * tone, 1.5 * size * brush.amount, 9, 0.36)
    return blend(colour, np.broadcast_to(rgb("#17131c"), picture.shape), drawn)


def halftone(shape: tuple[int, ...], pitch: float, angle: float) -> Array:
    """Give for each pixel how far it lies from its dot's centre: 0 at the centre, 1 in the gaps."""
    height, width = shape[:2]
    turn = np.deg2rad(angle)
    y, x = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)[None]
    u = (np.cos(turn) * x + np.sin(turn) * y) / np.float32(pitch) % 1 - 0.5
    v = (np.cos(turn) * y - np.sin(turn) * x) / np.float32(pitch) % 1 - 0.5
    return np.sqrt(2 * (u * u + v * v)).astype(np.float32)


def blueprint(picture: Array, brush: Brush) -> Array:
    """White lines and a drafting grid on blue paper."""
    size = unit(picture)
    height, width = picture.shape[:2]
    level = luma(flatten(picture, max(2, round(4 * size))))
    even = local_contrast(level, 36 * size)
    drawn = lines(0.65 * even + 0.35 * level, 1.0 * size, 8, 0.4)
    hatch = hatching(level.shape, brush.rng, 45, 3 * size)
    shade = 0.22 * smoothstep(0.45, 0.9, level) * smoothstep(0.35, 0.8, hatch)
    sheet = np.broadcast_to(rgb("#16407c"), picture.shape) * (
        0.9 + 0.2 * clouds(level.shape, brush.rng, 200 * size)[..., None]
    )
    y, x = np.arange(height)[:, None], np.arange(width)[None]
    step = max(4, round(32 * size))
    grid = 0.09 * ((x % step == 0) | (y % step == 0)) + 0.1 * ((x % (step * 4) == 0) | (y % (step * 4) == 0))
    margin = round(18 * size)
    inside = np.minimum(np.minimum(x, width - 1 - x), np.minimum(y, height - 1 - y))
    rule = (np.abs(inside - margin) < max(1, 1.6 * size)).astype(np.float32)
    chalk = np.clip(drawn * 0.95 * brush.amount + shade, 0, 0.95) * (inside > margin)
    light = np.clip(chalk + 0.25 * blur(chalk, 2 * size) + grid.astype(np.float32) + 0.7 * rule, 0, 1)
    worn = 0.85 + 0.3 * (paper(level.shape, brush.rng, size) - 0.5)
    return blend(sheet, np.broadcast_to(rgb("#eaf3ff"), picture.shape), np.clip(light * worn, 0, 1))


__all__ = ["blueprint", "comic", "edges", "halftone", "ink", "lines", "pencil_sketch"]
