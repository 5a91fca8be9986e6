"""A page behind a name and a password, asked over real HTTP."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx
import pytest

from studio.i18n.texts import Texts
from studio.public.authentication import GUESSES, STARTUP_PATH
from tests.conftest import running_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import App

pytestmark = pytest.mark.slow

NAME, PASSWORD = "guest", "a password: nobody guesses"
LOGIN = (NAME, PASSWORD)


@pytest.fixture(scope="module")
def guarded() -> Iterator[App]:
    with running_app(
        WAN_BACKEND="sandbox", WAN_AUTH=f"{NAME}:{PASSWORD}", WAN_MCP="1", WAN_TRUSTED_PROXIES="127.0.0.1"
    ) as app:
        # Open while Gradio starts, which calls it.
        while ask(app, STARTUP_PATH).status_code != 401:
            time.sleep(0.1)
        yield app


def ask(app: App, path: str, method: str = "GET", visitor: str = "", **given: object) -> httpx.Response:
    """Ask as a visitor behind a proxy that the page trusts."""
    headers = {"X-Forwarded-For": visitor, "X-Forwarded-Proto": "https"} if visitor else {}
    with httpx.Client(base_url=app.url, trust_env=False, timeout=60) as client:
        return client.request(method, path, headers=headers, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("HEAD", "/"),
        ("GET", "/config"),
        ("GET", "/gradio_api/info"),
        ("GET", "/gradio_api/openapi.json"),
        ("GET", STARTUP_PATH),
        ("GET", "/gradio_api/mcp/schema"),
        ("POST", "/gradio_api/mcp/"),
        ("POST", "/gradio_api/upload"),
        ("POST", "/gradio_api/call/edit"),
        ("POST", "/slot"),
        ("POST", "/compare"),
        ("POST", "/keep"),
        ("GET", "/theme.css"),
        ("GET", "/static/img/logo.svg"),
        ("GET", "/nowhere"),
    ],
)
def test_every_route_asks_for_the_password(guarded: App, method: str, path: str) -> None:
    answer = ask(guarded, path, method)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic ")
    if method != "HEAD":
        assert answer.text.startswith(Texts("en")("error.auth_needed"))


def test_the_password_opens_the_page_and_its_endpoints(guarded: App) -> None:
    assert ask(guarded, "/", auth=LOGIN).is_success
    assert ask(guarded, "/gradio_api/info", auth=LOGIN).is_success
    call = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "result", "arguments": {"run": "no-such-run"}},
    }
    headers = {"Accept": "application/json, text/event-stream"}
    with httpx.Client(base_url=guarded.url, trust_env=False, auth=LOGIN, headers=headers, timeout=60) as client:
        answer = client.post("/gradio_api/mcp/", json=call)
    assert answer.is_success
    assert Texts("en")("error.run_unknown").split(",")[0] in answer.text


def test_health_is_open_and_says_nothing_else(guarded: App) -> None:
    assert ask(guarded, "/healthz").json() == {"status": "ok"}


def test_guesses_are_limited_by_address(guarded: App) -> None:
    for guess in range(GUESSES):
        assert ask(guarded, "/", visitor="203.0.113.5", auth=(NAME, f"guess {guess}")).status_code == 401
    assert ask(guarded, "/", visitor="203.0.113.5", auth=LOGIN).status_code == 429
    assert ask(guarded, "/", visitor="203.0.113.6", auth=LOGIN).is_success


def test_the_password_is_not_taken_over_plain_http_from_elsewhere(guarded: App) -> None:
    with httpx.Client(base_url=guarded.url, trust_env=False, auth=LOGIN, timeout=60) as client:
        elsewhere = {"X-Forwarded-For": "203.0.113.7"}
        assert client.get("/", headers={**elsewhere, "X-Forwarded-Proto": "http"}).status_code == 403
        assert client.get("/", headers={**elsewhere, "X-Forwarded-Proto": "https"}).is_success
        assert client.get("/", headers={"X-Forwarded-Proto": "http"}).status_code == 403


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic Z3Vlc3Q=", "Bearer abc", "Basic é"])
def test_headers_that_make_no_sense_are_refused(guarded: App, header: str) -> None:
    headers = {
        b"Authorization": header.encode(),
        b"X-Forwarded-For": b"203.0.113.8",
        b"X-Forwarded-Proto": b"https",
    }
    assert httpx.get(guarded.url, headers=headers, trust_env=False, timeout=60).status_code == 401


def test_the_password_is_never_logged(guarded: App) -> None:
    ask(guarded, "/", auth=LOGIN)
    ask(guarded, "/", auth=(NAME, "a wrong one"))
    assert PASSWORD not in guarded.log
    assert "a wrong one" not in guarded.log
