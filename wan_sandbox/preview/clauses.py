"""Where one request of a prompt ends and the next begins, and what its words mean beside each other."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from wan_sandbox.preview.vocabulary import ADJECTIVES, ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wan_sandbox.preview.lexer import Token

Scope = Literal["", "honoured", "refused", "instead"]
"""What holds for all of a clause: nothing; not to be done; not to be there; another thing to be done."""

_SCOPES: dict[str, Scope] = {"honoured": "honoured", "refused": "refused", "instead": "instead"}
_ENDING = re.compile(r"[가-힣](?:고|며|면서|지만)$|(?:て|で|つつ|ながら|けど|けれど)$")
_OPPOSITES = {
    "brighter": "darker",
    "more_contrast": "less_contrast",
    "more_saturated": "less_saturated",
    "blur": "sharpen",
}
_SUBSTANCE = {"operation", "image", "both", "colour", "word", "part", "refuse"}


@dataclass
class Clause:
    """A stretch of the prompt that asks for one thing; under a scope it asks not to."""

    tokens: list[Token] = field(default_factory=list)
    scope: Scope = ""


def clauses(found: Sequence[Token], text: str, images: int) -> Iterator[Clause]:
    """Cut a prompt into its requests, and settle what their words mean."""
    for clause in _cut(found, text):
        yield Clause(_settled(clause.tokens, text, images), clause.scope)


def _cut(found: Sequence[Token], text: str) -> Iterator[Clause]:
    clause = Clause()
    for place, token in enumerate(found):
        if token.kind in {"stop", "break"} or _parts(token, clause, found[place + 1 :]):
            yield clause
            clause = Clause()
        elif token.kind == "before":
            yield clause
            clause = Clause([token], _SCOPES[token.value])
        elif token.kind == "verb" and clause.scope == "instead" and _has_substance(clause.tokens):
            yield clause
            clause = Clause([token])
        elif token.kind == "after":
            kept, covered = _covered(clause.tokens)
            yield Clause(kept, clause.scope)
            yield Clause([*covered, token], _SCOPES[token.value])
            clause = Clause()
        else:
            clause.tokens.append(token)
            if token.kind in {"verb", "word", "refuse", "lower", "operation"} and _ends(token, text):
                yield clause
                clause = Clause()
    yield clause


def _ends(token: Token, text: str) -> bool:
    """Tell whether a verb says that another request follows. 鉛筆立てを is a noun."""
    return bool(_ENDING.search(text[token.start : token.end])) and text[token.end : token.end + 1] != "を"


def _parts(token: Token, clause: Clause, ahead: Sequence[Token]) -> bool:
    """Tell whether a comma, "and" or "with" ends the request before it."""
    if token.kind not in {"comma", "join", "with"}:
        return False
    following = next((other for other in ahead if other.kind not in {"definite", "join", "glue"}), None)
    if following is None:
        return True
    alike = clause.tokens and clause.tokens[-1].kind == following.kind and following.kind in {"colour", "image"}
    if alike or (token.kind == "join" and following.role == "like"):
        return False
    if token.kind == "with":
        return following.kind != "image" and not clause.scope and not _refuses(clause.tokens)
    if clause.scope and token.kind == "join":
        return following.kind in {"verb", "refuse"}
    complete = any(other.operation for other in clause.tokens)
    return complete or token.kind == "comma" or following.kind not in {"word", "part"}


def _refuses(found: Sequence[Token]) -> bool:
    return any(token.kind == "refuse" for token in found)


def _has_substance(found: Sequence[Token]) -> bool:
    return any(token.kind in _SUBSTANCE for token in found)


def _covered(before: Sequence[Token]) -> tuple[list[Token], list[Token]]:
    """Find what a Korean "말고" or "유지" refers to: back to where another request (수채화로) ends."""
    for place in range(len(before) - 1, -1, -1):
        if before[place].operation and _has_substance(before[place + 1 :]):
            return list(before[: place + 1]), list(before[place + 1 :])
    return [], list(before)


def _settled(found: Sequence[Token], text: str, images: int) -> list[Token]:
    """Decide what the words that have two sides mean beside their neighbours."""
    result = _lowered(found)
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


def _lowered(found: Sequence[Token]) -> list[Token]:
    """Turn "the brightness" beside "lower" into what makes it darker."""
    result = list(found)
    steps = {"glue", "strength", "definite", "whole"}
    for place, token in enumerate(found):
        if token.kind == "lower":
            after = next((at for at in range(place + 1, len(found)) if found[at].kind not in steps), place)
            before = next((at for at in range(place - 1, -1, -1) if found[at].kind not in steps), place)
            for at in (after, before):
                row = result[at].operation
                if row and row.name in _OPPOSITES:
                    result[at] = replace(result[at], row=ROWS[_OPPOSITES[row.name]])
                    break
                if row and row.name not in _OPPOSITES.values():
                    result[place] = replace(token, kind="refuse")
    return result


def _kind(token: Token, before: str, after: str, text: str) -> str:
    last = text[token.end - 1]
    if token.kind in {"operation", "colour"} and after in {"word", "part"}:
        # "neon sign" asks for a sign. A Korean look that ends like a verb (비가 오는) sets the scene for what follows.
        written = text[token.start : token.end].lower()
        scene = token.operation and token.operation.kind == "look" and (last in "는낀" or written in ADJECTIVES)
        return token.kind if scene else "word"
    if token.kind in {"manner", "link"}:
        manner = after == "image" or (token.kind == "manner" and before == "image")
        return "refuse" if manner else "glue" if token.kind == "manner" else "link"
    if token.kind == "only":
        return "part" if after in {"word", "definite", "part"} or before in {"word", "part"} else "glue"
    return "part" if token.kind == "word" and last == "만" else token.kind
