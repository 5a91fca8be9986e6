"""The comparison's HTML: complete, and with nothing in it that a stranger could run."""

from __future__ import annotations

import json
import re
from html import unescape
from html.parser import HTMLParser

import pytest

from studio.i18n.texts import Texts, translations
from studio.views.viewer import Picture, viewer

ENGLISH = Texts("en")
BEFORE = Picture("image-1", "Image 1", "files/cat.jpg", 1500, 1000, "reference", {"run-1": "files/before.jpg"})
RESULT = Picture("run-1", "Result", "files/out.png", 1024, 1024, "result")
EARLIER = Picture("run-0", "Earlier", "files/old.png", 720, 1280, "history")


def test_the_first_two_pictures_are_there_at_once_the_left_one_in_the_rights_frame() -> None:
    shown = viewer(ENGLISH, [BEFORE, RESULT], "image-1", "run-1")
    sources = re.findall(r'viewer-(\w)" data-label="([^"]+)"><img src="([^"]+)" alt="([^"]+)"', shown)
    assert sorted(sources) == [
        ("a", "Image 1", "files/before.jpg", "Image 1"),
        ("b", "Result", "files/out.png", "Result"),
    ]
    assert "--ratio:1024/1024" in shown


def test_two_pictures_need_no_pickers_and_three_do() -> None:
    assert '<div class="viewer-pickers" hidden>' in viewer(ENGLISH, [BEFORE, RESULT], "image-1", "run-1")
    shown = viewer(ENGLISH, [BEFORE, RESULT, EARLIER], "run-0", "run-1")
    assert '<div class="viewer-pickers">' in shown
    assert re.findall(r'optgroup label="(\w+)"', shown) == ["References", "Results", "History"] * 2
    assert re.findall(r'value="([^"]+)" selected', shown) == ["run-0", "run-1"]


def test_one_picture_is_looked_at_alone() -> None:
    assert 'data-view="single"' in viewer(ENGLISH, [RESULT], "run-1", "run-1")


def test_the_browser_is_told_of_all_pictures() -> None:
    shown = viewer(ENGLISH, [BEFORE, RESULT, EARLIER], "image-1", "run-1")
    told = re.search(r'data-pictures="([^"]*)"', shown)
    assert told
    pictures = json.loads(unescape(told[1]))
    assert [picture["key"] for picture in pictures] == ["image-1", "run-1", "run-0"]
    assert pictures[0]["aligned"] == {"run-1": "files/before.jpg"}
    assert (pictures[2]["width"], pictures[2]["height"]) == (720, 1280)


class Reader(HTMLParser):
    """Reads HTML as a browser would, for the attributes in it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[tuple[str, str]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.update((tag, name) for name, _ in attrs)


def test_what_comes_from_outside_is_escaped() -> None:
    hostile = "\"'><img src=x onerror=alert(1)>{a}</script>"
    first = Picture(hostile, hostile, hostile, 1, 1, "reference", {hostile: hostile})
    reader = Reader()
    reader.feed(viewer(ENGLISH, [first, RESULT, EARLIER], hostile, "run-1"))
    assert {name for tag, name in reader.found if tag == "img"} == {"src", "alt", "decoding", "draggable"}
    assert not [name for _, name in reader.found if name.startswith("on")]


@pytest.mark.parametrize("language", sorted(translations()))
def test_every_word_is_there_in_every_language(language: str) -> None:
    shown = viewer(Texts(language), [BEFORE, RESULT, EARLIER], "image-1", "run-1")
    told = re.search(r'data-said="([^"]*)"', shown)
    assert told
    said = json.loads(unescape(told[1]))
    assert {"{a}", "{b}"} <= set(re.findall(r"\{\w\}", said["comparing"]))
    assert f'lang="{language}"' in shown
