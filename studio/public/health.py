"""Whether this server runs, whether it takes runs, and how it takes no more of them before it stops."""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import gradio as gr
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse
from starlette.routing import Route

from studio.i18n.texts import texts_for
from studio.views.render import render
from wan_client import Backend, WanError, __version__

from .limits import LimitReached

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from studio.runs.jobs import Jobs
    from studio.settings import PageSettings

LIVE_PATH, READY_PATH = "/livez", "/readyz"
# The name of an earlier version, for probes that ask for it.
OLD_PATH = "/healthz"
PATHS = frozenset({LIVE_PATH, READY_PATH, OLD_PATH})
# Anybody may ask, so the store and the disk are asked no more often than that.
CHECK_SECONDS = 1.0
# After so many seconds a visitor's page looks whether the server, or another replica, is there.
RETRY_SECONDS = 2
OK, STOPPING, UNAVAILABLE, FULL = "ok", "stopping", "unavailable", "full"
# What begins something new. All else belongs to a page or a run that is there, and is answered to the end.
_BEGINNINGS = ("/gradio_api/upload", "/gradio_api/call/", "/gradio_api/mcp", "/upload")


class Health:
    """Answers probes.

    Args:
        jobs: The server's jobs.
        settings: The page's settings.
    """

    def __init__(self, jobs: Jobs, settings: PageSettings) -> None:
        self._jobs = jobs
        self._settings = settings
        self._checking = asyncio.Lock()
        self._checked: tuple[float, dict[str, str]] | None = None

    def routes(self) -> list[Route]:
        """Return the routes of the probes."""
        return [Route(LIVE_PATH, self._live), *(Route(path, self._ready) for path in (READY_PATH, OLD_PATH))]

    async def _live(self, _request: Request) -> Response:
        """Return that the server answers. It asks nobody: a restart would help neither a store nor a disk."""
        return JSONResponse({"status": OK})

    async def _ready(self, _request: Request) -> Response:
        """Return whether new runs are taken. Behind a password only that is said."""
        checks = await self._checks()
        wrong = STOPPING if self._jobs.stopping else next((found for found in checks.values() if found != OK), None)
        facts: dict[str, Any] = {"status": wrong or OK}
        if not self._settings.auth:
            sandbox = self._settings.engine.backend is Backend.SANDBOX
            facts |= {**checks, "engine": "sandbox" if sandbox else "hosted", "version": __version__}
            # For information: another replica would reach the API no better.
            facts["api"] = self._jobs.engines.api_state
        return JSONResponse(facts, HTTPStatus.SERVICE_UNAVAILABLE if wrong else HTTPStatus.OK)

    async def _checks(self) -> dict[str, str]:
        async with self._checking:
            if self._checked is None or time.monotonic() - self._checked[0] > CHECK_SECONDS:
                found = {"store": await self._store(), "disk": await asyncio.to_thread(self._disk)}
                self._checked = time.monotonic(), found
            return self._checked[1]

    async def _store(self) -> str:
        try:
            await self._jobs.limits.check()
        except LimitReached:
            return UNAVAILABLE
        return OK

    def _disk(self) -> str:
        try:
            self._jobs.room.check()
        except WanError:
            return FULL
        except OSError:
            return UNAVAILABLE
        return OK


class StopGate:
    """Middleware that lets nothing new begin while the server stops, and has connections closed after each answer.

    A proxy then asks another replica, and a visitor's page asks again by itself.

    Args:
        app: The application.
        jobs: The server's jobs.
    """

    def __init__(self, app: ASGIApp, jobs: Jobs) -> None:
        self._app = app
        self._jobs = jobs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] != "http" or not self._jobs.stopping:
            await self._app(scope, receive, send)
            return

        async def send_and_close(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        app = _restarting(scope) if _begins(scope) else self._app
        await app(scope, receive, send_and_close)


def _begins(scope: Scope) -> bool:
    path: str = scope["path"]
    return path == "/" if scope["method"] in {"GET", "HEAD"} else path.startswith(_BEGINNINGS)


def _restarting(scope: Scope) -> ASGIApp:
    """Return the answer to what came too late: to a person a page that looks again by itself."""
    texts = texts_for(gr.Request(Request(scope)))
    headers = {"Retry-After": str(RETRY_SECONDS), "Cache-Control": "no-store"}
    status = HTTPStatus.SERVICE_UNAVAILABLE
    if scope["method"] in {"GET", "HEAD"}:
        return HTMLResponse(render("restarting", texts=texts, seconds=RETRY_SECONDS), status, headers)
    return PlainTextResponse(" ".join(texts(f"error.restarting{part}") for part in ("", ".hint")), status, headers)
