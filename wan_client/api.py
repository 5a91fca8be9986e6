"""The protocol of the Model API, one method per call. Replies are typed values, failures are raised from `errors`.

Three rules hold here. The token goes to the configured base and nowhere else: URLs are built from ids, redirects are
not followed. A submit is sent once, and its error says whether the run may have been charged. Whatever the server
sends is untrusted: words are compared loosely, texts are kept for developers with the token redacted.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import re
import ssl
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any, TypeGuard

import httpx

from .addresses import without_addresses, without_secret
from .bounded_bodies import HEADERS, read_body
from .errors import (
    InvalidRequest,
    ReadRefused,
    Refused,
    ServerError,
    TransientError,
    Unreachable,
    WanError,
    unknown_outcome,
)
from .failures import MESSAGE_NAMES, NOT_READY, error_code, error_of_response, is_refusal_of_pictures
from .schema import MODEL_ID
from .settings import Timeouts, is_loopback
from .version import USER_AGENT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping
    from typing import TypeAlias

    OnReply: TypeAlias = Callable[[httpx.Request, int, Mapping[str, Any] | None], None]
    OnCall: TypeAlias = Callable[[str, str, float], None]

log = logging.getLogger(__name__)

REPLY_BYTES_MAX = 64 * 1024 * 1024

RETRY_AFTER_MAX = 30 * 24 * 3600.0
POSITION_MAX = 1_000_000_000
# Limits of a reply: what is nested deeper is dropped, and a longer number counts as infinite.
DEPTH_MAX = 8
SCHEMA_DEPTH_MAX = 16
DIGITS_MAX = 300

_CHUNK = 64 * 1024
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


class State(str, Enum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


_STATES = {
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
    """What ``/status`` says. `ended` is true for any end: only ``/result`` says which."""

    ended: bool
    state: State | None
    queue_position: int | None = None


@dataclass(frozen=True)
class ResultReply:
    """What ``/result`` says.

    Attributes:
        state: Where the run stands; None for a word that is not known.
        urls: The pictures, byte for byte as given.
        failure: The API's words about a failed run, from which `failures` reads what they mean.
        cost: What the run cost, in USD, where the API says it.
        extra: Keys of the reply that the protocol does not name, without addresses and the token.
    """

    state: State | None
    urls: tuple[str, ...] = field(default=(), repr=False)
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
    """Return the id, if it can stand in a path.

    Raises:
        InvalidRequest: It can't.
    """
    if not _is_request_id(request_id):
        raise InvalidRequest("request_id_malformed", field="request_id", given=request_id[:40])
    return request_id


def _is_request_id(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and _REQUEST_ID.fullmatch(value) is not None


class Api:
    """The five calls of the Model API.

    Args:
        base: The API's address, without a slash at its end.
        token: The bearer token.
        tls: One TLS context to share; building one takes 20 ms.
        timeouts: How long a single call may take.
        transport: What carries the requests, if not connections of our own.
        model: The id of the model.

    Attributes:
        on_reply: Called with each request, the HTTP status of its answer, and the JSON object that came; None where
            none did.
        on_call: Called after each call with its name, such as ``submit`` or ``status``, with ``ok`` or the code of the
            error that it ended in, and with the seconds that it took.
    """

    def __init__(  # noqa: PLR0917  # what an engine is reached by
        self,
        base: str,
        token: str,
        tls: ssl.SSLContext | None = None,
        timeouts: Timeouts | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        model: str = MODEL_ID,
    ) -> None:
        self._base = base
        self._token = token
        self._model_path = f"/v1/models/{model}"
        self.on_reply: OnReply | None = None
        self.on_call: OnCall | None = None
        self._timeouts = timeouts or Timeouts()
        verify = tls or ssl.create_default_context()
        # Proxy settings of the environment must not apply to requests that stay on this machine.
        outside = not is_loopback(base)
        timeout = httpx.Timeout(self._timeouts.read, connect=self._timeouts.connect)
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=32)
        # No redirect is followed, so where it leads to is not even parsed.
        way = partial(
            httpx.AsyncClient,
            verify=verify,
            trust_env=outside,
            transport=transport,
            event_hooks={"response": [drop_location]},
            headers={"User-Agent": USER_AGENT, **HEADERS},
        )
        self._reads = way(timeout=timeout, limits=limits)
        # A kept connection may be closed by the other side just as a submit goes out, and then it is unknown whether
        # it arrived. So a submit gets a connection of its own.
        alone = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        once = httpx.Timeout(self._timeouts.submit, connect=self._timeouts.connect)
        self._submits = way(timeout=once, limits=alone)

    def __repr__(self) -> str:
        return f"Api({self._base!r})"

    @property
    def model_url(self) -> str:
        """The URL that requests go to. What is learned of it holds for this model at this API."""
        return f"{self._base}{self._model_path}"

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
        request = self._submits.build_request("POST", self.model_url, content=content(), headers=headers)
        try:
            try:
                reply = await asyncio.wait_for(self._send(self._submits, request), self._timeouts.sending)
            except asyncio.TimeoutError:
                raise ServerError("server_trouble", api_message="timed out") from None
            request_id = reply.get("request_id")
            if _is_request_id(request_id):
                return request_id
            raise ServerError("server_trouble", api_message="no usable request_id")
        except ServerError as trouble:
            if trouble.http_status is None and handed < len(body):
                # The server can't parse a body that was cut off, so nothing was accepted.
                raise TransientError("submit_incomplete", api_message=trouble.api_message) from trouble
            raise unknown_outcome(
                at,
                request_id=trouble.request_id,
                http_status=trouble.http_status,
                api_code=trouble.api_code,
                api_message=trouble.api_message,
            ) from trouble

    async def status(self, request_id: str, *, timeout: float | None = None) -> StatusReply:
        """Ask where the run stands, and for its place in the queue."""
        try:
            reply = await self._get(f"/v1/requests/{check_request_id(request_id)}/status", timeout)
        except WanError as problem:
            if str(problem.api_code) == NOT_READY:
                return StatusReply(ended=False, state=State.QUEUED)
            raise
        state = _state(reply.get("status"))
        ended = state in {State.SUCCEEDED, State.FAILED, State.CANCELLED}
        position = reply.get("queue_position")
        is_place = isinstance(position, int) and not isinstance(position, bool) and 0 <= position <= POSITION_MAX
        return StatusReply(ended, state, position if is_place else None)

    async def result(self, request_id: str, *, timeout: float | None = None) -> ResultReply:
        """Ask where the run stands and, after its end, for its outputs or its failure."""
        path = f"/v1/requests/{check_request_id(request_id)}/result"
        try:
            reply = await self._get(path, timeout, include_cost="true")
        except WanError as problem:
            if str(problem.api_code) == NOT_READY:
                return ResultReply(State.RUNNING)
            raise
        urls = tuple(_output_urls(reply.get("output")))
        return ResultReply(
            state=_state(reply.get("status")),
            urls=urls,
            failure=self._scrub(_failure(reply), urls),
            cost=_amount(reply.get("cost")),
            extra=self._clean({name: value for name, value in reply.items() if name not in _RESULT_KEYS}, urls),
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
        """Return the catalogue's entry of the model, price included."""
        reply = await self._get(self._model_path)
        schema = reply.get("input_schema")
        return ModelEntry(
            price_usd=_amount(reply.get("base_price_usd")),
            price_unit=self._scrub(_as_text(reply.get("price_unit"))),
            pricing_note=self._scrub(_as_text(reply.get("pricing_note"))),
            input_schema=self._clean(schema, (), SCHEMA_DEPTH_MAX) if isinstance(schema, dict) else {},
        )

    async def _get(self, path: str, timeout: float | None = None, **params: str) -> dict[str, Any]:
        seconds = timeout or self._timeouts.read
        limits = httpx.Timeout(seconds, connect=min(seconds, self._timeouts.connect))
        request = self._reads.build_request("GET", f"{self._base}{path}", params=params or None, timeout=limits)
        return await self._send(self._reads, request)

    async def _send(self, client: httpx.AsyncClient, request: httpx.Request) -> dict[str, Any]:
        """Send one request and return its JSON object, or raise the error that the response means."""
        began, code = time.monotonic(), "interrupted"
        try:
            reply = await self._exchange(client, request)
        except WanError as problem:
            code = problem.code
            raise
        else:
            code = "ok"
            return reply
        finally:
            if self.on_call:
                self.on_call(_call(request), code, time.monotonic() - began)

    async def _exchange(self, client: httpx.AsyncClient, request: httpx.Request) -> dict[str, Any]:
        request.headers["Authorization"] = f"Bearer {self._token}"
        try:
            response = await client.send(request, stream=True)
            try:
                body = b"".join([piece async for piece in read_body(response, REPLY_BYTES_MAX)])
            finally:
                await response.aclose()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as problem:
            raise Unreachable("unreachable", host=request.url.host, api_message=self._scrub(str(problem))) from None
        # Broken headers are a ValueError or an InvalidURL.
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, ValueError) as problem:
            raise ServerError("server_trouble", api_message=self._scrub(repr(problem))) from None
        try:
            reply = _json_object(body)
        except RecursionError:
            if client is self._submits:
                raise ServerError("server_trouble", api_message="nested too deep") from None
            raise ReadRefused("read_refused", api_message="nested too deep") from None
        if self.on_reply:
            self.on_reply(request, response.status_code, reply)
        if response.is_success and reply is not None:
            about_a_failed_run = bool(reply.get("request_id")) and _state(reply.get("status")) is State.FAILED
            if not _has_error_code(reply) or about_a_failed_run:
                return reply
        is_page = body.lstrip()[:1] == b"<" or "html" in response.headers.get("Content-Type", "")
        error = error_of_response(
            response.status_code,
            reply,
            is_page=is_page,
            submit=client is self._submits,
            retry_after=_retry_after(response),
        )
        envelope = reply or {}
        words = (envelope.get(key) for key in MESSAGE_NAMES)
        error.http_status, error.api_code = response.status_code, error_code(envelope)
        error.api_message = self._scrub(next((_as_text(text) for text in words if text), ""))
        if isinstance(error, ServerError) and _is_request_id(envelope.get("request_id")):
            error.request_id = envelope["request_id"]
        if type(error) is Refused and client is self._submits:
            error.is_of_pictures = is_refusal_of_pictures(response.status_code, reply, is_page=is_page)
        raise error

    def _scrub(self, text: str, urls: Iterable[str] = ()) -> str:
        """Return words of the API without the token, without addresses, and printable."""
        bare = without_addresses(without_secret(text, self._token, "[token]"), urls)
        return bare[:2000].encode("utf-8", "replace").decode()

    def _clean(self, value: Any, urls: Iterable[str], depth: int = DEPTH_MAX) -> Any:
        if isinstance(value, str):
            return self._scrub(value, urls)
        if isinstance(value, dict) and depth:
            return {self._scrub(str(name), urls): self._clean(item, urls, depth - 1) for name, item in value.items()}
        if isinstance(value, list) and depth:
            return [self._clean(item, urls, depth - 1) for item in value]
        return None if isinstance(value, dict | list) else value


