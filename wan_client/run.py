"""One run from a request to pictures on disk, as a stream of typed events.

The request id is in hand before any waiting begins, and from then on nothing is lost: reading is retried until the
deadline, and `Run` can be built again from the id alone.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from anyio import CancelScope

from . import outputs
from .api import CancelOutcome, ResultReply, State, check_request_id
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
    ServerError,
    TransientError,
    UnknownOutcome,
    Unreachable,
    WanError,
    unknown_outcome,
)
from .hosting import addresses as hosting
from .images import prepare
from .schema import IMAGE_BYTES_MAX
from .state import journal

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Mapping
    from pathlib import Path

    from .api import Api
    from .hosting.addresses import Bucket
    from .images import PreparedImage
    from .outputs import Outputs, Picture
    from .schema import EditRequest, ImageSource
    from .settings import Timeouts
    from .state.journal import Journal
    from .state.polling import PollSchedule

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
SUBMIT_TRIES = 4
SUBMIT_PATIENCE_SECONDS = 60.0
READ_PATIENCE_SECONDS = 120.0
DOWNLOAD_TRIES = 4
RETRYING_AFTER_FAILURES = 3
FRESH_SECONDS = 30.0

ENDS = {State.SUCCEEDED, State.FAILED, State.CANCELLED}
FINAL_DOWNLOAD_FAILURES = {"output_host", "output_too_large", "not_writable"}
Reply = TypeVar("Reply")

_MODERATION_WORDS = ("datainspection", "moderation", "inappropriate", "nsfw", "content policy")


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
class Retrying:
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


Event: TypeAlias = Preparing | Uploading | Submitted | Queued | Running | Retrying | Downloading | Finished


@dataclass(frozen=True)
class ClientResources:
    """What runs of one client share: the API, the downloads, the schedule, and a gate that bounds reads at once."""

    api: Api
    outputs: Outputs
    schedule: PollSchedule
    journal: Journal
    gate: asyncio.Semaphore
    deadline: float
    timeouts: Timeouts
    bucket: Bucket | None = None
    submissions: set[asyncio.Task[None]] = field(default_factory=set)


@dataclass
class PollState:
    """What is known of a run that is waited for."""

    began: float
    position: int | None = None
    running_since: float | None = None
    failures: int = 0
    word_logged: bool = False

    def event(self, now: float, usual: tuple[float, float] | None) -> Event:
        """Return the event that says where the run stands."""
        if self.failures >= RETRYING_AFTER_FAILURES:
            return Retrying(now - self.began, self.failures)
        if self.running_since is None:
            return Queued(self.position, now - self.began)
        return Running(now - self.running_since, usual)


class Run:
    """One run. Iterate over it for its events, or await it for its result.

    Awaiting: if the awaiting task is cancelled, the run is cancelled at the API as well, bounded to seconds.
    Iterating: leaving the iteration leaves the run alone; `resume` it by its `request_id`.

    Attributes:
        request_id: Its id, once the API has given one.
        recovered: Whether it turned out to have been paid for earlier, by a process that did not see its end.
        cancel_outcome: What cancelling it achieved.

    Args:
        resources: What it shares with other runs.
        request: What to do; None to resume.
        request_id: Which run to resume.
        out: The file to write; None for a name of the API's making in `folder`.
        folder: Where files go that have no name of their own.
        on_submitted: Called with the request id as soon as the API has the run, even if nobody iterates any more.
    """

    def __init__(
        self,
        resources: ClientResources,
        request: EditRequest | None = None,
        request_id: str | None = None,
        *,
        out: Path | None = None,
        folder: Path,
        on_submitted: Callable[[str], None] | None = None,
    ) -> None:
        self.request_id = None if request_id is None else check_request_id(request_id)
        self.recovered = False
        self.cancel_outcome: CancelOutcome | None = None
        self._resources = resources
        self._request = request
        self._out = out
        self._folder = folder
        self._on_submitted = on_submitted
        self._events: AsyncGenerator[Event] | None = None
        self._submission: asyncio.Task[None] | None = None
        self._size = request.image_size.ratio if request else ""
        self._row: int | None = None
        self._sent = self._total = self._failures = 0
        self._cancel_asked = self._cancel_late = False
        self._hosted: list[str] = []
        self._images: tuple[PreparedImage, ...] = ()
        self._reply = ResultReply(None)
        self._began = time.monotonic()
        self._deadline = float("inf")
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
        return self._read_events()

    def _read_events(self) -> AsyncGenerator[Event]:
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
            async with aclosing(self._read_events()) as events:
                async for event in events:
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
        if self.cancel_outcome is CancelOutcome.CANCELLED:
            self._resources.journal.set_state(self._row, journal.CANCELLED)
            await self._clear_bucket()
        return self.cancel_outcome

    async def _cancel(self) -> CancelOutcome:
        self._cancel_asked = True
        submission = self._submission
        if submission is not None and not submission.done():
            if self._sent < self._total:
                submission.cancel()
            await asyncio.wait({submission}, timeout=self._resources.timeouts.cancel)
        if self.request_id is not None:
            return await self._cancel_remotely(self.request_id)
        if submission is None or submission.cancelled():
            return CancelOutcome.CANCELLED
        if not submission.done():
            self._cancel_late = True
            return CancelOutcome.UNKNOWN
        problem = submission.exception()
        nothing_there = isinstance(problem, WanError) and problem.charged is Charged.NO
        return CancelOutcome.CANCELLED if nothing_there else CancelOutcome.UNKNOWN

    async def _cancel_remotely(self, request_id: str) -> CancelOutcome:
        try:
            return await asyncio.wait_for(self._resources.api.cancel(request_id), self._resources.timeouts.cancel)
        except asyncio.TimeoutError:
            return CancelOutcome.UNKNOWN

    async def _all_events(self) -> AsyncGenerator[Event]:
        stages = (self._wait_for_end, self._fetch)
        end: str | None = None
        try:
            for stage in stages if self.request_id else (self._submit, *stages):
                async with aclosing(stage()) as events:
                    async for event in events:
                        if isinstance(event, Finished):
                            end = journal.FETCHED
                        yield event
        except WanError as problem:
            problem.request_id = problem.request_id or self.request_id
            end = _end_for_good(problem)
            raise
        finally:
            if self.request_id:
                self._resources.journal.set_state(self._row, end)
            if end or not self._in_use():
                await self._clear_bucket()

    def _in_use(self) -> bool:
        """Whether the model may still want the pictures."""
        submission = self._submission
        if self.request_id is not None or submission is None:
            return self.request_id is not None
        if not submission.done():
            return True
        return not submission.cancelled() and isinstance(submission.exception(), UnknownOutcome)

    async def _clear_bucket(self) -> None:
        hosted, self._hosted = self._hosted, []
        if self._resources.bucket and hosted:
            await asyncio.to_thread(self._resources.bucket.delete, hosted)

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
        sources = await self._prepared(self._request)
        digest = self._resources.journal.digest(await asyncio.to_thread(_fingerprint, self._request, sources))
        await asyncio.to_thread(self._look_up, digest)
        if self.request_id:
            return
        addresses = await asyncio.gather(*map(self._address, sources))
        values = self._request.body(addresses)
        body = await asyncio.to_thread(lambda: json.dumps(values).encode())
        # Whoever cancelled meanwhile was told that nothing was sent; from here to the task nothing is waited for.
        if self._cancel_asked:
            raise RunCancelled("cancelled_before_submit")
        # Noted only now: up to here nothing can have been paid.
        self._row = self._resources.journal.sending(digest, self._out)
        self._total = len(body)
        submission = self._submission = asyncio.create_task(self._submit_body(body))
        # Where nobody listens any more, nobody asks for the exception either.
        submission.add_done_callback(lambda task: task.cancelled() or task.exception())
        self._resources.submissions.add(submission)
        submission.add_done_callback(self._resources.submissions.discard)
        async for _ in _ticks(submission):
            if self._failures:
                yield Retrying(time.monotonic() - self._began, self._failures)
            else:
                yield Uploading(self._sent, self._total)
        if submission.cancelled():
            raise RunCancelled("cancelled_before_submit")
        submission.result()

    async def _prepared(self, request: EditRequest) -> list[str | PreparedImage]:
        # The vendor's own nodes keep what travels inside a request smaller than the API's own limit.
        most = IMAGE_BYTES_MAX if self._resources.bucket else hosting.DATA_URI_BYTES_MAX

        async def ready(number: int, source: ImageSource) -> str | PreparedImage:
            if hosting.is_address(source):
                return hosting.check_address(source, number=number)
            return await asyncio.to_thread(prepare, source, number=number, bytes_max=most)

        sources = await asyncio.gather(*(ready(n, source) for n, source in enumerate(request.images, 1)))
        self._images = tuple(source for source in sources if not isinstance(source, str))
        return sources

    def _look_up(self, digest: str) -> None:
        """Find this very request in the journal, sent by a process that did not see its end."""
        notes = self._resources.journal
        orphan = notes.orphan(digest)
        if orphan is None:
            return
        if orphan.request_id is None:
            # Said once: who sends it again after that knows what may happen.
            notes.set_state(orphan.row, journal.UNKNOWN)
            raise unknown_outcome(orphan.sent)
        notes.adopt(orphan.row)
        self._row, self.request_id, self.recovered = orphan.row, orphan.request_id, True

    async def _address(self, source: str | PreparedImage) -> str:
        """The address that the API is given for a picture."""
        if isinstance(source, str):
            return source
        if self._resources.bucket is None:
            return await asyncio.to_thread(hosting.data_uri, source)
        key, address = await asyncio.to_thread(self._resources.bucket.put, source)
        self._hosted.append(key)
        return address

    async def _submit_body(self, body: bytes) -> None:
        notes = self._resources.journal
        try:
            self.request_id = await self._sent_once(body)
        except UnknownOutcome:
            notes.set_state(self._row, journal.UNKNOWN)
            raise
        except asyncio.CancelledError:
            # Cut off with all of it on its way, it may have been accepted.
            if self._sent < self._total:
                notes.forget(self._row)
            raise
        except WanError:
            notes.forget(self._row)
            raise
        notes.accepted(self._row, self.request_id)
        if self._on_submitted:
            try:
                self._on_submitted(self.request_id)
            except Exception:
                log.exception("the id of run %s could not be noted", self.request_id)
        if self._cancel_late:
            self.cancel_outcome = await self._cancel_remotely(self.request_id)

    async def _sent_once(self, body: bytes) -> str:
        """Send the request until it is accepted or refused; again only where certainly nothing was accepted."""
        while True:
            try:
                return await self._resources.api.submit(body, self._note_sent)
            except (Unreachable, RateLimited) as trouble:  # trying again is what the loop is for
                self._failures += 1
                self._sent = 0
                if self._cancel_asked:
                    raise RunCancelled("cancelled_before_submit") from None
                _check_patience(trouble, SUBMIT_PATIENCE_SECONDS)
                if self._failures >= SUBMIT_TRIES:
                    raise
                await asyncio.sleep(self._resources.schedule.retry_delay(self._failures, trouble.retry_after))

    def _note_sent(self, sent: int) -> None:
        self._sent = sent

    async def _wait_for_end(self) -> AsyncGenerator[Event]:
        """Ask until the run has ended: ``/status`` while it is queued, ``/result`` while it runs."""
        request_id = self._id
        self._began = time.monotonic()
        self._deadline = self._began + self._resources.deadline
        watch = PollState(self._began)
        if self._row is None and (entry := self._resources.journal.find(request_id)):
            self._row = entry.row
            self._resources.journal.adopt(entry.row)
        yield Submitted(request_id)
        while True:
            look = asyncio.create_task(self._poll_once(watch))
            try:
                while not (await asyncio.wait({look}, timeout=TICK_SECONDS))[0]:
                    yield watch.event(time.monotonic(), self._resources.schedule.usual(self._size))
                delay = look.result()
                if delay is None:
                    return
            except WanError as problem:
                delay = self._delay_after(problem, watch)
            finally:
                look.cancel()
            wake = time.monotonic() + delay
            while True:
                now = time.monotonic()
                yield watch.event(now, self._resources.schedule.usual(self._size))
                if now >= self._deadline:
                    minutes = f"{round(self._resources.deadline / 60, 2):g}"
                    troubled = watch.failures >= RETRYING_AFTER_FAILURES
                    raise DeadlineExceeded("deadline_trouble" if troubled else "deadline", minutes=minutes)
                if now >= wake:
                    break
                await asyncio.sleep(min(wake, self._deadline, now + TICK_SECONDS) - now)

    async def _poll_once(self, watch: PollState) -> float | None:
        """Ask once. Returns the seconds until it is worth asking again, None after the end."""
        api, schedule, request_id = self._resources.api, self._resources.schedule, self._id
        state, ended = None, watch.running_since is not None
        if not ended:
            status = await self._read(lambda t: api.status(request_id, timeout=t))
            watch.position, state, ended = status.queue_position, status.state, status.ended
        if ended:
            self._reply = await self._read(lambda t: api.result(request_id, timeout=t))
            state = self._reply.state
        watch.failures, now = 0, time.monotonic()
        if state in ENDS:
            # Of a run picked up midway only the rest is known.
            if watch.running_since is not None and state is State.SUCCEEDED and self._submission:
                await asyncio.to_thread(schedule.learn, now - watch.running_since, self._size)
            return None
        if state is State.QUEUED:
            watch.running_since = None
            return schedule.queued_delay(now - watch.began)
        if state is None and not watch.word_logged:
            watch.word_logged = True
            log.warning("run %s: the API said an unknown status word; waiting on", request_id)
        if watch.running_since is None:
            watch.running_since = now
        return schedule.running_delay(now - watch.running_since, self._size)

    def _delay_after(self, problem: WanError, watch: PollState) -> float:
        """Seconds until asking again after a failed look; what does not pass is raised."""
        # A run may be unknown for a moment after its submit.
        fresh = (self._submission is not None or self.recovered) and time.monotonic() - watch.began < FRESH_SECONDS
        if not isinstance(problem, TransientError) and not (fresh and isinstance(problem, RunNotFound)):
            problem.charged = Charged.UNKNOWN
            raise problem
        watch.failures += 1
        retry_after = None
        if isinstance(problem, TransientError):
            problem.charged = Charged.UNKNOWN
            _check_patience(problem, READ_PATIENCE_SECONDS)
            retry_after = problem.retry_after
        return self._resources.schedule.retry_delay(watch.failures, retry_after)

    async def _read(self, call: Callable[[float], Awaitable[Reply]]) -> Reply:
        """Read within what a call may take, and within the deadline."""
        async with self._resources.gate:
            seconds = max(0.1, min(self._resources.timeouts.read, self._deadline - time.monotonic()))
            try:
                return await asyncio.wait_for(call(seconds), seconds)
            except asyncio.TimeoutError:
                raise ServerError("server_trouble", api_message="timed out") from None

    async def _fetch(self) -> AsyncGenerator[Event]:
        """Turn the end of the run into files, or into the error that tells why there are none."""
        api, request_id = self._resources.api, self._id
        for attempt in count(1):
            _raise_failure(self._reply)
            self._received, self._expected = 0, None
            download = asyncio.create_task(self._download(self._reply.urls))
            try:
                async for _ in _ticks(download):
                    yield Downloading(self._received, self._expected)
                pictures, paths = download.result()
                break
            except DownloadFailed as problem:
                delay = self._resources.schedule.retry_delay(attempt, None)
                last = attempt >= DOWNLOAD_TRIES and not problem.is_retryable
                late = time.monotonic() + delay > self._deadline
                if last or late or problem.code in FINAL_DOWNLOAD_FAILURES:
                    raise
                if attempt >= RETRYING_AFTER_FAILURES:
                    yield Retrying(time.monotonic() - self._began, attempt)
                await asyncio.sleep(delay)
                # The link may have expired: a fresh reply brings a fresh one.
                with suppress(WanError):
                    reply = await self._read(lambda t: api.result(request_id, timeout=t))
                    self._reply = reply if reply.state is State.SUCCEEDED else self._reply
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
        left = max(1.0, self._deadline - time.monotonic())
        pictures = [await self._resources.outputs.download(url, self._note_received, left) for url in urls]
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


def _fingerprint(request: EditRequest, sources: list[str | PreparedImage]) -> bytes:
    """What two sendings of one request have in common, wherever its pictures lie."""
    pictures = [source if isinstance(source, str) else sha256(source.data).hexdigest() for source in sources]
    return json.dumps(request.body(pictures)).encode()


def _end_for_good(problem: WanError) -> str | None:
    """What a journal keeps of a run that brings no picture any more; None where it still may."""
    if isinstance(problem, RunCancelled):
        return journal.CANCELLED
    lost = isinstance(problem, DownloadFailed) and problem.code in {"output_host", "output_too_large"}
    return journal.FAILED if lost or isinstance(problem, RunFailed | RunNotFound) else None


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


def _check_patience(trouble: TransientError, most: float) -> None:
    """Raise it instead of waiting for longer than anybody would."""
    if trouble.retry_after is not None and trouble.retry_after > most:
        trouble.code = "told_to_wait"
        trouble.values = {**trouble.values, "minutes": math.ceil(trouble.retry_after / 60)}
        raise trouble


async def _ticks(task: asyncio.Task[Any]) -> AsyncIterator[None]:
    """Four times a second until the task is done, and once then. The task is left alone whatever happens here."""
    while not task.done():
        await asyncio.wait({task}, timeout=TICK_SECONDS / 4)
        yield
