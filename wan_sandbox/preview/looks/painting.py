"""Looks made of paint and stone: watercolour, oil, mosaic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from wan_sandbox.preview.looks.drawing import outlines
from wan_sandbox.preview.render.colour import (
    blend,
    contrast,
    from_oklab,
    luma,
    rgb,
    smoothstep,
    to_array,
    to_image,
    to_oklab,
)
from wan_sandbox.preview.render.texture import (
    blur,
    clouds,
    edges,
    flatten,
    frame_distance,
    grain,
    local_contrast,
    paper,
    unit,
)

if TYPE_CHECKING:
    from wan_sandbox.preview.looks.brush import Brush
    from wan_sandbox.preview.render.colour import Array

_ANGLES = 24


def warp(picture: Array, down: Array, across: Array) -> Array:
    """Move every pixel by a distance of its own."""
    height, width = picture.shape[:2]
    rows = np.clip(np.arange(height, dtype=np.float32)[:, None] + down, 0, height - 1).astype(np.int32)
    columns = np.clip(np.arange(width, dtype=np.float32)[None] + across, 0, width - 1).astype(np.int32)
    return picture[rows, columns]


def watercolour(picture: Array, brush: Brush) -> Array:
    """Paint transparent washes with dark rims, granulated on white paper that shows at the edges."""
    size, rng = unit(picture), brush.rng
    shape = picture.shape[:2]
    wobble = [6 * size * (clouds(shape, rng, 36 * size, 3) - 0.5) for _ in range(2)]
    bent = warp(picture, *wobble)
    washes = flatten(flatten(bent, 5 * size), 4 * size)
    lab = to_oklab(washes)
    level = lab[..., 0]
    steps = level * 6
    level = 0.45 * level + 0.55 * (np.floor(steps) + smoothstep(0.3, 0.7, steps % 1)) / 6
    lab[..., 0] = 0.33 + 0.66 * contrast(np.clip(level, 0, 1), 0.2) ** 0.85
    lab[..., 1:] *= 1.35
    colour = from_oklab(lab)
    rim = smoothstep(0.01, 0.1, edges(blur(level, 1.2 * size)) * 2.2)
    # A fine brush picks out at the end what the washes swallowed.
    fine = outlines(local_contrast(luma(bent), 40 * size, 0.12), 1.1 * size, 0.02, 0.09)
    pools = clouds(shape, rng, 130 * size, 4)
    tooth = paper(shape, rng, 1.2 * size)
    density = 1 + brush.amount * (0.9 * (pools - 0.5) + 0.5 * rim + 0.9 * fine + 0.2 * (0.5 - tooth))
    colour = np.clip(colour, 0.001, 1) ** density[..., None]
    border = _border(shape, rng, size)
    sheet = rgb("#fbf9f4") * (0.955 + 0.045 * tooth[..., None])
    return blend(sheet, colour * sheet, border)


def _border(shape: tuple[int, ...], rng: np.random.Generator, size: float) -> Array:
    inside = frame_distance(shape) / np.float32(size)
    ragged = inside + 60 * (clouds(shape, rng, 90 * size, 4) - 0.5)
    return smoothstep(30, 42, ragged)


def oil_painting(picture: Array, brush: Brush) -> Array:
    """Paint thick strokes that follow the forms, from broad to fine, lit from the upper left."""
    size = unit(picture)
    canvas = _Canvas(picture, size, brush.rng)
    for length, gap, busy in ((64, 17, 0.0), (34, 10, 0.03), (18, 6.5, 0.12)):
        canvas.paint(length * size * brush.amount, gap * size, busy)
    down, across = np.gradient(blur(np.asarray(canvas.relief, np.float32) / 255, 0.7 * size))
    light = np.clip(-(down + across) * 2.4 / size**0.5, -0.28, 0.34)
    lab = to_oklab(to_array(canvas.paints))
    lab[..., 1:] *= 1.18
    lab[..., 0] = contrast(np.clip(lab[..., 0], 0, 1), 0.15) + 0.42 * light
    return from_oklab(lab)


class _Canvas:
    """A picture being repainted: the paints, and how thick they lie."""

    def __init__(self, picture: Array, size: float, rng: np.random.Generator) -> None:
        self.paints = to_image(flatten(picture, 10 * size))
        self.relief = Image.new("L", self.paints.size, 110)
        self._picture = picture
        self._rng = rng
        self._angle = _flow(luma(picture), 5 * size)
        detail = blur(edges(luma(picture)), 4 * size)
        self._detail = detail / (float(np.max(detail)) + 1e-6)

    def paint(self, length: float, gap: float, busy: float) -> None:
        """Cover the canvas with strokes of one length, or only those parts that are busy enough."""
        (width, height), rng = self.paints.size, self._rng
        down, across = np.arange(0, height, gap), np.arange(0, width, gap)
        jitter = gap * (rng.random((2, len(down), len(across))) - 0.5)
        y = (down[:, None] + jitter[0]).clip(0, height - 1).ravel()
        x = (across[None] + jitter[1]).clip(0, width - 1).ravel()
        at = y.astype(np.int64), x.astype(np.int64)
        colours = blur(self._picture, gap * 0.35)[at] + 0.035 * rng.standard_normal((len(y), 1))
        shades = (np.clip(colours, 0, 1) * 255).astype(int)
        angles = self._angle[at] + 0.12 * rng.standard_normal(len(y))
        turns = (np.round(angles / np.pi * _ANGLES) % _ANGLES).astype(int)
        prints = [_bristles(length, length * 0.34, turn * 180 / _ANGLES, rng) for turn in range(_ANGLES)]
        heights = rng.integers(70, 200, len(y))
        for place in rng.permutation(np.flatnonzero(self._detail[at] >= busy)).tolist():
            cover, thick = prints[turns[place]]
            corner = (int(x[place]) - cover.width // 2, int(y[place]) - cover.height // 2)
            self.paints.paste(tuple(shades[place].tolist()), corner, cover)
            self.relief.paste(int(heights[place]), corner, thick)


def _flow(level: Array, sigma: float) -> Array:
    """Find the direction along which the picture changes least, from the structure of its edges."""
    soft = blur(level, 1.5)
    down: Array = np.gradient(soft, axis=0)
    across: Array = np.gradient(soft, axis=1)
    xx, yy, xy = (blur(plane, sigma * 1.6) for plane in (across * across, down * down, across * down))
    return 0.5 * np.arctan2(2 * xy, xx - yy) + np.pi / 2


def _bristles(length: float, width: float, degrees: float, rng: np.random.Generator) -> tuple[Image.Image, Image.Image]:
    """Make the print of one brush: its coverage, and how thick the paint lies."""
    long, wide = max(5, round(length)), max(3, round(width))
    u = np.linspace(-1, 1, long, dtype=np.float32)[None]
    v = np.linspace(-1, 1, wide, dtype=np.float32)[:, None]
    hairs = rng.random((wide, 1), dtype=np.float32)
    ends = 1 - 0.45 * hairs
    cover = smoothstep(0, 0.25, ends - np.abs(u)) * smoothstep(0, 0.3, 1.05 - np.abs(v))
    thick = cover * (0.35 + 0.65 * hairs) * (0.75 + 0.25 * u)
    prints = []
    for plane in (cover, thick):
        flat = Image.fromarray((np.clip(plane, 0, 1) * 255).astype(np.uint8))
        prints.append(flat.rotate(-degrees, Image.Resampling.BILINEAR, expand=True))
    return prints[0], prints[1]


def mosaic(picture: Array, brush: Brush) -> Array:
    """Lay stones of one colour each, set in grout: smaller ones where there is more to see, as in a face."""
    size, rng = unit(picture), brush.rng
    step = 12.5 * size * brush.amount
    large, small = _stones(picture, step, rng), _stones(picture, 0.5 * step, rng)
    level = local_contrast(luma(picture), 40 * size, 0.1)
    detail = blur(edges(blur(level, 1.5 * size)), 2.2 * step)
    busy = large.of_each(detail) > np.quantile(detail[::4, ::4], 0.7)
    coloured = np.where(busy[..., None], small.colour, large.colour)
    inner = np.where(busy, np.minimum(1.5 * small.inner, large.inner), large.inner) / np.float32(step)
    down_slope, across_slope = np.gradient(np.minimum(inner, 0.3))
    shine = np.clip(-(down_slope + across_slope) * 5 * size, -0.2, 0.25)
    stone = coloured * (1 + 0.04 * grain(inner.shape, rng, size)[..., None]) + shine[..., None]
    return blend(np.broadcast_to(rgb("#3a3733"), picture.shape), stone, smoothstep(0.06, 0.15, inner))


@dataclass(frozen=True)
class _Stones:
    """A floor laid with stones of about one size: each pixel's stone, how far inside it lies, and its colour."""

    at: tuple[np.ndarray[Any, np.dtype[np.intp]], ...]
    owner: np.ndarray[Any, np.dtype[np.int32]]
    inner: Array
    colour: Array

    def of_each(self, plane: Array) -> Array:
        """Give every pixel of a stone the value that the plane has at its middle."""
        result: Array = plane[self.at].ravel()[self.owner]
        return result


