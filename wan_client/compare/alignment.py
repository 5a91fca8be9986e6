"""Aligning two pictures: whether they show the same, and where a point of the one lies in the other.

Features of both (SIFT) are matched, and the similarity transform that most of the matches agree with is fitted to them.
It counts as sure only if there are enough of them, no other transform explains nearly as many, they pin down the
corners, and the pictures do look alike where they are laid over each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ._opencv import opencv
from .geometry import (
    Array,
    Matrix,
    Size,
    apply,
    corners,
    for_warp,
    framing,
    inverted,
    matrix_of,
    nearest_framing,
    rotation_of,
    scale_of,
    scaling,
    square,
)
from .pictures import Picture, Pixels, opened, resized, scaled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from PIL import Image

_WORKING_SIDE: Final = 448
_FEATURES: Final = 900
_MATCHES_MIN: Final = 12
_DISTANCE_RATIO: Final = 0.75  # to the second-best match, as Lowe has it
_INLIER_PIXELS: Final = 1.5
_INLIER_SHARE_MIN: Final = 0.4
_RIVAL_SHARE_MAX: Final = 0.4
_RIVAL_DISTANCE: Final = 1.5  # to a usual match's
# In pixels of a picture whose longer side has 1024.
_CORNER_ERROR_MAX: Final = 0.5
_AGREEMENT_MIN: Final = 0.35
_ZOOM_MAX: Final = 2.0
_ROTATION_MAX: Final = 10.0
_BLOCK: Final = 16
_CONTRAST_MIN: Final = 4.0
_CORRELATION_MIN: Final = 0.6


class Doubt(str, Enum):
    """Why an alignment is not sure."""

    NO_COMMON_GROUND = "no_common_ground"
    AMBIGUOUS = "ambiguous"
    IMPRECISE = "imprecise"
    UNLIKE = "unlike"
    FAR_OFF = "far_off"


@dataclass(frozen=True)
class Alignment:
    """Where a picture, *before*, lies in another, *after*.

    Attributes:
        before_size: Width and height of *before* in pixels.
        after_size: Width and height of *after* in pixels.
        matrix: Takes a point of *before* to its place in *after*, as the first two rows of a transform. Coordinates are
            continuous: the upper left corner is (0, 0), the middle of the first pixel (0.5, 0.5). Where the alignment
            is not sure, it is the plain framing.
        dx: How far the middle has moved to the right of where the plain framing has it, in pixels of *after*.
        dy: The same, downward.
        scale: How much larger everything is than in the plain framing; 1.03 for a zoom of 3 %.
        rotation: By how many degrees everything is turned clockwise.
        doubt: Why the estimate is not to be relied on; None where it is sure.
        matches: The features that agree with the estimate.
        corner_error: The estimate's standard error in the corners, in pixels of *after*; None without an estimate.
        agreement: Share of the textured parts that look the same where the estimate puts them, 0 to 1.
    """

    before_size: Size
    after_size: Size
    matrix: Matrix
    dx: float = 0.0
    dy: float = 0.0
    scale: float = 1.0
    rotation: float = 0.0
    doubt: Doubt | None = None
    matches: int = 0
    corner_error: float | None = None
    agreement: float = 0.0

    @property
    def sure(self) -> bool:
        """Whether the estimate can be relied on."""
        return self.doubt is None

    @property
    def moved(self) -> float:
        """How far the middle has moved, in pixels of *after*."""
        return math.hypot(self.dx, self.dy)

    def from_resized(self, before_size: Size) -> Alignment:
        """Return the alignment of another copy of *before*: the same picture at another size."""
        factors = self.before_size[0] / before_size[0], self.before_size[1] / before_size[1]
        return replace(self, before_size=before_size, matrix=matrix_of(square(self.matrix) @ scaling(*factors)))


def unaligned(before_size: Size, after_size: Size) -> Alignment:
    """Return the plain framing: *before* in the middle of *after*'s frame, cropped if that loses little of it."""
    return Alignment(before_size, after_size, framing(before_size, after_size), doubt=Doubt.NO_COMMON_GROUND)


def align(before: Picture, after: Picture) -> Alignment:
    """Find where one picture lies in another that was made of it.

    Args:
        before: The picture before the edit: a path, a file's bytes, a PIL image or an RGB array.
        after: What was made of it.

    Raises:
        ImageError: A picture can't be read.
        SettingsError: OpenCV is not installed.
    """
    seen = look_at(opened(after))
    return _aligned(opened(before), seen)


class View(NamedTuple):
    """A reduced grey copy of a picture and its features, in the picture's own coordinates."""

    size: Size
    grey: Pixels
    points: Array
    descriptors: NDArray[np.float32]

    def to_full(self) -> Array:
        """Return the transform from the copy to the picture."""
        return scaling(self.size[0] / self.grey.shape[1], self.size[1] / self.grey.shape[0])


