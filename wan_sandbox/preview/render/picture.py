"""From a plan and the references to the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from wan_sandbox.preview.looks import LOOK_TABLE, LOOKS_WITH_PIECE_SIZE, Brush
from wan_sandbox.preview.plan import COMPOSITIONS, Operation, Plan
from wan_sandbox.preview.reader import read
from wan_sandbox.preview.render.adjust import ADJUSTMENT_TABLE
from wan_sandbox.preview.render.colour import Array, blend, to_array, to_image
from wan_sandbox.preview.render.compose import (
    colours_of,
    double_exposure,
    inset,
    on_background,
    side_by_side,
    split,
    triptych,
)
from wan_sandbox.preview.render.drift import Drift
from wan_sandbox.preview.render.frame import KEEP, KEEP_IN_PANEL, fit, shown, thumbnail
from wan_sandbox.preview.render.label import stamp, to_png

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PIL import Image

_AMOUNTS = {"slight": 0.5, "normal": 1.0, "strong": 1.5}
_LAYOUTS = {
    "side_by_side": side_by_side,
    "split": split,
    "triptych": triptych,
    "double_exposure": double_exposure,
}


@dataclass(frozen=True)
class Preview:
    """A finished preview: the picture's file, the plan it was drawn from, and where it shows its one subject.

    `frame` is the subject's number and the part of it in view, as `shown` returns it; None for a composition, and for a
    picture that drifted, whose `drift` says how.
    """

    png: bytes
    plan: Plan
    frame: tuple[int, tuple[float, float, float, float]] | None = None
    drift: Drift | None = None

    def to_json(self) -> dict[str, object]:
        """Return the facts about the picture as plain JSON values."""
        frame = self.frame and {"image": self.frame[0], "box": [round(side, 4) for side in self.frame[1]]}
        drift = {"drift": self.drift.to_json()} if self.drift else {}
        return {**self.plan.to_json(), "frame": frame, **drift}


def render(
    references: Sequence[Image.Image],
    *,
    prompt: str,
    size: tuple[int, int],
    negative_prompt: str = "",
    seed: int = 0,
    prompt_extend: bool = True,
    drift: bool = False,
) -> Preview:
    """Read an instruction, draw it, and write the picture: the whole way in one call.

    With `drift` the picture is also moved, zoomed and turned a little, by the seed, and changes in one area only.
    """
    plan = read(prompt, images=len(references), negative_prompt=negative_prompt, prompt_extend=prompt_extend)
    easel = _Easel(plan, references, size, seed)
    if not drift:
        return Preview(to_png(stamp(to_image(easel.picture())), plan), plan, easel.frame())
    amount = Drift.of(seed, size)
    picture = amount.applied(easel.untouched(), easel.picture())
    return Preview(to_png(stamp(to_image(picture)), plan), plan, drift=amount)


def draw(plan: Plan, references: Sequence[Image.Image], size: tuple[int, int], *, seed: int = 0) -> Image.Image:
    """Draw a plan at exactly the size given, with the label.

    The same plan, references, size and seed give the same pixels. The seed moves grain, brush and particles only.
    """
    return stamp(to_image(_Easel(plan, references, size, seed).picture()))


class _Easel:
    """One drawing in progress."""

    def __init__(self, plan: Plan, references: Sequence[Image.Image], size: tuple[int, int], seed: int) -> None:
        if not references:
            raise ValueError("a preview needs at least one reference")
        self._plan = plan
        self._size = size
        self._seed = seed
        longest = 2 * max(size)
        self._references = [thumbnail(reference.convert("RGB"), longest) for reference in references]

    def picture(self) -> Array:
        """Draw the references, then the composition, then what is for the whole."""
        composed: Array | None = None
        for operation in self._plan.operations:
            if operation.op in COMPOSITIONS:
                composed = self._compose(operation, composed)
        if composed is None:
            composed = self._show(self._subject())(self._size)
        for operation in self._plan.operations:
            if operation.image is None and operation.op not in COMPOSITIONS:
                composed = self._apply(operation, composed)
        return composed

    def untouched(self) -> Array:
        """Return the subject as it lies in the frame, with nothing done to it."""
        return fit(self._reference(self._subject()), self._size)

    def frame(self) -> tuple[int, tuple[float, float, float, float]] | None:
        """Return which part of which reference the picture shows, where it shows one and the right way round."""
        if any(operation.op in COMPOSITIONS or operation.op == "mirror" for operation in self._plan.operations):
            return None
        subject = self._subject()
        return subject, shown(self._reference(subject), self._size)

    def _subject(self) -> int:
        return next((operation.image for operation in self._plan.operations if operation.image), 1)

    def _show(self, image: int, keep: float = KEEP) -> Callable[[tuple[int, int]], Array]:
        def show(size: tuple[int, int]) -> Array:
            picture = fit(self._reference(image), size, keep)
            for operation in self._plan.operations:
                if operation.image == image and operation.op not in COMPOSITIONS:
                    picture = self._apply(operation, picture)
            return np.clip(picture, 0, 1)

        return show

    def _compose(self, operation: Operation, composed: Array | None) -> Array:
        if operation.op in _LAYOUTS:
            images = _numbers(operation.parameters.get("images")) or list(range(1, len(self._references) + 1))
            return _LAYOUTS[operation.op]([self._show(image, KEEP_IN_PANEL) for image in images], self._size)
        other = self._show(_numbers([operation.parameters.get("source")])[0])
        front = self._show(operation.image or self._subject())
        if operation.op == "inset":
            corner = str(operation.parameters.get("corner", "bottom_right"))
            return inset(front(self._size) if composed is None else composed, other, corner)
        ahead = front if composed is None else (lambda size: fit(to_image(composed), size))
        return on_background(ahead, other(self._size))

    def _apply(self, operation: Operation, picture: Array) -> Array:
        picture = np.clip(picture, 0, 1)
        amount = _AMOUNTS[operation.strength]
        if operation.op == "colours_of":
            source = self._reference(_numbers([operation.parameters.get("source")])[0])
            return colours_of(picture, to_array(thumbnail(source, 256)), amount)
        brush = Brush(amount, np.random.default_rng([self._seed, crc32(operation.op.encode())]), operation.parameters)
        if operation.op in ADJUSTMENT_TABLE:
            return ADJUSTMENT_TABLE[operation.op](picture, brush)
        if operation.strength == "slight" and operation.op not in LOOKS_WITH_PIECE_SIZE:
            whole = Brush(1.0, brush.rng, brush.parameters)
            return blend(picture, LOOK_TABLE[operation.op](picture, whole), 0.6)
        return LOOK_TABLE[operation.op](picture, brush)

    def _reference(self, image: int) -> Image.Image:
        if not 1 <= image <= len(self._references):
            raise ValueError(f"the plan names image {image}, but {len(self._references)} were given")
        return self._references[image - 1]


def _numbers(value: object) -> list[int]:
    return [number for number in value if isinstance(number, int)] if isinstance(value, (list, tuple)) else []