_RESULT_KEYS = {
    "request_id", "status", "output", "error", "error_code", "created_at", "finished_at", "input", "cost",
    "status_url", "result_url", "cancel_url", "queue_position",
}  # fmt: skip


def _call(request: httpx.Request) -> str:
    """Return the name of the call that a request makes."""
    name = request.url.path.rpartition("/")[2]
    if name in {"status", "result", "cancel"}:
        return name
    return "submit" if request.method == "POST" else "model"


def _state(word: object) -> State | None:
    return _STATES.get(str(word).strip().casefold().replace("-", "_"))


def _output_urls(output: object, depth: int = DEPTH_MAX) -> list[str]:
    """Return the addresses under ``output``: a string, a list, or objects that carry ``url``."""
    if isinstance(output, str):
        return [output] if output else []
    if not depth:
        return []
    urls: list[str] = []
    if isinstance(output, dict):
        for name in ("image", "images", "url"):
            # Two names may stand for the same picture.
            urls += [url for url in _output_urls(output.get(name), depth - 1) if url not in urls]
    elif isinstance(output, list):
        urls = [url for item in output for url in _output_urls(item, depth - 1)]
    return urls


def _failure(reply: Mapping[str, Any]) -> str:
    """Return what a reply says about why there is no picture, wherever it says so."""
    names = ["error"]
    if _state(reply.get("status")) is State.FAILED:
        names += ["error_message", "message", "detail"]
    return next((_as_text(reply[name]) for name in names if reply.get(name)), "")


