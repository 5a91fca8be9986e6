"""Makes the README's screenshot from the real page: ``python -m tests.browser.screenshot``."""

from __future__ import annotations

from playwright.sync_api import expect, sync_playwright

from tests import programs
from tests.browser.conftest import CHROMIUM_ARGUMENTS, wait_until
from tests.conftest import PHOTOS, ROOT, running_app


def main() -> None:
    """Run the first example of the README and write ``assets/screenshot.jpg``."""
    with running_app(WAN_BACKEND="sandbox") as app, sync_playwright() as playwright:
        app.play(picture="preview")
        browser = playwright.chromium.launch(executable_path=programs.browser(), args=CHROMIUM_ARGUMENTS)
        page = browser.new_page(viewport={"width": 1440, "height": 920})
        page.goto(app.url)
        page.locator(".stage").wait_for()
        page.locator("#slot-1 input[type=file]").set_input_files(PHOTOS / "cat.jpg")
        page.locator("#slot-1 img").wait_for()
        page.locator("#prompt textarea").fill("turn image 1 into a pencil sketch")
        page.locator("#generate").click()
        expect(page.locator("#generate")).to_be_enabled()
        page.get_by_role("button", name="Keep the rest").wait_for()
        wait_until(page, "document.querySelector('[data-shown] .viewer-b img').naturalWidth > 0")
        page.mouse.move(0, 0)
        page.screenshot(path=ROOT / "assets" / "screenshot.jpg", type="jpeg", quality=88)
        browser.close()


if __name__ == "__main__":
    main()
