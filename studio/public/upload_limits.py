"""Limits on what anyone may send, so that it can't fill the disk or the memory."""

from __future__ import annotations

import json
from contextlib import nullcontext, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import gradio as gr
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse

from studio.i18n.texts import texts_for
from wan_client import WanError

from .limits import UNAVAILABLE, LimitReached
from .visitors import MCP_PATH, Visitor, name_in

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from studio.uploads import DiskSpace

    from .limits import Limits

UPLOAD_PATHS = ("/gradio_api/upload", "/upload")
MEGABYTE = 1_000_000
# Three pictures of 40 MB, and the overhead of the multipart body.
REQUEST_MB = 121
# A page sends what its browser keeps, which is some 0.7 MB at the most.
PAGE_MB = 1
PAGE_PATHS = ("/queue/join",)
STORAGE_BEGINS = '{"runs":'
# All other calls carry a form. Up to this size, a prompt that is too long gets the form's own message.
FORM_BYTES = 200_000
TEXT_MAX = 16_000
_STATUSES = {
    "disk_full": HTTPStatus.INSUFFICIENT_STORAGE,
    "length_missing": HTTPStatus.LENGTH_REQUIRED,
    "upload_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
}
# For names of sessions, functions and events.
NAME_MAX = 200


class UploadLimits:
    """Middleware that refuses too many uploads and too large calls with a sentence.

    It checks the size of each call; of uploads also a visitor's number of them in an hour, and the free disk space.

    Args:
        app: The application.
        limits: Counts the uploads.
        disk_space: The space for them.
    """

    def __init__(self, app: ASGIApp, limits: Limits, disk_space: DiskSpace) -> None:
        self._app = app
        self._limits = limits
        self._disk_space = disk_space

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            reserved = await self._checked(request)
        except WanError as problem:
            await self._refuse(request, problem, send)
            return
        with reserved:
            await self._app(scope, receive, send)

    async def _checked(self, request: Request) -> AbstractContextManager[None]:
        """Check a call, and reserve disk space for what it uploads."""
        path, length = request.url.path, _length(request)
        if MCP_PATH in path:
            _check_length(length, REQUEST_MB * MEGABYTE)
            if length > FORM_BYTES:
                # Pictures inside the call.
                self._disk_space.check(length)
                await self._limits.count_upload(Visitor(name=name_in(request.scope)))
                return self._disk_space.reserved(length)
            return nullcontext()
        if not (path.endswith(UPLOAD_PATHS[0]) or path == UPLOAD_PATHS[1]):
            _check_length(length, PAGE_MB * MEGABYTE if path.endswith(PAGE_PATHS) else FORM_BYTES)
            return nullcontext()
        _check_length(length, REQUEST_MB * MEGABYTE)
        self._disk_space.check(length)
        await self._limits.count_upload(Visitor(name=name_in(request.scope)))
        return self._disk_space.reserved(length)

    async def _refuse(self, request: Request, problem: WanError, send: Send) -> None:
        if problem.code not in {"upload_too_large", "length_missing"}:
            # Read to the end: a browser that is cut off while it sends does not read the response.
            with suppress(ClientDisconnect):
                async for _ in request.stream():
                    pass
        texts = texts_for(gr.Request(request))
        sentences = [texts(f"error.{problem.code}{part}", **problem.values) for part in ("", ".hint")]
        await PlainTextResponse(" ".join(sentences), _status(problem))(request.scope, request.receive, send)


class TextLimits:
    """Middleware that refuses calls with texts that are longer than any input of the page.

    It does so before Gradio reads the call: Gradio keeps calls, and the page repeats a prompt in its responses.

    Args:
        app: The application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] != "http" or scope["method"] != "POST" or not _carries_form(scope):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        if not _call_texts_fit(body, storage=scope["path"].endswith(PAGE_PATHS)):
            texts = texts_for(gr.Request(request))
            sentences = [texts(f"error.call_malformed{part}") for part in ("", ".hint")]
            await JSONResponse({"detail": " ".join(sentences)}, HTTPStatus.BAD_REQUEST)(scope, receive, send)
            return
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)


def _carries_form(scope: Scope) -> bool:
    path: str = scope["path"]
    return not (path.endswith(UPLOAD_PATHS[0]) or path == UPLOAD_PATHS[1] or MCP_PATH in path)


def _call_texts_fit(body: bytes, *, storage: bool) -> bool:
    """Return whether no text of a call is too long. Gradio refuses what is not JSON, and keeps none of it."""
    if len(body) <= NAME_MAX:
        return True
    try:
        call = json.loads(body)
    except json.JSONDecodeError:
        return True
    except (ValueError, RecursionError):
        # A number with thousands of digits, or a thousand nested lists.
        return False
    if not isinstance(call, dict):
        return True
    data = call.get("data")
    if storage and isinstance(data, list) and data and str(data[0]).startswith(STORAGE_BEGINS):
        # The browser's storage, which only the page's own handlers read, always as their first input.
        call = {**call, "data": data[1:]}
    names = {name: value for name, value in call.items() if name not in {"data", "event_data"}}
    return _texts_fit(names, NAME_MAX if "data" in call else TEXT_MAX) and _texts_fit(call, TEXT_MAX)


def _texts_fit(value: Any, longest: int) -> bool:
    """Return whether each text in a value is at most that long, and all together are at most 4 × `TEXT_MAX`."""
    total, left = 0, [value]
    while left:
        part = left.pop()
        if isinstance(part, str):
            if len(part) > longest:
                return False
            total += len(part)
        elif isinstance(part, dict):
            left += part.keys()
            left += part.values()
        elif isinstance(part, list):
            left += part
        elif isinstance(part, int) and abs(part) >= 10**NAME_MAX:
            return False
    return total <= 4 * TEXT_MAX


def _length(request: Request) -> int:
    """Return the length of a request's body.

    Raises:
        WanError: The length is not stated, or a transfer coding makes it meaningless.
    """
    length, coding = (request.headers.get(name, "") for name in ("content-length", "transfer-encoding"))
    if coding or not (length.isascii() and length.isdecimal()) or len(length) > NAME_MAX:
        raise WanError("length_missing")
    return int(length)


def _check_length(length: int, most: int) -> None:
    if length > most:
        raise WanError("upload_too_large", limit=f"{most / MEGABYTE:g}")


def _status(problem: WanError) -> HTTPStatus:
    if isinstance(problem, LimitReached):
        away = problem.status.code == UNAVAILABLE
        return HTTPStatus.SERVICE_UNAVAILABLE if away else HTTPStatus.TOO_MANY_REQUESTS
    return _STATUSES[problem.code]
