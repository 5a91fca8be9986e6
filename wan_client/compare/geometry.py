"""Where a point of one picture lies in another.

Coordinates are continuous: the upper left corner of a picture is (0, 0), the middle of its first pixel (0.5, 0.5). So a
picture and its reduced copy differ by a factor alone.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from wan_client.framing import CROP_AT_MOST

Array: TypeAlias = NDArray[np.float64]
Size: TypeAlias = tuple[int, int]
Matrix: TypeAlias = tuple[tuple[float, float, float], tuple[float, float, float]]


def matrix_of(rows: Array) -> Matrix:
    """Return the upper two rows of a transform as plain numbers."""
    first, second = ((float(row[0]), float(row[1]), float(row[2])) for row in rows[:2])
    return first, second


def square(matrix: Matrix) -> Array:
    """Return a transform as a matrix of three rows, ready to be multiplied or inverted."""
    return np.array([*matrix, (0.0, 0.0, 1.0)])


def inverted(transform: Array) -> Array:
    """Return the transform that goes back."""
    back: Array = np.asarray(np.linalg.inv(transform), np.float64)
    return back


def scaling(across: float, down: float) -> Array:
    """Return the transform that scales about the upper left corner."""
    return np.diag([across, down, 1.0])


def shifting(across: float, down: float) -> Array:
    """Return the transform that moves everything."""
    return np.array([[1.0, 0.0, across], [0.0, 1.0, down], [0.0, 0.0, 1.0]])


def for_warp(transform: Array) -> Array:
    """Return a transform as OpenCV takes it, which puts (0, 0) into the middle of the first pixel."""
    moved: Array = (shifting(-0.5, -0.5) @ transform @ shifting(0.5, 0.5))[:2]
    return moved


def corners(size: Size) -> Array:
    """Return the four corners of a picture, one a row."""
    width, height = size
    return np.array([[0, 0], [width, 0], [0, height], [width, height]], dtype=np.float64)


def apply(transform: Array, points: Array) -> Array:
    """Return the points, one a row, where a transform takes them."""
    moved: Array = points @ transform[:2, :2].T + transform[:2, 2]
    return moved


def framings(before: Size, after: Size) -> tuple[Matrix, Matrix]:
    """Return both ways to lay one picture into the other's frame: filling it, and wholly inside it, in the middle."""
    ratios = after[0] / before[0], after[1] / before[1]
    filling, inside = (_centred(scale, before, after) for scale in (max(ratios), min(ratios)))
    return filling, inside


def framing(before: Size, after: Size) -> Matrix:
    """Return how a picture lies in a frame when nothing is known: cropped if little is lost by that, else whole."""
    filling, inside = framings(before, after)
    shown = inside[0][0] / filling[0][0]
    return filling if 1 - shown <= CROP_AT_MOST else inside


def nearest_framing(transform: Array, before: Size, after: Size) -> Matrix:
    """Return the one of the two framings whose scale is closer to the transform's."""
    scale = scale_of(transform)
    return min(framings(before, after), key=lambda matrix: abs(math.log(scale / matrix[0][0])))


def scale_of(transform: Array) -> float:
    """Return how much larger a transform makes things."""
    return float(np.hypot(transform[0, 0], transform[1, 0]))


def rotation_of(transform: Array) -> float:
    """Return by how many degrees a transform turns things, clockwise as seen."""
    return math.degrees(math.atan2(transform[1, 0], transform[0, 0]))


def _centred(scale: float, before: Size, after: Size) -> Matrix:
    across = (after[0] - scale * before[0]) / 2
    down = (after[1] - scale * before[1]) / 2
    return (scale, 0.0, across), (0.0, scale, down)
