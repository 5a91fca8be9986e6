"""What differs between two pictures, once one is laid over the other.

Differences are those of CIE Lab, less what a shift of all colours explains, and less what lies within a pixel: a grain
of noise or an edge that is drawn anew is no change.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ._opencv import opencv
from .alignment import Alignment, unaligned
from .geometry import Array, Size, for_warp, scale_of, scaling, square
from .pictures import Picture, Pixels, opened, resized, scaled

if TYPE_CHECKING:
    from collections.abc import Iterable

Colours: TypeAlias = NDArray[np.float32]  # of RGB from 0 to 1, or of Lab
Inside: TypeAlias = NDArray[np.bool_]
Mask: TypeAlias = NDArray[np.uint8]

_WORKING_SIDE: Final = 448
# Differences in Lab: below the first none is visible, above the second it is certainly a change.
_VISIBLE: Final = 5.0
_CERTAIN: Final = 9.0
_NOISE_FACTOR: Final = 3.0
_SMALLEST_AREA: Final = 0.0004
_LARGEST_HOLE: Final = 0.01
_COLOUR_SHARE_MIN: Final = 0.4
_COLOUR_REACH: Final = 0.08
_COLOUR_SAMPLES: Final = 96


class Tone(str, Enum):
    """A way in which all colours have changed."""

    LIGHTER = "lighter"
    DARKER = "darker"
    WARMER = "warmer"
    COOLER = "cooler"
    REDDER = "redder"
    GREENER = "greener"
    MORE_SATURATED = "more_saturated"
    LESS_SATURATED = "less_saturated"


@dataclass(frozen=True)
class ColourShift:
    """How the colours changed everywhere, in units of CIE Lab, of which about 2 can be seen.

    Attributes:
        lightness: How much lighter it is on average; negative for darker.
        warmth: How much more yellow than blue.
        redness: How much more red than green.
        saturation: How much stronger colours are; 1.1 for 10 %.
    """

    lightness: float = 0.0
    warmth: float = 0.0
    redness: float = 0.0
    saturation: float = 1.0

    @property
    def tones(self) -> tuple[Tone, ...]:
        """What of it can be seen, the strongest first; empty where nothing can."""
        strengths = [
            (self.lightness / 2, Tone.LIGHTER, Tone.DARKER),
            (self.warmth / 2, Tone.WARMER, Tone.COOLER),
            (self.redness / 2, Tone.REDDER, Tone.GREENER),
            ((self.saturation - 1) / 0.08, Tone.MORE_SATURATED, Tone.LESS_SATURATED),
        ]
        seen = sorted((each for each in strengths if abs(each[0]) >= 1), key=lambda each: -abs(each[0]))
        return tuple(more if strength > 0 else less for strength, more, less in seen)


@dataclass(frozen=True)
class Region:
    """A part of the picture that has changed.

    Attributes:
        number: Its number in the map, from 1; the largest is the first.
        box: Left, top, right and bottom in pixels of *after*.
        share: Its part of the picture in per cent.
    """

    number: int
    box: tuple[int, int, int, int]
    share: float


@dataclass(frozen=True, eq=False)
class ChangeMap:
    """Where a picture differs from another.

    Attributes:
        size: Width and height of *after*.
        labels: The number of the region that each part belongs to, 0 where nothing changed; mostly at a reduced size.
        regions: The parts that changed, the largest first.
        share: What changed of the part that could be compared, in per cent.
        compared: The part that both pictures show, in per cent of *after*.
        colours: How the colours changed everywhere; None where no such change explains the picture.
    """

    size: Size
    labels: NDArray[np.uint16] = field(repr=False)
    regions: tuple[Region, ...]
    share: float
    compared: float
    colours: ColourShift | None

    def mask(self, numbers: Iterable[int] | None = None) -> Image.Image:
        """Return a picture of *after*'s size, white where it changed and black elsewhere.

        Args:
            numbers: The regions to show; all by default.
        """
        chosen = self.labels > 0 if numbers is None else np.isin(self.labels, list(numbers))
        soft = Image.fromarray(chosen.astype(np.uint8) * 255).resize(self.size, Image.Resampling.BILINEAR)
        return soft.point(lambda value: 255 if value > 127 else 0)


def change_map(before: Picture, after: Picture, alignment: Alignment | None = None) -> ChangeMap:
    """Find where a picture really differs from the one it was made of.

    Args:
        before: The picture before the edit.
        after: What was made of it.
        alignment: Where *before* lies in *after*, as `align` found it; by default in the plain framing.

    Raises:
        ImageError: A picture can't be read.
        SettingsError: OpenCV is not installed.
    """
    old, new = opened(before), opened(after)
    lies = square((alignment or unaligned(old.size, new.size)).matrix)
    frame = scaled(new.size, min(1.0, _WORKING_SIDE / max(new.size)))
    pixels: Colours = (resized(new, frame) / 255).astype(np.float32)
    moved, inside = _warped(old, lies, new.size, frame)
    if not inside.any():
        return ChangeMap(new.size, np.zeros(inside.shape, np.uint16), (), 0.0, 0.0, None)
    colours, explained = _colour_shift(moved, pixels, inside)
    difference = _difference(_to_lab(explained), _to_lab(pixels))
    changed = _regions_of(difference, inside)
    labels, regions = _numbered(changed, new.size)
    covered = float(inside.mean())
    return ChangeMap(new.size, labels, regions, 100 * float(changed.mean()) / covered, 100 * covered, colours)


def warp_to_after(before: Picture, alignment: Alignment) -> Image.Image:
    """Return *before* brought to *after*'s frame; what it does not reach shows the colours of its edge.

    Args:
        before: The picture before the edit, as it was aligned.
        alignment: Where it lies in *after*.

    Raises:
        ImageError: The picture can't be read.
        SettingsError: OpenCV is not installed.
    """
    cv2 = opencv()
    copy, warp = _reduced(opened(before), square(alignment.matrix))
    laid = cv2.warpAffine(copy, warp, alignment.after_size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return Image.fromarray(laid)


def _to_lab(colours: Colours) -> Colours:
    cv2 = opencv()
    # OpenCV converts bytes many times faster than floating point numbers, and half a unit is not seen.
    lab = cv2.cvtColor(np.rint(colours * 255).astype(np.uint8), cv2.COLOR_RGB2Lab).astype(np.float32)
    units, zero = np.array([100 / 255, 1, 1], np.float32), np.array([0, 128, 128], np.float32)
    in_units: Colours = lab * units - zero
    return in_units


def _warped(old: Image.Image, lies: Array, size: Size, frame: Size) -> tuple[Colours, Inside]:
    """Return *before* as it lies in the frame, and where in the frame it is."""
    cv2 = opencv()
    copy, warp = _reduced(old, scaling(frame[0] / size[0], frame[1] / size[1]) @ lies)
    whole = np.full(copy.shape[:2], 255, np.uint8)
    inside = cv2.erode(cv2.warpAffine(whole, warp, frame, flags=cv2.INTER_NEAREST), np.ones((3, 3), np.uint8))
    laid = cv2.warpAffine(copy, warp, frame, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return laid.astype(np.float32) / np.float32(255), inside > 0


def _reduced(old: Image.Image, transform: Array) -> tuple[Pixels, Array]:
    """Return *before*, reduced where it becomes smaller, as a warp alone would leave out pixels; and the warp."""
    copy = resized(old, scaled(old.size, min(1.0, scale_of(transform))))
    return copy, for_warp(transform @ scaling(old.width / copy.shape[1], old.height / copy.shape[0]))


def _colour_shift(old: Colours, new: Colours, inside: Inside) -> tuple[ColourShift | None, Colours]:
    """Fit what changed all colours alike, whatever else changed; return it and *before* with that change."""
    cv2 = opencv()
    step = max(1, max(old.shape[:2]) // _COLOUR_SAMPLES)
    some = np.s_[step // 2 :: step, step // 2 :: step]
    source, target = (cv2.blur(colours, (step, step))[some][inside[some]] for colours in (old, new))
    ones = np.ones((len(source), 1), np.float32)
    known, transform = np.hstack([source, ones]), np.vstack([np.eye(3), np.median(target - source, axis=0)])
    for _ in range(12):
        misses = np.linalg.norm(known @ transform - target, axis=1)
        reach = max(_COLOUR_REACH, 2.5 * float(np.median(misses)))
        weights = np.clip(1 - (misses / reach) ** 2, 0, None)[:, None] ** 2
        # A little of the identity, so that a picture of few colours has an answer.
        little = np.diag([0.01, 0.01, 0.01, 1e-4]) * max(1.0, 0.01 * len(source))
        inverse = np.linalg.inv(known.T @ (weights * known) + little)
        transform = inverse @ (known.T @ (weights * target) + little @ np.eye(4, 3))
    close = np.linalg.norm(known @ transform - target, axis=1) < _COLOUR_REACH
    if close.mean() < _COLOUR_SHARE_MIN:
        return None, old
    transform = transform.astype(np.float32)
    explained = np.clip(old @ transform[:3] + transform[3], 0, 1)
    return _colour_shift_of(source[close], (known @ transform)[close].clip(0, 1)), explained


def _colour_shift_of(old: Colours, new: Colours) -> ColourShift:
    """Return how samples of colours changed, in perceptual terms."""
    before, after = _to_lab(old[None])[0], _to_lab(new[None])[0]
    lighter, redder, warmer = (float(value) for value in (after - before).mean(0))
    spread = [float(np.sqrt(colours[:, 1:].var(0).sum() + 4)) for colours in (before, after)]
    saturation = spread[1] / spread[0]
    # A higher saturation moves the average too, where one colour dominates.
    redness, warmth = (float(value) * (saturation - 1) for value in before[:, 1:].mean(0))
    return ColourShift(lighter, warmer - warmth, redder - redness, saturation)


def _difference(old: Colours, new: Colours) -> NDArray[np.float32]:
    """Return how far each picture's colours lie outside what the other has within a pixel."""
    cv2 = opencv()
    near = np.ones((3, 3), np.uint8)
    calm = [cv2.GaussianBlur(lab, (0, 0), 1.0) for lab in (old, new)]
    found = []
    for one, other in (calm, calm[::-1]):
        low, high = cv2.erode(other, near), cv2.dilate(other, near)
        beyond = np.maximum(np.maximum(one - high, low - one), 0)
        found.append(np.sqrt((beyond * beyond).sum(-1)))
    difference: NDArray[np.float32] = cv2.GaussianBlur(np.maximum(*found), (0, 0), 1.5)
    return difference


