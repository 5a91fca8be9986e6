"""What is sent is what is shown: uploads on their way, uploads that fail, files that are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, Route, expect

from studio.i18n.texts import Texts
from tests.browser.test_page import fill, generate
from tests.browser.test_runs import add, finish, kept, status

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Locator

    from tests.browser.test_page import Visit
    from tests.conftest import App

UPLOAD = "**/gradio_api/upload*"
BOTH = "put image 1 beside image 2"
EN = Texts("en")
# What an upload may come to that is no picture on the server, and what the slot says of it.
FAILURES: tuple[tuple[Callable[[Route], None], str], ...] = (
    (lambda route: route.abort("connectionreset"), "broken"),
    (lambda route: route.fulfill(status=413, body="too large"), "too_large"),
    (lambda route: route.fulfill(status=429, body="too many"), "too_many"),
    (lambda route: route.fulfill(status=500, body="<h1>Internal Server Error</h1>"), "server"),
    # No answer of ours.
    (lambda route: route.fulfill(status=200, body="<html>a login page</html>"), "server"),
    (lambda route: route.fulfill(status=507, body="full"), "full"),
)


def slot(page: Page, number: int) -> Locator:
    return page.locator(f"#slot-{number} .slot")


def hold_upload(page: Page) -> list[Route]:
    """Hold the next upload back; the list gets its route."""
    held: list[Route] = []
    page.route(UPLOAD, lambda route: held.append(route))  # noqa: PLW0108  # Playwright looks at the handler's parameters
    return held


def test_what_is_pressed_while_an_upload_fails_is_not_sent(app: App, visit: Visit, photos: Path) -> None:
    sandbox = app.play()
    page = visit(app.url)
    fill(page, photos / "cat.jpg", BOTH)
    held = hold_upload(page)
    page.locator("#slot-2 input[type=file]").set_input_files(photos / "coffee.jpg")
    for end, words in FAILURES:
        expect(slot(page, 2)).to_have_attribute("data-state", "uploading")
        generate(page)
        expect(page.locator("#generate")).to_have_attribute("aria-busy", "true")
        expect(slot(page, 2)).to_contain_text(EN("slot.held"))
        end(held.pop())
        expect(slot(page, 2)).to_have_attribute("data-state", "failed")
        expect(slot(page, 2)).to_contain_text(EN(f"slot.failed.{words}"))
        expect(page.locator("#generate")).not_to_have_attribute("aria-busy", "true")
        generate(page)
        expect(slot(page, 2).locator("button:focus")).to_have_count(1)
        assert sandbox.counters.submits_received == 0
        if words == FAILURES[-1][1]:
            page.unroute(UPLOAD)
        slot(page, 2).locator("[data-does=retry]").click()
    expect(slot(page, 2)).to_have_attribute("data-state", "ready")
    generate(page)
    finish(page)
    (entry,) = kept(page)
    assert entry["form"]["image_2"].endswith("coffee.jpg")
    assert sandbox.counters.submits_accepted == 1


def test_a_press_waits_for_a_slow_upload_and_then_goes_out_with_the_picture(
    app: App, visit: Visit, photos: Path
) -> None:
    sandbox = app.play()
    page = visit(app.url)
    fill(page, photos / "cat.jpg", BOTH)
    held = hold_upload(page)
    page.locator("#slot-2 input[type=file]").set_input_files(photos / "coffee.jpg")
    expect(slot(page, 2)).to_have_attribute("data-state", "uploading")
    page.locator("#prompt textarea").press("Control+Enter")
    generate(page)
    expect(page.locator("#generate")).to_have_attribute("aria-busy", "true")
    assert sandbox.counters.submits_received == 0
    held[0].continue_()
    finish(page)
    (entry,) = kept(page)
    assert entry["form"]["image_2"].endswith("coffee.jpg")
    assert sandbox.counters.submits_accepted == 1


def test_a_broken_slot_can_be_emptied_and_the_rest_is_sent(app: App, visit: Visit, photos: Path) -> None:
    sandbox = app.play()
    page = visit(app.url)
    fill(page, photos / "cat.jpg", "image 1 as a sketch")
    page.route(UPLOAD, lambda route: route.abort())
    page.locator("#slot-2 input[type=file]").set_input_files(photos / "coffee.jpg")
    expect(slot(page, 2)).to_have_attribute("data-state", "failed")
    slot(page, 2).locator("[data-does=remove]").click()
    expect(slot(page, 2)).to_have_attribute("data-state", "empty")
    generate(page)
    finish(page)
    assert sandbox.counters.submits_accepted == 1


@pytest.mark.parametrize("number", [1, 2])
def test_a_picture_that_is_gone_on_the_server_is_asked_for_again(
    app: App, visit: Visit, photos: Path, tmp_path: Path, number: int
) -> None:
    sandbox = app.play()
    page = visit(app.url)
    pictures = [tmp_path / f"gone-{number}-{place}.jpg" for place in (1, 2)]
    for place, picture in enumerate(pictures, 1):
        picture.write_bytes((photos / "cat.jpg").read_bytes() + picture.name.encode())
        add(page, place, picture)
    page.locator("#prompt textarea").fill(BOTH)
    expect(slot(page, 2)).to_have_attribute("data-state", "ready")
    for file in app.folder.rglob(pictures[number - 1].name):
        file.unlink()
    generate(page)
    expect(page.locator(f"#slot-{number}")).to_contain_text(EN("error.image_gone", number=number))
    assert sandbox.counters.submits_received == 0
    page.reload()
    expect(slot(page, number)).to_have_attribute("data-state", "gone")
    expect(slot(page, number)).to_contain_text(EN("error.image_gone", number=number))
    expect(slot(page, 3 - number)).to_have_attribute("data-state", "ready")
    generate(page)
    assert sandbox.counters.submits_received == 0
    add(page, number, pictures[number - 1])
    expect(slot(page, number)).to_have_attribute("data-state", "ready")
    generate(page)
    finish(page)
    assert sandbox.counters.submits_accepted == 1


def test_a_restored_run_whose_picture_is_gone_keeps_its_place(app: App, visit: Visit, photos: Path) -> None:
    app.play()
    page = visit(app.url)
    fill(page, photos / "cat.jpg", BOTH)
    add(page, 2, photos / "coffee.jpg")
    generate(page)
    finish(page)
    (entry,) = kept(page)
    # A link to the upload: the run's copy has a path of its own.
    (app.folder.joinpath(entry["form"]["image_1"])).unlink()
    page.locator("#history [data-event=select]").click()
    expect(slot(page, 1)).to_have_attribute("data-state", "gone")
    expect(slot(page, 2).locator("img")).to_be_visible()
    expect(status(page)).to_contain_text(EN("history.restored_without"))
    generate(page)
    expect(slot(page, 1).locator("button:focus")).to_have_count(1)
    assert len(kept(page)) == 1
