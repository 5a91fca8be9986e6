"""A real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests import programs
from tests.conftest import running_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import App

# What scripts/test could neither find nor install; it says so.
collect_ignore = [] if programs.others() else ["test_other_browsers.py"]
# A busy machine may take its time; what never comes still fails. In milliseconds.
PATIENCE = 90_000
expect.set_options(timeout=PATIENCE)
OWNERS_TOKEN = "the-owners-token-that-nobody-sees"
PRICE = 0.03
STORAGE = "local_storage,indexeddb,cache_storage,service_workers"

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
    """The browser that `programs` finds."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=programs.browser(), args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


class Contexts:
    """Browser contexts that several tests use one after another, so that only the first loads the page's scripts cold.

    A context that is given back keeps its HTTP cache and nothing else: no cookie, no storage, no page.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: dict[tuple[str, str], list[BrowserContext]] = {}

    def take(self, locale: str, scheme: str) -> BrowserContext:
        """Return a context that no other page uses."""
        free = self._free.setdefault((locale, scheme), [])
        if free:
            return free.pop()
        return self._browser.new_context(
            locale=locale, color_scheme="dark" if scheme == "dark" else "light", accept_downloads=True
        )

    def give_back(self, context: BrowserContext, locale: str, scheme: str) -> None:
        """Clear a context and keep it for the next test."""
        origins = {"{0.scheme}://{0.netloc}".format(urlsplit(page.url)) for page in context.pages}
        for page in context.pages[1:]:
            page.close()
        # A page that is still open could write to its storage once more after that is cleared.
        context.pages[0].goto("about:blank")
        session = context.new_cdp_session(context.pages[0])
        for origin in origins:
            session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": STORAGE})
        context.pages[0].close()
        context.clear_cookies()
        self._free[locale, scheme].append(context)


@pytest.fixture(scope="session")
def shared_hosted_app() -> Iterator[App]:
    with running_app(RUNCOMFY_API_TOKEN=OWNERS_TOKEN) as app:
        yield app


@pytest.fixture
def hosted(shared_hosted_app: App) -> App:
    """The app with its owner's token. A test may stop it."""
    shared_hosted_app.play(price=PRICE)
    if shared_hosted_app.ended:
        shared_hosted_app.start()
    return shared_hosted_app


@pytest.fixture(scope="package")
def contexts(browser: Browser) -> Contexts:
    return Contexts(browser)


@pytest.fixture
def visit(contexts: Contexts) -> Iterator[Callable[..., Page]]:
    """Opens a page in a browser of its own, and checks at the end that it asked no other host and threw nothing."""
    taken: list[tuple[BrowserContext, str, str]] = []
    foreign: list[str] = []
    thrown: list[str] = []

    def visit(url: str, *, width: int = 1440, height: int = 900, locale: str = "en-US", scheme: str = "light") -> Page:
        context = contexts.take(locale, scheme)
        taken.append((context, locale, scheme))
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": height})
        page.set_default_timeout(PATIENCE)
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
        # What the browser kept is in the form again.
        page.locator("#draft data").wait_for(state="attached")
        return page

    yield visit
    for context, locale, scheme in taken:
        contexts.give_back(context, locale, scheme)
    assert not foreign, f"the page asked other hosts: {foreign}"
    assert not thrown, f"the page threw: {thrown}"
