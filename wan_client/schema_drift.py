"""How the catalogue's input schema differs from the one that this program knows: a model may change under its id."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import schema as ours

_VENDOR_BOUND = re.compile(r"(\w+)\s*(<=|>=|<|>)\s*(\d{1,18})")
# JSON Schema's keywords, for where the catalogue uses them: which measure, and whether it is the lower bound.
_JSON_SCHEMA_BOUNDS = {
    "minLength": ("length", True),
    "maxLength": ("length", False),
    "minItems": ("item_count", True),
    "maxItems": ("item_count", False),
    "minimum": ("value", True),
    "maximum": ("value", False),
}
_SHOWN_MAX = 120

Bounds = dict[str, tuple[int | None, int | None]]


@dataclass(frozen=True)
class _Input:
    """What is known of one input: bounds are inclusive, (lowest, highest), None where there is none."""

    kind: str
    bounds: Bounds = field(default_factory=dict)
    default: Any = None
    choices: tuple[str, ...] = ()


_SIDES = (ours.SIDE_MIN, ours.SIDE_MAX)
_INPUTS = {
    "prompt": _Input("string", {"length": (1, ours.PROMPT_MAX)}),
    "image_urls": _Input(
        "array",
        {
            "item_count": (ours.IMAGES_MIN, ours.IMAGES_MAX),
            "width_pixels": _SIDES,
            "height_pixels": _SIDES,
            "file_size_mb": (None, ours.IMAGE_BYTES_MAX // 1_000_000),
        },
    ),
    "negative_prompt": _Input(
        "string", {"length": (None, ours.NEGATIVE_PROMPT_MAX)}, default=ours.DEFAULT_NEGATIVE_PROMPT
    ),
    "image_size": _Input(
        "string", default=ours.DEFAULT_IMAGE_SIZE.value, choices=tuple(size.value for size in ours.ImageSize)
    ),
    "seed": _Input("integer", {"value": (ours.SEED_MIN, ours.SEED_MAX)}, default=ours.DEFAULT_SEED),
    "prompt_extend": _Input("boolean", default=ours.DEFAULT_PROMPT_EXTEND),
}
_REQUIRED = {"prompt", "image_urls"}


def differences(schema: Mapping[str, Any]) -> list[str]:
    """Return how the catalogue's schema differs from ours, one line each; nothing for what it does not state.

    Args:
        schema: The catalogue's ``input_schema``.
    """
    inputs = schema.get("properties")
    if not isinstance(inputs, Mapping):
        return []
    found = [f"no {name}" for name in _INPUTS if name not in inputs]
    found += [f"also {_shown(name)}" for name in inputs if name not in _INPUTS]
    required = schema.get("required")
    if isinstance(required, list) and {str(name) for name in required} != _REQUIRED:
        found.append(f"required: {_shown(sorted(str(name) for name in required))}")
    for name, known in _INPUTS.items():
        theirs = inputs.get(name)
        if isinstance(theirs, Mapping):
            found += [f"{name}: {what}" for what in _differences(theirs, known)]
    return found


def _differences(theirs: Mapping[str, Any], known: _Input) -> list[str]:
    found = []
    if "type" in theirs and theirs["type"] != known.kind:
        found.append(f"type {_shown(theirs['type'])}, not {known.kind}")
    choices = theirs.get("enum")
    if known.choices and isinstance(choices, list) and {str(one) for one in choices} != set(known.choices):
        found.append(f"choices {_shown(choices)}")
    if known.default is not None and "default" in theirs and theirs["default"] != known.default:
        found.append(f"default {_shown(theirs['default'])}, not {_shown(known.default)}")
    items = theirs.get("items")
    stated = _bounds(theirs) | (_bounds(items) if isinstance(items, Mapping) else {})
    for measure, (low, high) in stated.items():
        our_low, our_high = known.bounds.get(measure, (None, None))
        if low is not None and low != our_low and not (low <= 0 and our_low is None):
            found.append(f"{measure} at least {low}, not {our_low}")
        if high is not None and high != our_high:
            found.append(f"{measure} at most {high}, not {our_high}")
    return found


def _bounds(node: Mapping[str, Any]) -> Bounds:
    """Return the bounds that an input states, in the catalogue's own notation or in JSON Schema's."""
    bounds: Bounds = {}

    def note(measure: str, limit: int, *, is_low: bool) -> None:
        low, high = bounds.get(measure, (None, None))
        bounds[measure] = (limit, high) if is_low else (low, limit)

    for word, (measure, is_low) in _JSON_SCHEMA_BOUNDS.items():
        limit = node.get(word)
        if isinstance(limit, int) and not isinstance(limit, bool):
            note(measure, limit, is_low=is_low)
    rules = node.get("validations")
    for rule in rules if isinstance(rules, list) else ():
        match = _VENDOR_BOUND.fullmatch(str(rule.get("rule", "")).strip()) if isinstance(rule, Mapping) else None
        if match:
            strict = 0 if "=" in match[2] else 1
            is_low = ">" in match[2]
            note(match[1], int(match[3]) + (strict if is_low else -strict), is_low=is_low)
    return bounds


def _shown(value: object) -> str:
    """Return a value that others wrote, shortened and on one line."""
    text = ascii(value)
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}..."
