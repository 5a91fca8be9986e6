"""From an instruction, in English or Korean, to a plan."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from wan_sandbox.preview.lexer import Token, tokens
from wan_sandbox.preview.plan import COMPOSITIONS, PAINTS, Operation, Plan, Strength
from wan_sandbox.preview.vocabulary import OPERATION_ROWS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wan_sandbox.preview.vocabulary import OperationRow

_POLISH = {
    "english": "balanced light, clear detail, gentle contrast",
    "korean": "균형 잡힌 빛, 또렷한 디테일, 은은한 대비",
}
_HANGUL = re.compile("[가-힣]")
_CLAUSE_ENDING = re.compile(r"[가-힣](?:고|며|면서|지만)$")
_TAKES_COLOURS = {"duotone", "tint"}
_NOTHING_SAID = {
    "glue",
    "verb",
    "definite",
    "with",
    "link",
    "comma",
    "join",
    "whole",
    "strength",
    "colours",
    "manner",
    "only",
}

Scope = Literal["", "honoured", "refused", "instead"]


@dataclass
class _Clause:
    """A stretch of the prompt that asks for one thing; under a scope it asks not to."""

    tokens: list[Token] = field(default_factory=list)
    scope: Scope = ""


@dataclass
class _Draft:
    """An operation on its way into the plan. Without images it is for the subject, or the composed picture."""

    row: OperationRow
    images: list[int]
    strength: Strength = "normal"
    source: int = 0
    colours: list[str] = field(default_factory=list)
    places: dict[int, str] = field(default_factory=dict)
    corner: str = ""
    phrase: str = ""


def read(prompt: str, *, images: int, negative_prompt: str = "", prompt_extend: bool = True) -> Plan:
    """Understand an instruction about one to three references.

    Args:
        prompt: The instruction, in English or Korean.
        images: How many references there are.
        negative_prompt: What is not wanted: operations named here are left out.
        prompt_extend: Whether to add the polish: a short phrase to the prompt, and the operation of that name.
    """
    text = unicodedata.normalize("NFC", prompt).strip()
    if text[:1] + text[-1:] in {'""', "“”"} and len(text) > 1:
        text = text[1:-1]
    reading = _Reading(text, images)
    for clause in _clauses(tokens(text), text):
        reading.take(clause)
    unwanted = {token.operation.name for token in tokens(negative_prompt) if token.operation}
    operations = [operation for operation in reading.operations() if operation.op not in unwanted]
    if not operations:
        operations = [Operation("neutral_grade", reading.subject)]
    if prompt_extend:
        text = f"{text.rstrip(' .,')}, {_POLISH['korean' if _HANGUL.search(text) else 'english']}"
        if all(operation.op != "polish" for operation in operations) and "polish" not in unwanted:
            operations.append(Operation("polish"))
    return Plan(tuple(operations), tuple(reading.not_understood), text)


def _clauses(found: Sequence[Token], text: str) -> Iterable[_Clause]:
    """Cut a prompt where one request ends and the next begins."""
    clause = _Clause()
    for place, token in enumerate(found):
        ahead = found[place + 1 :]
        if token.kind in {"stop", "break"} or (token.kind in {"comma", "join", "with"} and _cuts(token, clause, ahead)):
            yield clause
            clause = _Clause()
        elif token.kind == "before":
            yield clause
            clause = _Clause([token], _scope(token))
        elif token.kind == "verb" and clause.scope == "instead" and _says_something(clause.tokens[1:]):
            yield clause
            clause = _Clause([token])
        elif token.kind == "after":
            kept, covered = _covered(clause.tokens)
            yield _Clause(kept, clause.scope)
            yield _Clause([*covered, token], _scope(token))
            clause = _Clause()
        else:
            clause.tokens.append(token)
            if token.kind in {"verb", "word", "refuse"} and _CLAUSE_ENDING.search(text[token.start : token.end]):
                yield clause
                clause = _Clause()
    yield clause


def _scope(token: Token) -> Scope:
    return "refused" if token.value == "refused" else "instead" if token.value == "instead" else "honoured"


def _says_something(found: Sequence[Token]) -> bool:
    return any(token.kind not in _NOTHING_SAID for token in found)


def _cuts(token: Token, clause: _Clause, ahead: Sequence[Token]) -> bool:
    """Tell whether a comma, "and" or "with" ends the request before it."""
    following = next((other for other in ahead if other.kind not in {"definite", "join", "glue"}), None)
    if following is None:
        return True
    if following.kind == "colour" and clause.tokens and clause.tokens[-1].kind == "colour":
        return False
    if following.kind == "image" and clause.tokens and clause.tokens[-1].kind == "image":
        return False
    if token.kind == "with":
        return following.kind != "image" and not clause.scope and not any(t.kind == "refuse" for t in clause.tokens)
    if clause.scope and token.kind == "join":
        return following.kind in {"verb", "refuse"}
    return (
        token.kind == "comma"
        or following.kind not in {"word", "part"}
        or any(other.operation for other in clause.tokens)
    )


def _covered(before: Sequence[Token]) -> tuple[list[Token], list[Token]]:
    """Find what a Korean "말고" or "유지" refers to: back to where another request (수채화로) ends."""
    said = False
    for place in range(len(before) - 1, -1, -1):
        token = before[place]
        if said and token.operation and token.kind != "image":
            return list(before[: place + 1]), list(before[place + 1 :])
        said = said or token.kind not in _NOTHING_SAID
    return [], list(before)


class _Reading:
    """What has been understood so far."""

    def __init__(self, text: str, images: int) -> None:
        self._text = text
        self._images = images
        self._focus: list[int] = []
        self._drafts: list[_Draft] = []
        self._mentioned: list[int] = []
        self.not_understood: list[str] = []

    def take(self, clause: _Clause) -> None:
        """Read one clause."""
        found = _settled(clause.tokens, self._text, self._images)
        residue = [token for token in found if token.kind in {"word", "part"}]
        if clause.scope:
            if clause.scope == "refused" and residue:
                self._report(clause.tokens)
            return
        residue = _untargeted(found, residue, self._text)
        named = [token.image for token in found if token.kind == "image"]
        self._mentioned += [image for image in named if image <= self._images and image not in self._mentioned]
        drafts = self._draft(found)
        impossible = any(token.kind in {"refuse", "part"} for token in found) or _unsourced(found, drafts)
        if impossible or any(image > self._images for image in named) or (residue and _precise(drafts)):
            self._report(found)
            return
        if residue:
            for run in _runs(found, residue, self._text):
                self._report(run)
        elif not drafts and any(token.operation or token.kind == "colours" for token in found):
            self._report(found)
        self._drafts += drafts
        self._refocus(found, drafts, named)

    @property
    def subject(self) -> int:
        """The reference that is meant where none is named."""
        targets = [image for draft in self._drafts if draft.row.kind != "layout" for image in draft.images]
        sources = [draft.source for draft in self._drafts if draft.source]
        for image in (*targets, *self._mentioned):
            if image not in sources:
                return image
        return next((image for image in range(1, self._images + 1) if image not in sources), 1)

    def operations(self) -> list[Operation]:
        """Give the operations in order, each with the reference that it is for."""
        drafts = self._merged()
        targets = [image for draft in drafts if draft.row.kind != "layout" for image in draft.images]
        composed = any(draft.row.name in COMPOSITIONS for draft in drafts)
        several = list(dict.fromkeys(targets or ([] if drafts else self._mentioned)))
        if not composed and len(several) > 1:
            row = next(row for row in OPERATION_ROWS if row.name == "side_by_side")
            drafts.append(_Draft(row, sorted(several)))
            composed = True
        layout = any(draft.row.kind == "layout" for draft in drafts)
        result = [operation for draft in drafts for operation in self._resolve(draft, composed=composed, layout=layout)]
        return _colours_before_paint(result)

    def _resolve(self, draft: _Draft, *, composed: bool, layout: bool) -> Iterable[Operation]:
        operation = Operation(draft.row.name, None, draft.strength, _parameters(draft))
        if draft.row.kind == "layout":
            order = {"left": -1, "right": 1}
            chosen = sorted(draft.images, key=lambda image: order.get(draft.places.get(image, ""), 0))
            return [replace(operation, parameters={**operation.parameters, "images": chosen})]
        if draft.row.name in {"background", "inset"}:
            front = draft.images[0] if draft.images else self.subject
            if front == draft.source:
                front = 2 if draft.source == 1 else 1
            return [replace(operation, image=None if layout else front)]
        if draft.images:
            return [replace(operation, image=image) for image in draft.images]
        return [operation if composed else replace(operation, image=self.subject)]

    def _merged(self) -> list[_Draft]:
        """Join what several clauses say of one thing, and keep one layout."""
        merged: list[_Draft] = []
        for draft in self._drafts:
            twin = next((other for other in merged if _same(other, draft)), None)
            if twin is None:
                merged.append(draft)
                continue
            twin.images += [image for image in draft.images if image not in twin.images]
            twin.places.update(draft.places)
            twin.colours += draft.colours
            twin.strength = draft.strength if draft.strength != "normal" else twin.strength
        everything = list(range(1, self._images + 1))
        for draft in [draft for draft in merged if draft.row.kind == "layout"]:
            if len(draft.images) < 2:
                draft.images = list(dict.fromkeys([*draft.images, *everything]))
            first = next(other for other in merged if other.row.kind == "layout")
            if (len(draft.images) < 2 and draft.row.name != "triptych") or draft is not first:
                merged.remove(draft)
                self.not_understood.append(draft.phrase)
        return merged

    def _draft(self, found: Sequence[Token]) -> list[_Draft]:
        """Turn the operations of a clause into drafts, with their references, strengths and colours."""
        pictures = [place for place, token in enumerate(found) if token.kind == "image"]
        taken: set[int] = set()
        drafts: dict[int, _Draft] = {}
        rows = [(place, token.operation) for place, token in enumerate(found) if token.operation]
        for place, row in sorted(rows, key=lambda entry: (entry[1].kind != "source", OPERATION_ROWS.index(entry[1]))):
            twin = next((draft for draft in drafts.values() if draft.row.name == row.name), None)
            if twin and row.kind in {"source", "layout"}:
                twin.corner = twin.corner or str(row.parameters.get("corner", ""))
                _place(twin, row, found, place)
                continue
            draft = _Draft(row, [], phrase=self._phrase(found), corner=str(row.parameters.get("corner", "")))
            if row.kind == "source":
                origin = self._origin(row, place, [picture for picture in pictures if picture not in taken], found)
                if origin is None:
                    continue
                taken.add(origin)
                draft.source = found[origin].image
                others = [found[other].image for other in pictures if other not in taken]
                draft.images = [image for image in others if image != draft.source][:1]
                self._avoid_source(draft)
            elif row.kind == "layout":
                draft.images = list(dict.fromkeys(found[other].image for other in pictures if other not in taken))
                if any(token.kind == "both" for token in found):
                    draft.images = list(range(1, self._images + 1))
                elif len(draft.images) == 1 and self._focus and self._focus[0] not in draft.images:
                    draft.images = [self._focus[0], *draft.images]
                _place(draft, row, found, place)
            else:
                draft.images = self._targets(place, found, [other for other in pictures if other not in taken])
            drafts[place] = draft
        _strengths(found, drafts)
        ordered = [drafts[place] for place in sorted(drafts)]
        return ordered + self._colours(found, ordered)

    def _origin(self, row: OperationRow, at: int, pictures: list[int], found: Sequence[Token]) -> int | None:
        """Find the reference that something is taken from."""
        if self._images < 2:
            return None
        for role in row.source:
            if role == "last" and len(pictures) > 1:
                return pictures[-1]
            fitting = [place for place in pictures if found[place].role == role]
            # "blur the background of image 1" takes nothing from anywhere.
            if len(pictures) == 1 and (row.name, role) in {("colours_of", "bare"), ("background", "of")}:
                fitting = [place for place in fitting if found[place].image != 1]
            if fitting:
                return min(fitting, key=lambda place: (place > at, abs(place - at)))
        return None

    def _avoid_source(self, draft: _Draft) -> None:
        """Take another picture where an operation would take from the picture it is for."""
        if not draft.images and (not self._focus or self._focus[0] == draft.source):
            first = next(image for image in range(1, self._images + 1) if image != draft.source)
            draft.images = [first] if draft.row.name != "background" or draft.source == 1 else []
        elif not draft.images and draft.row.name == "colours_of":
            draft.images = self._focus[:1]

    def _targets(self, at: int, found: Sequence[Token], pictures: list[int]) -> list[int]:
        """Find the references that an operation is for: those before it, else those after it."""
        if any(token.kind == "both" for token in found):
            return list(range(1, self._images + 1))
        if any(token.kind == "whole" for token in found):
            return []
        others = [place for place, token in enumerate(found) if token.operation and place != at]
        start = max((place for place in others if place < at and _between(place, at, pictures)), default=-1)
        near = [found[place].image for place in pictures if start < place < at]
        end = min((place for place in others if place > at and _between(at, place, pictures)), default=len(found))
        near = near or [found[place].image for place in pictures if at < place < end]
        near = near or [found[place].image for place in pictures]
        return list(dict.fromkeys(near)) or list(self._focus)

    def _colours(self, found: Sequence[Token], drafts: list[_Draft]) -> list[_Draft]:
        """Give colour words to the operation that takes them; alone they are a tint."""
        colours = [token.value for token in found if token.kind == "colour"]
        if not colours:
            return []
        taker = next((draft for draft in drafts if draft.row.name in _TAKES_COLOURS), None)
        if taker:
            taker.colours = colours
            return []
        row = next(row for row in OPERATION_ROWS if row.name == "tint")
        pictures = [place for place, token in enumerate(found) if token.kind == "image"]
        sources = {draft.source for draft in drafts}
        free = [place for place in pictures if found[place].image not in sources]
        draft = _Draft(row, self._targets(len(found), found, free), colours=colours[:1], phrase=self._phrase(found))
        _strengths(
            [token for token in found if not token.operation or token.operation.kind != "look"], {len(found): draft}
        )
        return [draft]

    def _refocus(self, found: Sequence[Token], drafts: list[_Draft], named: list[int]) -> None:
        if any(draft.row.name in COMPOSITIONS for draft in drafts) or any(token.kind == "whole" for token in found):
            self._focus = []
            return
        targets = [image for draft in drafts for image in draft.images]
        if targets or named:
            sources = {draft.source for draft in drafts}
            self._focus = list(dict.fromkeys(targets)) or [image for image in named if image not in sources]

    def _phrase(self, found: Sequence[Token]) -> str:
        return self._text[found[0].start : found[-1].end].strip() if found else ""

    def _report(self, found: Sequence[Token]) -> None:
        trimmed = list(found)
        while trimmed and trimmed[0].kind in {"join", "comma"}:
            trimmed.pop(0)
        phrase = self._phrase(trimmed)
        if phrase and phrase not in self.not_understood:
            self.not_understood.append(phrase)


def _colours_before_paint(operations: list[Operation]) -> list[Operation]:
    """Move borrowed colours ahead of paint: they are for the picture, not for the paper it is painted on."""
    result: list[Operation] = []
    for operation in operations:
        place = len(result)
        if operation.op == "colours_of":
            painted = (other for other in result if other.op in PAINTS and other.image == operation.image)
            place = next((result.index(other) for other in painted), place)
        result.insert(place, operation)
    return result


def _same(one: _Draft, other: _Draft) -> bool:
    if one.row.name != other.row.name:
        return False
    return one.row.kind == "layout" or (one.images == other.images and one.source == other.source)


def _between(low: int, high: int, pictures: Sequence[int]) -> bool:
    return any(low < place < high for place in pictures)


def _unsourced(found: Sequence[Token], drafts: Sequence[_Draft]) -> bool:
    """Tell whether a clause speaks of a background that no reference gives."""
    drawn = {draft.row.name for draft in drafts} | {"colours_of"}
    return any(
        token.operation and token.operation.kind == "source" and token.operation.name not in drawn for token in found
    )


def _precise(drafts: Sequence[_Draft]) -> bool:
    """Tell whether a clause with words nobody knows may mean only a part of the picture."""
    return not drafts or any(draft.row.kind == "adjustment" for draft in drafts)


def _settled(found: Sequence[Token], text: str, images: int) -> list[Token]:
    """Decide what the words that have two sides mean beside their neighbours."""
    result = list(found)
    pictured = any(token.kind == "image" for token in found)
    for place in range(len(result) - 1, -1, -1):
        before = result[place - 1].kind if place else ""
        after = result[place + 1].kind if place + 1 < len(result) else ""
        kind = _kind(result[place], before, after, text)
        row = result[place].operation
        if kind == "operation" and row and row.kind == "source" and (not pictured or images < 2):
            kind = "colours" if row.name == "colours_of" else "part"
        elif kind == "operation" and row and {"place", "corner"} & set(row.parameters) and not pictured:
            kind = "word"
        result[place] = replace(result[place], kind=kind)
    return result


def _kind(token: Token, before: str, after: str, text: str) -> str:
    last = text[token.end - 1]
    if token.kind in {"operation", "colour"} and after in {"word", "part"}:
        # "neon sign" asks for a sign. A Korean look that ends like a verb (비가 오는) sets the scene for what follows.
        scene = token.operation and token.operation.kind == "look" and last in "는낀"
        return token.kind if scene else "word"
    if token.kind in {"manner", "link"}:
        manner = after == "image" or (token.kind == "manner" and before == "image")
        return "refuse" if manner else "glue" if token.kind == "manner" else "link"
    if token.kind == "only":
        return "part" if after in {"word", "definite", "part"} else "glue"
    return "part" if token.kind == "word" and last == "만" else token.kind


def _untargeted(found: Sequence[Token], residue: list[Token], text: str) -> list[Token]:
    """Leave out the words that only name what is already in the picture: "turn the cat into …", "… of the cat"."""
    looks = [place for place, token in enumerate(found) if token.operation and token.operation.kind == "look"]
    if not looks:
        return residue
    return [
        token
        for run in _runs(found, residue, text)
        for token in run
        if token in residue and not _is_target(run, found, looks, text)
    ]


def _is_target(run: Sequence[Token], found: Sequence[Token], looks: Sequence[int], text: str) -> bool:
    if any(token.kind == "part" for token in run):
        return False
    start, end = found.index(run[0]), found.index(run[-1])
    words = [token for token in run if token.kind == "word"]
    if text[words[-1].end - 1] in "을를" and any(place > end for place in looks):
        return True
    if found[max(found.index(words[0]) - 1, 0)].kind != "definite":
        return False
    verb = next((token.value for token in found[: found.index(words[0])] if token.kind == "verb"), "")
    ahead = found[end + 1 : max((place for place in looks if place > end), default=end + 1)]
    if verb in {"turn", "make"} and any(place > end for place in looks):
        return any(token.kind == "link" or token.value == "to" for token in ahead) or not ahead
    return any(token.value == "of" for token in run) or (start > 0 and found[start - 1].value == "of")


def _runs(found: Sequence[Token], residue: Sequence[Token], text: str) -> list[list[Token]]:
    """Collect the unknown words with the small words around them, as the person wrote them."""
    runs: list[list[Token]] = []
    run: list[Token] = []
    for token in [*found, None]:
        if token is not None and (token in residue or token.kind in {"glue", "definite", "verb", "colour", "colours"}):
            run.append(token)
            continue
        if any(other in residue for other in run):
            while run[-1] not in residue:
                run.pop()
            # Two small words may lead in English ("on the roof"), none in Korean.
            lead = next(place for place, token in enumerate(run) if token in residue)
            run = run[lead if _HANGUL.match(text, run[0].start) else max(0, lead - 2) :]
            runs.append(run)
        run = []
    return runs


def _place(draft: _Draft, row: OperationRow, found: Sequence[Token], at: int) -> None:
    """Note that a picture is to stand on the left or on the right."""
    side = str(row.parameters.get("place", ""))
    images = [place for place, token in enumerate(found) if token.kind == "image"]
    if side and images:
        nearest = min(images, key=lambda place: (place > at, abs(place - at)))
        draft.places[found[nearest].image] = side


def _strengths(found: Sequence[Token], drafts: dict[int, _Draft]) -> None:
    """Give each "slightly" and "very" to the operation that follows it, else to the one before it."""
    for place, token in enumerate(found):
        if token.kind == "strength" and drafts:
            nearest = min(drafts, key=lambda other: (other < place, abs(other - place)))
            drafts[nearest].strength = "slight" if token.value == "slight" else "strong"


def _parameters(draft: _Draft) -> dict[str, object]:
    parameters: dict[str, object] = {}
    if draft.source:
        parameters["source"] = draft.source
    if draft.row.name == "inset":
        parameters["corner"] = draft.corner or "bottom_right"
    if draft.colours and draft.row.name == "tint":
        parameters["colour"] = draft.colours[0]
    elif draft.colours:
        parameters["colours"] = list(dict.fromkeys(draft.colours))
    return parameters