def _regions_of(difference: NDArray[np.float32], inside: Inside) -> Mask:
    """Return the parts that differ: those that certainly do, with all visible ones around them, holes filled."""
    cv2 = opencv()
    usual = float(np.median(difference[inside]))
    seen = min(max(_VISIBLE, _NOISE_FACTOR * usual), 2 * _VISIBLE)
    mask = ((difference > seen) & inside).astype(np.uint8)
    width = max(3, round(max(mask.shape) / 90) | 1)
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width)))
    filled = _without_holes(closed & inside.astype(np.uint8))
    count, labels, facts, _ = cv2.connectedComponentsWithStats(filled, connectivity=8)
    peaks = np.zeros(count, np.float32)
    np.maximum.at(peaks, labels.ravel(), difference.ravel())
    large = facts[:, cv2.CC_STAT_AREA] >= max(12, _SMALLEST_AREA * mask.size)
    kept = large & (peaks > max(_CERTAIN, 2 * seen * 0.9))
    kept[0] = False
    chosen: Mask = kept[labels].astype(np.uint8)
    return chosen


def _without_holes(mask: Mask) -> Mask:
    cv2 = opencv()
    count, labels, facts, _ = cv2.connectedComponentsWithStats(1 - mask, connectivity=4)
    small = facts[:, cv2.CC_STAT_AREA] < _LARGEST_HOLE * mask.size
    small[0] = False
    filled: Mask = np.where(small[labels], 1, mask).astype(np.uint8) if count > 1 else mask
    return filled


def _numbered(changed: Mask, size: Size) -> tuple[NDArray[np.uint16], tuple[Region, ...]]:
    cv2 = opencv()
    count, labels, facts, _ = cv2.connectedComponentsWithStats(changed, connectivity=8)
    order = 1 + np.argsort(-facts[1:, cv2.CC_STAT_AREA], kind="stable")
    numbers = np.zeros(count, np.uint16)
    numbers[order] = np.arange(1, count)
    across, down = size[0] / changed.shape[1], size[1] / changed.shape[0]
    regions = []
    for number, index in enumerate(order, 1):
        left, top, width, height, area = (int(value) for value in facts[index])
        right, bottom = round((left + width) * across), round((top + height) * down)
        box = (round(left * across), round(top * down), right, bottom)
        regions.append(Region(number, box, 100 * area / changed.size))
    return numbers[labels], tuple(regions)
