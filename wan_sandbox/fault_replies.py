"""What is answered when a call fault strikes."""

from __future__ import annotations

import asyncio
import struct
import zlib
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from wan_sandbox.transport import Close, Hang, Partly, Reset, Stall

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from starlette.requests import Request

    from wan_sandbox.jobs import Job

ELSEWHERE: Final = "/elsewhere/"
SECONDS_LATE: Final = 3.0
SECONDS_REFUSING: Final = 2.0
SECONDS_STALLED: Final = 30.0
OVERSIZE: Final = 96 * 1024 * 1024
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


async def reply(
    kind: str,
    request: Request,
    *,
    speed: float,
    job: Job | None = None,
) -> Response | None:
    """Return the answer of a fault, or nothing where the true answer follows after all."""
    if kind == "slow":
        await asyncio.sleep(SECONDS_LATE / speed)
        return None
    if kind == "not-ready":
        return None if job is None or job.ended else _error(400, 400005, "result not ready")
    if kind in _ERRORS:
        return _error(*_ERRORS[kind])
    if kind.startswith("html-"):
        return _page(int(kind.removeprefix("html-")))
    if kind.startswith("429"):
        return _too_many(kind)
    return _odd(kind, request)


def _odd(kind: str, request: Request) -> Response:
    match kind:
        case "reset" | "refused":
            return Reset()
        case "close":
            return Close()
        case "hang":
            return Hang()
        case "stall":
            return Stall(SECONDS_STALLED)
        case "cut":
            return Partly(b'{"request_id": "0123456789", "status": "in_progress"}', "application/json")
        case "422":
            detail = [{"loc": ["input", "prompt"], "msg": "refused by a fault", "type": "value_error"}]
            return JSONResponse({"error_code": 422001, "detail": detail}, status_code=422)
        case "500-text":
            return Response("Internal Server Error", status_code=500, media_type="text/plain")
        case "invalid-json":
            return Response('{"request_id": "abc', media_type="application/json")
        case "wrong-json":
            return JSONResponse([1, 2, 3])
        case "empty-body":
            return Response(media_type="application/json")
        case "huge-error":
            return _error(500, 500001, "x" * (8 * 1024 * 1024))
        case "echo-token":
            return _error(500, 500001, f"upstream refused {request.headers.get('authorization', '')}")
        case "redirect":
            target = str(request.base_url).rstrip("/") + ELSEWHERE + request.url.path.strip("/")
            return RedirectResponse(target, status_code=307)
        case "no-id":
            return JSONResponse({"status": "in_queue"})
        case "hostile-id":
            return JSONResponse({"request_id": "../../x"})
    raise ValueError(f"no answer for {kind}")


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
    """Return the answer of a fault at the download of a picture."""
    half = whole[: len(whole) // 2]
    match kind:
        case "cut" | "stalled":
            return Partly(whole, "image/png", stall=kind == "stalled")
        case "truncated":
            return Response(half, media_type="image/png")
        case "trickle":
            return StreamingResponse(_trickle(whole, SECONDS_LATE / speed), media_type="image/png")
        case "garbage":
            return Response(b"this is not an image\n" * 100, media_type="image/png")
        case "oversized":
            return StreamingResponse(_endless(whole), media_type="image/png")
        case "announced-oversized":
            return StreamingResponse(_endless(whole), media_type="image/png", headers={"content-length": str(OVERSIZE)})
        case "many-pixels":
            return Response(_bomb(20000), media_type="image/png")
        case "expired":
            xml = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>'
            return Response(xml, status_code=403, media_type="application/xml")
        case "moved":
            return RedirectResponse(str(request.url.replace(path=ELSEWHERE + "picture.png")), status_code=302)
        case "moved-away":
            return RedirectResponse("https://foreign.invalid/picture.png", status_code=302)
    return await reply(kind, request, speed=speed)


async def _trickle(whole: bytes, seconds: float) -> AsyncIterator[bytes]:
    pieces = 20
    step = len(whole) // pieces + 1
    for start in range(0, len(whole), step):
        yield whole[start : start + step]
        await asyncio.sleep(seconds / pieces)


async def _endless(whole: bytes) -> AsyncIterator[bytes]:
    # A true picture first, so that a look at the first bytes finds nothing wrong.
    head = whole[: len(_CHUNK)]
    yield head
    left = OVERSIZE - len(head)
    while left > 0:
        yield _CHUNK[:left]
        left -= len(_CHUNK)


def _bomb(side: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head: Any = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((side // 8 + 1) * side), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
