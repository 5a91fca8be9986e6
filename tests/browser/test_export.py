"""The HTML file that is sent round, opened from the disk without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.export.support import item, picture
from wan_client.export import LANGUAGES, page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
    "resultTypes": ["violations"],
}
ALL = [
    item(after=picture((640, 480))),
    item("세로 사진", preview=True, prepared=True, kept=True, after=picture((360, 640))),
    item("x" * 1999, before=None, after=picture((672, 288))),
]
CUT = "getComputedStyle(document.querySelector('.pair')).getPropertyValue('--cut')"


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Opens an export in a browser without a network, and checks that it asked for nothing and said nothing."""
    contexts, asked, said = [], [], []

    def show(
        *, language: str = "en", width: int = 1440, scheme: str = "light", scripts: bool = True, **options: Any
    ) -> Page:
        file = tmp_path / "page.html"
        file.write_bytes(page(ALL, language=language, **options))
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
            java_script_enabled=scripts,
            has_touch=width < 600,
            offline=True,
        )
        contexts.append(context)
        opened = context.new_page()
        opened.on("request", lambda request: asked.append(request.url[:60]))
        opened.on("console", lambda message: said.append(message.text))
        opened.on("pageerror", lambda error: said.append(str(error)))
        opened.goto(file.as_uri())
        return opened

    yield show
    for context in contexts:
        context.close()
    assert not [url for url in asked if not url.startswith(("file:", "data:image/"))]
    assert not said, "its own policy allows all that it does"


def test_the_keyboard_moves_the_divider(show: Callable[..., Page]) -> None:
    opened = show()
    slider = opened.get_by_role("slider").first
    opened.keyboard.press("Tab")
    expect(slider).to_be_focused()
    assert opened.evaluate(CUT) == "50%"
    opened.keyboard.press("ArrowRight")
    assert opened.evaluate(CUT) == "51%"
    opened.keyboard.press("Home")
    assert opened.evaluate(CUT) == "0%"
    opened.keyboard.press("End")
    assert opened.evaluate(CUT) == "100%"


def test_the_mouse_drags_the_divider(show: Callable[..., Page]) -> None:
    opened = show()
    box = opened.locator(".pair").first.bounding_box()
    assert box
    opened.mouse.move(box["x"] + box["width"] / 2, box["y"] + 100)
    opened.mouse.down()
    opened.mouse.move(box["x"] + box["width"] / 4, box["y"] + 120, steps=3)
    opened.mouse.up()
    opened.mouse.move(box["x"] + box["width"], box["y"] + 100)
    assert opened.evaluate(CUT) == "25%"


def test_a_finger_moves_the_divider(show: Callable[..., Page]) -> None:
    opened = show(width=390)
    box = opened.locator(".pair").first.bounding_box()
    assert box
    opened.touchscreen.tap(box["x"] + box["width"] * 0.75, box["y"] + 60)
    assert opened.evaluate(CUT) == "75%"


def test_before_and_after_lie_over_each_other(show: Callable[..., Page]) -> None:
    opened = show()
    boxes = [image.bounding_box() for image in opened.locator(".pair").first.locator("img").all()]
    assert boxes[0] == boxes[1]


@pytest.mark.parametrize("width", [320, 390, 768, 1440])
def test_nothing_is_wider_than_the_window(show: Callable[..., Page], width: int) -> None:
    assert show(width=width).evaluate("document.documentElement.scrollWidth") <= width


def test_without_scripts_both_pictures_stand_beside_each_other(show: Callable[..., Page]) -> None:
    opened = show(scripts=False)
    before, after = (opened.locator(f".pair .{name} img").first.bounding_box() for name in ("before", "after"))
    assert before
    assert after
    assert before["x"] + before["width"] <= after["x"]
    expect(opened.get_by_role("slider").first).to_be_hidden()


def test_on_paper_both_pictures_stand_beside_each_other(show: Callable[..., Page]) -> None:
    opened = show()
    opened.emulate_media(media="print")
    before, after = (opened.locator(f".pair .{name} img").first.bounding_box() for name in ("before", "after"))
    assert before
    assert after
    assert before["x"] + before["width"] <= after["x"]
    assert opened.evaluate("getComputedStyle(document.querySelector('.before')).clipPath") == "none"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_stands_in_anyones_way(show: Callable[..., Page], language: str, scheme: str) -> None:
    opened = show(language=language, scheme=scheme, width=390 if scheme == "dark" else 1440)
    found = cast("list[dict[str, Any]]", Axe().run(opened, options=RULES).response["violations"])
    assert not [(rule["id"], node["html"][:160]) for rule in found for node in rule["nodes"]]
