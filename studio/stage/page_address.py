"""The page's address for an audience, and its QR code."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import segno
from starlette.datastructures import Headers

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Any

ADDRESS_CHARACTERS_MAX = 500


def address(base: str | None, scope: MutableMapping[str, Any], shown: str) -> str | None:
    """Return the address by which others reach the page, with a slash at its end; None if only this machine can.

    Args:
        base: The page's address from outside, if one was set.
        scope: The request of a browser that has the page open.
        shown: The address in that browser. It counts only with the request's host, so a code never leads elsewhere.
    """
    if base:
        return f"{base.rstrip('/')}/"
    parts = urlsplit(shown[:ADDRESS_CHARACTERS_MAX])
    own = parts.scheme in {"http", "https"} and parts.netloc == Headers(scope=scope).get("host")
    if not own or _is_local(parts.hostname or ""):
        return None
    path = parts.path if parts.path.endswith("/") else f"{parts.path.rpartition('/')[0]}/"
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def qr_code(text: str) -> str:
    """Return the text as a QR code: an SVG as a ``data:`` URI, dark on white with the margin that readers need."""
    code = segno.make(text, error="m", micro=False)
    uri: str = code.svg_data_uri(scale=8, border=4, dark="#000", light="#fff", omitsize=True)
    return uri


def _is_local(host: str) -> bool:
    """Return whether a host is reached only from its own machine: a loopback, unspecified or empty one."""
    try:
        number = ip_address(host.strip("[]"))
    except ValueError:
        return host in {"", "localhost"} or host.endswith(".localhost")
    return number.is_loopback or number.is_unspecified
