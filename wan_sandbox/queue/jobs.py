"""Jobs, the queue that they wait in, and the workers that they run on."""

from __future__ import annotations

import asyncio
import secrets
from bisect import bisect_left
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from wan_sandbox.faults.switches import Switches
    from wan_sandbox.queue.store import Stored
    from wan_sandbox.server.validation import SubmitInputs

Stage = Literal["in_queue", "in_progress", "succeeded", "failed", "cancelled"]


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(timezone.utc)


@dataclass(slots=True, eq=False)
class Job:
    """One request from its acceptance to its expiry."""

    inputs: SubmitInputs
    owner: bytes
    input_files: list[Stored]
    seconds: float
    traits: frozenset[str]
    switches: Switches
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    stage: Stage = "in_queue"
    created_at: datetime = field(default_factory=now)
    finished_at: datetime | None = None
    output: Stored | None = None
    plan: dict[str, Any] | None = None
    error: Any = None

    @property
    def ended(self) -> bool:
        """Whether the job's state is final."""
        return self.finished_at is not None


@dataclass(slots=True, eq=False)
class _Turn:
    """An entry of the queue: a job, or a placeholder ahead of it (`ahead`)."""

    seconds: float
    ready_at: float
    job: Job | None


class Queue:
    """First come, first served, on a number of workers.

    Positions count from 1: the job that is next in line is at 1. A job waits at least ``warm_up`` times its run time.
    """

    def __init__(
        self,
        *,
        workers: int,
        warm_up: float,
        perform: Callable[[Job], Awaitable[None]],
        on_end: Callable[[Job], None],
    ) -> None:
        self._idle = workers
        self._warm_up = warm_up
        self._perform = perform
        self._on_end = on_end
        # Tickets only grow, so this list is sorted by itself and a position is a binary search.
        self._waiting: list[int] = []
        self._turns: dict[int, _Turn] = {}
        self._tickets: dict[str, int] = {}
        self._next_ticket = 0
        self._running: set[asyncio.Task[None]] = set()
        self._alarm: asyncio.TimerHandle | None = None
        self._finished_early = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def running(self) -> int:
        """Number of entries that hold a worker now."""
        return len(self._running)

    def waiting(self, most: int) -> list[Job | None]:
        """Return the jobs at the first positions; a placeholder is ``None``."""
        return [self._turns[ticket].job for ticket in self._waiting[:most]]

    def put(self, job: Job | None, seconds: float) -> None:
        """Add a job, or a placeholder, that will run for some seconds."""
        ticket = self._next_ticket
        self._next_ticket += 1
        ready_at = asyncio.get_running_loop().time() + self._warm_up * seconds
        self._turns[ticket] = _Turn(seconds, ready_at, job)
        self._waiting.append(ticket)
        if job is not None:
            self._tickets[job.id] = ticket
        self._dispatch()

    def position(self, job: Job) -> int | None:
        """Return the position of a job, counted from 1, if it is still waiting."""
        ticket = self._tickets.get(job.id)
        return None if ticket is None else bisect_left(self._waiting, ticket) + 1

    def remove(self, job: Job) -> bool:
        """Take a job out, if it is still waiting."""
        ticket = self._tickets.pop(job.id, None)
        if ticket is None:
            return False
        del self._waiting[bisect_left(self._waiting, ticket)]
        del self._turns[ticket]
        self._dispatch()
        return True

    def finish(self) -> None:
        """End the run time of every entry that waits or runs now; later ones take theirs."""
        for turn in self._turns.values():
            turn.seconds = turn.ready_at = 0.0
        self._finished_early.set()
        self._finished_early = asyncio.Event()
        self._dispatch()

    async def close(self) -> None:
        """Stop everything that waits or runs."""
        self._waiting.clear()
        if self._alarm is not None:
            self._alarm.cancel()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _dispatch(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        loop = asyncio.get_running_loop()
        while self._idle and self._waiting:
            turn = self._turns[self._waiting[0]]
            if turn.ready_at > loop.time():
                self._alarm = loop.call_at(turn.ready_at, self._dispatch)
                return
            del self._turns[self._waiting.pop(0)]
            if turn.job is not None:
                # Set here rather than in the task: from here on the job can no longer be cancelled.
                del self._tickets[turn.job.id]
                turn.job.stage = "in_progress"
            self._idle -= 1
            task = loop.create_task(self._run(turn))
            self._running.add(task)
            task.add_done_callback(self._freed)

    def _freed(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._idle += 1
        if not task.cancelled():
            self._dispatch()

    async def _run(self, turn: _Turn) -> None:
        job = turn.job
        if job is None:
            await self._spend(turn.seconds)
            return
        await asyncio.gather(self._spend(turn.seconds), self._perform(job))
        self._on_end(job)

    async def _spend(self, seconds: float) -> None:
        with suppress(asyncio.TimeoutError):  # not yet the built-in one in Python 3.10
            await asyncio.wait_for(self._finished_early.wait(), seconds)


class Records:
    """The jobs that can be asked for, and when they are forgotten."""

    def __init__(self, *, retention: float, most_ended: int, on_forget: Callable[[Job], None]) -> None:
        self._retention = retention
        self._most_ended = most_ended
        self._on_forget = on_forget
        self._jobs: dict[str, Job] = {}
        self._ended: OrderedDict[str, asyncio.TimerHandle] = OrderedDict()

    def __len__(self) -> int:
        return len(self._jobs)

    def add(self, job: Job) -> None:
        """Keep a job, so that it can be found by its id."""
        self._jobs[job.id] = job

    def find(self, job_id: str) -> Job | None:
        """Return the job of an id."""
        return self._jobs.get(job_id)

    def ended(self, job: Job) -> None:
        """Start a job's retention."""
        if job.id in self._ended:
            self._ended.pop(job.id).cancel()
        self._ended[job.id] = asyncio.get_running_loop().call_later(self._retention, self._forget, job.id)
        if len(self._ended) > self._most_ended:
            self.forget_oldest()

    def forget_oldest(self) -> bool:
        """Forget the job that ended first; return whether there was one."""
        if not self._ended:
            return False
        self._forget(next(iter(self._ended)))
        return True

    def close(self) -> None:
        """Cancel the retention timers."""
        for timer in self._ended.values():
            timer.cancel()

    def _forget(self, job_id: str) -> None:
        self._ended.pop(job_id).cancel()
        self._on_forget(self._jobs.pop(job_id))
