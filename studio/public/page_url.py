"""The page's URL as its visitors see it, also behind a proxy that strips a path or does not report TLS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
from starlette.datastructures import Headers, MutableHeaders

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

# The header that Gradio prefers for its own URL.
GRADIO_URL_HEADER = "x-gradio-server"
PREFIX = "x-forwarded-prefix"


class PageUrl:
    """Middleware that makes Gradio's responses name files by the URL of the visitor's page.

    A page's calls carry that URL as their referrer. Programs send none: for them a proxy that strips a path names it in
    ``X-Forwarded-Prefix``. The HTML page itself is corrected in the browser: see ``templates/head.html``.

    Args:
        app: The application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http" and (address := _page_url(scope)):
            headers = MutableHeaders(scope=scope)
            headers[GRADIO_URL_HEADER] = address
            # Gradio would prefer this header, which has no path.
            del headers["x-forwarded-host"]
        await self._app(scope, receive, send)


def _page_url(scope: Scope) -> str | None:
    """Return the URL of the page that a request comes from, without a slash at its end; None if it names none."""
    headers = Headers(scope=scope)
    hosts = {_first(headers.get(name, "")) for name in ("host", "x-forwarded-host")}
    page = _parsed(headers.get("referer", ""))
    is_own = headers.get("sec-fetch-site") == "same-origin"
    if page is not None and (is_own or page.netloc.decode("ascii") in hosts):
        return str(page.copy_with(path=page.path.rpartition("/")[0] or "/", query=None, fragment=None)).rstrip("/")
    prefix = _first(headers.get(PREFIX, "")).rstrip("/")
    if prefix.startswith("/") and not prefix.startswith("//"):
        scheme = _first(headers.get("x-forwarded-proto", "")) or scope["scheme"]
        host = _first(headers.get("x-forwarded-host", "")) or headers.get("host", "")
        return f"{scheme}://{host}{prefix}"
    return None


def _parsed(address: str) -> httpx.URL | None:
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        return None
    return url if url.scheme in {"http", "https"} and url.host else None


def _first(header: str) -> str:
    return header.partition(",")[0].strip()
