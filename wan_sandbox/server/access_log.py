"""The access log: a line for each call."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log: Final = logging.getLogger("wan_sandbox.access")


class AccessLog:
    """Logs method, path, status and duration of each call: no query, no header, no body, and no token.

    A token that a caller puts into a path by mistake is blotted out.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on and log it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = "gone"

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            path = scope["raw_path"].decode("latin-1")
            for name, value in scope["headers"]:
                token = value.decode("latin-1").rpartition(" ")[2]
                if name == b"authorization" and token:
                    path = path.replace(token, "…")
            _log.info("%s %s %s %.1f ms", scope["method"], path, status, (time.perf_counter() - began) * 1000)
