"""The security headers let the whole page work, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from playwright.sync_api import expect

from studio.server import SECURITY_HEADERS
from tests import programs
from tests.browser.conftest import CHROMIUM_ARGUMENTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.conftest import App

NOTE_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""
USE_THE_CLIPBOARD = "navigator.clipboard.writeText('copied').then(() => navigator.clipboard.readText())"
LOAD_FROM_ELSEWHERE = """() => new Promise((settle) => {
  const picture = new Image();
  picture.onload = picture.onerror = () => settle(window.violations);
  picture.src = "https://pictures.example/spy.png";
})"""


@pytest.fixture(scope="module")
def browser_with_camera(browser: Browser) -> Iterator[Browser]:
    """A browser with a camera that shows a test picture."""
    arguments = [*CHROMIUM_ARGUMENTS, "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    other = browser.browser_type.launch(executable_path=programs.browser(), args=arguments)
    yield other
    other.close()


def test_the_whole_page_works_under_its_security_policy(app: App, browser_with_camera: Browser, photos: Path) -> None:
    context = browser_with_camera.new_context(permissions=["camera", "clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.add_init_script(NOTE_VIOLATIONS)
    page.goto(app.url)
    page.locator(".stage").wait_for()
    page.locator("#slot-1 input[type=file]").set_input_files(photos / "cat.jpg")
    page.locator("#slot-1 img").wait_for()
    page.locator("#slot-2").get_by_role("button", name="Take a photo").click()
    page.locator("dialog.camera").get_by_role("button", name="Take the photo").click()
    page.locator("#slot-2 img").wait_for()
    page.locator("#prompt textarea").fill("turn image 1 into a pencil sketch")
    page.locator("#generate").click()
    page.locator("wan-viewer").wait_for()
    assert page.evaluate(USE_THE_CLIPBOARD) == "copied"
    page.get_by_role("button", name="API").click()
    expect(page.get_by_text("/edit").first).to_be_visible()
    assert page.evaluate("window.violations") == []
    context.close()


def test_a_picture_from_another_host_is_not_loaded(app: App, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script(NOTE_VIOLATIONS)
    page.goto(app.url)
    assert "img-src" in " ".join(page.evaluate(LOAD_FROM_ELSEWHERE))
    context.close()


@pytest.mark.parametrize("path", ["/", "/healthz", "/gradio_api/info", "/nowhere"])
def test_every_answer_carries_the_headers(app: App, path: str) -> None:
    given = httpx.get(app.url + path, trust_env=False, timeout=60).headers
    assert {name: given[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert "X-Frame-Options" not in given
