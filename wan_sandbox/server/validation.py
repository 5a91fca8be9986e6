"""A request body → the checked inputs, or every reason why it is refused."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from wan_sandbox.server import schema
from wan_sandbox.server.replies import Problem, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

_PYTHON_TYPES: Final[dict[str, type]] = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "array": list,
}


@dataclass(frozen=True, slots=True)
class SubmitInputs:
    """The inputs of one job, defaults filled in; pictures are URIs, or paths on this server once they are kept."""

    prompt: str
    image_urls: tuple[str, ...]
    negative_prompt: str
    image_size: str
    seed: int
    prompt_extend: bool

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the result."""
        return schema.pixels(self.image_size)


def read(body: bytes) -> SubmitInputs:
    """Parse and check a request body, except for the pictures themselves.

    Raises:
        Refused: Something is wrong; it lists everything that is.
    """
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused.invalid([Problem(("body",), "json_invalid")]) from None
    if not isinstance(sent, dict):
        raise Refused.invalid([Problem(("body",), "object_type")])
    problems = [problem for name in schema.field_names() for problem in _check(name, sent)]
    if problems:
        raise Refused.invalid(problems)
    values = {name: sent.get(name, schema.default(name)) for name in schema.field_names()}
    return SubmitInputs(**{**values, "image_urls": tuple(values["image_urls"])})


def broken_rules(
    name: str, measure: str, measured: float, loc: tuple[str | int, ...], *, of_items: bool = False
) -> Iterator[Problem]:
    """Yield a problem for each rule of an input that a measured value breaks."""
    for rule in schema.rules(name, of_items=of_items):
        if rule.measure == measure and not rule.allows(measured):
            values = {"message": rule.message, "rule": rule.text, "measured": measured}
            yield Problem(loc, "rule", values)


def _check(name: str, sent: dict[str, Any]) -> Iterator[Problem]:
    loc = ("input", name)
    if name not in sent:
        if name in schema.required():
            yield Problem(loc, "missing")
        return
    value, kind = sent[name], schema.kind(name)
    if not _is_a(value, kind):
        yield Problem(loc, f"{kind}_type")
    elif isinstance(value, list):
        yield from broken_rules(name, "item_count", len(value), loc)
        for index, item in enumerate(value):
            yield from _check_text(item, (*loc, index))
    elif isinstance(value, str):
        yield from _check_text(value, loc)
        choices = schema.choices(name)
        if choices and value not in choices:
            yield Problem(loc, "enum", {"choices": ", ".join(choices)})
        # A text of blanks alone counts as empty.
        yield from broken_rules(name, "length", len(value) if value.strip() else 0, loc)
    else:
        yield from broken_rules(name, "value", value, loc)


def _check_text(value: Any, loc: tuple[str | int, ...]) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield Problem(loc, "string_type")
        return
    try:
        value.encode()
    except UnicodeEncodeError:
        # JSON can spell lone surrogates, which no encoding can carry on.
        yield Problem(loc, "string_unicode")


def _is_a(value: Any, kind: str) -> bool:
    # In Python a bool is an int; in JSON it is not.
    return isinstance(value, _PYTHON_TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
