"""Looks of screens and prints: pixel art, neon, pop art, glitch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from wan_sandbox.preview.looks.drawing import halftone, lines, outlines
from wan_sandbox.preview.render.colour import (
    blend,
    contrast,
    from_oklab,
    full_range,
    luma,
    rgb,
    screen,
    smoothstep,
    to_array,
    to_image,
    to_oklab,
)
from wan_sandbox.preview.render.texture import blur, flatten, grain, local_contrast, resize, unit, vignette

if TYPE_CHECKING:
    from wan_sandbox.preview.looks.brush import Brush
    from wan_sandbox.preview.render.colour import Array

_PANELS = (
    ("#1d1a5e", "#e8308a", "#ffd23f"),
    ("#0b3d3a", "#10b5a6", "#ffe14d"),
    ("#5a0f2e", "#ff5a36", "#9fe8ff"),
    ("#2a1052", "#8b3dff", "#ffb3d1"),
)


# Magenta, cyan and amber in turn, as red, green and blue ramps.
_TUBES = ((1.0, 0.05, 1.0, 1.0), (0.1, 0.85, 0.62, 0.1), (0.75, 1.0, 0.1, 0.75))
_ORDERED = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], np.float32) / 16 - 0.47


def pixel_art(picture: Array, brush: Brush) -> Array:
    """Draw large square pixels in a small palette, with dark outlines."""
    height, width = picture.shape[:2]
    cell = max(3, round(10 * unit(picture) * brush.amount))
    small = (max(1, round(width / cell)), max(1, round(height / cell)))
    sharp = to_image(picture).resize(small, Image.Resampling.BOX).filter(ImageFilter.UnsharpMask(1, 40, 0))
    lab = to_oklab(to_array(sharp))
    lab[..., 1:] *= 1.3
    rim = outlines(lab[..., 0], 0.8, 0.03, 0.09)
    lab[..., 0] = contrast(lab[..., 0], 0.15) * (1 - 0.4 * rim)
    pattern = np.tile(_ORDERED, (small[1] // 4 + 1, small[0] // 4 + 1))[: small[1], : small[0]]
    lab[..., 0] += 0.035 * pattern
    bold = to_image(from_oklab(lab))
    palette = bold.quantize(32, Image.Quantize.FASTOCTREE, kmeans=3)
    limited = bold.quantize(palette=palette, dither=Image.Dither.NONE).convert("RGB")
    return to_array(limited.resize((width, height), Image.Resampling.NEAREST))


def neon(picture: Array, brush: Brush) -> Array:
    """Draw glowing tubes along every edge, in changing hues, in the dark."""
    size = unit(picture)
    lab = to_oklab(flatten(picture, 3.5 * size))
    even = local_contrast(lab[..., 0], 60 * size, 0.07)
    tube = np.maximum(outlines(even, 1.7 * size, 0.01, 0.045), 0.8 * outlines(even, 4 * size, 0.02, 0.08))
    height, width = tube.shape
    x, y = np.linspace(0, 1, width, dtype=np.float32)[None], np.linspace(0, 1, height, dtype=np.float32)[:, None]
    wide = blur(lab, 10 * size)
    # Hues run across the frame; the picture's own colour and light push them on, so that neighbours differ.
    hue = 2.4 * x + 1.7 * y + 2.2 * wide[..., 0] + 14 * wide[..., 1] - 9 * wide[..., 2]
    glow = np.stack([np.interp(hue % 3, range(4), ramp) for ramp in _TUBES], -1).astype(np.float32)
    light = tube[..., None] * glow
    dark = from_oklab(np.stack([0.05 + 0.3 * lab[..., 0], 0.35 * lab[..., 1] + 0.02, 0.35 * lab[..., 2] - 0.06], -1))
    halo = 0.9 * blur(light, 4 * size) + 1.2 * blur(light, 13 * size) + 1.8 * blur(light, 48 * size)
    lit = screen(screen(dark, brush.amount * halo), light)
    return screen(lit, 0.65 * smoothstep(0.5, 1, tube)[..., None])


def pop_art(picture: Array, brush: Brush) -> Array:
    """Draw four prints of one picture in loud inks, with dots for the half tones."""
    height, width = picture.shape[:2]
    top, left = height // 2, width // 2
    result = np.empty_like(picture)
    for place, inks in enumerate(_PANELS):
        rows = slice(0, top) if place < 2 else slice(top, height)
        columns = slice(0, left) if place % 2 == 0 else slice(left, width)
        panel = resize(picture, (columns.stop - columns.start, rows.stop - rows.start), Image.Resampling.BOX)
        result[rows, columns] = _print(panel, inks, unit(picture) * brush.amount)
    return result


def _print(panel: Array, inks: tuple[str, str, str], size: float) -> Array:
    level = luma(flatten(panel, 3.5 * size))
    level = contrast(full_range(level), 0.3)
    even = 0.6 * level + 0.4 * local_contrast(level, 60 * size, 0.12)
    dots = halftone(level.shape, 7 * size, 30)
    middle = smoothstep(-0.08, 0.08, (1 - smoothstep(0.3, 0.85, even)) * 1.15 - dots)
    sheet = blend(np.broadcast_to(rgb(inks[2]), panel.shape), rgb(inks[1]), middle)
    dark = np.maximum(smoothstep(0.34, 0.28, even), lines(even, 1.2 * size, 0.34))
    return blend(sheet, rgb(inks[0]), dark)


def glitch(picture: Array, brush: Brush) -> Array:
    """Draw a torn signal: rows slip sideways, channels part, scan lines show."""
    size, rng = unit(picture), brush.rng
    height, width = picture.shape[:2]
    shift = np.zeros(height, np.int64)
    for _ in range(int(16 * brush.amount)):
        start, tall = int(rng.integers(height)), int(rng.integers(4, 60) * size) + 1
        shift[start : start + tall] += int(rng.normal(0, 34 * size))
    columns = np.arange(width)[None] - shift[:, None]
    apart = round(9 * size * brush.amount)
    extra = (np.abs(shift) > 0)[:, None] * round(6 * size)
    rows = np.arange(height)[:, None]
    sources = [columns - apart - extra, columns, columns + apart + extra]
    torn = np.stack([picture[rows, source % width, channel] for channel, source in enumerate(sources)], -1)
    for _ in range(int(10 * brush.amount)):
        top, left = int(rng.integers(height)), int(rng.integers(width))
        tall, wide = int(rng.integers(6, 40) * size) + 1, int(rng.integers(40, 240) * size) + 1
        block = torn[top : top + tall, left : left + wide]
        torn[top : top + tall, left : left + wide] = np.roll(block, 1, -1)
    scan = 0.86 + 0.14 * (np.arange(height) // max(1, round(2 * size)) % 2)[:, None, None]
    noisy = torn * scan.astype(np.float32) + 0.025 * grain(torn.shape, rng, size)[..., None]
    lifted = blend(noisy, rgb("#1a2cff"), 0.06)
    return lifted * (1 - 0.3 * vignette(torn.shape)[..., None])
