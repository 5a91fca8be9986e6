"""The result where a mask allows it, and the original everywhere else.

The blend lies wholly inside the mask: there the result fades in, its colours matched to the original's around the seam.
Outside the mask every pixel is the original's.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from wan_client.errors import InvalidRequest
from wan_client.provenance import KEPT_TEXT, PREVIEW_TEXTS, is_preview

from ._opencv import opencv
from .alignment import Alignment, align
from .geometry import Array, Size, apply, for_warp, inverted, nearest_framing, scale_of, scaling, shifting, square
from .pictures import Picture, Pixels, opened, scaled
from .png import encode

Floats: TypeAlias = NDArray[np.float32]

_FEATHER: Final = 0.02  # of the shorter side
_SMALL_SIDE: Final = 1024
_COLOUR_SIDE: Final = 192
_COLOUR_REACH: Final = 24.0
_STRIP: Final = 256
_SAME_RATIO: Final = 0.01
_LABEL: Final = "local preview"
_LABEL_HEIGHTS: Final = (0.019, 0.014, 0.01)
_LABEL_HEIGHT_MIN: Final = 9


@dataclass(frozen=True, eq=False)
class Kept:
    """A kept composite.

    Attributes:
        pixels: Rows, columns and RGB, 8 bits each.
        changed: Where it may differ from `reference`: the mask in the composite's own frame.
        box: The part of the original that it shows: left, top, right, bottom in the original's pixels.
        alignment: Where the original lies in the result.
        preview: Whether the result is a local preview, which the composite then is as well.
        mask: The mask, black and white, in the result's frame; None where it was given in the original's.
    """

    pixels: Pixels = field(repr=False)
    changed: NDArray[np.bool_] = field(repr=False)
    box: tuple[float, float, float, float]
    alignment: Alignment
    preview: bool
    mask: Image.Image | None = field(default=None, repr=False)

    @property
    def size(self) -> Size:
        """Width and height."""
        return self.pixels.shape[1], self.pixels.shape[0]

    @property
    def image(self) -> Image.Image:
        """The composite as a PIL image."""
        return Image.fromarray(self.pixels)

    def png(self) -> bytes:
        """Write the composite losslessly; the file says what it is."""
        return encode(self.pixels, (*(PREVIEW_TEXTS if self.preview else ()), KEPT_TEXT))


def keep(
    original: Picture,
    result: Picture,
    mask: Picture,
    *,
    alignment: Alignment | None = None,
    size: Literal["result", "original"] = "result",
    preview: bool | None = None,
) -> Kept:
    """Blend the result into the original where the mask allows it; everything else is the original, pixel for pixel.

    Args:
        original: The picture before the edit: a path, a file's bytes, a PIL image or an RGB array.
        result: What was made of it.
        mask: White where the picture may change, black or transparent elsewhere. It has the result's frame, at any
            size, or else the original's.
        alignment: Where the original lies in the result; found by `align` if it is not given.
        size: ``original`` for the original's full size; ``result`` for the result's, where the original is resampled.
        preview: Whether the result is a local preview; by default what its file says.

    Raises:
        ImageError: A picture can't be read.
        InvalidRequest: The mask is empty or has neither picture's shape.
        SettingsError: OpenCV is not installed.
    """
    if preview is None:
        preview = not isinstance(result, np.ndarray) and is_preview(result)
    old, new, allowed = opened(original), opened(result, number=2), _mask_of(mask)
    lies = alignment or align(old, new)
    canvas = _canvas(old, lies, size)
    to_result = square(lies.matrix) @ inverted(canvas.from_original)
    pixels = np.array(canvas.picture)
    white, to_mask, of_result = _placed_mask(allowed, new.size, old.size, to_result, canvas)
    blend = _Blend(pixels, np.asarray(new), to_result, white, to_mask)
    changed = blend.into(pixels)
    if preview:
        _label(pixels, changed)
    return Kept(pixels, changed, canvas.box, lies, preview, Image.fromarray(white) if of_result else None)


def _mask_of(picture: Picture) -> Image.Image:
    """Return a mask in shades of grey; where it is transparent, as a layer that was painted on is, it is black."""
    seen = opened(picture, number=3).convert("L")
    if isinstance(picture, np.ndarray):
        picture = Image.fromarray(picture)
    if isinstance(picture, Image.Image):
        return _on_black(picture) if picture.has_transparency_data else seen
    with Image.open(io.BytesIO(picture) if isinstance(picture, bytes) else picture) as image:
        return _on_black(image) if image.has_transparency_data else seen


def _on_black(image: Image.Image) -> Image.Image:
    return Image.alpha_composite(Image.new("RGBA", image.size, "black"), image.convert("RGBA")).convert("L")


class _Canvas(NamedTuple):
    """The original as it is kept, and where it comes from."""

    picture: Image.Image
    box: tuple[float, float, float, float]
    from_original: Array


def _canvas(old: Image.Image, lies: Alignment, size: Literal["result", "original"]) -> _Canvas:
    """Return the original at its own size, or the part that the result's frame shows at the result's size."""
    if size == "original":
        return _Canvas(old, (0.0, 0.0, float(old.width), float(old.height)), np.eye(3))
    near = nearest_framing(square(lies.matrix), old.size, lies.after_size)
    scale, across, down = near[0][0], near[0][2], near[1][2]
    width, height = (
        min(frame, max(1, round(side * scale))) for side, frame in zip(old.size, lies.after_size, strict=True)
    )
    left, top = max(0.0, -across / scale), max(0.0, -down / scale)
    box = (left, top, min(old.width - left, old.width), min(old.height - top, old.height))
    picture = old.resize((width, height), Image.Resampling.LANCZOS, box)
    factors = width / (box[2] - box[0]), height / (box[3] - box[1])
    return _Canvas(picture, box, scaling(*factors) @ shifting(-box[0], -box[1]))


def _placed_mask(
    mask: Image.Image, result: Size, original: Size, to_result: Array, canvas: _Canvas
) -> tuple[Pixels, Array, bool]:
    """Return the mask, black and white, the transform from the canvas to it, and whether it has the result's frame.

    Raises:
        InvalidRequest: It is empty, or it has the shape of neither picture.
    """
    white: Pixels = (np.asarray(mask) > 127).astype(np.uint8) * 255
    if not white.any():
        raise InvalidRequest("mask_empty", field="mask")
    of_result = _have_same_ratio(mask.size, result) and not mask.size == original != result
    if not of_result:
        if not _have_same_ratio(mask.size, original):
            given, wanted = "{} × {}".format(*mask.size), "{} × {}".format(*result)
            raise InvalidRequest("mask_shape", field="mask", given=given, wanted=wanted)
        frame, to_frame = original, inverted(canvas.from_original)
    else:
        frame, to_frame = result, to_result
    return white, scaling(mask.width / frame[0], mask.height / frame[1]) @ to_frame, of_result


def _have_same_ratio(one: Size, other: Size) -> bool:
    return abs(one[0] * other[1] / (one[1] * other[0]) - 1) <= _SAME_RATIO


class _Blend:
    """How much of the result each pixel takes, and how its colours are matched; worked out on a reduced copy."""

    def __init__(self, pixels: Pixels, result: Pixels, to_result: Array, mask: Pixels, to_mask: Array) -> None:
        cv2 = opencv()
        height, width = pixels.shape[:2]
        self._result, self._mask = result, mask
        self._to_result, self._to_mask = to_result, to_mask
        frame = scaled((width, height), min(1.0, _SMALL_SIDE / max(width, height)))
        self._to_small = scaling(frame[0] / width, frame[1] / height)
        self._mask_scale = scale_of(to_mask)
        allowed = self._warped_mask(inverted(self._to_small), frame)
        self._amount = _feathered(allowed, _FEATHER * min(frame))
        hue = scaled(frame, min(1.0, _COLOUR_SIDE / max(frame)))
        self._to_hue = scaling(hue[0] / width, hue[1] / height)
        from_result = self._to_hue @ inverted(to_result)
        across, down = scaled((result.shape[1], result.shape[0]), min(1.0, scale_of(from_result)))
        copy = cv2.resize(result, (across, down), interpolation=cv2.INTER_AREA)
        warp = for_warp(from_result @ scaling(result.shape[1] / across, result.shape[0] / down))
        new = cv2.warpAffine(copy, warp, hue, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        old = cv2.resize(pixels, hue, interpolation=cv2.INTER_AREA)
        free = cv2.resize(allowed, hue, interpolation=cv2.INTER_AREA) == 0
        self._match = _filled_in(old.astype(np.float32) - new, free)

    def into(self, pixels: Pixels) -> NDArray[np.bool_]:
        """Blend the result into the original's pixels, strip by strip, and return where."""
        cv2 = opencv()
        height, width = pixels.shape[:2]
        changed = np.zeros((height, width), np.bool_)
        left, above, right, below = self._mask_box(width, height)
        part = slice(left, right)
        for top in range(above, below if left < right else above, _STRIP):
            rows = slice(top, min(top + _STRIP, below))
            place, size = shifting(left, top), (right - left, rows.stop - top)
            allowed = self._warped_mask(place, size)
            amount = self._sampled(self._amount, self._to_small @ place, size) * (allowed > 0)
            new = self._sampled(self._result, self._to_result @ place, size, cv2.INTER_CUBIC).astype(np.float32)
            new += self._sampled(self._match, self._to_hue @ place, size)
            old = pixels[rows, part].astype(np.float32)
            blended = np.clip(np.rint(old + amount[..., None] * (new - old)), 0, 255).astype(np.uint8)
            pixels[rows, part] = np.where((allowed > 0)[..., None], blended, pixels[rows, part])
            changed[rows, part] = allowed > 0
        return changed

    def _mask_box(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Return the part of the canvas outside which the mask is black: left, top, right, bottom."""
        columns, rows = np.flatnonzero(self._mask.any(0)), np.flatnonzero(self._mask.any(1))
        ends = [(x, y) for x in (columns[0], columns[-1] + 1) for y in (rows[0], rows[-1] + 1)]
        places = apply(inverted(self._to_mask), np.array(ends, np.float64))
        left, top = np.clip(np.floor(places.min(0)) - 1, 0, (width, height))
        right, bottom = np.clip(np.ceil(places.max(0)) + 1, 0, (width, height))
        return int(left), int(top), int(right), int(bottom)

    def _warped_mask(self, place: Array, size: Size) -> Pixels:
        """Return where a part of the canvas lies inside both mask and result, never beyond a pixel of the mask."""
        cv2 = opencv()
        to_mask, to_result = for_warp(self._to_mask @ place), for_warp(self._to_result @ place)
        inverse = {"borderMode": cv2.BORDER_CONSTANT, "borderValue": 0}
        nearest, linear = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP, cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        allowed: Pixels = cv2.warpAffine(self._mask, to_mask, size, flags=nearest, **inverse)
        if self._mask_scale < 1:
            allowed = allowed & _above_half(cv2.warpAffine(self._mask, to_mask, size, flags=linear, **inverse))
        return allowed & self._covered(to_result, size)

    def _covered(self, to_result: NDArray[np.float64], size: Size) -> Pixels:
        """Return where the result has pixels."""
        x = np.arange(size[0], dtype=np.float64)[None]
        y = np.arange(size[1], dtype=np.float64)[:, None]
        across = to_result[0, 0] * x + to_result[0, 1] * y + to_result[0, 2]
        down = to_result[1, 0] * x + to_result[1, 1] * y + to_result[1, 2]
        height, width = self._result.shape[:2]
        edge = 0.5 + 1e-6
        inside = (across >= -edge) & (across <= width - 1 + edge) & (down >= -edge) & (down <= height - 1 + edge)
        covered: Pixels = inside.astype(np.uint8) * 255
        return covered

    @staticmethod
    def _sampled(source: NDArray[np.generic], transform: Array, size: Size, flags: int | None = None) -> Floats:
        cv2 = opencv()
        how = (cv2.INTER_LINEAR if flags is None else flags) | cv2.WARP_INVERSE_MAP
        found: Floats = cv2.warpAffine(source, for_warp(transform), size, flags=how, borderMode=cv2.BORDER_REPLICATE)
        return found


def _above_half(mask: Pixels) -> Pixels:
    return (mask > 127).astype(np.uint8) * 255


def _feathered(allowed: Pixels, width: float) -> Floats:
    """Return how much of the result each pixel takes: nothing at the mask's edge, all of it a little inside.

    A part that is too thin to fade in over the whole width does so over half of its own.
    """
    cv2 = opencv()
    distance = cv2.distanceTransform(allowed, cv2.DIST_L2, 5)
    count, labels = cv2.connectedComponents((allowed > 0).astype(np.uint8))
    deepest = np.zeros(count, np.float32)
    np.maximum.at(deepest, labels.ravel(), distance.ravel())
    reach = np.clip(deepest / 2, 1.0, max(width, 1.0))[labels]
    share = np.clip(distance / reach, 0, 1)
    amount: Floats = (share * share * (3 - 2 * share)).astype(np.float32)
    return amount


def _filled_in(difference: Floats, known: NDArray[np.bool_]) -> Floats:
    """Carry the difference of colours from around the mask into it, smoothly, and leave out what is no such difference.

    Where the result differs much, its content has changed: that weighs little.
    """
    if not known.any():
        return np.zeros_like(difference)
    cv2 = opencv()
    usual = np.median(difference[known], axis=0)
    apart = np.linalg.norm(difference - usual, axis=-1)
    weight = (known / (1 + (apart / _COLOUR_REACH) ** 4)).astype(np.float32)
    levels = [(difference * weight[..., None], weight)]
    while min(levels[-1][1].shape) > 2:
        levels.append((cv2.pyrDown(levels[-1][0]), cv2.pyrDown(levels[-1][1])))
    filled = np.broadcast_to(usual.astype(np.float32), (*levels[-1][1].shape, 3))
    for values, weights in reversed(levels):
        coarse = cv2.resize(np.ascontiguousarray(filled), weights.shape[::-1], interpolation=cv2.INTER_LINEAR)
        trust = np.clip(weights * 4, 0, 1)[..., None]
        filled = coarse + trust * (values / np.maximum(weights, 1e-6)[..., None] - coarse)
    smooth: Floats = cv2.GaussianBlur(filled.astype(np.float32), (0, 0), 1.5)
    return smooth


def _label(pixels: Pixels, changed: NDArray[np.bool_]) -> None:
    """Write "local preview" into what a preview changed, where there is room for it at a legible size."""
    height, width = pixels.shape[:2]
    for share in _LABEL_HEIGHTS:
        font = ImageFont.load_default(max(_LABEL_HEIGHT_MIN, round(share * (width * height) ** 0.5)))
        left, top, right, bottom = (round(side) for side in font.getbbox(_LABEL))
        margin = max(2, (bottom - top) // 2)
        wide, tall = right - left + 2 * margin, bottom - top + 2 * margin
        place = _label_place(changed, wide, tall)
        if place is None:
            continue
        tag = Image.new("RGB", (wide, tall), (12, 14, 18))
        ImageDraw.Draw(tag).text((margin - left, margin - top), _LABEL, (255, 255, 255), font)
        pixels[place[1] : place[1] + tall, place[0] : place[0] + wide] = np.asarray(tag)
        return


def _label_place(changed: NDArray[np.bool_], wide: int, tall: int) -> tuple[int, int] | None:
    """Return the lowest place, and there the one furthest right, where a rectangle lies inside; None without any."""
    if wide > changed.shape[1] or tall > changed.shape[0]:
        return None
    cv2 = opencv()
    sums = cv2.integral(changed.astype(np.uint8))
    filled = sums[tall:, wide:] - sums[:-tall, wide:] - sums[tall:, :-wide] + sums[:-tall, :-wide]
    rows, columns = np.nonzero(filled == wide * tall)
    return (int(columns[-1]), int(rows[-1])) if len(rows) else None
