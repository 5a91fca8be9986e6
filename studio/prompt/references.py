"""The reference check: whether the pictures that the prompt names are those in the slots, with fixes by one click."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Literal

from studio.i18n.texts import DEFAULT_LANGUAGE, Texts, translations
from studio.views.render import render
from wan_client.mentions import READ_MAX, Mention, language_of, mentions, mismatch, renumber
from wan_client.schema import IMAGES_MAX, PROMPT_MAX, count_characters

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Finding", "Fix", "Mention", "check", "findings_html", "language_of", "mentions", "renumber"]


@dataclass(frozen=True)
class Fix:
    """What one click would do, as data.

    Attributes:
        code: `rename` (the prompt names another picture), `append` (a sentence that names the picture) or `close_gap`.
        number: The picture that the prompt will name, or the first empty slot.
        prompt: The new prompt; None leaves it.
        move: For each slot, the number of the slot whose picture it gets; None leaves them. (2, 1, 3) swaps two.
    """

    code: Literal["rename", "append", "close_gap"]
    number: int
    prompt: str | None = None
    move: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Finding:
    """A probable mistake in the prompt or the slots.

    Attributes:
        code: `missing` (the prompt names a picture that is not there), `unnamed` (a picture is there that the prompt
            never names) or `gap` (an empty slot before a filled one).
        number: Of the picture, or of the empty slot.
        fixes: What one click can do about it.
    """

    code: Literal["missing", "unnamed", "gap"]
    number: int
    fixes: tuple[Fix, ...] = ()


def check(prompt: str, filled: Sequence[bool]) -> tuple[Finding, ...]:
    """Find pictures and names that do not agree. A gap is found alone; no picture or no prompt, no finding.

    Args:
        prompt: As it stands.
        filled: For each slot, whether a picture is there.
    """
    there = [number for number, is_filled in enumerate(filled, 1) if is_filled]
    if there != list(range(1, len(there) + 1)):
        return (_gap(prompt, there, len(filled)),)
    if not there or not prompt.strip() or len(prompt) > READ_MAX:
        return ()
    named = {mention.number for mention in mentions(prompt)}
    found = mismatch(prompt, len(there))
    idle = [number for number in there if number not in named]
    if len(found.missing) == len(idle) == 1:
        # Most likely the prompt means the unnamed picture by the missing one's number.
        changed = renumber(prompt, {found.missing[0]: idle[0]})
        if changed != prompt:
            return (Finding("missing", found.missing[0], (Fix("rename", idle[0], changed),)),)
    return (
        *(Finding("missing", number) for number in found.missing),
        *(Finding("unnamed", number, _append(prompt, number)) for number in found.unnamed),
    )


def _gap(prompt: str, there: list[int], slots: int) -> Finding:
    """Return the gap, whose fix moves pictures forward, and numbers in the prompt too unless it ignores the gap."""
    move = (*there, *(number for number in range(1, slots + 1) if number not in there))
    mapping = {old: new for new, old in enumerate(move, 1)}
    named = {mention.number for mention in mentions(prompt)}
    follows = any(mapping[number] != number for number in there if number in named)
    first_empty = next(number for number in range(1, slots + 1) if number not in there)
    changed = renumber(prompt, mapping) if follows else prompt
    return Finding("gap", first_empty, (Fix("close_gap", first_empty, None if changed == prompt else changed, move),))


def _append(prompt: str, number: int) -> tuple[Fix, ...]:
    language = language_of(prompt)
    spaced = language in {"en", "ko"}
    texts = Texts(language if language in translations() else DEFAULT_LANGUAGE)
    text = prompt.rstrip()
    stop = "" if not text[-1].isalnum() else "." if spaced else "。"
    phrase = texts("reference.phrase.base" if number == 1 else "reference.phrase", number=number)
    changed = f"{text}{stop}{' ' if spaced else ''}{phrase}"
    return () if count_characters(changed) > PROMPT_MAX else (Fix("append", number, changed),)


def findings_html(texts: Texts, findings: Sequence[Finding]) -> str:
    """Render the findings with their buttons.

    Each fix has ``data-fix``, its place among the fixes of all findings; a picture that is missing can be added as
    well, by ``data-choose``, the number of its slot.
    """
    if not findings:
        return ""
    places = count()
    shown = []
    for finding in findings:
        code = "too_many" if finding.number > IMAGES_MAX else finding.code
        shown.append(
            {
                "number": finding.number,
                "words": texts(f"reference.{code}", number=finding.number, limit=IMAGES_MAX),
                "choose": texts("reference.fix.add", number=finding.number) if code == "missing" else None,
                "corrections": [
                    (next(places), texts(f"reference.fix.{fix.code}", number=fix.number)) for fix in finding.fixes
                ],
            }
        )
    return render("references", findings=shown)
