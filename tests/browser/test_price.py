"""The price of a press, what a slow catalogue holds up, and what leaves for other hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.conftest import UNTIL_FINISHED, running_app
from tests.sandbox.support import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.conftest import App


def generate(page: Page, photos: Path) -> None:
    page.locator("#slot-1 input[type=file]").set_input_files(photos / "cat.jpg")
    page.locator("#slot-1 img").wait_for()
    page.locator("#prompt textarea").fill("turn image 1 into a pencil sketch")
    page.locator("#generate").click()


def test_generate_names_its_price_and_what_is_left_while_runs_are_at_work(
    visit: Callable[..., Page], photos: Path
) -> None:
    with running_app(RUNCOMFY_API_TOKEN="a-token", WAN_LIMIT_HOURLY="5") as app:
        sandbox = app.play(price=0.03, run_time=UNTIL_FINISHED)
        page = visit(app.url)
        button, left = page.locator("#generate"), page.locator("#cost .limits")
        expect(button).to_have_text("Generate · $0.03")
        page.locator("#variations").get_by_label("2").check()
        expect(button).to_have_text("Generate · $0.06")
        expect(left).to_contain_text("5")
        generate(page, photos)
        expect(left).to_contain_text("3")
        expect(button).to_be_disabled()
        until(lambda: sandbox.counters.submits_accepted == 2)
        page.reload()
        expect(button).to_be_disabled()
        sandbox.finish_jobs()
        page.locator("[data-shown] wan-viewer").wait_for()
        expect(button).to_have_text("Generate · $0.06")


def test_a_catalogue_that_never_answers_holds_up_neither_the_page_nor_a_run(
    visit: Callable[..., Page], photos: Path
) -> None:
    with running_app(RUNCOMFY_API_TOKEN="a-token") as app:
        app.play(faults=("model-hang",))
        page = visit(app.url)
        generate(page, photos)
        page.locator("wan-viewer").wait_for()


def test_the_token_is_nothing_for_a_password_manager(app: App, visit: Callable[..., Page]) -> None:
    page = visit(app.url)
    assert page.locator("input[type=password]").count() == 0
    box = page.locator("#token-box input")
    page.locator("#token-panel > button").click()
    expect(box).to_have_attribute("autocomplete", "off")
    assert box.evaluate("box => getComputedStyle(box).webkitTextSecurity") == "disc"


def test_on_a_space_nothing_is_asked_of_another_host(visit: Callable[..., Page]) -> None:
    with running_app(WAN_BACKEND="sandbox", SPACE_ID="me/wan", SYSTEM="spaces") as app:
        page = visit(app.url)
        page.evaluate("document.fonts.ready.then(() => true)")
        # That it asked nobody else, `visit` checks.
        assert page.locator("#huggingface-space-header").count() == 0
