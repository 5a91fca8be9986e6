"""Looks made of lines on paper: pencil, ink, comic, blueprint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wan_sandbox.preview.render.colour import blend, contrast, from_oklab, full_range, luma, rgb, smoothstep, to_oklab
from wan_sandbox.preview.render.texture import (
    blur,
    clouds,
    flatten,
    frame_distance,
    hatching,
    local_contrast,
    paper,
    unit,
)

if TYPE_CHECKING:
    from wan_sandbox.preview.looks.brush import Brush
    from wan_sandbox.preview.render.colour import Array


def lines(plane: Array, width: float, level: float = 0.5, sharpness: float = 9) -> Array:
    """Draw outlines and fill what is dark: 1 where there is ink, 0 on empty paper (XDoG)."""
    near, far = blur(plane, width), blur(plane, width * 1.6)
    difference = near + 18 * (near - far)
    result: Array = 1 - np.clip(1 + np.tanh(sharpness * (difference - level)), 0, 1)
    return result


def outlines(plane: Array, width: float, low: float = 0.012, high: float = 0.05) -> Array:
    """Draw outlines alone, on the dark side of each edge."""
    return smoothstep(low, high, blur(plane, width * 1.6) - blur(plane, width))


def pencil_sketch(picture: Array, brush: Brush) -> Array:
    """Draw in graphite on paper: soft outlines, tone built up from hatching."""
    size, rng = unit(picture), brush.rng
    level = luma(picture)
    even = 0.6 * level + 0.4 * local_contrast(level, 70 * size, 0.1)
    contour = np.clip(1 - even / (blur(even, 8 * size) + 0.05), 0, 1)
    fine = np.clip(1 - even / (blur(even, 2 * size) + 0.04), 0, 1)
    outline = smoothstep(0.04, 0.5, 1.1 * contour + 1.6 * fine)
    tone = (1 - blur(even, 2.5 * size)) ** 1.15
    bare = np.ones_like(level)
    for angle, start, end in ((42, 0.2, 0.62), (26, 0.42, 0.85), (64, 0.6, 1.0), (-32, 0.76, 1.1)):
        depth = smoothstep(start, end, tone)
        stroke = hatching(level.shape, rng, angle, 2.1 * size)
        laid = smoothstep(0.86 - 0.62 * depth, 1.02 - 0.42 * depth, stroke) * np.sqrt(depth)
        bare *= 1 - min(0.46 * brush.amount, 0.7) * laid
    graphite = 1 - bare * (1 - 0.72 * outline) * (1 - 0.2 * smoothstep(0.2, 1, tone))
    tooth = paper(level.shape, rng, size)
    graphite = np.clip(graphite * (1.04 - 0.3 * tooth * (1.15 - graphite)), 0, 1)
    # The drawing ends in loose strokes before the paper does.
    loose = hatching(level.shape, rng, 42, 5 * size)
    graphite *= smoothstep(0, 0.22, frame_distance(level.shape) / (46 * size) - 1.1 * loose)
    sheet = rgb("#faf8f3") * (0.972 + 0.028 * tooth[..., None])
    if brush.parameters.get("in_colour"):
        # Coloured pencils press a second layer under the dark one, so that light areas have their hue too.
        core = _pigment(picture, 0.42, 3 * size)
        layer = (0.3 + 0.7 * smoothstep(0.15, 0.75, hatching(level.shape, rng, 42, 2.4 * size))) * (1.1 - 0.5 * tooth)
        layer *= smoothstep(0, 0.2, frame_distance(level.shape) / (46 * size) - 1.1 * loose)
        sheet = blend(sheet, _pigment(picture, 0.68, 3 * size), np.clip(layer, 0, 0.92))
        return blend(sheet, core, 0.8 * graphite)
    return blend(sheet, rgb("#26262a"), 0.95 * graphite)


def _pigment(picture: Array, lightness: float, softness: float) -> Array:
    """Give every place its hue at about one lightness, as a set of pencils or inks has it."""
    lab = to_oklab(flatten(picture, softness))
    lab[..., 0] = lightness + 0.35 * (lab[..., 0] - 0.5)
    lab[..., 1:] *= 1.5
    return from_oklab(lab)


def ink(picture: Array, brush: Brush) -> Array:
    """Draw in black brush ink on cream paper, with a thin wash in the shadows."""
    size, rng = unit(picture), brush.rng
    level = luma(flatten(picture, 3 * size))
    even = local_contrast(level, 45 * size, 0.12)
    drawn = lines(0.65 * even + 0.35 * level, 1.3 * size * (0.7 + 0.3 * brush.amount), 0.38)
    ragged = 0.05 * (clouds(level.shape, rng, 10 * size) - 0.5)
    black = smoothstep(0.17, 0.11, blur(level, 2 * size) + ragged)
    flow = clouds(level.shape, rng, 90 * size)
    pooled = blur(full_range(level), 6 * size) + 0.2 * (flow - 0.5)
    wash = sum(
        share * smoothstep(start, start - 0.12, pooled) for share, start in ((0.3, 0.6), (0.4, 0.4), (0.3, 0.22))
    )
    tooth = paper(level.shape, rng, size)
    sheet = rgb("#f7f1e4") * (0.97 + 0.03 * tooth[..., None])
    if brush.parameters.get("in_colour"):
        sheet = sheet * blend(np.ones_like(picture), _pigment(picture, 0.8, 5 * size), 0.85)
    washed = blend(sheet, rgb("#4d4b4d"), 0.62 * wash * (0.9 + 0.2 * (1 - tooth)))
    dark = np.maximum(drawn, black) * (0.94 + 0.06 * tooth)
    return blend(washed, rgb("#14120f"), dark)


def comic(picture: Array, brush: Brush) -> Array:
    """Draw flat strong colours in steps, ink outlines and dots in the shadows."""
    size = unit(picture)
    crisp = flatten(picture, 2.8 * size)
    flat = flatten(flatten(crisp, 4 * size), 3 * size)
    lab = to_oklab(flat)
    scaled = contrast(lab[..., 0], 0.3, 0.5) * 5
    lab[..., 0] = 0.16 + 0.82 * (np.floor(scaled) + smoothstep(0.4, 0.6, scaled % 1)) / 5
    lab[..., 1:] *= 1.55
    colour = from_oklab(lab)
    tone = luma(flat)
    dots = halftone(tone.shape, 8 * size, 35)
    shade = smoothstep(0.55, 0.1, blur(tone, 3 * size))
    colour = blend(colour, colour * 0.5, smoothstep(-0.08, 0.08, 0.95 * shade - dots))
    level = luma(crisp)
    even = local_contrast(level, 45 * size, 0.14)
    drawn = lines(0.6 * even + 0.4 * level, 1.4 * size * brush.amount, 0.3)
    return blend(colour, rgb("#17131c"), drawn)


def halftone(shape: tuple[int, ...], pitch: float, angle: float) -> Array:
    """Return how far each pixel lies from its dot's centre: 0 at the centre, 1 in the gaps."""
    height, width = shape[:2]
    turn = np.deg2rad(angle)
    y, x = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)[None]
    u = (np.cos(turn) * x + np.sin(turn) * y) / np.float32(pitch) % 1 - 0.5
    v = (np.cos(turn) * y - np.sin(turn) * x) / np.float32(pitch) % 1 - 0.5
    result: Array = np.sqrt(2 * (u * u + v * v)).astype(np.float32)
    return result


