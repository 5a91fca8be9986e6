"""Looks that change colour and light alone: the darkroom's work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wan_sandbox.preview.plan import COLOURS
from wan_sandbox.preview.render.colour import (
    blend,
    contrast,
    from_oklab,
    full_range,
    gradient_map,
    grey,
    luma,
    rgb,
    screen,
    smoothstep,
    to_oklab,
)
from wan_sandbox.preview.render.texture import blur, clouds, grain, unit, vignette

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wan_sandbox.preview.looks.brush import Brush
    from wan_sandbox.preview.render.colour import Array


def duotone(picture: Array, brush: Brush) -> Array:
    """Print in two inks: a dark one for the shadows, a light one for the highlights."""
    level = contrast(full_range(luma(picture)), 0.45 * brush.amount)
    named = brush.parameters.get("colours")
    names: Sequence[str] = named if isinstance(named, (list, tuple)) else ()
    return gradient_map(level, _inks([COLOURS[name] for name in names]))


def _inks(codes: Sequence[str]) -> list[tuple[float, str]]:
    if not codes:
        return [(0, "#161243"), (0.45, "#b8336a"), (0.8, "#ff9b71"), (1, "#fff1d6")]
    dark, light = codes[0], codes[-1]
    if luma(rgb(light)) < luma(rgb(dark)):
        dark, light = light, dark
    return [(0, _mixed(dark, "#05050a", 0.7)), (0.4, dark), (0.78, light), (1, _mixed(light, "#ffffff", 0.75))]


def _mixed(code: str, other: str, share: float) -> str:
    return "#" + bytes((blend(rgb(code), rgb(other), share) * 255).astype(np.uint8)).hex()


def sepia(picture: Array, brush: Brush) -> Array:
    """Draw a brown print on warm paper, with soft corners."""
    size = unit(picture)
    level = contrast(full_range(luma(picture)), 0.25 * brush.amount)
    toned = gradient_map(
        level, [(0, "#1f140c"), (0.25, "#553722"), (0.6, "#b08a5e"), (0.88, "#ecd9b4"), (1, "#f9efd9")]
    )
    toned = toned * (1 + 0.025 * grain(level.shape, brush.rng, size)[..., None])
    return toned * (1 - 0.35 * vignette(level.shape)[..., None])


def black_and_white(picture: Array, brush: Brush) -> Array:
    """Draw a neutral print of full range."""
    mixed = picture @ np.array([0.35, 0.5, 0.15], np.float32)
    return grey(contrast(full_range(mixed), 0.22 * brush.amount))


def noir(picture: Array, brush: Brush) -> Array:
    """Draw deep blacks, glowing highlights and grain: a crime film of the forties."""
    size = unit(picture)
    mixed = picture @ np.array([0.5, 0.42, 0.08], np.float32)
    level = contrast(full_range(mixed) ** 1.25, 0.62 * brush.amount, 0.45)
    glow = blur(smoothstep(0.6, 1, level), 14 * size)
    level = level + 0.28 * glow * (1 - level)
    level = level * (1 - 0.72 * vignette(level.shape, 0.4, 1.25))
    level = level + 0.045 * grain(level.shape, brush.rng, 1.2 * size) * (0.4 + level * (1 - level) * 2.4)
    return gradient_map(level, [(0, "#050608"), (0.5, "#74767a"), (1, "#f7f7f4")])


def vintage_film(picture: Array, brush: Brush) -> Array:
    """Draw faded blacks, creamy highlights, shifted colours, grain and a light leak."""
    size = unit(picture)
    lab = to_oklab(picture)
    level = lab[..., 0]
    lab[..., 1:] *= 0.82
    lab[..., 1] += 0.012 * smoothstep(0.4, 0.9, level) - 0.016 * smoothstep(0.5, 0.1, level)
    lab[..., 2] += 0.05 * smoothstep(0.35, 0.95, level) - 0.022 * smoothstep(0.45, 0.05, level)
    lab[..., 0] = 0.15 + 0.8 * contrast(level, 0.3, 0.5)
    colour = from_oklab(lab)
    height, width = level.shape
    x, y = np.linspace(0, 1, width, dtype=np.float32)[None], np.linspace(0, 1, height, dtype=np.float32)[:, None]
    drift = clouds(level.shape, brush.rng, 0.7 * min(height, width), 2)
    leak = np.exp(-((x - 0.14 * drift) ** 2) / 0.02) * (0.35 + 0.65 * drift) * smoothstep(1.15, 0.3, y)
    colour = screen(colour, leak[..., None] * rgb("#ff7a2e") * 0.85 * brush.amount)
    colour = colour * (1 - 0.34 * vignette(level.shape, 0.5, 1.35)[..., None])
    return colour + 0.03 * brush.amount * grain(level.shape, brush.rng, 1.3 * size)[..., None]


def night(picture: Array, brush: Brush) -> Array:
    """Grade day for night: dark and blue, with glowing highlights. No light is added."""
    size = unit(picture)
    lab = to_oklab(picture)
    level = lab[..., 0]
    deep = 0.66 / (0.75 + 0.25 * brush.amount)
    lights = smoothstep(0.8, 0.98, level) * smoothstep(0.45, 0.1, blur(smoothstep(0.6, 0.9, level), 40 * size))
    lab[..., 0] = 0.05 + deep * contrast(level, 0.4, 0.6) ** 1.3
    lab[..., 1] = lab[..., 1] * 0.42 - 0.014
    lab[..., 2] = lab[..., 2] * 0.36 - 0.06
    dark = from_oklab(lab) * (1 - 0.5 * vignette(level.shape, 0.35, 1.3)[..., None])
    lit = blend(dark, picture, 0.9 * lights)
    halo = blur(picture * lights[..., None], 16 * size) + 0.6 * blur(picture * lights[..., None], 4 * size)
    return screen(lit, 1.1 * halo)


def golden_hour(picture: Array, brush: Brush) -> Array:
    """Grade to the colours of late light: amber highlights, violet shadows, a soft haze. No light is added."""
    size = unit(picture)
    lab = to_oklab(picture)
    level = lab[..., 0]
    amount = brush.amount
    light, shade = smoothstep(0.25, 0.9, level), smoothstep(0.55, 0.1, level)
    lab[..., 0] = contrast(level, 0.18, 0.5) * 0.97 + 0.02
    lab[..., 1] += amount * (0.022 * light + 0.014 * shade)
    lab[..., 2] = lab[..., 2] * 0.9 + amount * (0.072 * light - 0.012 * shade)
    warm = from_oklab(lab)
    haze = blur(warm * smoothstep(0.55, 0.95, level)[..., None], 26 * size)
    warm = screen(warm, 0.34 * amount * haze * rgb("#ffd9a0"))
    return warm * (1 - 0.25 * vignette(level.shape, 0.6, 1.4)[..., None] * rgb("#80a0ff"))
