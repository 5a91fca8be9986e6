from __future__ import annotations

import ast
import re
import string
from pathlib import Path
from typing import get_args

import pytest

import wan_client
from wan_client import errors
from wan_client.events import Event
from wan_client.messages import MESSAGES

SOURCES = sorted(Path(wan_client.__file__).parent.rglob("*.py"))
FOR_PAGES = "unexpected"  # a page shows it for what is no error of this package


def raised() -> list[tuple[str, str, set[str]]]:
    """File, code and named values of every error that the package makes."""
    kinds = {
        name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)
    } | {"_fail"}
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or getattr(node.func, "id", "") not in kinds or not node.args:
                continue
            first = node.args[0]
            options = [first.body, first.orelse] if isinstance(first, ast.IfExp) else [first]
            for option in options:
                if isinstance(option, ast.Constant) and isinstance(option.value, str):
                    named = {keyword.arg for keyword in node.keywords if keyword.arg}
                    found.append((path.name, option.value, named))
    return found


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_error_has_a_sentence_and_a_hint() -> None:
    codes = {code for _, code, _ in raised()}
    assert len(codes) > 20
    for code in codes:
        assert f"error.{code}" in MESSAGES, code
        assert f"error.{code}.hint" in MESSAGES, code


@pytest.mark.parametrize(("file", "code", "named"), raised())
def test_every_field_of_a_sentence_is_supplied_where_the_error_is_made(file: str, code: str, named: set[str]) -> None:
    wanted = fields(MESSAGES[f"error.{code}"]) | fields(MESSAGES[f"error.{code}.hint"])
    assert wanted <= named, f"{file}: {code}"


def event_keys() -> set[str]:
    """The keys of the sentences that say what an event is."""
    return {f"event.{kind.__name__.lower()}" for kind in get_args(Event)}


def test_every_event_has_a_sentence() -> None:
    assert event_keys()
    assert event_keys() <= MESSAGES.keys()


def test_every_sentence_has_a_use() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in SOURCES if path.name != "messages.py")
    for key in MESSAGES:
        family, _, rest = key.partition(".")
        name = rest.removesuffix(".hint")
        used = f'"{name}"' in source or f'"{family}.{name}"' in source
        by_value = family in {"cancel", "charged"} or key.startswith(("cli.help.", "cli.state.")) or key in event_keys()
        assert used or by_value or name == FOR_PAGES, key


def test_texts_are_whole_and_plain() -> None:
    for key, text in MESSAGES.items():
        assert text == text.strip() or key == "cli.cost", key
        assert not re.search(r"\s{2,}|TODO|https?://", text), key