def blueprint(picture: Array, brush: Brush) -> Array:
    """Draw white lines and a drafting grid on blue paper."""
    size = unit(picture)
    height, width = picture.shape[:2]
    level = luma(flatten(picture, 2.5 * size))
    even = local_contrast(level, 30 * size, 0.07)
    drawn = np.maximum(outlines(even, 0.9 * size, 0.01, 0.035), 0.75 * outlines(even, 2.2 * size, 0.016, 0.05))
    drawn = np.maximum(drawn, 0.5 * outlines(even, 6 * size, 0.025, 0.07))
    hatch = hatching(level.shape, brush.rng, 45, 3 * size)
    shade = 0.22 * smoothstep(0.45, 0.9, level) * smoothstep(0.35, 0.8, hatch)
    sheet = rgb("#16407c") * (0.9 + 0.2 * clouds(level.shape, brush.rng, 200 * size)[..., None])
    y, x = np.arange(height)[:, None], np.arange(width)[None]
    step = max(4, round(32 * size))
    grid = 0.09 * ((x % step == 0) | (y % step == 0)) + 0.1 * ((x % (step * 4) == 0) | (y % (step * 4) == 0))
    margin = round(18 * size)
    inside = np.minimum(np.minimum(x, width - 1 - x), np.minimum(y, height - 1 - y))
    rule = (np.abs(inside - margin) < max(1, 1.6 * size)).astype(np.float32)
    chalk = np.clip(drawn * 0.95 * brush.amount + shade, 0, 0.95) * (inside > margin)
    light = np.clip(chalk + 0.25 * blur(chalk, 2 * size) + grid.astype(np.float32) + 0.7 * rule, 0, 1)
    worn = 0.85 + 0.3 * (paper(level.shape, brush.rng, size) - 0.5)
    return blend(sheet, rgb("#eaf3ff"), np.clip(light * worn, 0, 1))
