"""How fast the stage opens, from the press on P to the frame in which the picture stands there.

    python -m benchmarks.present [--times 20]

In a browser without a window, with nine results in it; the best and the median of so many times are printed. What is
compared is the time that the browser takes to draw any change at all, in the same page.
"""

from __future__ import annotations

import argparse
from statistics import median
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from tests import programs
from tests.conftest import PHOTOS, running_app

if TYPE_CHECKING:
    from playwright.sync_api import Page

AIM = 100.0
RESULTS = 9
AT_ONCE = 3

_DRAWN = "requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - began)))"
NOTHING = f"""() => new Promise((done) => {{
  const began = performance.now();
  document.body.toggleAttribute("data-benchmark");
  {_DRAWN};
}})"""
OPENED = f"""() => new Promise((done) => {{
  const began = performance.now();
  document.body.dispatchEvent(new KeyboardEvent("keydown", {{ key: "p", bubbles: true }}));
  const picture = document.querySelector(".present-frame .present-after");
  const drawn = () => {_DRAWN};
  if (picture.complete && picture.naturalWidth) drawn(); else picture.addEventListener("load", drawn, {{ once: true }});
}})"""


def fill(page: Page) -> None:
    """Make nine results on the page."""
    page.locator("#slot-1 input[type=file]").set_input_files(PHOTOS / "cat.jpg")
    page.locator("#slot-1 img").wait_for()
    page.locator("#variations label").nth(AT_ONCE - 1).click()
    for number in range(RESULTS // AT_ONCE):
        page.locator("#prompt textarea").fill(f"make image 1 sepia, number {number}")
        page.locator("#generate").click()
        page.locator("#history .history-show").nth((number + 1) * AT_ONCE - 1).wait_for()
        page.locator("#generate:not([disabled])").wait_for()
    page.wait_for_function(f"wanCards.size >= {RESULTS}")


def main() -> None:
    """Measure all cases and print one line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    times = parser.parse_args().times
    with running_app(WAN_BACKEND="sandbox") as app, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=programs.browser(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1920, "height": 1080})
        page.goto(app.url)
        page.locator("#draft data").wait_for(state="attached")
        fill(page)
        nothing, opened = [], []
        for _ in range(times):
            nothing.append(page.evaluate(NOTHING))
            opened.append(page.evaluate(OPENED))
            page.keyboard.press("Escape")
            page.locator("#present").wait_for(state="detached")
        browser.close()
    print(f"any change     best {min(nothing):6.1f} ms   median {median(nothing):6.1f} ms")
    print(f"present opens  best {min(opened):6.1f} ms   median {median(opened):6.1f} ms   (aim: under {AIM:.0f} ms)")


if __name__ == "__main__":
    main()
