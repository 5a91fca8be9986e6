"""The drift that models add unasked: a picture is moved, zoomed and turned a little, here by known amounts."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Final
from zlib import crc32

import numpy as np
from PIL import Image

from wan_sandbox.preview.render.colour import Array, blend, smoothstep, to_array, to_image

# The zoom is enough for the rest to leave no part of the frame empty.
_ZOOM: Final = (1.05, 1.09)
_SHIFT_MOST: Final = 0.008
_TURN_MOST: Final = 0.8
_MIDDLE: Final = (0.35, 0.65)
_RADIUS: Final = (0.14, 0.2)
_EDGE: Final = 0.1


@dataclass(frozen=True)
class Drift:
    """How far a picture is moved, and the one area in which it changes.

    Attributes:
        dx: By how many pixels the middle moves to the right.
        dy: The same, downward.
        scale: How much larger everything becomes, about the middle.
        rotation: By how many degrees everything is turned clockwise.
        area: The ellipse that changes, before everything moves: middle and radii in pixels.
    """

    dx: float
    dy: float
    scale: float
    rotation: float
    area: tuple[float, float, float, float]

    @classmethod
    def of(cls, seed: int, size: tuple[int, int]) -> Drift:
        """Draw the amounts for a seed."""
        rng = np.random.default_rng([seed, crc32(b"drift")])
        width, height = size
        dx, dy = (float(share) * min(size) for share in rng.uniform(-_SHIFT_MOST, _SHIFT_MOST, 2))
        x, y = (float(share) for share in rng.uniform(*_MIDDLE, 2))
        across, down = (float(share) for share in rng.uniform(*_RADIUS, 2))
        area = (x * width, y * height, across * width, down * height)
        return cls(dx, dy, float(rng.uniform(*_ZOOM)), float(rng.uniform(-_TURN_MOST, _TURN_MOST)), area)

    def to_json(self) -> dict[str, object]:
        """Return the amounts as plain JSON values."""
        return asdict(self) | {"area": list(self.area)}

    def applied(self, untouched: Array, changed: Array) -> Array:
        """Return a picture that is changed in the area alone, and then moved."""
        height, width = untouched.shape[:2]
        x, y, across, down = self.area
        rows, columns = np.mgrid[0:height, 0:width].astype(np.float32) + 0.5
        distance = np.hypot((columns - x) / across, (rows - y) / down)
        mixed = blend(changed, untouched, smoothstep(1 - _EDGE, 1, distance))
        return to_array(
            to_image(mixed).transform(
                (width, height), Image.Transform.AFFINE, self._back(width, height), Image.Resampling.BICUBIC
            )
        )

    def _back(self, width: int, height: int) -> tuple[float, ...]:
        """Return the transform from a place in the moved picture to where it comes from."""
        angle = math.radians(self.rotation)
        cos, sin = math.cos(angle) / self.scale, math.sin(angle) / self.scale
        x, y = width / 2 + self.dx, height / 2 + self.dy
        return cos, sin, width / 2 - cos * x - sin * y, -sin, cos, height / 2 + sin * x - cos * y
