"""A server that is stopped in the middle of things: nothing is paid twice, nothing is lost, nothing stays behind."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from gradio_client import Client, handle_file
from playwright.sync_api import expect

from studio.i18n.texts import Texts
from tests.browser.test_runs import reopened
from tests.conftest import UNTIL_FINISHED, running_app
from tests.sandbox.support import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.conftest import App


def generate(page: Page, photos: Path) -> None:
    fill(page, photos)
    page.locator("#generate").click()


def fill(page: Page, photos: Path) -> None:
    page.locator("#slot-1 input[type=file]").set_input_files(photos / "cat.jpg")
    page.locator("#slot-1 img").wait_for()
    page.locator("#prompt textarea").fill("turn image 1 into a pencil sketch")


def test_a_submit_on_its_way_arrives_once_and_the_browser_picks_the_run_up(
    app: App, visit: Callable[..., Page], photos: Path
) -> None:
    sandbox = app.play(faults=("accepted-slow*1",), run_time=UNTIL_FINISHED)
    page = visit(app.url)
    generate(page, photos)
    until(lambda: sandbox.counters.submits_accepted == 1)
    before = len(app.log)
    app.signal(signal.SIGTERM)
    assert app.wait() == 0
    assert "Traceback" not in app.log[before:]
    page = reopened(page, app)
    sandbox.finish_jobs()
    page.locator("wan-viewer").wait_for()
    assert sandbox.counters.submits_accepted == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_the_sandbox_inside_ends_with_the_page(number: int, photos: Path) -> None:
    with running_app(WAN_BACKEND="sandbox", RUNCOMFY_API_BASE="") as app:
        client = Client(app.url, verbose=False)
        client.predict("pencil sketch", handle_file(photos / "cat.jpg"), api_name="/edit")
        drawing = app.children()
        assert drawing
        app.signal(number)
        assert app.wait() == 0
        assert not [process for process in drawing if Path(f"/proc/{process}").exists()]
        assert "Traceback" not in app.log


def test_a_run_that_waits_is_left_alone_and_picked_up(app: App, visit: Callable[..., Page], photos: Path) -> None:
    sandbox = app.play(run_time=UNTIL_FINISHED)
    page = visit(f"{app.url}/?lang=ko")
    generate(page, photos)
    until(lambda: sandbox.counters.submits_accepted == 1)
    before = len(app.log)
    app.signal(signal.SIGTERM)
    assert app.wait() == 0
    assert "Traceback" not in app.log[before:]
    # Gradio says it in English.
    expect(page.get_by_test_id("toast-body")).to_contain_text(Texts("ko")("toast.lost"))
    expect(page.get_by_test_id("toast-close")).to_have_accessible_name(Texts("ko")("toast.close"))
    page = reopened(page, app)
    sandbox.finish_jobs()
    page.locator("wan-viewer").wait_for()
    counted = sandbox.counters
    assert (counted.submits_accepted, counted.jobs_cancelled) == (1, 0)


def test_a_new_run_is_refused_in_a_sentence_while_the_server_stops(
    app: App, visit: Callable[..., Page], photos: Path
) -> None:
    sandbox = app.play(faults=("accepted-slow*1",), speed=0.15)
    page, other = visit(app.url), visit(app.url)
    fill(other, photos)
    generate(page, photos)
    until(lambda: sandbox.counters.submits_accepted == 1)
    app.signal(signal.SIGTERM)
    other.locator("#generate").click()
    other.get_by_text(Texts("en")("error.restarting")).wait_for()
    assert app.wait() == 0
    assert sandbox.counters.submits_accepted == 1
