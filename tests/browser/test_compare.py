"""What changed in a result, and keeping the rest, as people see and do it, in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from studio.i18n.texts import Texts
from tests.browser.conftest import wait_until
from tests.browser.test_access import violations
from tests.browser.test_page import fill, generate
from tests.browser.test_runs import drop
from tests.conftest import PHOTOS
from wan_client.recipe import read

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page, Route, ViewportSize

    from tests.browser.test_page import Visit
    from tests.conftest import App

EN = Texts("en")
PROMPT = "make image 1 black and white"
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}


@pytest.fixture
def photos() -> Path:
    """The photographs, which have something to align by."""
    return PHOTOS


def compared(page: Page, picture: Path) -> None:
    """Make a result that has moved and changed in one area, and wait until the page has compared it."""
    fill(page, picture, PROMPT)
    generate(page)
    expect(page.locator("#result [data-keep]")).to_be_visible()
    settle(page)


def settle(page: Page) -> None:
    wait_until(page, "[...document.querySelectorAll('.viewer img')].every(image => image.naturalWidth)")


def source(page: Page) -> str:
    return page.locator("#result .viewer-a img").get_attribute("src") or ""


def painted(page: Page) -> int:
    """How many pixels of the painter are painted."""
    count: int = page.locator(".keep-stage canvas").evaluate(
        "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data"
        ".filter((value, place) => place % 4 === 3 && value > 127).length"
    )
    return count


def open_painter(page: Page) -> None:
    page.locator("#result [data-keep]").click()
    page.locator("dialog.keep .keep-stage").wait_for()
    wait_until(page, "document.querySelector('.keep-stage img').naturalWidth > 0")


def wait_until_painted(page: Page) -> int:
    """Wait until something is painted, as what changed may be on its way yet; return how many pixels are."""
    wait_until(
        page,
        "() => { const c = document.querySelector('.keep-stage canvas');"
        " return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((value) => value); }",
    )
    return painted(page)


def paint(page: Page) -> None:
    """Paint everything that has changed, and use the painter's other tools, each undone again."""
    page.locator("[data-tool=brush]").click()
    page.locator("[data-does=all]").click()
    everything = wait_until_painted(page)
    box = page.locator(".keep-stage").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + box["height"] * 0.1)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.12, steps=4)
    page.mouse.up()
    more = painted(page)
    assert more > everything
    page.locator("[data-does=undo]").click()
    assert painted(page) == everything
    # By keyboard: the space bar paints in the middle, and erases there.
    page.locator("[data-tool=eraser]").click()
    page.locator(".keep-stage").focus()
    page.keyboard.press("Space")
    assert painted(page) < everything
    page.locator("[data-does=undo]").click()
    page.locator("[data-does=clear]").click()
    assert painted(page) == 0
    page.locator("[data-does=undo]").click()
    assert painted(page) == everything


def test_a_result_is_aligned_and_shows_what_changed(app: App, visit: Visit, photos: Path) -> None:
    app.play(picture="preview", drift=True)
    page = visit(app.url)
    compared(page, photos / "cat.jpg")
    expect(page.locator(".viewer-place")).to_contain_text("Aligned: moved")
    expect(page.locator(".viewer-changed")).to_contain_text("% of the picture")
    aligned = source(page)
    unaligned = page.get_by_role("button", name=EN("compare.unaligned"))
    unaligned.click()
    expect(unaligned).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#result .viewer-a img")).not_to_have_attribute("src", aligned)
    unaligned.click()
    expect(page.locator("#result .viewer-a img")).to_have_attribute("src", aligned)

    changes = page.locator("#result [data-do=changes]")
    changes.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#result .viewer-map")).to_be_visible()
    expect(page.locator(".viewer-said")).to_contain_text("% of the picture")
    wait_until(page, "document.querySelector('#result .viewer-map').width > 300")
    share = page.locator("#result .viewer-map").evaluate(
        "c => { const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data.filter((_, i) => i % 4 === 3);"
        " return d.filter((value) => !value).length / d.length; }"
    )
    assert 0.02 < share < 0.4
    assert not violations(page, "what changed", "#result")


def test_the_rest_is_kept(app: App, visit: Visit, photos: Path, tmp_path: Path) -> None:
    app.play(picture="preview", drift=True)
    page = visit(app.url)
    compared(page, photos / "cat.jpg")
    open_painter(page)
    assert not violations(page, "painter")
    page.locator(".keep-make").click()
    expect(page.locator(".keep-said")).to_have_text(EN("keep.empty"))
    paint(page)
    page.set_viewport_size(PHONE)
    assert not violations(page, "painter on a phone")
    page.locator("[data-does=clear]").click()
    paint(page)
    page.set_viewport_size(DESKTOP)
    page.locator(".keep select").select_option("original")
    page.locator(".keep-make").click()
    expect(page.locator("dialog.keep")).to_have_count(0)
    expect(page.locator("#result .viewer-b")).to_have_attribute("data-label", EN("kept.badge.preview"))
    settle(page)
    assert not violations(page, "kept composite", "#result")
    # It is what is presented and taken away.
    assert page.evaluate("wanShownKey()").endswith("/kept-1")
    for size in (PHONE, DESKTOP):
        page.set_viewport_size(size)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    with page.expect_download() as download:
        page.locator(".kept .download").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert all(part in file.name for part in ("local-preview", "kept-full-size"))
    with Image.open(photos / "cat.jpg") as original, Image.open(file) as kept:
        assert kept.size == original.size
        assert kept.format == "PNG"
        same = (np.asarray(kept.convert("RGB")) == np.asarray(original.convert("RGB"))).all(-1)
    assert 0.5 < same.mean() < 1

    page.locator(".kept [data-event=use]").click()
    expect(page.locator("#status")).to_contain_text("kept composite is now image 1")
    page.locator("#slot-1 img").wait_for()


def test_a_restored_recipe_brings_the_mask_back(app: App, visit: Visit, photos: Path, tmp_path: Path) -> None:
    app.play(picture="preview", drift=True)
    page = visit(app.url)
    compared(page, photos / "cat.jpg")
    held: list[Route] = []
    page.route("**/map.png*", lambda route: held.append(route))  # noqa: PLW0108  # Playwright looks at its parameters
    with page.expect_request("**/map.png*"):
        open_painter(page)
    # What was pressed before it is known what changed is done once it is, in the order of the presses.
    page.locator("[data-does=all]").click()
    page.locator("[data-does=clear]").click()
    held.pop().continue_()
    page.locator("[data-does=undo]").click()
    before = wait_until_painted(page)
    page.locator(".keep-make").click()
    with page.expect_download() as download:
        page.locator(".kept .download").click()
    file = tmp_path / "kept.png"
    download.value.save_as(file)
    recipe = read(file)
    assert recipe
    assert recipe.kept

    page.reload()
    page.locator("#draft data").wait_for(state="attached")
    page.locator("#prompt textarea").fill("something else")
    drop(page, file)
    expect(page.locator("#prompt textarea")).to_have_value(PROMPT)
    expect(page.locator("#status")).to_contain_text("It was a kept composite")
    # The result that it was painted on is shown again.
    expect(page.locator("#result [data-keep]")).to_be_visible()
    open_painter(page)
    assert wait_until_painted(page) == pytest.approx(before, rel=0.01)
