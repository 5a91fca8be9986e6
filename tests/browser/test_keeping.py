"""A browser that refuses to keep anything: its tab does, and all is true that the page says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import expect

from studio.i18n.texts import Texts
from tests.browser.conftest import wait_until
from tests.browser.test_page import fill, generate
from tests.browser.test_runs import finish, folder_of, named, prompt, status
from tests.conftest import UNTIL_FINISHED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.conftest import App

EN = Texts("en")
WORDS = "image 1 as a sketch"
REFUSE = """for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, {
  get() { throw new DOMException("refused", "SecurityError"); },
});"""
FULL = """Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); };"""


@pytest.fixture(params=[REFUSE, FULL], ids=["refused", "full"])
def forgetful(request: pytest.FixtureRequest, browser: Browser, app: App) -> Iterator[Page]:
    """The page in a browser that keeps nothing."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_init_script(request.param)
    thrown: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: thrown.append(str(error)))
    page.goto(app.url)
    page.locator(".stage").wait_for()
    yield page
    context.close()
    assert not thrown


def kept(page: Page) -> list[dict[str, Any]]:
    runs = [json.loads(run) for run in json.loads(page.evaluate("wanKept()"))["runs"]]
    return sorted(runs, key=lambda run: run["at"], reverse=True)


def run(page: Page, picture: Path, words: str = WORDS) -> None:
    fill(page, picture, words)
    generate(page)
    wait_until(
        page,
        "words => JSON.parse(wanKept()).runs.map(JSON.parse).some((run) => run.result && run.form.prompt === words)",
        arg=words,
    )
    finish(page)


def test_everything_works_until_the_tab_is_closed(
    app: App, forgetful: Page, visit: Callable[..., Page], photos: Path
) -> None:
    sandbox, page = app.play(run_time=UNTIL_FINISHED), forgetful
    expect(page.locator("#keeping")).to_contain_text(EN("keeping.nothing").split(".")[0])
    expect(page.locator("#keeping a")).to_have_attribute("target", "_blank")
    fill(page, photos / "cat.jpg", WORDS)
    generate(page)
    wait_until(page, "JSON.parse(wanKept()).runs.some((run) => JSON.parse(run).request_id)")
    page.reload()
    expect(status(page).locator(".run-waiting")).to_be_visible()
    sandbox.finish_jobs()
    expect(status(page)).to_contain_text("Finished")
    expect(page.locator("#history li")).to_have_count(1)
    assert sandbox.counters.submits_accepted == 1

    sandbox = app.play()
    run(page, photos / "cat.jpg", "image 1 in sepia")
    expect(page.locator("#history li")).to_have_count(2)
    generate(page)
    expect(status(page)).to_contain_text(EN("run.made_before"))
    assert sandbox.counters.submits_accepted == 1
    page.locator("#history li").last.locator("[data-event=select]").click()
    expect(prompt(page)).to_have_value(WORDS)
    page.locator("#use").click()
    expect(page.locator("#slot-1 img")).to_have_attribute("src", named("local-preview"))
    prompt(page).press_sequentially("once more")
    page.reload()
    expect(page.locator("#history li")).to_have_count(2)
    expect(prompt(page)).to_have_value("once more")
    page.get_by_role("link", name="한국어").click()
    expect(page.locator("#generate")).to_have_text(Texts("ko")("button.generate"))
    expect(page.locator("#history li")).to_have_count(2)
    expect(prompt(page)).to_have_value("once more")

    # The code fetches the picture in another browser.
    page.locator("#history .history-show").first.click()
    code = page.locator("#caption .retrieval code").inner_text()
    other = visit(app.url)
    expect(other.locator("#caption .retrieval")).to_have_count(0)
    other.locator("#code-panel > button").click()
    other.locator("#code-box input, #code-box textarea").first.fill(f" {code} ")
    other.locator("#code-fetch").click()
    expect(status(other)).to_contain_text(EN("run.fetched"))
    expect(other.locator("#history li")).to_have_count(1)
    expect(other.locator("#result .stage")).to_have_attribute("data-shown", code)
    other.locator("#code-box input, #code-box textarea").first.fill("no such code")
    other.locator("#code-fetch").click()
    expect(status(other)).to_contain_text(EN("error.code_unknown"))


def test_forget_everything_is_true(app: App, forgetful: Page, photos: Path, tmp_path: Path) -> None:
    app.play()
    page = forgetful
    picture = tmp_path / "kept-by-the-tab.jpg"
    picture.write_bytes((photos / "cat.jpg").read_bytes() + b"kept by the tab")
    run(page, picture)
    (entry,) = kept(page)
    address = page.locator("#downloads a.download").first.get_attribute("href")
    assert httpx.get(f"{app.url}/{address}", trust_env=False, timeout=60).is_success
    page.locator("#forget").click()
    expect(status(page)).to_contain_text(EN("history.forgotten"))
    assert httpx.get(f"{app.url}/{address}", trust_env=False, timeout=60).status_code in {403, 404}
    assert not folder_of(app, entry["key"]).exists()
    assert not [*app.folder.rglob(picture.name)]
    wait_until(page, "JSON.parse(wanKept()).runs.length == 0 && !JSON.parse(wanKept()).uploads.length")
    page.reload()
    expect(page.locator(".stage-empty")).to_be_visible()
    expect(prompt(page)).to_have_value("")


def test_a_code_picks_up_a_run_that_is_still_at_work(app: App, photos: Path, visit: Callable[..., Page]) -> None:
    sandbox = app.play(run_time=UNTIL_FINISHED)
    page = visit(app.url)
    fill(page, photos / "cat.jpg", WORDS)
    generate(page)
    wait_until(page, "JSON.parse(wanKept()).runs.some((run) => JSON.parse(run).request_id)")
    (entry,) = kept(page)
    other = visit(app.url)
    other.locator("#code-panel > button").click()
    other.locator("#code-box input, #code-box textarea").first.fill(entry["key"])
    other.locator("#code-fetch").click()
    expect(status(other).locator(".run-waiting")).to_be_visible()
    sandbox.finish_jobs()
    expect(status(other)).to_contain_text("Finished")
    expect(other.locator("#history li")).to_have_count(1)
    assert sandbox.counters.submits_accepted == 1
