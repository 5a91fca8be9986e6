"""One run from a request to pictures on disk, as a stream of typed events.

The request id is in hand before any waiting begins, and from then on nothing is lost: reading is retried until the
deadline, and `Run` can be built again from the id alone.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from anyio import CancelScope

from . import hosting, outputs
from .api import CANCEL_SECONDS, GET_SECONDS, CancelOutcome, ResultReply, State, check_request_id
from .errors import (
    Charged,
    DeadlineExceeded,
    DownloadFailed,
    InvalidRequest,
    ModerationRefused,
    RateLimited,
    RunCancelled,
    RunFailed,
    RunNotFound,
    ServerTrouble,
    TransientError,
    Unreachable,
    WanError,
)
from .images import prepare

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Mapping
    from pathlib import Path

    from .api import Api
    from .images import PreparedImage
    from .outputs import Outputs, Picture
    from .pace import Pace
    from .schema import EditRequest, ImageSource

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
SUBMIT_TRIES = 4
SUBMIT_PATIENCE_SECONDS = 60.0
DOWNLOAD_TRIES = 4
TROUBLE_AFTER_FAILURES = 3
FRESH_SECONDS = 30.0

ENDS = {State.SUCCEEDED, State.FAILED, State.CANCELLED}
FINAL_DOWNLOAD_FAILURES = {"output_host", "output_too_large", "not_writable"}
Reply = TypeVar("Reply")

_MODERATION_WORDS = ("datainspection", "moderation", "inappropriate")


@dataclass(frozen=True)
class Preparing:
    """The pictures are being made ready."""


@dataclass(frozen=True)
class Uploading:
    """The request is on its way: bytes sent, of how many."""

    sent: int
    total: int


@dataclass(frozen=True)
class Submitted:
    """The API has the run, under this id."""

    request_id: str


@dataclass(frozen=True)
class Queued:
    """The run waits. The position is None where the API does not tell it."""

    position: int | None
    elapsed: float


@dataclass(frozen=True)
class Running:
    """The model is at work, for so many seconds; `expected` is the usual time here, as (low, high), once known."""

    elapsed: float
    expected: tuple[float, float] | None


@dataclass(frozen=True)
class Trouble:
    """The API has not given a usable answer several times in a row. The run goes on, and so does the waiting."""

    elapsed: float
    failures: int


@dataclass(frozen=True)
class Downloading:
    """The picture is on its way: bytes received, of how many (None: unknown)."""

    received: int
    total: int | None


@dataclass(frozen=True)
class Result:
    """What a run came to.

    Attributes:
        request_id: The run.
        paths: The files, in the API's order; there is nearly always one.
        width: Of the first picture, in pixels.
        height: Of the first picture, in pixels.
        seconds: From the submit (or the resumption) to the files.
        cost: What the API says it cost, in USD; None where it does not say.
        images: The pictures as they were sent; empty for a resumed run and for pictures given as addresses.
        extra: Keys of the API's reply that the protocol does not name.
    """

    request_id: str
    paths: tuple[Path, ...]
    width: int
    height: int
    seconds: float
    cost: float | None = None
    images: tuple[PreparedImage, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """The first file."""
        return self.paths[0]


@dataclass(frozen=True)
class Finished:
    """The pictures are on disk."""

    result: Result


Event: TypeAlias = Preparing | Uploading | Submitted | Queued | Running | Trouble | Downloading | Finished


@dataclass(frozen=True)
class Line:
    """What runs of one client share: the API, the downloads, the pace, and a gate that bounds reads at once."""

    api: Api
    outputs: Outputs
    pace: Pace
    gate: asyncio.Semaphore
    deadline: float


@dataclass
class _Watch:
    """What is known of a run that is waited for."""

    began: float
    position: int | None = None
    running_since: float | None = None
    failures: int = 0
    word_logged: bool = False

    def event(self, now: float, usual: tuple[float, float] | None) -> Event:
        if self.failures >= TROUBLE_AFTER_FAILURES:
            return Trouble(now - self.began, self.failures)
        if self.running_since is None:
            return Queued(self.position, now - self.began)
        return Running(now - self.running_since, usual)


class Run:
    """One run. Iterate over it for its events, or await it for its result.

    Awaiting: if the awaiting task is cancelled, the run is cancelled at the API as well, bounded to seconds.
    Iterating: leaving the iteration leaves the run alone; `resume` it by its `request_id`.

    Args:
        line: What it shares with other runs.
        request: What to do; None to resume.
        request_id: Which run to resume.
        out: The file to write; None for a name of the API's making in `folder`.
        folder: Where files go that have no name of their own.
        on_submitted: Called with the request id as soon as the API has the run, even if nobody iterates any more.
    """

    def __init__(
        self,
        line: Line,
        request: EditRequest | None = None,
        request_id: str | None = None,
        *,
        out: Path | None = None,
        folder: Path,
        on_submitted: Callable[[str], None] | None = None,
    ) -> None:
        self.request_id = check_request_id(request_id) if request_id else None
        self.cancel_outcome: CancelOutcome | None = None
        self._line = line
        self._request = request
        self._out = out
        self._folder = folder
        self._on_submitted = on_submitted
        self._events: AsyncIterator[Event] | None = None
        self._submission: asyncio.Task[None] | None = None
        self._sent = self._total = self._failures = 0
        self._cancel_asked = False
        self._images: tuple[PreparedImage, ...] = ()
        self._reply = ResultReply(None)
        self._began = time.monotonic()
        self._received = 0
        self._expected: int | None = None

    def __repr__(self) -> str:
        return f"Run({self.request_id!r})"

    @property
    def submitting(self) -> bool:
        """Whether a submit has gone out, or may have: from here on a run can have been paid for."""
        return self.request_id is not None or self._submission is not None

    def __aiter__(self) -> AsyncIterator[Event]:
        """The events, once."""
        if self._events is not None:
            raise RuntimeError("a run's events can be read once; resume it by its request_id to read on")
        self._events = self._all_events()
        return self._events

    def __await__(self) -> Generator[Any, None, Result]:
        return self.wait().__await__()

    async def wait(self, on_event: Callable[[Event], object] = lambda event: None) -> Result:
        """Wait for the result.

        Args:
            on_event: Called with each event.

        Raises:
            WanError: The run did not come to a picture; the error says why and what it cost.
        """
        try:
            async for event in self:
                on_event(event)
                if isinstance(event, Finished):
                    return event.result
        except asyncio.CancelledError:
            with CancelScope(shield=True):
                await self.cancel()
            raise
        raise RuntimeError("a run ends with a result or an error")

    async def cancel(self) -> CancelOutcome:
        """Ask for the run to be cancelled, within seconds, and say truthfully what came of it.

        Only a queued run can be cancelled. A running one runs on and may be charged.
        """
        self.cancel_outcome = await self._cancel()
        return self.cancel_outcome

    async def _cancel(self) -> CancelOutcome:
        self._cancel_asked = True
        submission = self._submission
        if self.request_id is None and submission is None:
            return CancelOutcome.CANCELLED
        if submission is not None and not submission.done():
            if self._sent < self._total:
                submission.cancel()
                return CancelOutcome.CANCELLED
            await asyncio.wait({submission}, timeout=CANCEL_SECONDS)
        if self.request_id is None:
            return CancelOutcome.UNKNOWN
        try:
            return await asyncio.wait_for(self._line.api.cancel(self.request_id), CANCEL_SECONDS)
        except asyncio.TimeoutError:
            return CancelOutcome.UNKNOWN

    async def _all_events(self) -> AsyncIterator[Event]:
        stages = (self._wait_for_end, self._fetch)
        for stage in stages if self.request_id else (self._submit, *stages):
            async with aclosing(stage()) as events:
                try:
                    async for event in events:
                        yield event
                except WanError as problem:
                    problem.request_id = problem.request_id or self.request_id
                    raise

    @property
    def _id(self) -> str:
        if self.request_id is None:
            raise RuntimeError("the run has not been submitted")
        return self.request_id

    async def _submit(self) -> AsyncGenerator[Event]:
        """Prepare, upload and submit. The submit is a task of its own: who stops listening does not stop it."""
        if self._request is None:
            raise InvalidRequest("images_missing", field="images", given=0)
        outputs.check_writable(self._out.parent if self._out else self._folder)
        yield Preparing()
        body = await self._prepared_body(self._request)
        if self._cancel_asked:
            raise RunCancelled("cancelled_before_submit")
        self._total = len(body)
        submission = self._submission = asyncio.create_task(self._submit_body(body))
        # Where nobody listens any more, nobody asks for the exception either.
        submission.add_done_callback(lambda task: task.cancelled() or task.exception())
        async for _ in _ticks(submission):
            if self._failures:
                yield Trouble(time.monotonic() - self._began, self._failures)
            else:
                yield Uploading(self._sent, self._total)
        if submission.cancelled():
            raise RunCancelled("cancelled_before_submit")
        submission.result()

    async def _prepared_body(self, request: EditRequest) -> bytes:
        async def address(number: int, source: ImageSource) -> tuple[str, PreparedImage | None]:
            if hosting.is_uri(source):
                return hosting.check_uri(source, number=number), None
            image = await asyncio.to_thread(prepare, source, number=number, bytes_max=hosting.DATA_URI_BYTES_MAX)
            return hosting.data_uri(image), image

        hosted = await asyncio.gather(*(address(n, source) for n, source in enumerate(request.images, 1)))
        self._images = tuple(image for _, image in hosted if image)
        body = request.body([uri for uri, _ in hosted])
        return await asyncio.to_thread(lambda: json.dumps(body).encode())

    async def _submit_body(self, body: bytes) -> None:
        """Send the request until it is accepted or refused; again only where certainly nothing was accepted."""
        while True:
            try:
                self.request_id = await self._line.api.submit(body, self._note_sent)
                break
            except (Unreachable, RateLimited) as trouble:
                self._failures += 1
                self._sent = 0
                wait = self._line.pace.after_trouble(self._failures, trouble.retry_after)
                if self._failures >= SUBMIT_TRIES or wait > SUBMIT_PATIENCE_SECONDS:
                    raise
                await asyncio.sleep(wait)
        if self._on_submitted:
            try:
                self._on_submitted(self.request_id)
            except Exception:
                log.exception("the id of run %s could not be noted", self.request_id)

    def _note_sent(self, sent: int) -> None:
        self._sent = sent

    async def _wait_for_end(self) -> AsyncGenerator[Event]:
        """Ask until the run has ended: ``/status`` while it is queued, ``/result`` while it runs."""
        request_id = self._id
        self._began = time.monotonic()
        deadline = self._began + self._line.deadline
        watch = _Watch(self._began)
        yield Submitted(request_id)
        while True:
            try:
                delay = await self._look(watch, max(0.1, min(GET_SECONDS, deadline - time.monotonic())))
                if delay is None:
                    return
            except WanError as problem:
                delay = self._delay_after(problem, watch)
            wake = time.monotonic() + delay
            while True:
                now = time.monotonic()
                yield watch.event(now, self._line.pace.usual())
                if now >= deadline:
                    raise DeadlineExceeded("deadline", minutes=round(self._line.deadline / 60))
                if now >= wake:
                    break
                await asyncio.sleep(min(wake, deadline, now + TICK_SECONDS) - now)

    async def _look(self, watch: _Watch, seconds: float) -> float | None:
        """Ask once. Returns the seconds until it is worth asking again, None after the end."""
        api, pace, request_id = self._line.api, self._line.pace, self._id
        state, ended = None, watch.running_since is not None
        if not ended:
            status = await self._read(lambda t: api.status(request_id, timeout=t), seconds)
            watch.position, state, ended = status.queue_position, status.state, status.ended
        if ended:
            self._reply = await self._read(lambda t: api.result(request_id, timeout=t), seconds)
            state = self._reply.state
        watch.failures, now = 0, time.monotonic()
        if state in ENDS:
            if watch.running_since is not None and state is State.SUCCEEDED:
                pace.learn(now - watch.running_since)
            return None
        if state is State.QUEUED:
            watch.running_since = None
            return pace.while_queued(now - watch.began)
        if state is None and not watch.word_logged:
            watch.word_logged = True
            log.warning("run %s: the API said an unknown status word; waiting on", request_id)
        if watch.running_since is None:
            watch.running_since = now
        return pace.while_running(now - watch.running_since)

    def _delay_after(self, problem: WanError, watch: _Watch) -> float:
        """Seconds until asking again after a failed look; what does not pass is raised."""
        # A run may be unknown for a moment after its submit.
        fresh = self._submission is not None and time.monotonic() - watch.began < FRESH_SECONDS
        if not isinstance(problem, TransientError) and not (fresh and isinstance(problem, RunNotFound)):
            problem.charged = Charged.UNKNOWN
            raise problem
        watch.failures += 1
        return self._line.pace.after_trouble(watch.failures, getattr(problem, "retry_after", None))

    async def _read(self, call: Callable[[float], Awaitable[Reply]], seconds: float) -> Reply:
        async with self._line.gate:
            try:
                return await asyncio.wait_for(call(seconds), seconds)
            except asyncio.TimeoutError:
                raise ServerTrouble("server_trouble", api_message="timed out") from None

    async def _fetch(self) -> AsyncGenerator[Event]:
        """Turn the end of the run into files, or into the error that tells why there are none."""
        api, request_id = self._line.api, self._id
        for attempt in range(1, DOWNLOAD_TRIES + 1):
            _raise_failure(self._reply)
            self._received, self._expected = 0, None
            download = asyncio.create_task(self._download(self._reply.urls))
            try:
                async for _ in _ticks(download):
                    yield Downloading(self._received, self._expected)
                pictures, paths = download.result()
                break
            except DownloadFailed as problem:
                if attempt == DOWNLOAD_TRIES or problem.code in FINAL_DOWNLOAD_FAILURES:
                    raise
                await asyncio.sleep(self._line.pace.after_trouble(attempt, None))
                # The link may have expired: a fresh reply brings a fresh one.
                try:
                    reply = await self._read(lambda t: api.result(request_id, timeout=t), GET_SECONDS)
                    self._reply = reply if reply.state is State.SUCCEEDED else self._reply
                except WanError as trouble:
                    log.info("run %s: no fresh link (%s), trying the old one", request_id, trouble.code)
            finally:
                download.cancel()
        yield Finished(
            Result(
                request_id=request_id,
                paths=paths,
                width=pictures[0].width,
                height=pictures[0].height,
                seconds=time.monotonic() - self._began,
                cost=self._reply.cost,
                images=self._images,
                extra=self._reply.extra,
            )
        )

    async def _download(self, urls: tuple[str, ...]) -> tuple[list[Picture], tuple[Path, ...]]:
        pictures = [await self._line.outputs.download(url, self._note_received) for url in urls]
        files = [self._file(picture, index) for index, picture in enumerate(pictures)]
        paths = [
            await asyncio.to_thread(outputs.write, picture, file) for picture, file in zip(pictures, files, strict=True)
        ]
        return pictures, tuple(paths)

    def _note_received(self, received: int, expected: int | None) -> None:
        self._received, self._expected = received, expected

    def _file(self, picture: Picture, index: int) -> Path:
        if self._out is None:
            name = picture.name if self._id in picture.name else f"{self._id}_{picture.name}"
            return self._folder / name
        return self._out if index == 0 else self._out.with_stem(f"{self._out.stem}_{index + 1}")


def _raise_failure(reply: ResultReply) -> None:
    """Raise what an end means that brings no picture."""
    if reply.state is State.CANCELLED:
        raise RunCancelled("cancelled")
    if reply.state is State.FAILED:
        words = reply.failure.casefold()
        if any(word in words for word in _MODERATION_WORDS):
            raise ModerationRefused("moderation", api_message=reply.failure)
        raise RunFailed("run_failed", api_message=reply.failure)
    if not reply.urls:
        raise RunFailed("no_image")


async def _ticks(task: asyncio.Task[Any]) -> AsyncIterator[None]:
    """Four times a second until the task is done, and once then. The task is left alone whatever happens here."""
    while not task.done():
        await asyncio.wait({task}, timeout=TICK_SECONDS / 4)
        yield