def look_at(image: Image.Image, *, in_frame: Size | None = None) -> View:
    """Find the features of a picture, at about the scale that it has in a frame."""
    frame = in_frame or image.size
    scale = min(1.0, _WORKING_SIDE / max(frame))
    if in_frame:
        scale = min(1.0, scale * framing(image.size, frame)[0][0], 1.5 * _WORKING_SIDE / max(image.size))
    grey = resized(image, scaled(image.size, scale), "L")
    # The last argument keeps the features where they are: without it they lie a quarter of a pixel off.
    sift = opencv().SIFT_create(_FEATURES, 3, 0.02, 10, 1.6, True)
    # A picture of a single value has no features, and takes as long as any other.
    found, descriptors = sift.detectAndCompute(grey, None) if grey.min() < grey.max() else ((), None)
    points = np.array([feature.pt for feature in found], dtype=np.float64).reshape(-1, 2) + 0.5
    view = View(image.size, grey, points, np.zeros((0, 128), np.float32) if descriptors is None else descriptors)
    return view._replace(points=apply(view.to_full(), points))


def match(before: View, after: View) -> Alignment:
    """Fit the transform that most of two pictures' features agree with, and judge it."""
    plain = unaligned(before.size, after.size)
    source, target, rivals = _matched(before, after)
    unit = max(after.size) / min(max(after.size), _WORKING_SIDE)
    fit = _fitted(source, target, unit)
    if fit is None or fit.inliers.sum() < _MATCHES_MIN:
        return plain
    agreement = _agreement(before, after, fit.transform)
    error = fit.error_at(apply(inverted(fit.transform), corners(after.size)))
    near = square(nearest_framing(fit.transform, before.size, after.size))
    middle = np.array([after.size], dtype=np.float64) / 2
    dx, dy = (apply(fit.transform, apply(inverted(near), middle)) - middle)[0]
    scale, rotation = scale_of(fit.transform) / scale_of(near), rotation_of(fit.transform)
    doubt = None
    if not (1 / _ZOOM_MAX <= scale <= _ZOOM_MAX and abs(rotation) <= _ROTATION_MAX):
        doubt = Doubt.FAR_OFF
    elif fit.inliers.mean() < _INLIER_SHARE_MIN or _has_rival(source, target, rivals, fit, unit):
        doubt = Doubt.AMBIGUOUS
    elif error > _CORNER_ERROR_MAX * max(1.0, max(after.size) / 1024):
        doubt = Doubt.IMPRECISE
    elif agreement < _AGREEMENT_MIN:
        doubt = Doubt.UNLIKE
    judged = replace(plain, doubt=doubt, matches=int(fit.inliers.sum()), corner_error=error, agreement=agreement)
    if doubt:
        return judged
    return replace(judged, matrix=matrix_of(fit.transform), dx=float(dx), dy=float(dy), scale=scale, rotation=rotation)


@dataclass(frozen=True)
class Resemblance:
    """Which of several references a picture resembles.

    Attributes:
        number: The reference's number, from 1; None where none stands out.
        alignments: Each reference's alignment with the picture, in order.
    """

    number: int | None
    alignments: tuple[Alignment, ...]


def find_reference(after: Picture, references: Sequence[Picture]) -> Resemblance:
    """Find which reference a picture was made of: the one that shares the most with it.

    Args:
        after: The picture that was made.
        references: What it may have been made of, in order.

    Raises:
        ImageError: A picture can't be read.
        SettingsError: OpenCV is not installed.
    """
    seen = look_at(opened(after))
    alignments = tuple(
        _aligned(opened(reference, number=number), seen) for number, reference in enumerate(references, 1)
    )
    related = [each for each in alignments if each.sure] or [
        each for each in alignments if each.doubt is Doubt.IMPRECISE
    ]
    best = max(related, key=lambda alignment: alignment.matches, default=None)
    return Resemblance(None if best is None else alignments.index(best) + 1, alignments)


def _aligned(before: Image.Image, after: View) -> Alignment:
    # With so few features nothing can match: those of *before* would be computed for nothing.
    if len(after.points) < _MATCHES_MIN:
        return unaligned(before.size, after.size)
    return match(look_at(before, in_frame=after.size), after)


class _Fit(NamedTuple):
    transform: Array
    covariance: Array
    inliers: NDArray[np.bool_]

    def error_at(self, points: Array) -> float:
        """Return the largest standard error of where the transform takes some points."""
        variances = []
        for x, y in points:
            slope = np.array([[x, -y, 1, 0], [y, x, 0, 1]])
            variances.append(np.trace(slope @ self.covariance @ slope.T))
        return float(np.sqrt(max(variances)))


