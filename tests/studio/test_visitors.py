"""Who a visitor is, asked of a real server with real headers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import gradio as gr
import httpx
import pytest
from starlette.requests import Request

from studio.i18n.language import language_links
from studio.public.visitors import name_in, visitor_of
from studio.settings import PRIVATE_NETWORKS, can_sign_in
from tests.conftest import ROOT, START_SECONDS, free_port, running_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import App

THIS_MACHINE = "address 127.0.0.1"


PAGE = """
from studio.settings import PageSettings

PageSettings.load().export_to_environment()
import gradio as gr
from studio.public.visitors import visitor_of

def who(request: gr.Request) -> str:
    return visitor_of(request).name

with gr.Blocks() as page:
    gr.api(who, api_name="who")
page.launch(quiet=True, ssr_mode=False)
"""


@contextmanager
def served(**environment: str) -> Iterator[str]:
    """A page that says whom it sees, with these settings."""
    port = free_port()
    own = {"FORWARDED_ALLOW_IPS": "*", "GRADIO_SERVER_PORT": str(port), **environment}
    process = subprocess.Popen([sys.executable, "-c", PAGE], cwd=ROOT, env={**os.environ, **own})
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            try:
                httpx.get(url, trust_env=False, timeout=10)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture(scope="module")
def by_default() -> Iterator[str]:
    with served() as url:
        yield url


@pytest.fixture(scope="module")
def as_on_a_space() -> Iterator[str]:
    with served(WAN_TRUSTED_PROXIES=PRIVATE_NETWORKS) as url:
        yield url


def seen(url: str, *forwarded: str) -> str:
    """Whom the page sees behind a call with these X-Forwarded-For headers."""
    headers = [("X-Forwarded-For", value) for value in forwarded]
    with httpx.Client(trust_env=False, timeout=30, headers=headers) as client:
        event = client.post(f"{url}/gradio_api/call/who", json={"data": []}).json()["event_id"]
        told = client.get(f"{url}/gradio_api/call/who/{event}").text
    name: str = json.loads(told.split("data: ", 1)[1])[0]
    return name


@pytest.mark.parametrize("forwarded", [(), ("203.0.113.9",), ("203.0.113.9, 10.0.0.1",), ("127.0.0.1",), ("::1",)])
def test_a_forged_header_buys_nothing(by_default: str, forwarded: tuple[str, ...]) -> None:
    assert seen(by_default, *forwarded) == THIS_MACHINE


@pytest.mark.parametrize(
    ("forwarded", "name"),
    [
        (("203.0.113.9",), "address 203.0.113.9"),
        (("198.51.100.1, 203.0.113.9",), "address 203.0.113.9"),
        (("198.51.100.1", "203.0.113.9"), "address 203.0.113.9"),
        (("198.51.100.1, 203.0.113.9, 10.0.0.4",), "address 203.0.113.9"),
        (("10.0.0.4, 203.0.113.9",), "address 203.0.113.9"),
        (("203.0.113.9:51234",), "address 203.0.113.9"),
        (("2001:db8:1:2:3:4:5:6",), "address 2001:db8:1:2::/64"),
        (("[2001:db8:1:2:ffff::1]:443",), "address 2001:db8:1:2::/64"),
        (("198.51.100.1, nonsense",), "address unknown"),
        ((), THIS_MACHINE),
    ],
)
def test_behind_a_trusted_proxy_the_last_hop_before_it_counts(
    as_on_a_space: str, forwarded: tuple[str, ...], name: str
) -> None:
    assert seen(as_on_a_space, *forwarded) == name


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("2001:db8::1", "address 2001:db8::/64"),
        ("2001:db8::ffff:1", "address 2001:db8::/64"),
        ("2001:db8:0:1::1", "address 2001:db8:0:1::/64"),
        ("::ffff:192.0.2.7", "address 192.0.2.7"),
        ("192.0.2.7", "address 192.0.2.7"),
        ("testclient", "address unknown"),
        ("", "address unknown"),
    ],
)
def test_addresses_are_counted_by_household(host: str, name: str) -> None:
    assert name_in({"client": (host, 1)}) == name
    assert name_in({"client": None}) == "address unknown"


def signed_in(**changes: Any) -> dict[str, Any]:
    login = {"expires_at": time.time() + 60, "userinfo": {"sub": "5f0c", "preferred_username": "ann"}, **changes}
    return {"type": "http", "headers": [], "client": ("192.0.2.7", 1), "session": {"oauth_info": login}}


def test_on_a_space_the_signed_in_user_counts_wherever_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "someone/some-space")
    assert visitor_of(gr.Request(Request(signed_in()))).name == "user 5f0c"
    assert name_in(signed_in(expires_at=None)) == "user 5f0c"
    assert name_in(signed_in(expires_at=1)) == "address 192.0.2.7"
    assert name_in(signed_in(userinfo={})) == "address 192.0.2.7"


def test_elsewhere_a_sign_in_is_a_rehearsal_and_counts_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert name_in(signed_in()) == "address 192.0.2.7"


def test_a_name_is_not_for_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "someone/some-space")
    visitor = visitor_of(gr.Request(Request(signed_in()), session_hash="page"))
    assert visitor.session == "page"
    assert "5f0c" not in repr(visitor)
    assert visitor_of(None).session is None


@pytest.fixture
def space(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What a Space with ``hf_oauth: true`` gives its program."""
    given = {
        "SYSTEM": "spaces",
        "SPACE_ID": "someone/some-space",
        "OAUTH_CLIENT_ID": "client",
        "OAUTH_CLIENT_SECRET": "secret",
        "OAUTH_SCOPES": "openid profile",
        "OPENID_PROVIDER_URL": "http://127.0.0.1:1",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return given


def test_visitors_can_sign_in_where_a_space_lets_them(space: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert can_sign_in()
    request = gr.Request(Request({**signed_in(), "query_string": b"", "path": "/"}))
    assert "Sign out ann" in language_links(request)
    stranger = gr.Request(Request({**signed_in(), "session": {}, "query_string": b"", "path": "/"}))
    assert "Sign in with Hugging Face" in language_links(stranger)
    for name in space:
        with monkeypatch.context() as without:
            without.delenv(name)
            assert not can_sign_in()
            assert "Sign" not in language_links(stranger)


@pytest.mark.slow
def test_the_sign_in_of_a_space_is_served(space: dict[str, str]) -> None:
    with running_app(WAN_BACKEND="sandbox", **space) as app:
        page = httpx.get(app.url, timeout=60, trust_env=False)
        assert page.is_success
        # The provider of this test can't be reached; what matters is that Gradio tries to send the visitor there.
        assert httpx.get(f"{app.url}/login/huggingface", timeout=60, trust_env=False).status_code >= 500
        assert httpx.get(f"{app.url}/logout", timeout=60, trust_env=False).is_redirect


def test_elsewhere_nobody_can_sign_in(app: App) -> None:
    answer = httpx.get(f"{app.url}/login/huggingface", timeout=60, trust_env=False)
    assert answer.status_code == httpx.codes.NOT_FOUND
