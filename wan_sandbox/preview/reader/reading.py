"""Make a plan of a prompt's requests."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING

from wan_client.mentions import language_of
from wan_sandbox.messages import POLISH
from wan_sandbox.preview import plan
from wan_sandbox.preview.plan import COMPOSITIONS, LAYOUTS, OPERATIONS, Operation, Plan
from wan_sandbox.preview.reader.clauses import GLUE, VERBS, clauses
from wan_sandbox.preview.reader.lexer import Token, tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_SILENT = {"and", "comma", "please"}
_UNKNOWN = {"word", "part"}
_SMALL = GLUE | VERBS | {"style", "lower", "colour", "colours"}
_STRENGTHS: dict[str, plan.Strength] = {"slightly": "slight", "very": "strong"}


def read(prompt: str, *, images: int, negative_prompt: str = "", prompt_extend: bool = True) -> Plan:
    """Read an instruction about one to three references, in any of the languages or in several of them.

    Operations that the negative prompt names are left out. An extended prompt has a short phrase more, and the plan the
    operation `polish`.
    """
    text = unicodedata.normalize("NFC", prompt).strip()
    if len(text) > 1 and text[0] + text[-1] in {'""', "“”", "「」"}:
        text = text[1:-1]
    reading = _Reading(text, images)
    for clause, scope in clauses(tokens(text), text, images):
        reading.take(clause, scope)
    unwanted = {token.kind for token in tokens(negative_prompt)}
    operations = [operation for operation in reading.finished() if operation.op not in unwanted]
    operations = operations or [Operation("neutral_grade", reading.subject)]
    if prompt_extend:
        text = (text.rstrip(" .,。，、") + POLISH[language_of(text)]).lstrip(", ")
        if "polish" not in unwanted | {operation.op for operation in operations}:
            operations.append(Operation("polish"))
    return Plan(tuple(operations), tuple(reading.not_understood), text)


class _Reading:
    """What has been understood so far. An operation without an image is for the subject, or for the composition."""

    def __init__(self, text: str, images: int) -> None:
        self._text = text
        self._all = list(range(1, images + 1))
        self._it: list[int] = []
        self._asked = False
        self._kept: Sequence[Token] = ()
        self._operations: list[Operation] = []
        self.not_understood: dict[str, None] = {}

    @property
    def subject(self) -> int:
        """The reference that is meant where none is named."""
        sources = {operation.parameters.get("source") for operation in self._operations}
        named = [operation.image or 0 for operation in self._operations]
        return next((image for image in [*named, *self._it, *self._all] if image and image not in sources), 1)

    def take(self, clause: Sequence[Token], scope: str) -> None:
        """Read one request, which a scope may turn into its opposite."""
        unread = _unread(clause, self._text)
        if scope:
            self._kept = clause if scope == "keep" and _names_colours(clause) else self._kept
            if scope == "without" and unread:
                self._report(clause)
            return
        self._asked = self._asked or any(token.kind not in _SILENT for token in clause)
        kinds = {token.kind for token in clause}
        named = self._numbers(token for token in clause if token.kind == "image")
        operations = self._understood(clause)
        found = {operation.op for operation in operations}
        missed = {token.kind for token in clause if token.row.roles} - {*found, "colours_of"}
        # An unknown word may be the part of the picture that is meant, but for a look, which is for the whole.
        vague = unread and not (found and found <= {*plan.LOOKS})
        in_vain = not found and kinds & {*OPERATIONS, "colours"}
        if missed or vague or in_vain or kinds & {"cannot", "part"} or not {*named} <= {*self._all}:
            self._report(clause)
            self._it = self._it or [image for image in named if image in self._all][:1]
            return
        for run in unread:
            self._report(run)
        for operation in operations:
            self._add(operation, clause)
        targets = list(dict.fromkeys(operation.image for operation in operations if operation.image))
        self._it = [] if found & {*COMPOSITIONS} or "whole" in kinds else targets or named or self._it

    def finished(self) -> list[Operation]:
        """Return the operations in order, each with the reference that it is for."""
        found = {operation.op for operation in self._operations}
        if self._kept and found & {*plan.LOSES_COLOUR}:
            self._report(self._kept)
        if self._asked and not found and not self.not_understood:
            self.not_understood[self._text] = None
        several = sorted({operation.image for operation in self._operations if operation.image})
        if len(several) > 1 and not found & {*COMPOSITIONS}:
            self._operations.append(Operation("side_by_side", parameters={"images": several}))
            found.add("side_by_side")
        subject, result = self.subject, list[Operation]()
        for operation in self._operations:
            image, parameters = operation.image, dict(operation.parameters)
            if self._kept and operation.op in plan.TAKES_COLOUR:
                parameters["in_colour"] = True
            if operation.op in {"inset", "background"}:
                others = [image, subject, *self._all]
                front = next(other for other in others if other and other != operation.parameters["source"])
                image = None if found & {*LAYOUTS} else front
            elif image is None and not found & {*COMPOSITIONS}:
                image = subject
            # Borrowed colours are for the picture, not for the paper it is painted on.
            painted = (at for at, other in enumerate(result) if other.op in plan.PAINTS and other.image == image)
            place = next(painted, len(result)) if operation.op == "colours_of" else len(result)
            result.insert(place, replace(operation, image=image, parameters=parameters))
        return result

    def _understood(self, clause: Sequence[Token]) -> list[Operation]:
        """Return one clause's operations, in the order of the prompt."""
        pictures = [token for token in clause if token.kind == "image"]
        found: dict[int, list[Operation]] = {}
        # What takes from a reference goes first, so that nothing else is drawn on that reference.
        for token in sorted(clause, key=lambda token: "last" not in token.row.roles):
            is_new = token.row.roles and all(token.kind != operations[0].op for operations in found.values())
            if is_new and (taken := self._taken(token, clause, pictures)):
                found[token.start] = taken
        images = [] if any(token.kind == "whole" for token in clause) else self._numbers(pictures) or self._it
        for token in clause:
            if token.kind in LAYOUTS:
                found[token.start] = [Operation(token.kind, parameters={"images": self._arranged(token, pictures)})]
            elif token.kind in OPERATIONS and not token.row.roles:
                keeps = {"in_colour": True} if token.kind in plan.TAKES_COLOUR and _names_colours(clause) else {}
                found[token.start] = _for_each(images, token.kind, {**token.row.parameters, **keeps})
        colours = list(dict.fromkeys(token.row.parameters["name"] for token in clause if token.kind == "colour"))
        if colours:
            taker = next((start for start, ops in found.items() if ops[0].op in {"duotone", "tint"}), clause[-1].end)
            op = "duotone" if not found and len(colours) > 1 else "tint"
            op = found[taker][0].op if taker in found else op
            given: dict[str, object] = {"colour": colours[0]} if op == "tint" else {"colours": colours}
            found[taker] = _for_each(images, op, given)
        for token in clause:
            if token.kind in _STRENGTHS and found:
                # A strength is for the operation that follows it, else for the one before it.
                start = min(found, key=lambda start: (start < token.start, abs(start - token.start)))
                found[start] = [replace(operation, strength=_STRENGTHS[token.kind]) for operation in found[start]]
        return [operation for start in sorted(found) for operation in found[start]]

    def _taken(self, token: Token, clause: Sequence[Token], pictures: list[Token]) -> list[Operation]:
        """Return the operation that takes something from a reference; none where no reference is named for it."""
        origin = _origin(token, pictures)
        if origin is None:
            return []
        pictures.remove(origin)
        source = self._numbers([origin])[0]
        others = [*self._numbers(pictures), *self._it, *([] if token.kind == "background" else self._all)]
        parameters: dict[str, object] = {"source": source}
        if token.kind == "inset":
            corners = [other.row.parameters["corner"] for other in clause if "corner" in other.row.parameters]
            parameters["corner"] = next(iter(corners), "bottom_right")
        return [Operation(token.kind, next((image for image in others if image != source), None), "normal", parameters)]

    def _arranged(self, token: Token, pictures: Sequence[Token]) -> list[int]:
        """Return the references in the order of a layout; one that goes to the left or the right is first or last."""
        named = self._numbers(pictures)
        named = [*self._it[:1], *named] if len(named) == 1 else named
        named = list(dict.fromkeys(named if len(set(named)) > 1 else [*named, *self._all]))
        sided = self._numbers(_nearest(token, pictures)) if "place" in token.row.parameters else []
        rest = [image for image in named if image not in sided]
        return [*sided, *rest] if token.row.parameters.get("place") == "left" else [*rest, *sided]

    def _add(self, new: Operation, clause: Sequence[Token]) -> None:
        """Add an operation that is not there yet; of several layouts only the first, and none of one picture."""
        same = [old for old in self._operations if replace(old, strength=new.strength) == new]
        others = [old for old in self._operations if old.op in LAYOUTS and new.op in LAYOUTS and old not in same]
        if others or (new.op in LAYOUTS and len(self._all) < 2 and new.op != "triptych"):
            self._report(clause)
        elif not same:
            self._operations.append(new)
        elif new.strength != "normal":
            self._operations[self._operations.index(same[0])] = new

    def _numbers(self, pictures: Iterable[Token]) -> list[int]:
        return list(dict.fromkeys(image for token in pictures for image in token.images or self._all))

    def _report(self, found: Sequence[Token]) -> None:
        start = next(token.start for token in found if token.kind not in _SILENT)
        self.not_understood[self._text[start : found[-1].end].strip()] = None


