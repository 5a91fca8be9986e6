"""Nothing on the page jumps as it opens and as a run goes on, and neither costs the browser more than it has to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from studio.i18n.texts import Texts
from tests.browser.conftest import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.browser.test_page import Visit
    from tests.conftest import App

SHIFT_MAX = 0.05
# What follows a press within half a second is expected, and the browser says so.
SHIFTS = """() => new Promise((done) => {
  let sum = 0;
  const moved = [];
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput, sources } of list.getEntries()) {
      if (hadRecentInput) continue;
      sum += value;
      const names = sources.map(({ node }) => node?.id || node?.parentElement?.id || node?.className);
      moved.push(value.toFixed(3), ...names);
    }
  }).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done([sum, moved.join(" ")]));
})"""


def shift(page: Page) -> tuple[float, str]:
    """Return the sum of all layout shifts since the page was opened, and what moved."""
    total, moved = page.evaluate(SHIFTS)
    return total, moved


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_nothing_jumps_on_opening_and_in_a_run(app: App, visit: Visit, photos: Path, width: int, height: int) -> None:
    app.play(picture="preview", run_time=(1.5, 1.5), warm_up=0.5)
    page = visit(app.url, width=width, height=height, moves=True)
    expect(page.locator("#history .history-empty")).to_be_visible()
    opened, moved = shift(page)
    assert opened <= SHIFT_MAX, moved
    page.locator("#slot-1 input[type=file]").set_input_files(photos / "cat.jpg")
    page.locator("#slot-1 img").wait_for()
    page.locator("#prompt textarea").fill("turn image 1 into a pencil sketch")
    page.locator("#generate").click()
    expect(page.locator("#status")).to_contain_text("Finished")
    wait_until(page, "document.querySelector('[data-shown] .viewer-b img')?.naturalWidth > 0")
    expect(page.locator("#history li")).to_have_count(1)
    ended, moved = shift(page)
    assert ended - opened <= SHIFT_MAX, moved


def test_an_event_costs_the_browser_no_more_as_the_page_has_more_components(app: App, visit: Visit) -> None:
    page = visit(app.url)
    # With every answer Gradio renews all components on which a running event shows its progress.
    assert page.evaluate("gradio_config.dependencies.map(({ show_progress_on: on }) => on.length)") == [
        1
    ] * page.evaluate("gradio_config.dependencies.length")
    # Of a plain array Svelte makes reactive proxies, through which Gradio looks once for each component and event.
    assert page.evaluate("Object.getPrototypeOf(gradio_config.dependencies) !== Array.prototype")


@pytest.mark.parametrize("width", [390, 1440, 1920])
def test_the_heading_is_seen_at_once_and_stays_where_it_is(
    app: App, visit: Visit, browser: Browser, width: int
) -> None:
    unbuilt = browser.new_page(locale="ko-KR", java_script_enabled=False, viewport={"width": width, "height": 900})
    unbuilt.goto(app.url)
    texts = Texts("ko")
    expect(unbuilt.get_by_text(texts("page.title"), exact=True)).to_be_visible()
    assert texts("page.needs_scripts") in unbuilt.content()
    at_once = unbuilt.locator(".opening b").bounding_box()
    unbuilt.close()
    page = visit(app.url, width=width, locale="ko-KR")
    expect(page.locator(".opening")).to_be_hidden()
    expect(page.get_by_text(texts("page.old_browser"))).to_be_hidden()
    heading = page.locator("#heading h1").bounding_box()
    assert at_once
    assert heading
    assert abs(at_once["x"] - heading["x"]) < 2
    assert abs(at_once["y"] - heading["y"]) < 6
    assert at_once["height"] == pytest.approx(heading["height"], abs=2)


COUNT_FRAMES = """window.asked = 0;
const request = window.requestAnimationFrame.bind(window);
window.requestAnimationFrame = (callback) => { window.asked++; return request(callback); };"""
# True once nothing has asked for the next frame for half a second.
RESTS = """() => {
  if (window.seen !== window.asked) [window.seen, window.since] = [window.asked, performance.now()];
  return performance.now() - window.since > 500;
}"""


def test_a_page_on_which_nothing_happens_draws_no_frames(app: App, browser: Browser) -> None:
    with browser.new_context(locale="en-US") as context:
        page = context.new_page()
        page.add_init_script(COUNT_FRAMES)
        page.goto(app.url)
        page.locator("#draft data").wait_for(state="attached")
        wait_until(page, RESTS)
