"""The responses of call faults."""

from __future__ import annotations

import asyncio
import struct
import zlib
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from wan_sandbox.server.transport import Close, Hang, Partly, Reset, Stall

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from starlette.requests import Request

    from wan_sandbox.queue.jobs import Job

REDIRECT_TARGET: Final = "/elsewhere/"
SECONDS_LATE: Final = 3.0
SECONDS_REFUSING: Final = 2.0
SECONDS_STALLED: Final = 30.0
OVERSIZE: Final = 96 * 1024 * 1024
HUGE: Final = 8 * 1024 * 1024
BOMB_SIDE: Final = 20000
_CHUNK: Final = bytes(64 * 1024)

_ERRORS: Final[Mapping[str, tuple[int, int, str]]] = {
    "401": (401, 401001, "unauthorized"),
    "402": (402, 402001, "payment required"),
    "403": (403, 403001, "forbidden"),
    "404": (404, 404001, "request not found"),
    "408": (408, 408001, "request timeout"),
    "425": (425, 425001, "too early"),
    "500": (500, 500001, "internal server error"),
    "error-200": (200, 500001, "internal server error"),
    "no-balance": (400, 400002, "insufficient balance"),
    "unauthorised": (400, 400004, "token invalid or expired"),
}
_NEAR_PROXY: Final[Mapping[int, str]] = {
    520: "Web server is returning an unknown error",
    521: "Web server is down",
    522: "Connection timed out",
    523: "Origin is unreachable",
    524: "A timeout occurred",
}


async def reply(kind: str, place: str, request: Request, *, speed: float, job: Job | None = None) -> Response | None:
    """Return a fault's response, or nothing where the true response follows."""
    if kind == "slow":
        await asyncio.sleep(SECONDS_LATE / speed)
        return None
    if kind == "not-ready":
        return None if job is None or job.ended else _error(400, 400005, "result not ready")
    if kind == "close" and place == "submit":
        # Closing with bytes unread would be a reset.
        async for _ in request.stream():
            pass
    if kind in _ERRORS:
        return _error(*_ERRORS[kind])
    if kind.startswith("html-"):
        return _page(int(kind.removeprefix("html-")))
    if kind.startswith("429"):
        return _too_many(kind)
    return _ODD[kind](request)


def _unprocessable(_request: Request) -> Response:
    detail = [{"loc": ["input", "prompt"], "msg": "refused by a fault", "type": "value_error"}]
    body = {"error_code": 422001, "error_message": "invalid input", "detail": detail}
    return JSONResponse(body, status_code=422)


def _echoed_token(request: Request) -> Response:
    return _error(500, 500001, f"upstream refused {request.headers.get('authorization', '')}")


def _redirect(request: Request, status: int = 307) -> Response:
    return RedirectResponse(f"{request.base_url}{REDIRECT_TARGET.strip('/')}{request.url.path}", status)


_ODD: Final[Mapping[str, Callable[[Request], Response]]] = {
    "reset": lambda _: Reset(),
    "refused": lambda _: Reset(),
    "close": lambda _: Close(),
    "hang": lambda _: Hang(),
    "stall": lambda _: Stall(SECONDS_STALLED),
    "cut": lambda _: Partly(b'{"request_id": "0123456789", "status": "in_progress"}', "application/json"),
    "422": _unprocessable,
    "500-text": lambda _: Response("Internal Server Error", status_code=500, media_type="text/plain"),
    "invalid-json": lambda _: Response('{"request_id": "abc', media_type="application/json"),
    "wrong-json": lambda _: JSONResponse([1, 2, 3]),
    "empty-body": lambda _: Response(media_type="application/json"),
    "huge-error": lambda _: _error(500, 500001, "x" * HUGE),
    "echo-token": _echoed_token,
    "redirect": _redirect,
    "no-id": lambda _: JSONResponse({"status": "in_queue"}),
    "hostile-id": lambda _: JSONResponse({"request_id": "../../x"}),
}


def _error(status: int, code: int, message: str) -> Response:
    return JSONResponse({"error_code": code, "error_message": message}, status_code=status)


def _too_many(kind: str) -> Response:
    waits = {
        "429": "1",
        "429-date": format_datetime(datetime.now(timezone.utc) + timedelta(seconds=2), usegmt=True),
        "429-absurd": "86400",
    }
    answer = _error(429, 429001, "too many requests")
    if kind in waits:
        answer.headers["retry-after"] = waits[kind]
    return answer


def _page(status: int) -> Response:
    phrase = _NEAR_PROXY.get(status) or HTTPStatus(status).phrase
    text = (
        f"<!DOCTYPE html>\n<html><head><title>{status} {phrase}</title></head><body><h1>{phrase}</h1></body></html>\n"
    )
    return Response(text, status_code=status, media_type="text/html")


async def output_reply(kind: str, request: Request, whole: bytes, *, speed: float) -> Response | None:
    """Return a fault's response to the download of a picture."""
    if kind == "trickle":
        return StreamingResponse(_trickle(whole, SECONDS_LATE / speed), media_type=_PNG)
    if kind in _PICTURES:
        return _PICTURES[kind](whole)
    if kind == "moved":
        return _redirect(request, 302)
    return await reply(kind, "output", request, speed=speed)


_PNG: Final = "image/png"
_EXPIRED: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
)
_PICTURES: Final[Mapping[str, Callable[[bytes], Response]]] = {
    "cut": lambda whole: Partly(whole, _PNG),
    "stalled": lambda whole: Partly(whole, _PNG, stall=True),
    "truncated": lambda whole: Response(whole[: len(whole) // 2], media_type=_PNG),
    "garbage": lambda _: Response(b"this is not an image\n" * 100, media_type=_PNG),
    "oversized": lambda whole: StreamingResponse(_endless(whole), media_type=_PNG),
    "announced-oversized": lambda whole: StreamingResponse(
        _endless(whole), media_type=_PNG, headers={"content-length": str(OVERSIZE)}
    ),
    "many-pixels": lambda _: Response(_bomb(BOMB_SIDE), media_type=_PNG),
    "expired": lambda _: Response(_EXPIRED, status_code=403, media_type="application/xml"),
    "moved-away": lambda _: RedirectResponse("https://foreign.invalid/picture.png", status_code=302),
}


async def _trickle(whole: bytes, seconds: float) -> AsyncIterator[bytes]:
    pieces = 20
    step = len(whole) // pieces + 1
    for start in range(0, len(whole), step):
        yield whole[start : start + step]
        await asyncio.sleep(seconds / pieces)


async def _endless(whole: bytes) -> AsyncIterator[bytes]:
    # A true picture comes first, so that a check of the first bytes passes.
    head = whole[: len(_CHUNK)]
    yield head
    left = OVERSIZE - len(head)
    while left > 0:
        yield _CHUNK[:left]
        left -= len(_CHUNK)


def _bomb(side: int) -> bytes:
    """Return a PNG that is small as a file and enormous as a picture."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((side // 8 + 1) * side), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
