"""Polling a run until it has ended: ``/status`` while it is queued, ``/result`` while it runs."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .api import ResultReply, State
from .errors import Charged, DeadlineExceeded, ReadRefused, RunNotFound, TransientError, WanError
from .events import Queued, Retrying, Running, Submitted
from .submission import check_patience, mark_exception_retrieved

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from .events import Event
    from .run import ClientResources

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
READ_PATIENCE_SECONDS = 120.0
RETRYING_AFTER_FAILURES = 3
# How many refused polls in a row are taken for temporary.
REFUSALS_MAX = 3
FRESH_SECONDS = 30.0

ENDS = {State.SUCCEEDED, State.FAILED, State.CANCELLED}


@dataclass(eq=False, repr=False)
class Poller:
    """Waits for the end of one run.

    Attributes:
        resources: What it shares with others.
        request_id: The run.
        deadline: When to give up, on the monotonic clock.
        size: The size under which its duration is remembered.
        is_fresh: Whether it was submitted just now, so that the API may not know it yet.
        is_whole: Whether it is seen from its beginning, so that its duration says something.
        reply: What ``/result`` said at the end.
    """

    resources: ClientResources
    request_id: str
    deadline: float
    size: str = ""
    is_fresh: bool = False
    is_whole: bool = False
    reply: ResultReply = field(default=ResultReply(None), init=False)
    _began: float = field(default_factory=time.monotonic, init=False)
    _position: int | None = field(default=None, init=False)
    _running_since: float | None = field(default=None, init=False)
    _failures: int = field(default=0, init=False)
    _refusals: int = field(default=0, init=False)
    _word_logged: bool = field(default=False, init=False)

    async def events(self) -> AsyncGenerator[Event]:
        """Poll until the run has ended."""
        yield Submitted(self.request_id)
        while True:
            poll = asyncio.create_task(self._poll_once())
            poll.add_done_callback(mark_exception_retrieved)
            try:
                while not (await asyncio.wait({poll}, timeout=TICK_SECONDS))[0]:
                    yield self._event(time.monotonic())
                delay = poll.result()
                if delay is None:
                    return
            except WanError as problem:
                delay = self._delay_after(problem)
            finally:
                poll.cancel()
            wake = time.monotonic() + delay
            while True:
                now = time.monotonic()
                yield self._event(now)
                if now >= self.deadline:
                    raise self._deadline_exceeded()
                if now >= wake:
                    break
                await asyncio.sleep(min(wake, self.deadline, now + TICK_SECONDS) - now)

    def _event(self, now: float) -> Event:
        """Return the event that says where the run stands."""
        if self._failures >= RETRYING_AFTER_FAILURES:
            return Retrying(now - self._began, self._failures)
        if self._running_since is None:
            return Queued(self._position, now - self._began)
        return Running(now - self._running_since, self.resources.schedule.usual(self.size))

    async def _poll_once(self) -> float | None:
        """Poll once. Return the seconds until the next poll, None after the end."""
        api, schedule, request_id = self.resources.api, self.resources.schedule, self.request_id
        stage, ended = None, self._running_since is not None
        if not ended:
            status = await self.resources.read(lambda t: api.status(request_id, timeout=t), self.deadline)
            self._position, stage, ended = status.queue_position, status.state, status.ended
        if ended:
            self.reply = await self.resources.read(lambda t: api.result(request_id, timeout=t), self.deadline)
            stage = self.reply.state
        self._failures, self._refusals, now = 0, 0, time.monotonic()
        if stage in ENDS:
            if self._running_since is not None and stage is State.SUCCEEDED and self.is_whole:
                await asyncio.to_thread(schedule.learn, now - self._running_since, self.size)
            return None
        if stage is State.QUEUED:
            self._running_since = None
            return schedule.queued_delay(now - self._began)
        if stage is None and not self._word_logged:
            self._word_logged = True
            log.warning("run %s: the API said an unknown status word; waiting on", request_id)
        if self._running_since is None:
            self._running_since = now
        return schedule.running_delay(now - self._running_since, self.size)

    def _delay_after(self, problem: WanError) -> float:
        """Return the seconds until the next poll after a failed one; raise an error that is not temporary."""
        self._failures += 1
        problem.charged = Charged.UNKNOWN
        is_new = self.is_fresh and time.monotonic() - self._began < FRESH_SECONDS
        if isinstance(problem, ReadRefused) and self._refusals < REFUSALS_MAX:
            self._refusals += 1
        elif not (isinstance(problem, TransientError) or (isinstance(problem, RunNotFound) and is_new)):
            raise problem
        check_patience(problem, READ_PATIENCE_SECONDS)
        return self.resources.schedule.retry_delay(self._failures, problem.retry_after)

    def _deadline_exceeded(self) -> DeadlineExceeded:
        minutes = f"{round(self.resources.settings.deadline / 60, 2):g}"
        in_trouble = self._failures >= RETRYING_AFTER_FAILURES
        return DeadlineExceeded("deadline_trouble" if in_trouble else "deadline", minutes=minutes)