def _stones(picture: Array, step: float, rng: np.random.Generator) -> _Stones:
    height, width = picture.shape[:2]
    rows, columns = int(np.ceil(height / step)), int(np.ceil(width / step))
    jitter = 0.55 * (rng.random((2, rows, columns), dtype=np.float32) - 0.5) + 0.5
    cy = (np.arange(rows, dtype=np.float32)[:, None] + jitter[0]) * np.float32(step)
    cx = (np.arange(columns, dtype=np.float32)[None] + jitter[1]) * np.float32(step)
    y, x = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)[None]
    row, column = (y / step).astype(np.int32), (x / step).astype(np.int32)
    first = np.full((height, width), np.inf, np.float32)
    second = first.copy()
    owner = np.zeros((height, width), np.int32)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            r, c = np.clip(row + down, 0, rows - 1), np.clip(column + right, 0, columns - 1)
            distance = np.hypot(cy[r, c] - y, cx[r, c] - x)
            index = r * columns + c
            nearer = distance < first
            second = np.where(nearer, first, np.where(index == owner, second, np.minimum(second, distance)))
            owner = np.where(nearer, index, owner)
            first = np.minimum(first, distance)
    at = np.clip(cy, 0, height - 1).astype(np.intp), np.clip(cx, 0, width - 1).astype(np.intp)
    uneven = 1 + 0.09 * rng.standard_normal((rows * columns, 1), dtype=np.float32)
    lab = to_oklab(np.clip(blur(picture, 0.18 * step)[at].reshape(-1, 3) * uneven, 0, 1)[None])
    lab[..., 1:] *= 1.25
    return _Stones(at, owner, second - first, from_oklab(lab)[0][owner])
