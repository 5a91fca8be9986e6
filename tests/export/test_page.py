"""The HTML file: whole in itself, escaped, and honest about what it shows."""

from __future__ import annotations

import base64
import io
import json
import re
from html import unescape
from pathlib import Path

import pytest
from PIL import Image

from wan_client import ImageError
from wan_client.export import LANGUAGES, ExportError, page
from wan_client.export.texts import LOCALES, Words
from wan_client.recipe import read

from .support import MODEL, PROMPT, RUN, item, picture


def html(*args: object, **options: object) -> str:
    return page(*args, **options).decode()  # type: ignore[arg-type]  # handed on


def pictures_in(text: str) -> list[bytes]:
    return [base64.b64decode(data) for data in re.findall(r'src="data:image/\w+;base64,([^"]+)"', text)]


def without_pictures(text: str) -> str:
    return re.sub(r'src="data:[^"]+"', 'src=""', text)


def test_prompt_settings_engine_and_date_stand_in_it() -> None:
    text = unescape(html([item()]))
    for said in (PROMPT, "blurry", "1200 × 800 (3:2)", ">7<", MODEL, "22 November 2026, 09:30 UTC"):
        assert said in text


def test_it_asks_for_nothing_outside_itself() -> None:
    text = without_pictures(html([item(), item()], with_recipe=True))
    assert not re.search(r"https?:|//\w|url\(|@import|<link|<iframe|fetch\(", text)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy
    assert "default-src 'none'" in unescape(policy[1])
    assert "unsafe" not in policy[1]


def test_the_finished_picture_is_not_written_anew() -> None:
    original = picture((200, 100), compress_level=0)
    after = pictures_in(html([item(after=original)]))[1]
    idat = original.index(b"IDAT")
    assert original[idat:] == after[after.index(b"IDAT") :]


def test_it_weighs_what_its_pictures_weigh() -> None:
    text = html([item(after=picture((700, 500), compress_level=0))] * 3)
    pictures = sum(map(len, pictures_in(text)))
    assert len(text) < pictures * 4 / 3 + 25_000


def test_the_picture_from_before_is_brought_to_the_frame_and_loses_its_metadata() -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret of the camera"
    before = picture((500, 400), "JPEG", exif=exif, comment=b"secret comment")
    first, second = pictures_in(html([item(before=before)]))
    assert Image.open(io.BytesIO(first)).size == Image.open(io.BytesIO(second)).size
    assert b"secret" not in first


@pytest.mark.parametrize(
    "prompt",
    ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</style><b>", "{{ 7*7 }}", "'; alert(1)//"],
)
def test_a_prompt_is_text_and_nothing_else(prompt: str) -> None:
    text = html([item(prompt)], title=prompt)
    assert text.count("<script>") == 1
    assert "onerror=alert(1)>" not in text
    assert "<b>" not in text
    assert unescape(text).count(prompt) == 3, "as title, heading and prompt"


def test_a_clean_page_carries_no_recipe_and_no_id() -> None:
    text = html([item()])
    assert RUN not in text
    assert all(read(data) is None for data in pictures_in(text))


def test_a_page_with_recipes_carries_them() -> None:
    text = html([item()], with_recipe=True)
    assert RUN in text
    found = read(pictures_in(text)[1])
    assert found
    assert found.prompt == PROMPT


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("mark", ["preview", "prepared", "kept"])
def test_what_must_be_said_is_said(language: str, mark: str) -> None:
    words = Words(language)
    said, plain = html([item(**{mark: True})], language=language), html([item()], language=language)  # type: ignore[arg-type]
    assert words(f"{mark}.note") in unescape(said)
    assert words(f"{mark}.note") not in unescape(plain)


def test_a_preview_is_known_by_its_file_too() -> None:
    from wan_client.recipe import strip

    labelled = strip(picture(), preview=True)
    text = html([item(after=labelled)])
    assert "Local preview" in text
    assert MODEL not in text, "the model had no part in it"


def test_without_a_picture_from_before_it_says_so() -> None:
    text = html([item(before=None)])
    assert Words("en")("no_before") in text
    assert len(pictures_in(text)) == 1


def test_progress_counts_what_is_done() -> None:
    seen: list[float] = []
    page([item(), item()], on_progress=seen.append)
    assert seen == [0.5, 1.0]


def test_nothing_to_show_is_an_error() -> None:
    with pytest.raises(ExportError) as problem:
        page([])
    assert problem.value.code == "export_empty"


@pytest.mark.parametrize("broken", [b"", b"no picture", picture()[:-40], picture((90, 90), "JPEG")[:300]])
def test_a_broken_picture_is_named(broken: bytes) -> None:
    with pytest.raises(ImageError) as problem:
        page([item(), item(after=broken)])
    assert problem.value.values["number"] == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_every_text(language: str) -> None:
    def fields(name: str) -> dict[str, set[str]]:
        texts = json.loads((LOCALES / f"{name}.json").read_text("utf-8"))
        return {key: set(re.findall(r"\{(\w+)", text)) for key, text in texts.items()}

    english, other = fields("en"), fields(language)
    assert english.keys() == other.keys()
    assert all(other[key] == english[key] for key in english if key not in {"date", "months"})


def test_the_texts_match_those_of_the_page() -> None:
    """The same thing has the same name on the page and in what it sends round."""
    for language in LANGUAGES:
        page_texts = json.loads(Path(f"studio/i18n/locales/{language}.json").read_text("utf-8"))
        words = Words(language)
        assert words("negative_prompt") == page_texts["negative.label"]
        assert page_texts["extend.label"].startswith(words("prompt_extend"))
