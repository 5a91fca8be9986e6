"""Visitors, by their session and by the name that their runs are counted under."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Any

from studio.settings import on_a_space

if TYPE_CHECKING:
    from collections.abc import Mapping

    import gradio as gr


IPV6_HOST_BITS = 64
MCP_PATH = "/gradio_api/mcp"


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
    """Return the visitor behind a request."""
    if request is None:
        return Visitor()
    scope = request.request.scope if request.request else {}
    return Visitor(request.session_hash, f"user {request.username}" if request.username else name_in(scope))


def name_in(scope: Mapping[str, Any]) -> str:
    """Return the name that a connection's runs are counted under: the signed-in Hugging Face user, else the address.

    Args:
        scope: The connection as ASGI describes it. Uvicorn has set its ``client`` from ``X-Forwarded-For`` as far as
            proxies are trusted, so the header itself is not read again.
    """
    if user := _signed_in(scope.get("session") or {}):
        return f"user {user}"
    host, _ = scope.get("client") or ("", 0)
    try:
        address = ip_address(host)
    except ValueError:
        return "address unknown"
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return f"address {address.ipv4_mapped}"
        # A household can choose addresses from a whole /64.
        return f"address {IPv6Address(int(address) >> IPV6_HOST_BITS << IPV6_HOST_BITS)}/{IPV6_HOST_BITS}"
    return f"address {address}"


def signed_in_name(session: Mapping[str, Any]) -> str:
    """Return the name of a signed-in visitor; empty for all others."""
    if not _signed_in(session):
        return ""
    return str(session["oauth_info"]["userinfo"].get("preferred_username") or "…")


def _signed_in(session: Mapping[str, Any]) -> str | None:
    """Return the user's permanent id from the cookie that Gradio signs; None off a Space, where sign-in is a mock."""
    login = session.get("oauth_info")
    if not on_a_space() or not login or (login.get("expires_at") or math.inf) < time.time():
        return None
    user: str | None = login.get("userinfo", {}).get("sub")
    return user
