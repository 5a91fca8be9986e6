"""The arguments that every look takes besides the picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from wan_sandbox.preview.render.colour import Array

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np


@dataclass(frozen=True)
class Brush:
    """How strongly to draw (1 is normal), with which chance, and with which parameters of the operation."""

    amount: float
    rng: np.random.Generator
    parameters: Mapping[str, object] = field(default_factory=dict)


Look: TypeAlias = Callable[[Array, Brush], Array]
