"""From one clause to operations: which references they are for, how strong they are, with which colours."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wan_sandbox.preview.vocabulary import OPERATION_ROWS, ROWS, OperationRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wan_sandbox.preview.lexer import Token
    from wan_sandbox.preview.plan import Strength

_TAKES_COLOURS = {"duotone", "tint"}


@dataclass
class Draft:
    """An operation on its way into the plan. Without images it is for the subject, or the composed picture."""

    row: OperationRow
    images: list[int]
    strength: Strength = "normal"
    source: int = 0
    colours: list[str] = field(default_factory=list)
    places: dict[int, str] = field(default_factory=dict)
    corner: str = ""
    phrase: str = ""
    in_colour: bool = False

    def same_as(self, other: Draft) -> bool:
        """Tell whether both ask for one thing, so that what they say of it belongs together."""
        if self.row.name != other.row.name:
            return False
        return self.row.kind == "layout" or (self.images == other.images and self.source == other.source)

    def parameters(self) -> dict[str, object]:
        """Give the operation's parameters but for the images of a layout."""
        result = dict(self.row.parameters) if self.row.kind == "look" else {}
        if self.source:
            result["source"] = self.source
        if self.row.name == "inset":
            result["corner"] = self.corner or "bottom_right"
        if self.in_colour:
            result["in_colour"] = True
        if self.colours and self.row.name == "tint":
            result["colour"] = self.colours[0]
        elif self.colours:
            result["colours"] = list(dict.fromkeys(self.colours))
        return result


class Drafting:
    """One clause being turned into drafts.

    Args:
        found: The clause.
        images: How many references there are.
        focus: The references that the clause before was about: "it".
    """

    def __init__(self, found: Sequence[Token], images: int, focus: Sequence[int]) -> None:
        self._found = found
        self._images = images
        self._focus = list(focus)
        self._pictures = [place for place, token in enumerate(found) if token.kind == "image"]
        self._kinds = {token.kind for token in found}
        self._drafts: dict[int, Draft] = {}

    def drafts(self) -> list[Draft]:
        """Give the drafts in the order of the prompt."""
        rows = [(place, token.operation) for place, token in enumerate(self._found) if token.operation]
        # What takes from a reference goes first, so that nothing else is drawn on that reference.
        for place, row in sorted(rows, key=lambda entry: (entry[1].kind != "source", OPERATION_ROWS.index(entry[1]))):
            twin = next((draft for draft in self._drafts.values() if draft.row.name == row.name), None)
            if twin and row.kind in {"source", "layout"}:
                self._detail(twin, row, place)
            elif row.kind == "source":
                self._borrow(row, place)
            elif row.kind == "layout":
                self._drafts[place] = Draft(row, self._arranged())
                self._detail(self._drafts[place], row, place)
            else:
                self._drafts[place] = Draft(row, self._targets(place))
        self._strengthen()
        self._colour()
        return [self._drafts[place] for place in sorted(self._drafts)]

    def _detail(self, draft: Draft, row: OperationRow, at: int) -> None:
        """Note in which corner, or on which side, a picture is to stand."""
        draft.corner = draft.corner or str(row.parameters.get("corner", ""))
        side = str(row.parameters.get("place", ""))
        if side and self._pictures:
            nearest = min(self._pictures, key=lambda place: (place > at, abs(place - at)))
            draft.places[self._found[nearest].image] = side

    def _borrow(self, row: OperationRow, at: int) -> None:
        origin = self._origin(row, at)
        if origin is None:
            return
        self._pictures.remove(origin)
        source = self._found[origin].image
        images = [image for image in self._named(self._pictures) if image != source][:1]
        if not images:
            images = [image for image in self._focus if image != source][:1]
        if not images and (row.name != "background" or source == 1):
            images = [image for image in range(1, self._images + 1) if image != source][:1]
        self._drafts[at] = Draft(row, images, source=source)
        self._detail(self._drafts[at], row, at)

    def _origin(self, row: OperationRow, at: int) -> int | None:
        """Find the reference that something is taken from."""
        for role in row.source:
            if role == "last" and len(self._pictures) > 1:
                return self._pictures[-1]
            fitting = [place for place in self._pictures if self._found[place].role == role]
            # "blur the background of image 1" takes nothing from anywhere.
            if len(self._pictures) == 1 and (row.name, role) in {("colours_of", "bare"), ("background", "of")}:
                fitting = [place for place in fitting if self._found[place].image != 1]
            if fitting:
                return min(fitting, key=lambda place: (place > at, abs(place - at)))
        return None

    def _arranged(self) -> list[int]:
        named = self._named(self._pictures)
        if "both" in self._kinds:
            return list(range(1, self._images + 1))
        if len(named) == 1 and self._focus and self._focus[0] not in named:
            return [self._focus[0], *named]
        return named

    def _targets(self, at: int) -> list[int]:
        """Find the references that an operation is for: those before it, else those after it."""
        if "both" in self._kinds:
            return list(range(1, self._images + 1))
        if "whole" in self._kinds:
            return []
        others = [place for place, token in enumerate(self._found) if token.operation and place != at]
        start = max((place for place in others if place < at and self._pictured(place, at)), default=-1)
        end = min((place for place in others if place > at and self._pictured(at, place)), default=len(self._found))
        before = [place for place in self._pictures if start < place < at]
        after = [place for place in self._pictures if at < place < end]
        return self._named(before or after or self._pictures) or self._focus

    def _pictured(self, low: int, high: int) -> bool:
        return any(low < place < high for place in self._pictures)

    def _named(self, places: Sequence[int]) -> list[int]:
        return list(dict.fromkeys(self._found[place].image for place in places))

    def _strengthen(self) -> None:
        """Give each "slightly" and "very" to the operation that follows it, else to the one before it."""
        for place, token in enumerate(self._found):
            if token.kind == "strength" and self._drafts:
                nearest = min(self._drafts, key=lambda other: (other < place, abs(other - place)))
                self._drafts[nearest].strength = "slight" if token.value == "slight" else "strong"

    def _colour(self) -> None:
        """Give colour words to the operation that takes them; alone they are a tint."""
        colours = [token.value for token in self._found if token.kind == "colour"]
        taker = next((draft for draft in self._drafts.values() if draft.row.name in _TAKES_COLOURS), None)
        if taker:
            taker.colours = colours
        elif colours:
            alone = not self._drafts
            end = len(self._found)
            several = alone and len(set(colours)) > 1 and not self._kinds & {"word", "part"}
            row = ROWS["duotone" if several else "tint"]
            self._drafts[end] = Draft(row, self._targets(end), colours=colours)
            if alone:
                self._strengthen()
