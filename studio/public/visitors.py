"""Who asks: a page, a program, a person."""

from __future__ import annotations

import hmac
import math
import secrets
import time
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers, MutableHeaders

from studio.settings import on_a_space

if TYPE_CHECKING:
    from collections.abc import Mapping

    import gradio as gr
    from starlette.types import ASGIApp, Receive, Scope, Send


IPV6_HOST_BITS = 64
MCP_PATH = "/gradio_api/mcp"
CALLER = "x-wan-caller"
PASSED_ON = "x-wan-passed-on"
_SECRET = secrets.token_bytes(32)


@dataclass(frozen=True)
class Visitor:
    """One visitor, as far as the server knows.

    Attributes:
        session: The page's session; None for a program, which has none.
        name: What the visitor's runs are counted under: a signed-in user or an address. Never logged, never shown.
    """

    session: str | None = None
    name: str = field(default="", repr=False)


def visitor_of(request: gr.Request | None) -> Visitor:
    """The visitor behind a request."""
    if request is None:
        return Visitor()
    scope = request.request.scope if request.request else {}
    return Visitor(request.session_hash, f"user {request.username}" if request.username else name_in(scope))


def name_in(scope: Mapping[str, Any]) -> str:
    """What the runs of a connection are counted under: the signed-in Hugging Face user, else the address.

    Args:
        scope: The connection as ASGI describes it. Its ``client`` is what the server made of ``X-Forwarded-For``
            under `trust`, so the header itself is not read again.
    """
    if user := _signed_in(scope.get("session") or {}):
        return f"user {user}"
    if caller := _caller(Headers(raw=scope.get("headers", [])).get(CALLER, "")):
        return caller
    host, _ = scope.get("client") or ("", 0)
    try:
        address = ip_address(host)
    except ValueError:
        return "address unknown"
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return f"address {address.ipv4_mapped}"
        # A household has a whole /64 to choose addresses from.
        return f"address {IPv6Address(int(address) >> IPV6_HOST_BITS << IPV6_HOST_BITS)}/{IPV6_HOST_BITS}"
    return f"address {address}"


class McpCallers:
    """Middleware that has an agent's call counted as its own.

    Gradio passes such a call on to itself, over this machine's own address but with the caller's headers. One of them
    then names the caller, signed with a secret of this process.

    Args:
        app: The application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http" and MCP_PATH in scope["path"]:
            name = name_in(scope)
            MutableHeaders(scope=scope)[CALLER] = f"{_signature(name)} {name}"
        await self._app(scope, receive, send)


def signed_in_name(session: Mapping[str, Any]) -> str:
    """What a signed-in visitor is called; empty for all others."""
    if not _signed_in(session):
        return ""
    return str(session["oauth_info"]["userinfo"].get("preferred_username") or "…")


def own_headers() -> dict[str, str]:
    """Return the headers by which this server recognises its own calls."""
    return {PASSED_ON: _signature(PASSED_ON)}


def is_passed_on(scope: Mapping[str, Any]) -> bool:
    """Whether this server calls itself, with what a visitor handed in and was counted for."""
    given = Headers(raw=scope.get("headers", [])).get(PASSED_ON, "")
    return hmac.compare_digest(given.encode(), _signature(PASSED_ON).encode())


def _caller(signed: str) -> str | None:
    signature, _, name = signed.partition(" ")
    return name if hmac.compare_digest(signature.encode(), _signature(name).encode()) else None


def _signature(name: str) -> str:
    return hmac.digest(_SECRET, name.encode(), "sha256").hex()


def _signed_in(session: Mapping[str, Any]) -> str | None:
    """The user's lasting id in the cookie that Gradio signs on a Space; elsewhere its sign-in is only a rehearsal."""
    login = session.get("oauth_info")
    if not on_a_space() or not login or (login.get("expires_at") or math.inf) < time.time():
        return None
    user: str | None = login.get("userinfo", {}).get("sub")
    return user
