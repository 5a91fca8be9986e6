"""On stage: by keyboard, by clicker, on a phone; and what is taken away from the page."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from studio.i18n.texts import Texts
from tests.browser.conftest import wait_until
from tests.browser.test_access import Visit, choose_variations, fill, finish, violations
from tests.conftest import PHOTOS, UNTIL_FINISHED, running_app
from tests.sandbox.support import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import App

EN = Texts("en")
AFTER = ".present-frame .present-after"


def three_results(page: Page, photos: Path) -> None:
    fill(page, photos)
    choose_variations(page, 3)
    page.locator("#generate").click()
    finish(page, 3)


def star(page: Page, *places: int) -> None:
    for place in places:
        page.locator("#history [data-star]").nth(place).click()


def present(page: Page) -> None:
    page.locator("h1").click()
    page.keyboard.press("p")
    expect(page.locator(".present-count")).to_have_text(re.compile(r"\d / \d"))


def swipe(page: Page) -> None:
    """Lead on by a finger, and flip the picture by a touch, on a phone held sideways."""
    box = page.locator(".present-frame").bounding_box()
    assert box
    assert box["height"] > 230
    before = page.locator(".present-count").text_content()
    page.mouse.move(500, 150)
    page.mouse.down()
    page.mouse.move(300, 155, steps=4)
    page.mouse.up()
    expect(page.locator(".present-count")).not_to_have_text(before or "")
    page.mouse.click(370, 150)
    expect(page.locator(".present-name")).to_have_text(EN("present.before"))


def key_of(page: Page, place: int) -> str | None:
    return page.locator("#history .history-show").nth(place).get_attribute("data-key")


def test_the_starred_ones_are_presented_in_their_order_by_whatever_leads_on(
    app: App, visit: Visit, photos: Path
) -> None:
    page = visit(app.url, moves=True)
    three_results(page, photos)
    star(page, 2, 0)
    expect(page.locator("#history [data-star][aria-pressed=true]")).to_have_count(2)
    present(page)
    expect(page.locator(".present-count")).to_have_text(re.compile("/ 2"))
    assert "?present" in page.url
    page.keyboard.press("Home")
    first = page.locator(AFTER).get_attribute("src")
    page.keyboard.press("PageDown")
    expect(page.locator(".present-count")).to_have_text("2 / 2")
    assert page.locator(AFTER).get_attribute("src") != first
    page.reload()
    expect(page.locator(".present-count")).to_have_text("2 / 2")
    page.keyboard.press("PageUp")
    expect(page.locator(AFTER)).to_have_attribute("src", first or "")
    page.keyboard.press("Escape")
    expect(page.locator("#present")).to_have_count(0)
    assert "present" not in page.url
    expect(page.locator("#prompt textarea")).to_be_visible()

    # Where letters are switched off, a clicker goes on all the same.
    page.evaluate("wanShortcuts(false)")
    page.locator("h1").click()
    page.keyboard.press("p")
    expect(page.locator("#present")).to_have_count(0)
    page.locator("#history .history-show").first.click()
    page.locator("#copies [data-stage=present]").click()
    expect(page.locator(".present-count")).to_have_text(re.compile("/ 2"))
    before = page.locator(".present-count").text_content()
    page.keyboard.press("b")
    expect(page.locator(AFTER)).to_be_visible()
    page.keyboard.press("PageDown")
    expect(page.locator(".present-count")).not_to_have_text(before or "")

    # So does a finger, on a phone held sideways.
    page.keyboard.press("Escape")
    expect(page.locator("#present")).to_have_count(0)
    page.set_viewport_size({"width": 740, "height": 360})
    page.locator("#copies [data-stage=present]").click()
    expect(page.locator(".present-count")).to_have_text(re.compile("/ 2"))
    swipe(page)
    page.evaluate("wanShortcuts(true)")
    page.keyboard.press("?")
    expect(page.locator(".present-keys")).to_be_visible()
    assert not violations(page, "keys in a low window")


def test_every_key_does_what_it_says(app: App, visit: Visit, photos: Path) -> None:
    page = visit(app.url)
    three_results(page, photos)
    page.locator("#prompt textarea").press("p")
    expect(page.locator("#present")).to_have_count(0)
    present(page)
    stage = page.locator("#present")
    page.keyboard.press("Space")
    expect(page.locator(".present-name")).to_have_text(EN("present.before"))
    page.keyboard.press("Space")
    expect(page.locator(".present-name")).to_have_text(EN("present.after"))
    page.keyboard.press("b")
    expect(page.locator(AFTER)).to_be_hidden()
    page.keyboard.press(".")
    expect(page.locator(AFTER)).to_be_visible()
    page.keyboard.press("c")
    expect(page.locator(".present-caption")).to_be_hidden()
    page.keyboard.press("w")
    expect(stage).to_have_attribute("data-wipe", "")
    assert page.evaluate("document.querySelector('.present-frame').getAnimations().length") == 0, "no motion was wanted"
    found = violations(page, "wipe")
    page.keyboard.press("g")
    expect(page.locator(".present-grid > button")).to_have_count(3)
    page.keyboard.press("+")
    assert (
        page.evaluate(
            "new Set([...document.querySelectorAll('.present-grid img')].map((one) => getComputedStyle(one).transform))"
            ".size"
        )
        == 1
    )
    found += violations(page, "grid")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator(".present-keys")).to_be_visible()
    found += violations(page, "keys")
    page.keyboard.press("Escape")
    page.keyboard.press("q")
    expect(page.locator(".present-code")).to_contain_text(EN("audience.local"))
    page.keyboard.press("Escape")
    for _ in range(40):
        page.keyboard.press("Tab")
        assert page.evaluate("!!document.activeElement.closest('#present')"), "the focus stays on the stage"
    page.keyboard.press("p")
    expect(stage).to_have_count(0)
    assert not found, "\n".join(found)


def test_a_run_that_goes_on_shows_its_bar(app: App, visit: Visit, photos: Path) -> None:
    sandbox = app.play(run_time=UNTIL_FINISHED, warm_up=0)
    page = visit(app.url)
    fill(page, photos)
    page.locator("#generate").click()
    until(lambda: sandbox.counters.submits_accepted == 1)
    page.locator("h1").click()
    page.keyboard.press("p")
    expect(page.locator(".present-run .bar")).to_be_visible()
    sandbox.finish_jobs()
    expect(page.locator(".present-run")).to_be_hidden()


def test_the_starred_ones_are_ordered_and_taken_away(app: App, visit: Visit, photos: Path) -> None:
    page = visit(app.url)
    three_results(page, photos)
    star(page, 0, 1)
    first, second = key_of(page, 0), key_of(page, 1)
    page.locator("#history [data-stage=starred]").click()
    expect(page.locator(".take-list li")).to_have_count(2)
    found = violations(page, "take away, light")
    page.locator(".take-list [data-move=down]").first.focus()
    page.keyboard.press("Enter")
    wait_until(
        page, f"localStorage['wan-starred'] === {json.dumps(json.dumps([second, first], separators=(',', ':')))}"
    )
    for kind in ("page", "png"):
        page.locator(f"#take input[value={kind}]").check()
        with page.expect_download() as download:
            page.locator("#take [data-do=save]").click()
        assert "local-preview" in download.value.suggested_filename
        expect(page.locator(".take-said")).to_contain_text("✓")
    page.keyboard.press("Escape")
    expect(page.locator("#take")).to_be_hidden()
    page.emulate_media(color_scheme="dark")
    page.reload()
    page.locator("#history [data-stage=starred]").click()
    expect(page.locator(".take-list li")).to_have_count(2)
    found += violations(page, "take away, dark")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.locator("#take").evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth"), "all is within reach"
    assert not found, "\n".join(found)


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app with a programme of two edits, the first with its result."""
    folder = tmp_path_factory.mktemp("show")
    for name in ("cat.jpg", "coffee.jpg"):
        (folder / name).write_bytes((PHOTOS / name).read_bytes())
    edits = [
        {"prompt": "<i>blank</i>", "images": ["cat.jpg"], "result": "coffee.jpg"},
        {"prompt": "two", "images": ["coffee.jpg"]},
    ]
    (folder / "programme.json").write_text(json.dumps({"edits": edits}), "utf-8")
    with running_app("--programme", str(folder), WAN_BACKEND="sandbox") as app:
        yield app


def test_a_programme_plays_the_real_run_and_has_the_prepared_one_a_key_away(show: App, visit: Visit) -> None:
    show.play(faults=("failed-text*1",))
    page = visit(show.url)
    expect(page.locator(".programme li")).to_have_count(2)
    page.locator(".programme [data-stage=programme]").click()
    expect(page.locator(".present-words")).to_contain_text(EN("present.prepared_hint"))
    page.keyboard.press("Enter")
    expect(page.locator(".present-run")).to_contain_text(EN("present.prepared_hint"))
    page.keyboard.press("s")
    expect(page.locator(".present-marks")).to_have_text("Prepared")
    expect(page.locator(AFTER)).to_have_attribute("src", "stage/programme/0/after")
    page.keyboard.press("s")
    page.keyboard.press("Enter")
    expect(page.locator(AFTER)).to_have_attribute("src", re.compile("gradio_api"))
    expect(page.locator(".present-marks")).to_have_text("Local preview")
    found = violations(page, "programme")
    page.reload()
    expect(page.locator(AFTER)).to_have_attribute("src", re.compile("gradio_api"))
    page.keyboard.press("Escape")
    expect(page.locator("#prompt textarea")).to_have_value("<i>blank</i>")
    assert not found, "\n".join(found)
