"""Cut a prompt's tokens into its requests, and settle what their words mean beside each other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from wan_sandbox.preview.plan import LOOKS, OPERATIONS, OPPOSITES
from wan_sandbox.preview.reader.lexer import CLAUSE_ENDING, SCENES, Row, Token

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

VERBS = {"turn", "make", "do"}
GLUE = {"small", "the", "of", "like", "using", "object", "let", "to"}
# A request of more tokens is cut, so that reading takes time in proportion to the length.
_LONGEST = 60


def clauses(found: Sequence[Token], text: str, images: int) -> Iterator[tuple[list[Token], str]]:
    """Cut a prompt into its requests, each with the word for what holds of all of it: keep, without, instead of."""
    for clause, scope in _cut(found, text):
        if clause:
            yield _settled(clause, text, images), scope


def _cut(found: Sequence[Token], text: str) -> Iterator[tuple[list[Token], str]]:
    clause: list[Token] = []
    scope = ""
    for place, token in enumerate(found):
        following = next((other for other in found[place + 1 : place + 9] if other.kind not in {*GLUE, "and"}), None)
        ends = token.kind in {"stop", "then"} or _parts(token, clause, scope, following)
        opens = token.kind.removesuffix(" …") if token.kind.endswith(" …") else ""
        turns = scope == "instead of" and token.kind in VERBS and _has_substance(clause)
        if ends or opens or turns or len(clause) == _LONGEST:
            yield clause, scope
            clause, scope = [] if ends else [token], opens
        elif token.kind.startswith("… "):
            # What a "말고" or "そのまま" covers begins where another request (수채화로) ends.
            requests = (at + 1 for at, other in enumerate(clause) if other.kind in OPERATIONS)
            split = max((at for at in requests if _has_substance(clause[at:])), default=0)
            yield clause[:split], scope
            yield [*clause[split:], token], token.kind.removeprefix("… ")
            clause, scope = [], ""
        else:
            clause.append(token)
            # A Korean or Japanese verb says that another request follows; 鉛筆立てを is a noun.
            may_end = token.kind in {*VERBS, *OPERATIONS, "word", "cannot", "lower"} and not text.startswith(
                "を", token.end
            )
            if may_end and CLAUSE_ENDING.search(text[max(token.start, token.end - 4) : token.end]):
                yield clause, scope
                clause, scope = [], ""
    yield clause, scope


def _parts(token: Token, clause: Sequence[Token], scope: str, following: Token | None) -> bool:
    """Return whether a comma, "and" or "with" ends the request before it."""
    if token.kind not in {"comma", "and", "with"} or following is None:
        return token.kind in {"comma", "and", "with"}
    is_listed = clause and clause[-1].kind == following.kind and following.kind in {"colour", "image"}
    if is_listed or (token.kind == "and" and following.role == "like"):
        return False
    if token.kind == "with":
        return following.kind != "image" and not scope and all(other.kind != "cannot" for other in clause)
    if scope and token.kind == "and":
        return following.kind in {*VERBS, "cannot"}
    is_complete = any(other.kind in OPERATIONS for other in clause)
    return is_complete or token.kind == "comma" or following.kind not in {"word", "part"}


def _has_substance(found: Sequence[Token]) -> bool:
    return any(token.kind in {*OPERATIONS, "image", "colour", "word", "part", "cannot"} for token in found)


def _settled(found: Sequence[Token], text: str, images: int) -> list[Token]:
    """Decide what the words that have two sides mean beside their neighbours."""
    result = list(found)
    kinds = {token.kind for token in found}
    for place in range(len(result) - 1, -1, -1):
        before = result[place - 1].kind if place else ""
        after = result[place + 1].kind if place + 1 < len(result) else ""
        row = _row(result[place], before, after, text)
        if "lower" in kinds and row.kind in OPERATIONS:
            # What has no opposite cannot be lowered.
            row = Row(OPPOSITES.get(row.kind, row.kind if row.kind in OPPOSITES.values() else "cannot"))
        elif row.roles and ("image" not in kinds or images < 2):
            row = Row("colours" if row.kind == "colours_of" else "part")
        elif {"place", "corner"} & set(row.parameters) and "image" not in kinds:
            row = Row("word")
        result[place] = replace(result[place], row=row)
    return result


def _row(token: Token, before: str, after: str, text: str) -> Row:
    if token.kind in {*OPERATIONS, "colour"} and after in {"word", "part"}:
        # "neon sign" asks for a sign. A Korean look that ends like a verb (비가 오는) sets the scene for what follows.
        written = text[token.start : token.end].lower()
        is_scene = token.kind in LOOKS and (written[-1] in "는낀" or written in SCENES)
        return token.row if is_scene else Row("word")
    if token.kind in {"style", "link"} and (after == "image" or (token.kind == "style" and before == "image")):
        # The style of a picture cannot be borrowed; that of a comic can.
        return Row("cannot")
    return Row("part") if token.kind == "word" and text[token.end - 1] == "만" else token.row
