"""One run from a request to pictures on disk, as a stream of typed events.

The request id is known before any waiting begins, and from then on nothing is lost: reading is retried until the
deadline, and `Run` can be built again from the id alone.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from anyio import CancelScope

from .api import CancelOutcome, State, check_request_id
from .errors import DownloadFailed, PictureNotFetched, RunCancelled, RunFailed, RunNotFound, ServerError, WanError
from .events import Finished
from .fetch import Fetch
from .poller import Poller
from .state import journal

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator
    from pathlib import Path

    from .api import Api
    from .events import Event, Result
    from .hosting.bucket import Bucket
    from .hosting.public_url import PublicHost
    from .outputs import Outputs
    from .settings import Settings, Timeouts
    from .state.journal import Journal
    from .state.polling import PollSchedule
    from .submission import Submission

Reply = TypeVar("Reply")


@dataclass(frozen=True)
class ClientResources:
    """The resources that runs of one client share, among them a gate that bounds simultaneous reads."""

    api: Api
    outputs: Outputs
    schedule: PollSchedule
    journal: Journal
    gate: asyncio.Semaphore
    settings: Settings
    timeouts: Timeouts
    bucket: Bucket | None = None
    submissions: set[asyncio.Task[None]] = field(default_factory=set)

    async def read(self, call: Callable[[float], Awaitable[Reply]], deadline: float) -> Reply:
        """Make a reading call, within its timeout and within the deadline on the monotonic clock."""
        async with self.gate:
            seconds = max(0.1, min(self.timeouts.read, deadline - time.monotonic()))
            try:
                return await asyncio.wait_for(call(seconds), seconds)
            except asyncio.TimeoutError:
                raise ServerError("server_trouble", api_message="timed out") from None

    async def cancel(self, request_id: str) -> CancelOutcome:
        """Cancel a run at the API, within seconds."""
        try:
            return await asyncio.wait_for(self.api.cancel(request_id), self.timeouts.cancel)
        except asyncio.TimeoutError:
            return CancelOutcome.UNKNOWN


class Run:
    """One run. Iterate over it for its events, or await it for its result.

    Awaiting: if the awaiting task is cancelled, the run is cancelled at the API as well, bounded to seconds.
    Iterating: leaving the iteration leaves the run alone; `resume` it by its `request_id`.

    Attributes:
        result: The result, once there is one.
        problem: Why there is no picture, once that is known.

    Args:
        resources: What it shares with other runs.
        submission: Its request, on its way to the API; None to resume.
        request_id: Which run to resume.
        out: The file to write; None for a name of the API's making in `folder`.
        folder: Where files go that have no name of their own.
        named: Whether a person gave `out` its name, so that a file of that very name is replaced.
        public: Where the pictures of a resumed run may lie still.
    """

    def __init__(
        self,
        resources: ClientResources,
        submission: Submission | None = None,
        request_id: str | None = None,
        *,
        out: Path | None = None,
        folder: Path,
        named: bool = True,
        public: PublicHost | None = None,
    ) -> None:
        self.result: Result | None = None
        self.problem: WanError | None = None
        self._resources = resources
        self._request_id = None if request_id is None else check_request_id(request_id)
        self._out = out
        self._folder = folder
        self._named = named
        self._submission = submission
        self._public = public
        self._row: int | None = None
        self._poller: Poller | None = None
        self._events: AsyncGenerator[Event] | None = None
        self._outcome: CancelOutcome | None = None

    def __repr__(self) -> str:
        return f"Run({self.request_id!r})"

    @property
    def request_id(self) -> str | None:
        """Its id, once the API has given one."""
        return self._submission.request_id if self._submission else self._request_id

    @property
    def recovered(self) -> bool:
        """Whether it turned out to have been paid for earlier: by a process that did not see its end, or by key."""
        return self._submission is not None and self._submission.recovered

    @property
    def reused(self) -> bool:
        """Whether an earlier call has sent it under the same key of the caller's own."""
        return self._submission is not None and self._submission.reused

    @property
    def submitting(self) -> bool:
        """Whether a submit has gone out, or may have: the run can have been paid for, and its pictures be fetched."""
        return self._submission is None or self._submission.may_be_paid

    @property
    def succeeded(self) -> bool:
        """Whether the API is known to have the picture, on disk or not."""
        return self._poller is not None and self._poller.reply.state is State.SUCCEEDED

    @property
    def cancel_outcome(self) -> CancelOutcome | None:
        """What cancelling it achieved."""
        late = self._submission.late_outcome if self._submission else None
        return late or self._outcome

    def __aiter__(self) -> AsyncIterator[Event]:
        """Iterate over the events; possible once."""
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
            WanError: There is no picture; the error says why and what it cost.
        """
        try:
            async with aclosing(self._read_events()) as events:
                async for event in events:
                    on_event(event)
                    if isinstance(event, Finished):
                        return event.result
        except asyncio.CancelledError:
            if self.result is None:
                with CancelScope(shield=True):
                    await self.cancel()
            raise
        raise RuntimeError("a run ends with a result or an error")

    async def cancel(self) -> CancelOutcome:
        """Ask for the run to be cancelled, within seconds, and return the outcome.

        Only a queued run can be cancelled. A running one runs on and may be charged.
        """
        outcome = await self._submission.cancel() if self._submission else None
        if outcome is None:
            outcome = await self._resources.cancel(self._id)
        self._outcome = outcome
        if outcome is CancelOutcome.CANCELLED:
            await asyncio.to_thread(self._resources.journal.set_state, self._noted_row, journal.CANCELLED)
            await self._remove_hosted()
        return outcome

    @property
    def _id(self) -> str:
        if self.request_id is None:
            raise RuntimeError("the run has not been submitted")
        return self.request_id

    @property
    def _noted_row(self) -> int | None:
        return self._submission.row if self._submission else self._row

    async def _all_events(self) -> AsyncGenerator[Event]:
        try:
            async with aclosing(self._stages()) as events:
                async for event in events:
                    if isinstance(event, Finished):
                        self.result = event.result
                    yield event
        except WanError as problem:
            problem.request_id = problem.request_id or self.request_id
            if (
                isinstance(problem, PictureNotFetched)
                and self._submission
                and await self._submission.prefer_public_url()
            ):
                problem.code = "image_not_fetched_inside"
            self.problem = problem
            raise
        finally:
            with CancelScope(shield=True):
                await self._clean_up()

    async def _stages(self) -> AsyncGenerator[Event]:
        """Submit, wait for the end, fetch: each an iterator of events that is closed with this one."""
        submission = self._submission
        if submission is not None:
            async with aclosing(submission.events()) as events:
                async for event in events:
                    yield event
        else:
            self._row = await asyncio.to_thread(self._claimed_row)
        began = time.monotonic()
        deadline = began + self._resources.settings.deadline
        self._poller = Poller(
            self._resources,
            self._id,
            deadline,
            size=submission.size if submission else "",
            is_fresh=submission is not None,
            is_whole=submission is not None and not submission.recovered,
        )
        with self._resources.schedule.polling():
            async with aclosing(self._poller.events()) as events:
                async for event in events:
                    yield event
        images = submission.images if submission else ()
        fetch = Fetch(
            self._resources,
            self._id,
            self._poller.reply,
            deadline,
            began=began,
            out=self._out,
            named=self._named,
            folder=self._folder,
            images=images,
        )
        async with aclosing(fetch.events()) as events:
            async for event in events:
                yield event

    def _claimed_row(self) -> int | None:
        entry = self._resources.journal.claim_run(self._id)
        return entry.row if entry else None

    async def _clean_up(self) -> None:
        """Note the outcome of the run, and remove hosted pictures that it no longer needs."""
        end = self._end()
        if self.request_id:
            await asyncio.to_thread(self._resources.journal.set_state, self._noted_row, end)
        if end or not self.submitting:
            await self._remove_hosted()

    def _end(self) -> str | None:
        """Return the final state of the run for the journal; None where it may still bring a picture."""
        if self.result is not None:
            return journal.FETCHED
        problem = self.problem
        if isinstance(problem, RunCancelled):
            return journal.CANCELLED
        lost = isinstance(problem, DownloadFailed) and problem.code in {"output_host", "output_too_large"}
        return journal.FAILED if lost or isinstance(problem, RunFailed | RunNotFound) else None

    async def _remove_hosted(self) -> None:
        if self._submission:
            await self._submission.remove_hosted()
        elif self._public:
            await asyncio.to_thread(self._public.release)
