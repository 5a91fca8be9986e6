"""The protocol of the Model API, one method a call; every reply a typed value, every failure one of `errors`.

Three rules live here. The token goes to the configured base and nowhere else: URLs are built from ids, redirects are
not followed. A submit is sent once: what its failure says about the money decides which error it is. And whatever
the server says is data: words are compared loosely, texts are kept for developers with the token taken out.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import ssl
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx

from .errors import (
    AuthenticationError,
    InsufficientBalance,
    InvalidRequest,
    RateLimited,
    Refused,
    RunNotFound,
    ServerError,
    TransientError,
    Unreachable,
    WanError,
    unknown_outcome,
)
from .schema import MODEL_ID
from .settings import Timeouts, is_loopback

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

log = logging.getLogger(__name__)

REPLY_BYTES_MAX = 64 * 1024 * 1024

_CHUNK = 64 * 1024
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


class State(str, Enum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


_WORDS = {
    "in_queue": State.QUEUED,
    "queued": State.QUEUED,
    "pending": State.QUEUED,
    "waiting": State.QUEUED,
    "starting": State.RUNNING,
    "processing": State.RUNNING,
    "in_progress": State.RUNNING,
    "running": State.RUNNING,
    "succeeded": State.SUCCEEDED,
    "success": State.SUCCEEDED,
    "completed": State.SUCCEEDED,
    "failed": State.FAILED,
    "error": State.FAILED,
    "cancelled": State.CANCELLED,
    "canceled": State.CANCELLED,
}


class CancelOutcome(str, Enum):
    """What a cancel achieved."""

    CANCELLED = "cancelled"
    NOT_CANCELLABLE = "not_cancellable"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class StatusReply:
    """What ``/status`` says. `ended` is true for any end: only ``/result`` tells which."""

    ended: bool
    state: State | None
    queue_position: int | None = None


@dataclass(frozen=True)
class ResultReply:
    """What ``/result`` says.

    Attributes:
        state: Where the run stands; None for a word that is not known.
        urls: The pictures, byte for byte as given.
        failure: The API's words about a failed run, for developers and for telling moderation from the rest.
        cost: What the run cost, in USD, where the API says it.
        extra: Keys of the reply that the protocol does not name.
    """

    state: State | None
    urls: tuple[str, ...] = ()
    failure: str = ""
    cost: float | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelEntry:
    """The catalogue's entry of the model.

    Attributes:
        price_usd: The price of one unit, where the catalogue names one.
        price_unit: ``output``, ``image`` or ``second``.
        pricing_note: The catalogue's own words on it.
        input_schema: The input schema in the catalogue's own dialect.
    """

    price_usd: float | None = None
    price_unit: str = ""
    pricing_note: str = ""
    input_schema: Mapping[str, Any] = field(default_factory=dict)


def check_request_id(request_id: str) -> str:
    """The id, if it can stand in a path.

    Raises:
        InvalidRequest: It can't.
    """
    if not _REQUEST_ID.fullmatch(request_id):
        raise InvalidRequest("request_id_malformed", field="request_id", given=request_id[:40])
    return request_id


class Api:
    """The five calls of the Model API.

    Args:
        base: The API's address, without a slash at its end.
        token: The bearer token.
        tls: One TLS context to share; building one takes 20 ms.
        timeouts: How long a single call may take.
        transport: What carries the requests, if not connections of our own.
    """

    def __init__(
        self,
        base: str,
        token: str,
        tls: ssl.SSLContext | None = None,
        timeouts: Timeouts | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._base = base
        self._token = token
        self._timeouts = timeouts or Timeouts()
        verify = tls or ssl.create_default_context()
        # Proxy settings of the environment must not catch what stays on this machine.
        outside = not is_loopback(base)
        timeout = httpx.Timeout(self._timeouts.read, connect=self._timeouts.connect)
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=32)
        way = partial(httpx.AsyncClient, verify=verify, trust_env=outside, transport=transport)
        self._reads = way(timeout=timeout, limits=limits)
        # A kept connection may be closed by the other side just as a submit goes out, and then nobody knows whether
        # it arrived. So a submit gets a connection of its own.
        alone = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        once = httpx.Timeout(self._timeouts.submit, connect=self._timeouts.connect)
        self._submits = way(timeout=once, limits=alone)

    def __repr__(self) -> str:
        return f"Api({self._base!r})"

    async def aclose(self) -> None:
        """Close all connections."""
        await self._reads.aclose()
        await self._submits.aclose()

    async def submit(self, body: bytes, on_sent: Callable[[int], None] = lambda sent: None) -> str:
        """Send a request, once, and return its id.

        Args:
            body: The JSON body.
            on_sent: Called with the number of bytes handed to the connection so far.

        Raises:
            Unreachable: No connection was made; sending again is safe.
            RateLimited: The API took nothing (429); sending again is safe.
            Refused: The API did not accept it.
            TransientError: It was cut off before its last bytes were handed to the connection; nothing was accepted.
            UnknownOutcome: It may have been accepted, or not.
        """
        at, handed = datetime.now(timezone.utc), 0

        async def content() -> AsyncIterator[bytes]:
            nonlocal handed
            for start in range(0, len(body), _CHUNK):
                # Counted before it goes: what is not counted has certainly not been sent.
                handed = min(start + _CHUNK, len(body))
                on_sent(handed)
                yield body[start : start + _CHUNK]

        headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        request = self._submits.build_request(
            "POST", f"{self._base}/v1/models/{MODEL_ID}", content=content(), headers=headers
        )
        try:
            try:
                reply = await asyncio.wait_for(self._send(self._submits, request), self._timeouts.sending)
            except asyncio.TimeoutError:
                raise ServerError("server_trouble", api_message="timed out") from None
            request_id = reply.get("request_id")
            if isinstance(request_id, str) and _REQUEST_ID.fullmatch(request_id):
                return request_id
            raise ServerError("server_trouble", api_message="no usable request_id")
        except ServerError as trouble:
            if trouble.http_status is None and handed < len(body):
                # Nobody can read JSON that has no end.
                raise TransientError("submit_incomplete", api_message=trouble.api_message) from trouble
            raise unknown_outcome(
                at, http_status=trouble.http_status, api_code=trouble.api_code, api_message=trouble.api_message
            ) from trouble

    async def status(self, request_id: str, *, timeout: float | None = None) -> StatusReply:
        """Where the run stands, and its place in the queue."""
        reply = await self._get(f"/v1/requests/{check_request_id(request_id)}/status", timeout)
        state = _state(reply.get("status"))
        position = reply.get("queue_position")
        ended = state in {State.SUCCEEDED, State.FAILED, State.CANCELLED}
        if not isinstance(position, int) or isinstance(position, bool) or position < 0:
            position = None
        return StatusReply(ended, state, position)

    async def result(self, request_id: str, *, timeout: float | None = None) -> ResultReply:
        """Where the run stands and, after its end, what came of it."""
        path = f"/v1/requests/{check_request_id(request_id)}/result"
        try:
            reply = await self._get(path, timeout, include_cost="true")
        except Refused as refusal:
            if str(refusal.api_code) == "400005":  # the result is not ready
                return ResultReply(State.RUNNING)
            raise
        cost = reply.get("cost")
        return ResultReply(
            state=_state(reply.get("status")),
            urls=tuple(_output_urls(reply.get("output"))),
            failure=self._scrub(_plain(reply.get("error"))),
            cost=float(cost) if isinstance(cost, int | float) and not isinstance(cost, bool) else None,
            extra={name: value for name, value in reply.items() if name not in _RESULT_KEYS},
        )

    async def cancel(self, request_id: str) -> CancelOutcome:
        """Ask for a queued run to be removed. Never raises: what can't be learned is `CancelOutcome.UNKNOWN`."""
        request = self._reads.build_request(
            "POST",
            f"{self._base}/v1/requests/{check_request_id(request_id)}/cancel",
            timeout=self._timeouts.cancel,
        )
        try:
            reply = await self._send(self._reads, request)
        except WanError as problem:
            log.info("cancel of %s: %s", request_id, problem.code)
            return CancelOutcome.UNKNOWN
        outcome = str(reply.get("outcome", "")).casefold()
        if outcome in {"cancelled", "canceled"} or (not outcome and _state(reply.get("status")) is State.CANCELLED):
            return CancelOutcome.CANCELLED
        return CancelOutcome.NOT_CANCELLABLE if outcome == "not_cancellable" else CancelOutcome.UNKNOWN

    async def model(self) -> ModelEntry:
        """The catalogue's entry of the model, price included."""
        reply = await self._get(f"/v1/models/{MODEL_ID}")
        price, schema = reply.get("base_price_usd"), reply.get("input_schema")
        return ModelEntry(
            price_usd=float(price) if isinstance(price, int | float) and not isinstance(price, bool) else None,
            price_unit=_plain(reply.get("price_unit")),
            pricing_note=self._scrub(_plain(reply.get("pricing_note"))),
            input_schema=schema if isinstance(schema, dict) else {},
        )

    async def _get(self, path: str, timeout: float | None = None, **params: str) -> dict[str, Any]:
        seconds = timeout or self._timeouts.read
        limits = httpx.Timeout(seconds, connect=min(seconds, self._timeouts.connect))
        request = self._reads.build_request("GET", f"{self._base}{path}", params=params or None, timeout=limits)
        return await self._send(self._reads, request)

    async def _send(self, client: httpx.AsyncClient, request: httpx.Request) -> dict[str, Any]:
        """Send one request and return its JSON object, or raise what the answer means."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        try:
            response = await client.send(request, stream=True)
            try:
                body = await _read_bounded(response)
            finally:
                await response.aclose()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as problem:
            raise Unreachable("unreachable", host=request.url.host, api_message=self._scrub(str(problem))) from None
        except (httpx.HTTPError, httpx.StreamError) as problem:
            raise ServerError("server_trouble", api_message=self._scrub(repr(problem))) from None
        reply = _json_object(body)
        if response.is_success and reply is not None:
            about_a_failed_run = bool(reply.get("request_id")) and _state(reply.get("status")) is State.FAILED
            if reply.get("error_code") is None or about_a_failed_run:
                return reply
        raise self._error(response, reply)

    def _error(self, response: httpx.Response, reply: dict[str, Any] | None) -> WanError:
        """What an answer means that is not a success."""
        status = response.status_code
        if status == httpx.codes.TOO_MANY_REQUESTS:
            return RateLimited("rate_limited", http_status=status, retry_after=_retry_after(response))
        envelope = reply or {}
        api_code = envelope.get("error_code") or envelope.get("code")
        words = (envelope.get(key) for key in ("error_message", "message", "error", "detail"))
        # What a proxy in front says of the token or of the size is as final as if the API had said it.
        is_page = reply is None and status not in {401, 413}
        if (
            is_page
            or status >= 500
            or status in {408, 425}
            or 300 <= status < 400
            or str(api_code).startswith(("5", "429"))
        ):
            error: WanError = ServerError("server_trouble", retry_after=_retry_after(response))
        else:
            kind, code = _MEANINGS.get(str(api_code or ""), _MEANINGS.get(str(status), (Refused, "refused")))
            error = _refusal(envelope.get("detail")) if kind is Refused and code == "refused" else kind(code)
        error.http_status, error.api_code = status, api_code
        error.api_message = self._scrub(next((_plain(text) for text in words if text), ""))
        return error

    def _scrub(self, text: str) -> str:
        return text.replace(self._token, "[token]")[:2000]


_RESULT_KEYS = {
    "request_id", "status", "output", "error", "error_code", "created_at", "finished_at", "input", "cost",
    "status_url", "result_url", "cancel_url", "queue_position",
}  # fmt: skip


# By the API's own code, else by the HTTP status.
_MEANINGS: dict[str, tuple[type[WanError], str]] = {
    "400004": (AuthenticationError, "authentication"),
    "401001": (AuthenticationError, "authentication"),
    "401": (AuthenticationError, "authentication"),
    "403001": (AuthenticationError, "forbidden"),
    "403003": (AuthenticationError, "forbidden"),
    "403": (AuthenticationError, "forbidden"),
    "400002": (InsufficientBalance, "balance"),
    "402": (InsufficientBalance, "balance"),
    "400001": (Refused, "model_unknown"),
    "404001": (RunNotFound, "run_not_found"),
    "404": (RunNotFound, "run_not_found"),
    "413": (Refused, "too_large"),
}


def _state(word: object) -> State | None:
    return _WORDS.get(str(word).strip().casefold().replace("-", "_"))


def _output_urls(output: object) -> list[str]:
    """The addresses under ``output``: a string, a list, or objects that carry ``url``."""
    match output:
        case str():
            return [output] if output else []
        case list():
            return [url for item in output for url in _output_urls(item)]
        case {"image": found} | {"images": found} | {"url": found} if found:
            return _output_urls(found)
        case {"images": found}:
            return _output_urls(found)
    return []


def _refusal(detail: object) -> Refused:
    """A refusal that names the input which a ``detail`` list points at."""
    match detail:
        case [{"loc": ["input" | "body", "image_urls", int(index), *_]}, *_]:
            return Refused("refused_image", field=f"image {index + 1}")
        case [{"loc": ["input" | "body", "image_urls", *_]}, *_]:
            return Refused("refused_image", field="images")
        case [{"loc": ["input" | "body", str(name), *_]}, *_]:
            return Refused("refused_field", field=name)
    return Refused("refused")


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _plain(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _retry_after(response: httpx.Response) -> float | None:
    """The seconds that ``Retry-After`` asks for, given as a number or as a date."""
    value = response.headers.get("Retry-After", "")
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(timezone.utc)).total_seconds())
    except (ValueError, TypeError):
        return None


async def _read_bounded(response: httpx.Response) -> bytes:
    parts, size = [], 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > REPLY_BYTES_MAX:
            raise httpx.ReadError("the reply is too large")
        parts.append(part)
    return b"".join(parts)
