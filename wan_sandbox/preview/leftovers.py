"""The words of a clause that no operation accounts for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wan_sandbox.preview.lexer import Token

_UNKNOWN = {"word", "part"}
_SMALL = {"glue", "definite", "verb", "lower", "colour", "colours"}
_EAST_ASIAN = re.compile("[가-힣ぁ-ヺ一-鿿]")


def leftovers(found: Sequence[Token], text: str) -> list[list[Token]]:
    """Collect the unknown words with the small words around them, as the person wrote them.

    Words that only name what is already in the picture are left out: "turn the cat into …", "… of the cat".
    """
    looks = [place for place, token in enumerate(found) if token.operation and token.operation.kind == "look"]
    result: list[list[Token]] = []
    start = 0
    while start < len(found):
        end = start
        while end < len(found) and found[end].kind in _UNKNOWN | _SMALL:
            end += 1
        unknown = [place for place in range(start, end) if found[place].kind in _UNKNOWN]
        if unknown and not _in_the_picture(found, unknown, looks, text):
            # Two small words may lead in English ("on the roof"), none in the others.
            lead = 0 if _EAST_ASIAN.match(text, found[unknown[0]].start) else 2
            result.append(list(found[max(start, unknown[0] - lead) : unknown[-1] + 1]))
        start = end + 1
    return result


def _in_the_picture(found: Sequence[Token], unknown: Sequence[int], looks: Sequence[int], text: str) -> bool:
    first, last = unknown[0], unknown[-1]
    if not looks or any(found[place].kind == "part" for place in unknown):
        return False
    later = [place for place in looks if place > last]
    if later and (text[found[last].end - 1] in "을를" or text[found[last].end : found[last].end + 1] == "を"):
        return True
    if later and _changed(found[:first]) and not any(token.value for token in found[first : last + 1]):
        return True
    if first == 0 or found[first - 1].kind != "definite":
        return False
    if first > 1 and found[first - 2].value == "of":
        return True
    verb = next((token.value for token in found[:first] if token.kind == "verb"), "")
    between = found[last + 1 : max(later, default=0)]
    # "turn the cat into a …", "make my cat a …"
    article = all(token.kind == "glue" and not token.value for token in between)
    linked = article or any(token.kind == "link" or token.value == "to" for token in between)
    return bool(later) and verb in {"turn", "make"} and linked


def _changed(before: Sequence[Token]) -> bool:
    """Tell whether what follows is said to be turned into something: 把猫…, 让图1中的猫…."""
    small = [
        token for token in before if token.kind not in {"image", "definite"} and (token.value or token.kind != "glue")
    ]
    return [token.value for token in small] in (["object"], ["let"])