def _has_error_code(reply: Mapping[str, Any]) -> bool:
    """Return whether a reply has the code of an error; 0, "" and false are none."""
    code = reply.get("error_code")
    return bool(code) and code != "0"


def _amount(value: object) -> float | None:
    """Return an amount of money; None where the value is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < 1e9 else None


def _json_object(body: bytes) -> dict[str, Any] | None:
    """Return the JSON object in the body; None if it holds anything else.

    Raises:
        RecursionError: It is nested too deep, which a retry does not change.
    """
    try:
        value = json.loads(body, parse_int=_integer)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _integer(digits: str) -> float:
    return int(digits) if len(digits) <= DIGITS_MAX else math.inf


def _as_text(value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return ""


async def drop_location(response: httpx.Response) -> None:
    """Remove the target of a redirect."""
    response.headers.pop("Location", None)


def _retry_after(response: httpx.Response) -> float | None:
    """Return the seconds that ``Retry-After`` asks for, given as a number or as a date; None for anything else."""
    value = response.headers.get("Retry-After", "")
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - datetime.now(timezone.utc)).total_seconds()
        except (ValueError, TypeError, OverflowError, IndexError):
            return None
    return min(max(0.0, seconds), RETRY_AFTER_MAX) if math.isfinite(seconds) else None
