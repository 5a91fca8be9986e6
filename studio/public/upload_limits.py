"""Keeps what anyone may send from filling the disk or the memory."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import gradio as gr
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from studio.i18n.texts import texts_for
from studio.uploads import check_room
from wan_client import WanError

from .limits import LimitReached
from .visitors import MCP_PATH, Visitor, name_in

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from .limits import Limits

UPLOAD_PATHS = ("/gradio_api/upload", "/upload")
# Three pictures as large as the page takes one, and the lines between them.
REQUEST_MB = 121
# All other calls carry words: more of them than a browser's storage holds make no sense.
WORDS_MB = 5
MEGABYTE = 1_000_000


class UploadLimits:
    """Middleware that answers an upload too many, or a call too large, with a sentence.

    It goes by the size of each call; of uploads also by a visitor's number of them in an hour, and by the room left.

    Args:
        app: The application.
        limits: Counts the uploads.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            await self._check(request)
        except WanError as problem:
            if problem.code != "upload_too_large":
                # A browser that is cut off while it sends does not read the answer.
                async for _ in request.stream():
                    pass
            texts = texts_for(gr.Request(request))
            told = [texts(f"error.{problem.code}{part}", **problem.values) for part in ("", ".hint")]
            await PlainTextResponse(" ".join(told), _status(problem))(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _check(self, request: Request) -> None:
        upload = request.url.path.endswith(UPLOAD_PATHS[0]) or request.url.path == UPLOAD_PATHS[1]
        limit = REQUEST_MB if upload or MCP_PATH in request.url.path else WORDS_MB
        # Without a length there is no telling how much is coming; and where both are said, the length is not the one
        # that counts.
        length, coding = (request.headers.get(name, "") for name in ("content-length", "transfer-encoding"))
        if coding or not length.isdecimal() or int(length) > limit * MEGABYTE:
            raise WanError("upload_too_large", limit=limit)
        if not upload:
            return
        check_room()
        await self._limits.count_upload(Visitor(name=name_in(request.scope)))


def _status(problem: WanError) -> HTTPStatus:
    if isinstance(problem, LimitReached):
        return HTTPStatus.TOO_MANY_REQUESTS
    return HTTPStatus.INSUFFICIENT_STORAGE if problem.code == "disk_full" else HTTPStatus.REQUEST_ENTITY_TOO_LARGE
