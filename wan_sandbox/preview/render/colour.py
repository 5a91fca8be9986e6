"""Colour as arrays: height × width × 3 in float32, display sRGB from 0 to 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Sequence

Array: TypeAlias = npt.NDArray[np.floating[Any]]
"""A float32 picture (three channels) or plane (one)."""

_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    np.float32,
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ],
    np.float32,
)
_FROM_LMS = np.linalg.inv(_TO_LMS).astype(np.float32)
_FROM_LAB = np.linalg.inv(_TO_LAB).astype(np.float32)
_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
# A table is exact for 8-bit input and much faster than a power for each pixel.
_STEPS = 4095
_RAMP = np.linspace(0, 1, _STEPS + 1, dtype=np.float32)
_LINEAR = np.where(_RAMP <= 0.04045, _RAMP / 12.92, ((_RAMP + 0.055) / 1.055) ** 2.4).astype(np.float32)
_DISPLAY = np.where(_RAMP <= 0.055, 0, 1.055 * np.maximum(_RAMP**2, 1e-9) ** (1 / 2.4) - 0.055)
_DISPLAY = np.where(_RAMP**2 <= 0.0031308, 12.92 * _RAMP**2, _DISPLAY).astype(np.float32)


def to_array(image: Image.Image) -> Array:
    """Read a PIL picture into an array."""
    result: Array = np.asarray(image.convert("RGB"), np.float32) / np.float32(255)
    return result


def to_image(picture: Array) -> Image.Image:
    """Turn an array into a PIL picture of 8 bits a channel."""
    return Image.fromarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8))


def rgb(code: str) -> Array:
    """Read a colour such as "#1b2a49"."""
    result: Array = np.frombuffer(bytes.fromhex(code.lstrip("#")), np.uint8).astype(np.float32) / np.float32(255)
    return result


def luma(picture: Array) -> Array:
    """Return the brightness of each pixel as the display shows it."""
    return picture @ _LUMA


def grey(plane: Array) -> Array:
    """Give a plane three equal channels."""
    return np.repeat(plane[..., None], 3, axis=-1)


def blend(under: Array, over: Array, amount: Array | float) -> Array:
    """Lay one picture over another; a plane as the amount works as a mask."""
    if isinstance(amount, np.ndarray) and amount.ndim < under.ndim:
        amount = amount[..., None]
    return under + (over - under) * amount


def screen(under: Array, light: Array) -> Array:
    """Add light without burning out."""
    return 1 - (1 - under) * (1 - np.clip(light, 0, 1))


def smoothstep(low: Array | float, high: Array | float, plane: Array) -> Array:
    """Rise softly from 0 at `low` to 1 at `high`."""
    t = np.clip((plane - low) / (high - low), 0, 1)
    result: Array = t * t * (3 - 2 * t)
    return result


def contrast(plane: Array, amount: float, middle: float = 0.5) -> Array:
    """Bend values away from the middle in a soft S; negative amounts bend towards it."""
    result: Array
    if amount <= 0:
        result = np.clip(middle + (plane - middle) * (1 + amount), 0, 1)
    else:
        steep = 4 * amount
        low, high = np.tanh(-steep * middle), np.tanh(steep * (1 - middle))
        result = np.maximum(np.tanh(steep * (np.clip(plane, 0, 1) - middle)) - low, 0) / (high - low)
    return result


def full_range(plane: Array) -> Array:
    """Use the whole range from black to white, as a careful print does."""
    low, high = np.percentile(plane[::4, ::4], (1, 99))
    result: Array = np.clip((plane - low) / max(float(high - low), 0.25), 0, 1)
    return result


def saturate(picture: Array, amount: float) -> Array:
    """Scale the distance of each pixel from its own grey."""
    level = luma(picture)[..., None]
    return level + (picture - level) * amount


def gradient_map(plane: Array, stops: Sequence[tuple[float, str]]) -> Array:
    """Give each brightness its colour from a ramp of (position, colour)."""
    places = [place for place, _ in stops]
    colours = np.stack([rgb(code) for _, code in stops])
    ramp = np.stack([np.interp(_RAMP, places, colours[:, channel]) for channel in range(3)], axis=-1)
    result: Array = ramp.astype(np.float32)[_index(plane)]
    return result


def to_oklab(picture: Array) -> Array:
    """Convert to Oklab, where equal steps look equal."""
    lms = _LINEAR[_index(picture)] @ _TO_LMS.T
    result: Array = np.cbrt(lms) @ _TO_LAB.T
    return result


def from_oklab(lab: Array) -> Array:
    """Convert back from Oklab to display sRGB, clipped to what a screen can show."""
    lms = lab @ _FROM_LAB.T
    linear = (lms * lms * lms) @ _FROM_LMS.T
    result: Array = _DISPLAY[_index(np.sqrt(np.maximum(linear, 0)))]
    return result


def _index(values: Array) -> Array:
    return (np.clip(values, 0, 1) * _STEPS + 0.5).astype(np.int16)
