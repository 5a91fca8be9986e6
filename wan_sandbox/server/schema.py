"""The vendor's side of the contract: the input schema as served, and the rules read from it.

No limit of the model is written anywhere else in the sandbox.
"""

from __future__ import annotations

import json
import operator
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Language = str
"""``en`` or ``ko``."""

MODEL_ID: Final = "wan-ai/wan-2-6/image-to-image"
DISPLAY_NAME: Final = "Wan 2.6 Image-to-Image"

_RULE = re.compile(r"(\w+)\s*(<=|>=|<|>)\s*(\d+)")
_SIZE = re.compile(r"(\d+)\*(\d+) ")
_COMPARE: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of ``validations``: a measure, a comparison and a number, with the text beside it."""

    measure: str
    sign: str
    limit: int
    text: str
    message: Mapping[Language, str]

    def allows(self, measured: float) -> bool:
        """Return whether a measured value passes; the comparison is strict where the sign is."""
        return _COMPARE[self.sign](measured, self.limit)


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(Path(__file__).with_name("input_schema.json").read_text(encoding="utf-8"))
    return document


def _localised(node: Any, language: Language) -> Any:
    if isinstance(node, dict):
        if node.keys() == {"en", "ko"}:
            return node[language]
        return {key: _localised(value, language) for key, value in node.items()}
    if isinstance(node, list):
        return [_localised(value, language) for value in node]
    return node


@cache
def input_schema(language: Language = "en") -> dict[str, Any]:
    """Return the schema as the catalogue serves it, its texts in one language."""
    schema: dict[str, Any] = _localised(_document(), language)
    return schema


@cache
def rules(name: str, *, of_items: bool = False) -> tuple[Rule, ...]:
    """Return the rules of one input, or of each item of it."""
    field = _document()["properties"][name]
    if of_items:
        field = field["items"]
    found = []
    for entry in field.get("validations", ()):
        match = _RULE.fullmatch(entry["rule"])
        if match is None:
            raise ValueError(f"unreadable rule in input_schema.json: {entry['rule']}")
        found.append(Rule(match[1], match[2], int(match[3]), entry["rule"], entry["message"]))
    return tuple(found)


def field_names() -> tuple[str, ...]:
    """Return the inputs in the order of the form."""
    return tuple(_document()["order"])


def required() -> frozenset[str]:
    """Return the inputs that must be sent."""
    return frozenset(_document()["required"])


def kind(name: str) -> str:
    """Return the JSON type of one input."""
    return str(_document()["properties"][name]["type"])


def default(name: str) -> Any:
    """Return the value of an input that isn't sent."""
    return _document()["properties"][name].get("default")


def choices(name: str) -> tuple[str, ...]:
    """Return the only values that an input may have, or nothing where it is free."""
    return tuple(_document()["properties"][name].get("enum", ()))


def pixels(image_size: str) -> tuple[int, int]:
    """Return the width and height that an ``image_size`` stands for."""
    match = _SIZE.match(image_size)
    if match is None:
        raise ValueError(f"unreadable image size in input_schema.json: {image_size}")
    return int(match[1]), int(match[2])
