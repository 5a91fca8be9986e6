"""The gate that lets nothing new begin while the server stops."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import gradio as gr
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse

from studio.i18n.texts import texts_for
from studio.views.render import render

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from studio.runs.jobs import Jobs

# A visitor's page asks again after so many seconds: by then this server, restarted, or another replica may answer.
RETRY_SECONDS = 2
# POST requests that start something new. All others belong to an open page or a known run, and are still answered.
_NEW_WORK_PATHS = ("/gradio_api/upload", "/gradio_api/call/", "/gradio_api/mcp", "/upload")


class StopGate:
    """Middleware that refuses new work while the server stops, and closes each connection after its response.

    A proxy then asks another replica, and a visitor's page retries by itself.

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

        app = _restarting_response(scope) if _starts_new_work(scope) else self._app
        await app(scope, receive, send_and_close)


def _starts_new_work(scope: Scope) -> bool:
    path: str = scope["path"]
    return path == "/" if scope["method"] in {"GET", "HEAD"} else path.startswith(_NEW_WORK_PATHS)


def _restarting_response(scope: Scope) -> ASGIApp:
    """Return the response to a refused request: for a browser, a page that retries by itself."""
    texts = texts_for(gr.Request(Request(scope)))
    headers = {"Retry-After": str(RETRY_SECONDS), "Cache-Control": "no-store"}
    status = HTTPStatus.SERVICE_UNAVAILABLE
    if scope["method"] in {"GET", "HEAD"}:
        return HTMLResponse(render("restarting", texts=texts, seconds=RETRY_SECONDS), status, headers)
    return PlainTextResponse(" ".join(texts(f"error.restarting{part}") for part in ("", ".hint")), status, headers)
