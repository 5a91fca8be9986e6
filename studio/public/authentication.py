"""Authentication for a page that only invited people open: one name and password (``WAN_AUTH``) for every route."""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from http import HTTPStatus
from ipaddress import ip_address
from typing import TYPE_CHECKING

import gradio as gr
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from studio.i18n.texts import texts_for

from . import health
from .limit_store import Count, MemoryStore
from .visitors import name_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

# Gradio calls this path itself while it starts.
STARTUP_PATH = "/gradio_api/startup-events"
GUESSES = 10
GUESS_SECONDS = 15 * 60


class Authentication:
    """Middleware that asks for the name and the password by HTTP Basic authentication.

    Browsers, MCP clients and programs all support it, and it needs no cookie, no form and no state that replicas would
    have to share. The password travels with every request, so it is taken over https or on this machine only. After
    `GUESSES` wrong ones, each within `GUESS_SECONDS` of the last, an address is refused for that long, with the right
    one too, so that guessing can't go on.

    Args:
        app: The application.
        login: The name and the password, joined by a colon.
        starting: Returns whether Gradio is still starting the page.
    """

    def __init__(self, app: ASGIApp, login: str, starting: Callable[[], bool]) -> None:
        self._app = app
        self._login = login.encode()
        self._starting = starting
        self._guesses = MemoryStore()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] == "lifespan" or scope["path"] in health.PATHS or self._is_startup(scope):
            await self._app(scope, receive, send)
            return
        refused = await self._refusal(scope)
        if refused is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            code, status = refused
            texts = texts_for(gr.Request(Request(scope)))
            words = f"{texts(f'error.{code}')} {texts(f'error.{code}.hint')}"
            headers = {"Cache-Control": "no-store"}
            if status is HTTPStatus.UNAUTHORIZED:
                headers["WWW-Authenticate"] = 'Basic realm="Wan", charset="UTF-8"'
            await PlainTextResponse(words, status, headers)(scope, receive, send)

    def _is_startup(self, scope: Scope) -> bool:
        return scope["path"] == STARTUP_PATH and self._starting()

    async def _refusal(self, scope: Scope) -> tuple[str, HTTPStatus] | None:
        """Return why a request is refused: the error's code and the HTTP status. None lets it pass."""
        if not _is_private(scope):
            return "auth_insecure", HTTPStatus.FORBIDDEN
        visitor = name_in(scope)
        now = time.monotonic()
        (wrong,) = await self._guesses.read([visitor], [], now=now)
        if wrong >= GUESSES:
            return "auth_guesses", HTTPStatus.TOO_MANY_REQUESTS
        given = _credentials(Headers(scope=scope).get("authorization", ""))
        if given is None:
            return "auth_needed", HTTPStatus.UNAUTHORIZED
        if hmac.compare_digest(_digest(given), _digest(self._login)):
            return None
        await self._guesses.take([Count(visitor, 1, GUESSES, GUESS_SECONDS)], [], [], now=now, lease=0)
        return "auth_wrong", HTTPStatus.UNAUTHORIZED


def _credentials(header: str) -> bytes | None:
    """Return the name and the password in an ``Authorization`` header; None where there are none."""
    scheme, _, text = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _digest(text: bytes) -> bytes:
    """Return a digest, whose comparison takes the same time whatever the text's length."""
    return hmac.digest(b"login", text, "sha256")


def _is_private(scope: Scope) -> bool:
    """Return whether the request was encrypted on its way, or did not leave this machine.

    A trusted proxy sets the scheme. A peer on this machine is a local client, or a proxy or tunnel whose
    ``X-Forwarded-Proto`` is trusted.
    """
    if scope["scheme"] in {"https", "wss"}:
        return True
    try:
        local = ip_address((scope.get("client") or ("", 0))[0]).is_loopback
    except ValueError:
        return False
    return local and Headers(scope=scope).get("x-forwarded-proto", "https").split(",")[0].strip().lower() == "https"
