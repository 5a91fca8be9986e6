"""Adjustments: one small change to all of a picture."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from wan_sandbox.preview.plan import COLOURS
from wan_sandbox.preview.render.colour import blend, contrast, from_oklab, luma, rgb, saturate, smoothstep, to_oklab
from wan_sandbox.preview.render.texture import blur, grain, local_contrast, unit, vignette

if TYPE_CHECKING:
    from wan_sandbox.preview.looks.brush import Brush, Look
    from wan_sandbox.preview.render.colour import Array


def _lightness(sign: int, picture: Array, brush: Brush) -> Array:
    lab = to_oklab(picture)
    level = np.clip(lab[..., 0], 0, 1)
    bent = level ** (2 ** (-sign * 0.55 * brush.amount))
    # Colour follows light, or shadows turn garish when opened.
    lab[..., 1:] *= (0.4 + 0.6 * (bent + 0.05) / (level + 0.05))[..., None].clip(0.5, 1.3)
    lab[..., 0] = bent
    return from_oklab(lab)


def _temperature(sign: int, picture: Array, brush: Brush) -> Array:
    lab = to_oklab(picture)
    reach = smoothstep(0, 0.3, lab[..., 0]) * smoothstep(1.15, 0.8, lab[..., 0])
    lab[..., 1] += sign * 0.012 * brush.amount * reach
    lab[..., 2] += sign * 0.045 * brush.amount * reach
    return from_oklab(lab)


def _saturation(sign: int, picture: Array, brush: Brush) -> Array:
    lab = to_oklab(picture)
    amount = 0.45 if sign > 0 else -0.55
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    # Pale colours gain more than those that are strong already.
    room = 1 - 0.6 * smoothstep(0.1, 0.25, chroma) if sign > 0 else np.ones_like(chroma)
    lab[..., 1:] *= np.maximum(0, 1 + amount * brush.amount * room)[..., None]
    return from_oklab(lab)


def _contrast(sign: int, picture: Array, brush: Brush) -> Array:
    lab = to_oklab(picture)
    amount = 0.5 * brush.amount if sign > 0 else -0.4 * brush.amount
    lab[..., 0] = contrast(lab[..., 0], amount, 0.55)
    return from_oklab(lab)


def sharpen(picture: Array, brush: Brush) -> Array:
    """Make edges crisper, in brightness alone."""
    size = unit(picture)
    level = luma(picture)
    crisp = 1.1 * (level - blur(level, 1.2 * size)) + 0.35 * (level - blur(level, 8 * size))
    return picture + brush.amount * np.clip(crisp, -0.18, 0.18)[..., None]


def soften(picture: Array, brush: Brush) -> Array:
    """Blur the whole picture."""
    return blur(picture, 9 * unit(picture) * brush.amount**1.5)


def darken_corners(picture: Array, brush: Brush) -> Array:
    """Let the light fall off towards the corners."""
    return picture * (1 - 0.75 * min(brush.amount, 1.3) * vignette(picture.shape, 0.4, 1.3)[..., None])


def tint(picture: Array, brush: Brush) -> Array:
    """Shift all colours towards one."""
    code = COLOURS.get(str(brush.parameters.get("colour")), COLOURS["blue"])
    lab, goal = to_oklab(picture), to_oklab(rgb(code)[None, None])[0, 0]
    reach = smoothstep(0, 0.35, lab[..., 0]) * smoothstep(1.2, 0.75, lab[..., 0])
    lab[..., 1:] = blend(lab[..., 1:], goal[1:], min(0.55 * brush.amount, 0.85) * reach)
    return from_oklab(lab)


def film_grain(picture: Array, brush: Brush) -> Array:
    """Scatter film grain, strongest in the middle tones."""
    level = luma(picture)
    plane = grain(level.shape, brush.rng, 1.3 * unit(picture))
    return picture + (0.075 * brush.amount * plane * (0.35 + 2.6 * level * (1 - level)))[..., None]


def invert(picture: Array, brush: Brush) -> Array:
    """Turn light to dark and each colour to its opposite."""
    del brush
    return 1 - picture


def mirror(picture: Array, brush: Brush) -> Array:
    """Swap left and right."""
    del brush
    result: Array = picture[:, ::-1].copy()
    return result


def polish(picture: Array, brush: Brush) -> Array:
    """Clear up middle-sized detail and enrich pale colours a little, as the extended prompt asks."""
    level = luma(picture)
    detail = level - blur(level, 22 * unit(picture))
    clear = picture + 0.22 * brush.amount * (detail * smoothstep(0, 0.2, level) * smoothstep(1, 0.8, level))[..., None]
    return saturate(contrast(np.clip(clear, 0, 1), 0.08 * brush.amount), 1 + 0.07 * brush.amount)


def neutral_grade(picture: Array, brush: Brush) -> Array:
    """Make a restrained print: even range, gentle contrast, true colours."""
    lab = to_oklab(picture)
    low, high = np.percentile(lab[::4, ::4, 0], (0.5, 99.5))
    even = np.clip((lab[..., 0] - low) / max(float(high - low), 0.5), 0, 1)
    lab[..., 0] = blend(lab[..., 0], 0.03 + 0.95 * contrast(even, 0.2), 0.7 * min(brush.amount, 1.4))
    # A colour cast over everything is halved, never removed: it may be the picture's mood.
    lab[..., 1:] -= 0.4 * np.median(lab[::4, ::4, 1:], (0, 1))
    calm = local_contrast(lab[..., 0], 60 * unit(picture))
    lab[..., 0] += 0.05 * (calm - 0.5)
    return from_oklab(lab)


ADJUSTMENT_TABLE: dict[str, Look] = {
    "brighter": partial(_lightness, 1),
    "darker": partial(_lightness, -1),
    "more_contrast": partial(_contrast, 1),
    "less_contrast": partial(_contrast, -1),
    "warmer": partial(_temperature, 1),
    "cooler": partial(_temperature, -1),
    "more_saturated": partial(_saturation, 1),
    "less_saturated": partial(_saturation, -1),
    "sharpen": sharpen,
    "blur": soften,
    "vignette": darken_corners,
    "tint": tint,
    "grain": film_grain,
    "invert": invert,
    "mirror": mirror,
    "polish": polish,
    "neutral_grade": neutral_grade,
}
