"""Several references in one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from wan_sandbox.preview.render.colour import Array, blend, contrast, from_oklab, luma, smoothstep, to_oklab
from wan_sandbox.preview.render.texture import blur

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Show = Callable[[tuple[int, int]], Array]
    """Gives one picture, with its operations drawn, at the size that is asked for."""

_GAP = 0.022
_CORNERS = {"top_left": (0, 0), "top_right": (1, 0), "bottom_left": (0, 1), "bottom_right": (1, 1)}


def colours_of(picture: Array, source: Array, amount: float) -> Array:
    """Give a picture the colour balance of another: mean and spread of each Oklab channel."""
    lab, other = to_oklab(picture), to_oklab(source)
    mean, spread = lab.mean((0, 1)), lab.std((0, 1)) + 1e-4
    goal, wanted = other.mean((0, 1)), other.std((0, 1)) + 1e-4
    gain = np.clip(wanted / spread, 0.5, 2)
    moved = (lab - mean) * gain + goal
    # Light follows only half-way: a night's colours must not black out a portrait.
    moved[..., 0] = blend(lab[..., 0], moved[..., 0], 0.5)
    return from_oklab(blend(lab, moved, min(0.85 * amount, 1.0)))


def side_by_side(shows: Sequence[Show], size: tuple[int, int]) -> Array:
    """Stand pictures in a row (in a column on a tall page) on a softened copy of themselves."""
    width, height = size
    gap = round(_GAP * min(size))
    count = len(shows)
    tall = height > 1.2 * width
    along = ((height if tall else width) - gap * (count + 1)) // count
    across = (width if tall else height) - 2 * gap
    across = min(across, round(along * 1.6))
    page = _backdrop(shows[0](size), size)
    for place, show in enumerate(shows):
        start = gap + place * (along + gap)
        corner = ((width - across) // 2, start) if tall else (start, (height - across) // 2)
        page = lay(page, show((across, along) if tall else (along, across)), corner, shadow=0.5)
    return page


def split(shows: Sequence[Show], size: tuple[int, int]) -> Array:
    """Let pictures share one frame, cut by slanting lines."""
    width, height = size
    x, y = np.arange(width, dtype=np.float32)[None], np.arange(height, dtype=np.float32)[:, None]
    slant = 0.16 * min(size) * (0.5 - y / height)
    result = shows[0](size)
    for place, show in enumerate(shows[1:], 1):
        line = x + slant - width * place / len(shows)
        result = blend(result, show(size), smoothstep(-0.8, 0.8, line))
        thick = max(1.5, 0.003 * min(size))
        result = blend(result, np.ones_like(result), smoothstep(thick + 1, thick, np.abs(line)))
    return result


def triptych(shows: Sequence[Show], size: tuple[int, int]) -> Array:
    """Hang three panels on a wall: three pictures, or one picture cut in three."""
    width, height = size
    gap = round(1.6 * _GAP * min(size))
    wall = np.empty((height, width, 3), np.float32)
    wall[:] = np.linspace(0.93, 0.84, height, dtype=np.float32)[:, None, None] * np.array([1, 0.985, 0.96], np.float32)
    inner = (width - 2 * gap, height - 2 * gap)
    panel = (inner[0] - 2 * gap) // 3
    lefts = [place * (panel + gap) for place in range(3)]
    if len(shows) == 1:
        whole = shows[0](inner)
        pieces = [whole[:, left : left + panel] for left in lefts]
    else:
        pieces = [shows[place % len(shows)]((panel, inner[1])) for place in range(3)]
    for left, piece in zip(lefts, pieces, strict=True):
        wall = lay(wall, piece, (gap + left, gap), shadow=0.6)
    return wall


def double_exposure(shows: Sequence[Show], size: tuple[int, int]) -> Array:
    """Expose one frame more than once: the later pictures fill the first one's shadows."""
    result = shows[0](size)
    for show in shows[1:]:
        second = show(size)
        level = luma(blur(result, 0.004 * min(size)))
        room = 0.25 + 0.75 * smoothstep(0.75, 0.25, level)
        result = np.maximum(result, blend(result, 1 - (1 - 0.82 * result) * (1 - second), room))
    return np.clip(contrast(np.clip(result, 0, 1), 0.2, 0.55), 0, 1)


def inset(base: Array, show: Show, corner: str, share: float = 0.34) -> Array:
    """Lay a small picture with a white rim and a shadow into a corner."""
    height, width = base.shape[:2]
    small = max(8, round(share * min(width, height)))
    rim = max(2, round(0.012 * min(width, height)))
    margin = round(0.035 * min(width, height))
    box = (round(small * 1.15), small) if width >= height else (small, round(small * 1.15))
    framed = np.pad(show(box), ((rim, rim), (rim, rim), (0, 0)), constant_values=0.98)
    right, below = _CORNERS.get(corner, (1, 1))
    left = width - margin - framed.shape[1] if right else margin
    # The lower right corner belongs to the label.
    lift = round(0.055 * (width * height) ** 0.5) if right and below else margin
    top = height - lift - framed.shape[0] if below else margin
    return lay(base, framed, (left, top), shadow=0.75)


def on_background(show: Show, background: Array) -> Array:
    """Stand a picture in front of another, which goes a little out of focus."""
    height, width = background.shape[:2]
    behind = blur(background, 0.006 * min(width, height)) * 0.92
    box = (round(width * 0.7), round(height * 0.7))
    place = ((width - box[0]) // 2, (height - box[1]) // 2)
    return lay(behind, show(box), place, shadow=0.8, radius=0.03 * min(box))


def lay(page: Array, picture: Array, place: tuple[int, int], *, shadow: float, radius: float = 0) -> Array:
    """Lay a picture on a page, with a soft shadow and, if asked, round corners."""
    height, width = page.shape[:2]
    tall, wide = picture.shape[:2]
    left, top = place
    unit = min(width, height) / 1024
    cover = Image.new("F", (width, height))
    mask = Image.new("L", (wide * 2, tall * 2))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, wide * 2 - 1, tall * 2 - 1), radius * 2, fill=255)
    edge = np.asarray(mask.resize((wide, tall), Image.Resampling.BOX), np.float32) / np.float32(255)
    cover.paste(Image.fromarray(edge), (left, top + round(7 * unit)))
    shade = np.asarray(blur(np.asarray(cover), 13 * unit))
    page = page * (1 - shadow * shade[..., None])
    page[top : top + tall, left : left + wide] = blend(page[top : top + tall, left : left + wide], picture, edge)
    return page


def _backdrop(picture: Array, size: tuple[int, int]) -> Array:
    soft = blur(picture, 0.05 * min(size))
    lab = to_oklab(soft)
    lab[..., 0] = 0.22 + 0.4 * lab[..., 0]
    lab[..., 1:] *= 0.7
    return from_oklab(lab)
