"""A real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, Request, expect, sync_playwright

from tests import programs
from tests.conftest import made_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import App

# What scripts/test could neither find nor install; it says so.
collect_ignore = [] if programs.others() else ["test_other_browsers.py"]
# A busy machine may take its time; what never comes still fails. In milliseconds.
PATIENCE = 90_000
expect.set_options(timeout=PATIENCE)
OWNERS_TOKEN = "the-owners-token-that-nobody-sees"
PRICE = 0.03

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Loopback goes around a proxy, so a request to any other host fails.
    "--proxy-server=127.0.0.1:9",
]


def wait_until(page: Page, expression: str, arg: object = None) -> None:
    """Wait until an expression of JavaScript, or a function of an argument, is true in the page.

    It is looked at ten times a second: at each frame, which is Playwright's own way, the browser would draw each.
    """
    page.wait_for_function(expression, arg=arg, polling=100)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The browser that `programs` finds."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=programs.browser(), args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def photos(plain_photos: Path) -> Path:
    """Pictures that no test of the page looks at, unless it takes the photographs themselves."""
    return plain_photos


class Tabs:
    """Tabs that tests use one after another, each in a browser context of its own.

    Only the first page in a tab loads and compiles the scripts cold. A tab that is given back keeps those and nothing
    else.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: dict[str, list[BrowserContext]] = {}

    def take(self, url: str, locale: str) -> Page:
        """Return a tab of a context that nobody else uses, and that knows nothing of the page at an address."""
        free = self._free.setdefault(locale, [])
        if not free:
            return self._browser.new_context(locale=locale, accept_downloads=True).new_page()
        context = free.pop()
        page = context.pages[0] if context.pages else context.new_page()
        # What is kept can be cleared from a document of the same origin, while no page is there to write it once more.
        page.goto(f"{url.partition('?')[0].rstrip('/')}/livez")
        page.evaluate("sessionStorage.clear(); localStorage.clear(); window.name = ''")
        return page

    def give_back(self, page: Page, locale: str) -> None:
        """Keep a tab for the next test."""
        for other in page.context.pages:
            if other is not page:
                other.close()
        if not page.is_closed():
            page.goto("about:blank")
            page.unroute_all()
        page.context.clear_cookies()
        self._free[locale].append(page.context)


@pytest.fixture(scope="session")
def owners_app() -> Iterator[App]:
    with made_app(RUNCOMFY_API_TOKEN=OWNERS_TOKEN) as app:
        yield app


@pytest.fixture
def hosted(owners_app: App) -> App:
    """The app with its owner's token. A test may stop it."""
    owners_app.play(price=PRICE)
    if owners_app.ended:
        owners_app.start()
    return owners_app


@pytest.fixture(scope="package")
def tabs(browser: Browser) -> Tabs:
    return Tabs(browser)


@pytest.fixture
def visit(tabs: Tabs) -> Iterator[Callable[..., Page]]:
    """Opens a page in a browser of its own, and checks at the end that it asked no other host and threw nothing."""
    taken: list[tuple[Page, str]] = []
    foreign: list[str] = []
    thrown: list[str] = []

    def visit(
        url: str,
        *,
        width: int = 1440,
        height: int = 900,
        locale: str = "en-US",
        scheme: str = "light",
        moves: bool = False,
    ) -> Page:
        own = urlsplit(url).netloc

        # Only failed requests are noted: an event for each of a page's 90 takes 0.09 s of CPU at every load.
        def note_request(request: Request) -> None:
            if request.url.startswith(("http", "ws")) and urlsplit(request.url).netloc != own:
                foreign.append(request.url)

        page = tabs.take(url, locale)
        taken.append((page, locale))
        page.set_viewport_size({"width": width, "height": height})
        # Animations cost a fifth of a run's CPU, so only tests of what moves see them.
        motion: Literal["no-preference", "reduce"] = "no-preference" if moves else "reduce"
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion=motion)
        page.set_default_timeout(PATIENCE)
        page.on("requestfailed", note_request)
        page.on("pageerror", note_error)
        asked[page] = note_request
        page.goto(url)
        page.locator(".engine").wait_for()
        page.locator("#slot-1 input[type=file]").wait_for(state="attached")
        page.locator(".stage").wait_for()
        # What the browser kept is in the form again.
        page.locator("#draft data").wait_for(state="attached")
        return page

    def note_error(error: Error) -> None:
        thrown.append(str(error))

    asked: dict[Page, Callable[[Request], None]] = {}
    yield visit
    for page, locale in taken:
        page.remove_listener("requestfailed", asked[page])
        page.remove_listener("pageerror", note_error)
        tabs.give_back(page, locale)
    assert not foreign, f"the page asked other hosts: {foreign}"
    assert not thrown, f"the page threw: {thrown}"
