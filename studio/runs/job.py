"""A job: one run that goes on whether or not a page is watching it, and what is known of it."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, cast

from studio import telemetry, uploads
from studio.telemetry import RunFacts
from wan_client import (
    Backend,
    CancelOutcome,
    Charged,
    DownloadFailed,
    Downloading,
    Finished,
    ImageSize,
    Run,
    RunCancelled,
    RunFailed,
    Running,
    RunNotFound,
    Submitted,
    WanError,
    prepare,
)
from wan_client.recipe import Recipe

from . import results
from .engines import SANDBOX
from .file_names import result_name

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from studio.browser.store import Entry
    from studio.prompt.form import Form
    from studio.public.limits import Permit
    from studio.public.visitors import Visitor
    from studio.uploads import DiskSpace
    from wan_client import Event, PreparedImage, Result

    from .results import Outcome

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Known:
    """What is known of a run before it has begun, and after its end.

    It takes the place of the `Run`, which holds the pictures as they were sent: a job is kept long after it has ended.
    """

    request_id: str | None
    submitting: bool


class Job:
    """One run, and what is known of it now.

    Attributes:
        work: Done when the job has ended.
        change: Done at the next change.
        event: The latest event.
        outcome: The finished run, once it has succeeded.
        problem: Why it failed.
        cancel_outcome: What the Cancel button achieved.
        running_since: When the model began with it, in seconds since 1970, as far as that was observed.
        asked: The form with the files as they were uploaded, for a run that was started here.
        forgotten: Whether the visitor asked to forget it: from then on it is not shown.

    Args:
        entry: The run as the browser keeps it.
        opening: Makes the run, with a client that is open as long as the context.
        prove: Returns the proof that this page gave an id to the browser.
        visitor: Who asks.
        permit: The right to the run.
        disk_space: Where space for its result is reserved.
        asked: See above.
    """

    def __init__(
        self,
        entry: Entry,
        opening: AbstractAsyncContextManager[Run],
        *,
        prove: Callable[[str], str],
        visitor: Visitor,
        permit: Permit,
        disk_space: DiskSpace,
        asked: Form | None = None,
    ) -> None:
        self.event: Event | None = None
        self.outcome: Outcome | None = None
        self.problem: WanError | None = None
        self.cancel_outcome: CancelOutcome | None = None
        self.running_since: float | None = None
        self.asked = asked
        self.forgotten = False
        self.change: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._entry = entry
        self._opening = opening
        self._prove = prove
        self._visitor = visitor
        self._permit = permit
        self._disk_space = disk_space
        self._began = time.time()
        self._submitted: float | None = None
        # A run that is resumed by its id has been submitted.
        self._run: Run | _Known = _Known(entry.request_id or None, submitting=bool(entry.request_id))
        self.work = asyncio.create_task(self._work())
        self.work.add_done_callback(lambda _: self._notify())

    @property
    def entry(self) -> Entry:
        """The run as the browser keeps it."""
        request_id = self.request_id or ""
        return replace(
            self._entry,
            request_id=request_id,
            proof=self._prove(request_id) if request_id else "",
            result=self.outcome.digest if self.outcome else "",
        )

    @property
    def key(self) -> str:
        """The run's name between this server and the browser that started it."""
        return self._entry.key

    @property
    def group(self) -> str:
        """What the variations of one click have in common."""
        return self._entry.group

    @property
    def form(self) -> Form:
        """What was entered."""
        return self._entry.form

    @property
    def sandbox(self) -> bool:
        """Whether the local preview does the work."""
        return self._entry.engine == SANDBOX

    @property
    def request_id(self) -> str | None:
        """The run's id, once the API has given one."""
        return self._run.request_id

    @property
    def ended(self) -> bool:
        """Whether it has ended, with a result or a problem."""
        return self.work.done()

    @property
    def can_be_fetched(self) -> bool:
        """Whether a run without a picture may still bring one: asking again costs nothing."""
        problem = self.problem
        # An error of asking for it, as after a mistyped token, says nothing of the run.
        return bool(problem and problem.request_id and not isinstance(problem, RunFailed | RunNotFound | RunCancelled))

    @property
    def lacks_space(self) -> bool:
        """Whether its picture is at the API and could not be written here."""
        return isinstance(self.problem, DownloadFailed) and self.problem.code == "not_writable"

    @property
    def failed_permanently(self) -> bool:
        """Whether it has ended for good without a picture."""
        return self.problem is not None and not self.outcome and not self.can_be_fetched

    async def wait_until_submitted(self) -> None:
        """Wait until the API has the run, or will never have it."""
        await self._wait_until(lambda: self.request_id)

    def take_place_of(self, other: Job) -> None:
        """Take the other job's place among its variations."""
        self._entry = replace(self._entry, group=other.group, at=other.entry.at)

    def detach(self) -> None:
        """Stop watching the run. At the API it goes on, and its place is held until the lease ends."""
        self.work.cancel()

    def forget(self) -> None:
        """Keep nothing of the run. If it was submitted, it is watched to its end, since it holds a place until then."""
        self.forgotten = True
        if not self._run.submitting:
            self.detach()

    async def cancel(self) -> CancelOutcome | None:
        """Cancel the run at the API, and return the outcome; None where the run had ended before."""
        await self._wait_until(lambda: self.event)
        if isinstance(self._run, Run):
            self.cancel_outcome = await self._run.cancel()
            self._notify()
        return self.cancel_outcome

    async def _work(self) -> None:
        telemetry.started()
        keeping = asyncio.create_task(self._permit.renew_until_cancelled())
        try:
            with self._disk_space.reserved(uploads.RESULT_BYTES):
                await self._watch()
        except asyncio.CancelledError:
            # A submitted run goes on, and so does its lease.
            if self.forgotten and not self._run.submitting:
                await asyncio.shield(self._settle())
            raise
        else:
            keeping.cancel()
            await self._settle()
        finally:
            keeping.cancel()
            facts = self._facts()
            # A run that is left goes on, and another server counts its end.
            counted = facts.state == "left" or await self._permit.count_end()
            telemetry.ended(facts, counted=counted)
        if self.forgotten or (self.failed_permanently and self.asked):
            # No browser keeps it, so nobody could ask for its files to be deleted.
            await asyncio.to_thread(uploads.forget_run, self.key)
            if self._permit.claim and self.problem and not self.forgotten:
                # The next call with the same key gets the same problem, on any replica.
                await asyncio.to_thread(results.keep_problem, self.key, self.problem)

    async def _watch(self) -> None:
        try:
            async with self._opening as run:
                self._run = run
                async with aclosing(cast("AsyncGenerator[Event]", aiter(run))) as events:
                    async for event in events:
                        is_news, self.event = event != self.event, event
                        self._note_time(event)
                        if self.forgotten and isinstance(event, Downloading | Finished):
                            break
                        if isinstance(event, Finished):
                            self.event = Finished(replace(event.result, images=()))
                            self.outcome = await asyncio.to_thread(self._keep, event.result)
                        if is_news:
                            self._notify()
        except WanError as problem:
            self.problem = _without_traceback(problem)
        except Exception:
            log.exception("run %s", self.request_id)
            charged = Charged.UNKNOWN if self._run.submitting else Charged.NO
            self.problem = WanError("unexpected", charged=charged, request_id=self.request_id)
        finally:
            self._run = _Known(self.request_id, self._run.submitting)

    def _note_time(self, event: Event) -> None:
        if isinstance(event, Submitted):
            self._submitted = time.time()
        elif isinstance(event, Running):
            self.running_since = self.running_since or time.time() - event.elapsed

    def _facts(self) -> RunFacts:
        """Return what the log and the metrics record of the run."""
        now, form, ran = time.time(), self.form, self.running_since
        sizes = {size.value: size.ratio for size in ImageSize}
        return RunFacts(
            state=self._state(),
            engine=self._entry.engine,
            total_seconds=now - self._began,
            request_id=self.request_id,
            code=self.problem.code if self.problem else None,
            visitor=self._visitor.name,
            images=sum(slot is not None for slot in form.slots),
            image_size=sizes.get(form.image_size),
            bytes_in=self.outcome.bytes_in if self.outcome else None,
            bytes_out=self.outcome.bytes_out if self.outcome else None,
            queue_seconds=ran - self._submitted if ran and self._submitted else None,
            run_seconds=now - ran if ran else None,
            cost=self._cost(),
        )

    def _cost(self) -> float | None:
        """Return what the API says the run cost, with or without a picture."""
        known = self.outcome or self.problem
        return known.cost if known else None

    def _state(self) -> str:
        if self.outcome:
            return "succeeded"
        if self.problem is None:
            return "left"
        if isinstance(self.problem, RunCancelled):
            return "cancelled"
        return "unknown" if self.problem.charged is Charged.UNKNOWN else "failed"

    async def _settle(self) -> None:
        """Release the run's place in the page's limits, and count what it cost."""
        ended_well = self.outcome or (self.forgotten and isinstance(self.event, Downloading | Finished))
        left = Charged.YES if ended_well else Charged.UNKNOWN if self._run.submitting else Charged.NO
        charged = self.problem.charged if self.problem else left
        reached = self.request_id is not None or charged is not Charged.NO
        await self._permit.end(reached=reached, charged=charged, cost=self._cost())

    def _keep(self, result: Result) -> Outcome:
        entry = self.entry
        recipe = Recipe.of(
            entry.form,
            engine=Backend.SANDBOX if self.sandbox else Backend.RUNCOMFY,
            request_id=result.request_id,
            cost=result.cost,
            created=datetime.fromtimestamp(entry.at, timezone.utc),
            references=entry.references,
        )
        name = result_name(entry.form, preview=self.sandbox)
        try:
            return results.keep(result, self.key, result.images or self._prepared_again(), recipe, name)
        except OSError:
            log.exception("the result of run %s could not be kept", result.request_id)
            problem = DownloadFailed("not_writable", file=result.path.name, charged=Charged.YES)
            problem.request_id = result.request_id
            raise problem from None

    def _prepared_again(self) -> tuple[PreparedImage, ...]:
        """Prepare the references of a resumed run again, if their files are still here."""
        try:
            return tuple(prepare(path, number=number) for number, path in enumerate(self.form.slots, 1) if path)
        except WanError:
            return ()

    async def _wait_until(self, reached: Callable[[], object]) -> None:
        """Wait until the condition holds, or the job has ended."""
        while not (reached() or self.ended):
            await asyncio.wait({self.change})

    def _notify(self) -> None:
        self.change.set_result(None)
        self.change = asyncio.get_running_loop().create_future()


async def watch_changes(jobs: Sequence[Job], *, every: float | None = None) -> AsyncIterator[None]:
    """Yield at every change of any of the jobs, the last time when all have ended.

    Args:
        jobs: The jobs.
        every: After how many seconds to yield in any case.
    """
    while True:
        live = [job for job in jobs if not job.ended]
        changes = [job.change for job in live]
        yield
        if not live:
            return
        await asyncio.wait(changes, timeout=every, return_when=asyncio.FIRST_COMPLETED)


def _without_traceback(problem: WanError) -> WanError:
    """Return the problem without its traceback, whose frames hold the whole request."""
    problem.__cause__ = problem.__context__ = None
    return problem.with_traceback(None)
