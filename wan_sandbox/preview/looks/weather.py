"""Looks made of particles in the air: snow, rain, fog."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from wan_sandbox.preview.render.colour import blend, contrast, from_oklab, luma, rgb, screen, smoothstep, to_oklab
from wan_sandbox.preview.render.texture import blur, clouds, hatching, unit

if TYPE_CHECKING:
    from wan_sandbox.preview.looks.brush import Brush
    from wan_sandbox.preview.render.colour import Array


def _flakes(shape: tuple[int, ...], rng: np.random.Generator, count: int, radius: float, spread: float) -> Array:
    """Scatter soft discs of varying size and brightness."""
    height, width = shape[:2]
    layer = Image.new("L", (width * 2, height * 2))
    pen = ImageDraw.Draw(layer)
    places = rng.random((count, 2)) * (width * 2, height * 2)
    sizes = np.maximum(0.6, radius * 2 * np.exp(spread * rng.standard_normal(count)))
    lights = (150 + 105 * rng.random(count)).astype(int)
    for (x, y), size, light in zip(places.tolist(), sizes.tolist(), lights.tolist(), strict=True):
        pen.ellipse((x - size, y - size * 0.92, x + size, y + size * 0.92), fill=light)
    result: Array = np.asarray(layer.resize((width, height), Image.Resampling.BOX), np.float32) / np.float32(255)
    return result


def snow(picture: Array, brush: Brush) -> Array:
    """Draw falling flakes at three distances, in a cold pale light."""
    size = unit(picture)
    lab = to_oklab(picture)
    lab[..., 0] = 0.06 + 0.9 * contrast(lab[..., 0], 0.08)
    lab[..., 1:] *= 0.7
    lab[..., 2] -= 0.018
    cold = from_oklab(lab)
    area = picture.shape[0] * picture.shape[1] / 1024**2 / size**2
    mist = clouds(picture.shape, brush.rng, 260 * size)
    cold = blend(cold, rgb("#dfe8f2"), 0.04 + 0.2 * mist * brush.amount)
    for count, radius, spread, soft, strength in (
        (2600, 1.5, 0.35, 0.6, 0.75),
        (420, 3.4, 0.35, 1.4, 0.85),
        (46, 11.0, 0.4, 6.0, 0.6),
    ):
        flakes = _flakes(picture.shape, brush.rng, int(count * area * brush.amount), radius * size, spread)
        cold = blend(cold, np.ones_like(cold), np.clip(strength * blur(flakes, soft * size), 0, 1))
    return cold


def rain(picture: Array, brush: Brush) -> Array:
    """Draw slanting streaks at three distances, under a heavy sky."""
    size = unit(picture)
    lab = to_oklab(picture)
    lab[..., 0] = 0.03 + 0.72 * contrast(lab[..., 0], 0.1)
    lab[..., 1:] *= 0.55
    lab[..., 1] -= 0.006
    lab[..., 2] -= 0.02
    grey_day = from_oklab(lab)
    mist = clouds(picture.shape, brush.rng, 320 * size)
    ground = np.linspace(0, 1, picture.shape[0], dtype=np.float32)[:, None] ** 2
    veil = (0.16 + 0.18 * mist + 0.12 * ground) * (0.3 + 0.7 * smoothstep(0, 0.5, blur(luma(grey_day), 6 * size)))
    wet = blend(grey_day, rgb("#8d99a6"), np.clip(veil * brush.amount, 0, 0.6))
    glow = 0.25 + 0.75 * blur(luma(picture), 20 * size)
    for thick, low, strength in ((1.3, 0.78, 0.34), (2.2, 0.85, 0.55), (4.2, 0.93, 0.5)):
        streaks = hatching(picture.shape, brush.rng, 76, thick * size)
        light = strength * brush.amount * smoothstep(low, 1, streaks) * glow
        wet = screen(wet, light[..., None] * rgb("#e6eef8"))
    return wet


def fog(picture: Array, brush: Brush) -> Array:
    """Draw veils that thicken towards the top and drift in banks. Depth is not known, so height stands in for it."""
    size = unit(picture)
    height, width = picture.shape[:2]
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    banks = clouds((height, max(1, width // 2)), brush.rng, 220 * size, 5)
    banks = np.asarray(Image.fromarray(banks).resize((width, height), Image.Resampling.BICUBIC))
    distance = smoothstep(1.1, 0.0, y)
    thick = np.clip((0.22 + 0.46 * distance + 0.75 * (banks - 0.5)) * brush.amount, 0.08, 0.82)
    soft = blend(picture, blur(picture, 5 * size), thick)
    lab = to_oklab(soft)
    lab[..., 1:] *= 0.75
    return blend(from_oklab(lab), rgb("#d6dade"), thick)