def _matched(before: View, after: View) -> tuple[Array, Array, Array]:
    """Return the places of features that match, each one once, and the pairs that another match is as good as."""
    nothing = np.zeros((0, 2))
    if min(len(before.points), len(after.points)) < _MATCHES_MIN:
        return nothing, nothing, np.zeros((0, 4))
    cv2 = opencv()
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(before.descriptors, after.descriptors, 2)
    distances = np.array([(best.distance, second.distance) for best, second in pairs])
    clear = distances[:, 0] < _DISTANCE_RATIO * distances[:, 1]
    # Several features may match one; the closest is meant.
    found = [pairs[index][0] for index in np.flatnonzero(clear)[np.argsort(-distances[clear, 0])]]
    once = list({m.trainIdx: m for m in found}.values())
    usual = float(np.median([m.distance for m in once])) if once else 0.0
    twice = np.flatnonzero(~clear & (distances[:, 0] <= _RIVAL_DISTANCE * usual))
    rivals = [(*before.points[m.queryIdx], *after.points[m.trainIdx]) for index in twice for m in pairs[index]]
    source, target = before.points[[m.queryIdx for m in once]], after.points[[m.trainIdx for m in once]]
    return source, target, np.array(rivals, dtype=np.float64).reshape(-1, 4)


def _fitted(source: Array, target: Array, unit: float) -> _Fit | None:
    """Return the similarity transform that most pairs agree with; a unit is a pixel of the working copy."""
    if len(source) < _MATCHES_MIN:
        return None
    cv2 = opencv()
    rows, _ = cv2.estimateAffinePartial2D(
        np.ascontiguousarray(source),
        np.ascontiguousarray(target),
        method=cv2.RANSAC,
        ransacReprojThreshold=2 * unit,
        maxIters=2000,
        confidence=0.999,
    )
    if rows is None or not 1e-3 < scale_of(rows) < 1e3:
        return None
    transform: Array = np.vstack([rows, (0, 0, 1)])
    covariance: Array = np.eye(4)
    for reach in (2.0, 1.0, 1.0, 1.0):
        misses = np.linalg.norm(apply(transform, source) - target, axis=1)
        weights = np.clip(1 - (misses / (reach * _INLIER_PIXELS * unit)) ** 2, 0, None) ** 2
        if (weights > 0).sum() < _MATCHES_MIN:
            return None
        transform, covariance = _least_squares(source, target, weights)
    misses = np.linalg.norm(apply(transform, source) - target, axis=1)
    return _Fit(transform, covariance, misses < _INLIER_PIXELS * unit)


def _least_squares(source: Array, target: Array, weights: Array) -> tuple[Array, Array]:
    """Return the similarity transform that takes one set of points to another, and its parameters' covariance."""
    one, none = np.ones(len(source)), np.zeros(len(source))
    x, y = source.T
    slopes = np.vstack([np.column_stack([x, -y, one, none]), np.column_stack([y, x, none, one])])
    wanted, both = np.concatenate(target.T), np.concatenate([weights, weights])
    inverse = np.linalg.inv(slopes.T @ (slopes * both[:, None]))
    a, b, across, down = inverse @ (slopes.T @ (both * wanted))
    misses = wanted - slopes @ np.array([a, b, across, down])
    variance = (both * misses**2).sum() / max(both.sum() - 4, 1)
    return np.array([[a, -b, across], [b, a, down], [0, 0, 1]]), inverse * variance


def _has_rival(source: Array, target: Array, rivals: Array, fit: _Fit, unit: float) -> bool:
    """Return whether another transform explains nearly as many pairs, as in a pattern that repeats."""
    far = np.linalg.norm(apply(fit.transform, rivals[:, :2]) - rivals[:, 2:], axis=1) > 2 * _INLIER_PIXELS * unit
    others = np.vstack([np.hstack([source, target])[~fit.inliers], rivals[far]])
    rival = _fitted(others[:, :2], others[:, 2:], unit)
    return rival is not None and rival.inliers.sum() > _RIVAL_SHARE_MAX * fit.inliers.sum()


def _agreement(before: View, after: View, transform: Array) -> float:
    """Return the share of the textured blocks of both pictures that correlate where the transform puts them."""
    cv2 = opencv()
    height, width = after.grey.shape
    warp = for_warp(inverted(after.to_full()) @ transform @ before.to_full())
    moved = cv2.warpAffine(before.grey, warp, (width, height), flags=cv2.INTER_LINEAR)
    inside = cv2.warpAffine(np.full_like(before.grey, 255), warp, (width, height), flags=cv2.INTER_NEAREST)
    one, other = (_blocks(cv2.GaussianBlur(grey, (0, 0), 1.0).astype(np.float32)) for grey in (moved, after.grey))
    covered = _blocks(inside).min(1, initial=255) > 0
    one, other = one - one.mean(1, keepdims=True), other - other.mean(1, keepdims=True)
    contrasts = one.std(1), other.std(1)
    textured = covered & (np.maximum(*contrasts) > _CONTRAST_MIN)
    if not textured.any():
        return 0.0
    correlation = (one * other).mean(1) / (contrasts[0] * contrasts[1] + _CONTRAST_MIN)
    return float((correlation[textured] > _CORRELATION_MIN).mean())


def _blocks(grey: NDArray[np.float32] | Pixels) -> NDArray[np.float32]:
    """Return the whole square blocks of a picture, one a row."""
    rows, columns = (side // _BLOCK for side in grey.shape)
    whole = grey[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    flat: NDArray[np.float32] = whole.transpose(0, 2, 1, 3).reshape(rows * columns, _BLOCK * _BLOCK)
    return flat
