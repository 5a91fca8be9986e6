"""Every text exists in every language, and is filled with the same values."""

from __future__ import annotations

import re
import string
from pathlib import Path

import gradio as gr
import pytest
from starlette.requests import Request

from studio.texts import Texts, texts_for, translations
from wan_client import ImageSize, WanError
from wan_sandbox.preview import OPERATIONS

ENGLISH = translations()["en"]
STUDIO = Path(__file__).parent.parent.parent / "studio"


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", sorted(translations()))
def test_no_text_is_missing_and_none_is_left_over(language: str) -> None:
    # What only the command line prints is English.
    wanted = {key for key in ENGLISH if not key.startswith("cli.")}
    given = {key for key in translations()[language] if not key.startswith("cli.")}
    assert given == wanted


@pytest.mark.parametrize("language", sorted(translations()))
def test_each_text_names_the_same_values_as_in_english(language: str) -> None:
    texts = translations()[language]
    # A hint may leave out what it does not need; it can't name what is not given.
    wrong = {key for key in texts if not fields(texts[key]) <= fields(ENGLISH[key])}
    assert not wrong


def test_korean_is_korean() -> None:
    same = {key for key, text in translations()["ko"].items() if text == ENGLISH[key]}
    assert same <= {"run.cost"}


def test_every_key_that_the_page_uses_exists() -> None:
    source = "\n".join(file.read_text("utf-8") for file in STUDIO.glob("*.py"))
    used = set(re.findall(r"(?:texts|word)\(\"([a-z_.0-9]+)\"", source))
    assert used
    assert used <= set(ENGLISH)


def test_every_size_and_every_operation_of_the_preview_has_a_name() -> None:
    assert all(f"size.{size.name.lower()}" in ENGLISH for size in ImageSize)
    assert all(f"preview.op.{operation}" in ENGLISH for operation in OPERATIONS)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("ko-KR,ko;q=0.9,en-US;q=0.8", "ko"),
        ("en-GB,en;q=0.9,ko;q=0.5", "en"),
        ("fr-FR,fr;q=0.9,ko;q=0.5", "ko"),
        ("fr", "en"),
        ("", "en"),
        ("*;;;q=,", "en"),
    ],
)
def test_the_language_is_the_browsers_first_that_there_is(header: str, language: str) -> None:
    scope = {"type": "http", "headers": [(b"accept-language", header.encode())], "query_string": b"", "path": "/"}
    assert texts_for(gr.Request(Request(scope))).language == language
    assert texts_for(None).language == "en"


def test_the_sandbox_never_speaks_of_a_charge() -> None:
    problem = WanError("run_failed")
    for language in translations():
        told = Texts(language).sentences(problem, sandbox=True)
        assert Texts(language)("charged.sandbox") in told
        assert Texts(language)("charged.no") not in told
