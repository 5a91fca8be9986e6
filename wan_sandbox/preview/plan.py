"""What an instruction was understood to mean, as data."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Strength = Literal["slight", "normal", "strong"]

LOOKS = (
    "pencil_sketch",
    "ink",
    "watercolour",
    "oil_painting",
    "comic",
    "pixel_art",
    "duotone",
    "sepia",
    "black_and_white",
    "noir",
    "neon",
    "vintage_film",
    "night",
    "golden_hour",
    "snow",
    "rain",
    "fog",
    "pop_art",
    "mosaic",
    "blueprint",
    "glitch",
)
PAINTS = ("watercolour", "oil_painting", "comic", "pixel_art", "mosaic")
"""Looks that are laid down in the picture's own colours."""
TAKES_COLOUR = ("pencil_sketch", "ink")
"""Looks that are drawn in the picture's own colours where those are to stay."""
LOSES_COLOUR = ("duotone", "sepia", "black_and_white", "noir", "neon", "pop_art", "blueprint", "invert")
"""Looks that have colours of their own, or none."""
ADJUSTMENTS = (
    "brighter",
    "darker",
    "more_contrast",
    "less_contrast",
    "warmer",
    "cooler",
    "more_saturated",
    "less_saturated",
    "sharpen",
    "blur",
    "vignette",
    "tint",
    "grain",
    "invert",
    "mirror",
    "polish",
    "neutral_grade",
)
LAYOUTS = ("side_by_side", "split", "triptych", "double_exposure")
"""Compositions of several references, none of them before another."""
COMPOSITIONS = (*LAYOUTS, "inset", "background")
OPPOSITES = {
    "brighter": "darker",
    "more_contrast": "less_contrast",
    "more_saturated": "less_saturated",
    "blur": "sharpen",
}
"""What each adjustment is where less of it is asked for."""
OPERATIONS = (*LOOKS, *ADJUSTMENTS, "colours_of", *COMPOSITIONS)
"""Every operation that a plan can hold, by its stable name."""


COLOURS = {
    "red": "#c8322f",
    "orange": "#e07a1f",
    "yellow": "#e3bb2c",
    "green": "#3f8f4a",
    "teal": "#1f8a8a",
    "blue": "#2f5fc0",
    "purple": "#7d4bb5",
    "pink": "#de6fa1",
    "brown": "#7a5230",
}
"""The colours that a tint or a duotone can have, by name."""


@dataclass(frozen=True)
class Operation:
    """One thing to do to one reference, or to the composed picture where `image` is None."""

    op: str
    image: int | None = None
    strength: Strength = "normal"
    parameters: Mapping[str, object] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Return the operation as plain JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Plan:
    """The operations in the order they are drawn, and the phrases that were not understood."""

    operations: tuple[Operation, ...]
    not_understood: tuple[str, ...]
    prompt: str

    def to_json(self) -> dict[str, object]:
        """Return the plan as plain JSON values, the form that travels with a result."""
        return {
            "engine": "local preview",
            "prompt": self.prompt,
            "understood": [operation.to_json() for operation in self.operations],
            "not_understood": list(self.not_understood),
        }
