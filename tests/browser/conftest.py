"""A real browser."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# A busy machine may take its time; what never comes still fails.
expect.set_options(timeout=30_000)

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. Where there is none the tests fail: a browser test that is skipped tests nothing."""
    path = shutil.which("chromium")
    assert path, "the browser tests need Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page in a browser of its own, and checks at the end that it asked no other host and threw nothing."""
    contexts = []
    foreign: list[str] = []
    thrown: list[str] = []

    def visit(url: str, *, width: int = 1440, height: int = 900, locale: str = "en-US", scheme: str = "light") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            locale=locale,
            color_scheme="dark" if scheme == "dark" else "light",
            accept_downloads=True,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        own = urlsplit(url).netloc
        page.on(
            "request",
            lambda request: (
                foreign.append(request.url)
                if request.url.startswith(("http", "ws")) and urlsplit(request.url).netloc != own
                else None
            ),
        )
        page.on("pageerror", lambda error: thrown.append(str(error)))
        page.goto(url)
        page.locator(".engine").wait_for()
        page.locator("#slot-1 input[type=file]").wait_for(state="attached")
        page.locator(".stage").wait_for()
        return page

    yield visit
    for context in contexts:
        context.close()
    assert not foreign, f"the page asked other hosts: {foreign}"
    assert not thrown, f"the page threw: {thrown}"
