"""Every text exists in every language, and is filled with the same values."""

from __future__ import annotations

import re
import string
from pathlib import Path
from urllib.parse import urlencode

import gradio as gr
import pytest
from starlette.requests import Request

from studio.i18n.texts import ACCOUNT_PROBLEMS, Texts, texts_for, translations
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


@pytest.mark.parametrize("language", sorted(set(translations()) - {"en"}))
def test_each_text_is_translated(language: str) -> None:
    texts = {
        key: text for key, text in translations()[language].items() if re.search("[a-z]", re.sub("{.*?}", "", text))
    }
    same = {key for key, text in texts.items() if text == ENGLISH[key]}
    assert not same


def test_every_key_that_the_page_uses_exists() -> None:
    sources = [*STUDIO.rglob("*.py"), *STUDIO.rglob("templates/*.html")]
    source = "\n".join(file.read_text("utf-8") for file in sources)
    used = set(re.findall(r"(?:texts|word)\(\"([a-z_.0-9]+)\"(?! ~)", source))
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
        ("en;q=0.3, ja;q=0.8, ko;q=0.5", "ja"),
        ("ja;q=0, ko;q=0.1", "ko"),
        ("zh-Hans", "zh"),
        ("zh-TW,zh;q=0.9", "zh"),
        ("fr", "en"),
        ("", "en"),
        ("*;;;q=,", "en"),
    ],
)
def test_the_language_is_the_browsers_first_that_there_is(header: str, language: str) -> None:
    assert texts_for(_request(accepted=header)).language == language
    assert texts_for(None).language == "en"


@pytest.mark.parametrize(
    ("asked", "language"),
    [("ko", "ko"), ("zh-CN", "zh"), ("JA", "ja"), ("en", "en"), ("fr", "ja"), ("", "ja"), ('"><script>', "ja")],
)
def test_the_address_wins_over_the_browser(asked: str, language: str) -> None:
    assert texts_for(_request(asked, "ja")).language == language


def _request(asked: str | None = None, accepted: str = "") -> gr.Request:
    query = b"" if asked is None else urlencode({"lang": asked}).encode()
    headers = [(b"accept-language", accepted.encode())]
    return gr.Request(Request({"type": "http", "headers": headers, "query_string": query, "path": "/"}))


def test_the_sandbox_never_speaks_of_a_charge() -> None:
    problem = WanError("run_failed")
    for language in translations():
        told = Texts(language).sentences(problem, sandbox=True)
        assert Texts(language)("charged.sandbox") in told
        assert Texts(language)("charged.no") not in told


@pytest.mark.parametrize("language", sorted(translations()))
def test_nobody_looks_for_a_local_preview_in_an_account(language: str) -> None:
    texts = translations()[language]
    of_an_account = {
        key.split(".")[1] for key, text in texts.items() if key.endswith(".hint") and "Generations" in text
    }
    assert of_an_account == ACCOUNT_PROBLEMS
    problem = WanError("submit_interrupted")
    assert Texts(language).hint(problem, sandbox=True) == texts["error.preview.hint"]
    assert Texts(language).hint(problem, sandbox=False) == texts["error.submit_interrupted.hint"]
