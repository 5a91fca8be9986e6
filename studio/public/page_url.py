"""The page's URL as its visitors see it, also behind a proxy that strips a path or does not report TLS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders

from wan_client.addresses import parse_address

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

# The header that Gradio prefers for its own URL.
GRADIO_URL_HEADER = "x-gradio-server"
PREFIX = "x-forwarded-prefix"


def with_page_url(app: ASGIApp) -> ASGIApp:
    """Return middleware that makes Gradio's responses name files by the URL of the visitor's page.

    A page's calls carry that URL as their referrer. Programs send none: for them a proxy that strips a path names it in
    ``X-Forwarded-Prefix``. The HTML page itself is corrected in the browser: see ``templates/head.html``.
    """

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (address := _page_url(scope)):
            headers = MutableHeaders(scope=scope)
            headers[GRADIO_URL_HEADER] = address
            # Gradio would prefer this header, which has no path.
            del headers["x-forwarded-host"]
        await app(scope, receive, send)

    return call


def _page_url(scope: Scope) -> str | None:
    """Return the URL of the page that a request comes from, without a slash at its end; None if it names none."""
    headers = Headers(scope=scope)
    hosts = {_first(headers.get(name, "")) for name in ("host", "x-forwarded-host")}
    page = parse_address(headers.get("referer", ""))
    is_own = headers.get("sec-fetch-site") == "same-origin"
    if page and page.scheme in {"http", "https"} and (is_own or page.netloc.decode("ascii") in hosts):
        return str(page.copy_with(path=page.path.rpartition("/")[0] or "/", query=None, fragment=None)).rstrip("/")
    prefix = _first(headers.get(PREFIX, "")).rstrip("/")
    if prefix.startswith("/") and not prefix.startswith("//"):
        scheme = _first(headers.get("x-forwarded-proto", "")) or scope["scheme"]
        host = _first(headers.get("x-forwarded-host", "")) or headers.get("host", "")
        return f"{scheme}://{host}{prefix}"
    return None


def _first(header: str) -> str:
    return header.partition(",")[0].strip()
