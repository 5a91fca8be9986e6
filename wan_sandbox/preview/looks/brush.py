"""What every look is given besides the picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from wan_sandbox.preview.colour import Array


@dataclass(frozen=True)
class Brush:
    """How strongly to draw (1 is normal), with which chance, and with which parameters of the operation."""

    amount: float
    rng: np.random.Generator
    parameters: Mapping[str, object] = field(default_factory=dict)


Look: TypeAlias = Callable[[Array, Brush], Array]
