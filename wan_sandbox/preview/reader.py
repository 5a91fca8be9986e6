"""From an instruction, in English, Korean, Japanese or Chinese, to a plan."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING

from wan_sandbox.preview.clauses import Clause, clauses
from wan_sandbox.preview.drafts import Draft, Drafting
from wan_sandbox.preview.leftovers import leftovers
from wan_sandbox.preview.lexer import Token, tokens
from wan_sandbox.preview.plan import COMPOSITIONS, LOSES_COLOUR, PAINTS, TAKES_COLOUR, Operation, Plan
from wan_sandbox.preview.vocabulary import ROWS

if TYPE_CHECKING:
    from collections.abc import Sequence

_POLISH = {
    "english": "balanced light, clear detail, gentle contrast",
    "korean": "균형 잡힌 빛, 또렷한 디테일, 은은한 대비",
    "japanese": "バランスの取れた光、くっきりしたディテール、やわらかなコントラスト",
    "chinese": "光线均衡，细节清晰，对比柔和",
}
_SCRIPTS = (("korean", re.compile("[가-힣]")), ("japanese", re.compile("[ぁ-ヺ]")), ("chinese", re.compile("[一-鿿]")))
_SILENT = {"join", "comma", "stop", "polite", "break"}
_VAGUE = re.compile(
    r"(?P<pencil_sketch>\bdraw\w*|描いて)|(?P<comic>\billustrat\w*|일러스트|イラスト|插[画图]|插畫)"
    r"|(?P<oil_painting>\b(?:re)?paint\w*|그림(?!체)|絵|绘画|繪畫)",
    re.IGNORECASE,
)
_SIDES = {"left": -1, "right": 1}


def read(prompt: str, *, images: int, negative_prompt: str = "", prompt_extend: bool = True) -> Plan:
    """Understand an instruction about one to three references.

    Args:
        prompt: The instruction, in English, Korean, Japanese or Chinese, or in several of them.
        images: How many references there are.
        negative_prompt: What is not wanted: operations named here are left out.
        prompt_extend: Whether to add the polish: a short phrase to the prompt, and the operation of that name.
    """
    text = unicodedata.normalize("NFC", prompt).strip()
    if len(text) > 1 and text[0] + text[-1] in {'""', "“”", "「」"}:
        text = text[1:-1]
    reading = _Reading(text, images)
    for clause in clauses(tokens(text), text, images):
        reading.take(clause)
    unwanted = {token.operation.name for token in tokens(negative_prompt) if token.operation}
    operations = [operation for operation in reading.operations() if operation.op not in unwanted]
    if not operations:
        operations = [Operation("neutral_grade", reading.subject)]
    if prompt_extend:
        language = next((name for name, script in _SCRIPTS if script.search(text)), "english")
        comma = {"japanese": "、", "chinese": "，"}.get(language, ", ")
        text = f"{text.rstrip(' .,。，、')}{comma}{_POLISH[language]}".lstrip(", ")
        if all(operation.op != "polish" for operation in operations) and "polish" not in unwanted:
            operations.append(Operation("polish"))
    return Plan(tuple(operations), tuple(reading.not_understood), text)


class _Reading:
    """What has been understood so far."""

    def __init__(self, text: str, images: int) -> None:
        self._text = text
        self._images = images
        self._focus: list[int] = []
        self._drafts: list[Draft] = []
        self._mentioned: list[int] = []
        self._asked = False
        self._kept: Sequence[Token] = ()
        self.not_understood: list[str] = []

    def take(self, clause: Clause) -> None:
        """Read one clause."""
        found = clause.tokens
        self._asked = self._asked or (not clause.scope and any(token.kind not in _SILENT for token in found))
        if clause.scope == "honoured" and _names_colours(found):
            self._kept = found
        if clause.scope:
            if clause.scope == "refused" and leftovers(found, self._text):
                self._report(found)
            return
        named = [token.image for token in found if token.kind == "image"]
        self._mentioned += [image for image in named if image <= self._images and image not in self._mentioned]
        drafts = Drafting(found, self._images, self._focus).drafts()
        runs = leftovers(found, self._text)
        if any(image > self._images for image in named) or _impossible(found, drafts) or (runs and _precise(drafts)):
            self._report(found)
            return
        for run in runs:
            self._report(run)
        if not drafts and any(token.operation or token.kind == "colours" for token in found):
            self._report(found)
        for draft in drafts:
            draft.phrase = self._phrase(found)
            draft.in_colour = draft.row.name in TAKES_COLOUR and _names_colours(found)
        self._drafts += drafts
        self._refocus(found, drafts, named)

    @property
    def subject(self) -> int:
        """The reference that is meant where none is named."""
        sources = {draft.source for draft in self._drafts}
        return next(
            (image for image in (*self._targets(), *self._mentioned) if image not in sources), self._other(sources)
        )

    def operations(self) -> list[Operation]:
        """Give the operations in order, each with the reference that it is for."""
        self._merge()
        self._keep_colours()
        if not self._drafts and not self.not_understood and self._asked:
            self._guess()
        several = list(dict.fromkeys(self._targets() or ([] if self._drafts else self._mentioned)))
        if not any(draft.row.name in COMPOSITIONS for draft in self._drafts) and len(several) > 1:
            self._drafts.append(Draft(ROWS["side_by_side"], sorted(several)))
        return _colours_before_paint([operation for draft in self._drafts for operation in self._resolved(draft)])

    def _targets(self) -> list[int]:
        return [image for draft in self._drafts if draft.row.kind != "layout" for image in draft.images]

    def _other(self, sources: set[int]) -> int:
        return next((image for image in range(1, self._images + 1) if image not in sources), 1)

    def _resolved(self, draft: Draft) -> list[Operation]:
        operation = Operation(draft.row.name, None, draft.strength, draft.parameters())
        composed = any(other.row.name in COMPOSITIONS for other in self._drafts)
        if draft.row.kind == "layout":
            order = sorted(draft.images, key=lambda image: _SIDES.get(draft.places.get(image, ""), 0))
            return [replace(operation, parameters={**operation.parameters, "images": order})]
        if draft.row.name in {"background", "inset"}:
            if any(other.row.kind == "layout" for other in self._drafts):
                return [operation]
            front = (draft.images or [self.subject])[0]
            return [replace(operation, image=self._other({draft.source}) if front == draft.source else front)]
        if draft.images:
            return [replace(operation, image=image) for image in draft.images]
        return [operation if composed else replace(operation, image=self.subject)]

    def _merge(self) -> None:
        """Join what several clauses say of one thing, and keep one layout."""
        merged: list[Draft] = []
        for draft in self._drafts:
            twin = next((other for other in merged if other.same_as(draft)), None)
            if twin is None:
                merged.append(draft)
                continue
            twin.images += [image for image in draft.images if image not in twin.images]
            twin.places.update(draft.places)
            twin.colours += draft.colours
            twin.strength = draft.strength if draft.strength != "normal" else twin.strength
        layouts = [draft for draft in merged if draft.row.kind == "layout"]
        for place, draft in enumerate(layouts):
            if len(draft.images) < 2:
                draft.images = list(dict.fromkeys([*draft.images, *range(1, self._images + 1)]))
            if place or (len(draft.images) < 2 and draft.row.name != "triptych"):
                merged.remove(draft)
                self.not_understood.append(draft.phrase)
        self._drafts = merged

    def _keep_colours(self) -> None:
        """Draw in the picture's own colours what can be; say so where a look takes them away."""
        if not self._kept:
            return
        for draft in self._drafts:
            draft.in_colour = draft.row.name in TAKES_COLOUR
        if any(draft.row.name in LOSES_COLOUR for draft in self._drafts):
            self._report(self._kept)

    def _guess(self) -> None:
        """Give "a drawing" of no named kind the look that comes closest; say so where there is none."""
        word = _VAGUE.search(self._text)
        if word and word.lastgroup:
            self._drafts.append(Draft(ROWS[word.lastgroup], [], phrase=self._text))
        else:
            self.not_understood.append(self._text)

    def _refocus(self, found: Sequence[Token], drafts: Sequence[Draft], named: Sequence[int]) -> None:
        """Note what "it" is from here on."""
        if any(draft.row.name in COMPOSITIONS for draft in drafts) or any(token.kind == "whole" for token in found):
            self._focus = []
        elif drafts or named:
            sources = {draft.source for draft in drafts}
            targets = list(dict.fromkeys(image for draft in drafts for image in draft.images))
            self._focus = targets or [image for image in named if image not in sources] or self._focus

    def _phrase(self, found: Sequence[Token]) -> str:
        return self._text[found[0].start : found[-1].end].strip()

    def _report(self, found: Sequence[Token]) -> None:
        start = next(place for place, token in enumerate(found) if token.kind not in _SILENT)
        phrase = self._phrase(found[start:])
        if phrase not in self.not_understood:
            self.not_understood.append(phrase)


def _names_colours(found: Sequence[Token]) -> bool:
    named = any(token.kind == "image" for token in found)
    return not named and any(token.kind == "colours" for token in found)


def _impossible(found: Sequence[Token], drafts: Sequence[Draft]) -> bool:
    """Tell whether a clause asks for what no whole-picture operation does, or for a background that nothing gives."""
    drawn = {draft.row.name for draft in drafts} | {"colours_of"}
    sources = {token.operation.name for token in found if token.operation and token.operation.kind == "source"}
    return bool(sources - drawn) or any(token.kind in {"refuse", "part"} for token in found)


def _precise(drafts: Sequence[Draft]) -> bool:
    """Tell whether a clause with words nobody knows may mean only a part of the picture."""
    return not drafts or any(draft.row.kind == "adjustment" for draft in drafts)


def _colours_before_paint(operations: Sequence[Operation]) -> list[Operation]:
    """Move borrowed colours ahead of paint: they are for the picture, not for the paper it is painted on."""
    result: list[Operation] = []
    for operation in operations:
        place = len(result)
        if operation.op == "colours_of":
            painted = (other for other in result if other.op in PAINTS and other.image == operation.image)
            place = next((result.index(other) for other in painted), place)
        result.insert(place, operation)
    return result