def _for_each(images: Sequence[int], op: str, parameters: Mapping[str, object]) -> list[Operation]:
    return [Operation(op, image or None, parameters=parameters) for image in images or [0]]


def _origin(token: Token, pictures: Sequence[Token]) -> Token | None:
    """Return the reference that something is taken from: the nearest of those that are introduced as it says."""
    for role in token.row.roles:
        if role == "last" and len(pictures) > 1:
            return pictures[-1]
        # "blur the background of image 1" takes nothing from anywhere.
        doubtful = len(pictures) == 1 and (token.kind, role) in {("colours_of", "bare"), ("background", "of")}
        fitting = [one for one in pictures if one.role == role and not (doubtful and one.images == (1,))]
        if fitting:
            return _nearest(token, fitting)[0]
    return None


def _nearest(token: Token, pictures: Sequence[Token]) -> list[Token]:
    return sorted(pictures, key=lambda one: (one.start > token.start, abs(one.start - token.start)))[:1]


def _unread(clause: Sequence[Token], text: str) -> list[Sequence[Token]]:
    """Return the unknown words with the small words between them, but for those that name what is in the picture."""
    runs: list[Sequence[Token]] = []
    start = 0
    for place in range(len(clause) + 1):
        if place < len(clause) and clause[place].kind in _UNKNOWN | _SMALL:
            continue
        unknown = [other for other in range(start, place) if clause[other].kind in _UNKNOWN]
        if unknown and not _is_in_the_picture(clause, unknown[0], unknown[-1], text):
            # Two small words may lead in English ("on the roof"), none in the others.
            lead = 2 if text[clause[unknown[0]].start].isascii() else 0
            runs.append(clause[max(start, unknown[0] - lead) : unknown[-1] + 1])
        start = place + 1
    return runs


def _is_in_the_picture(clause: Sequence[Token], first: int, last: int, text: str) -> bool:
    """Return whether unknown words say what is turned into a look: "turn the cat into …", 고양이를, 猫を, 把猫."""
    is_part = any(token.kind == "part" for token in clause[first : last + 1])
    if is_part or not any(token.kind in plan.LOOKS for token in clause[last + 1 :]):
        return False
    before = [token.kind for token in clause[:first]]
    if text[clause[last].end - 1] in "을를" or text.startswith("を", clause[last].end):
        return True
    if {*before} - {"image", "the", "small"} in ({"object"}, {"let"}):
        return True
    return before[-1:] == ["the"] and not {"turn", "make"}.isdisjoint(before)


def _names_colours(clause: Sequence[Token]) -> bool:
    kinds = {token.kind for token in clause}
    return "colours" in kinds and "image" not in kinds
