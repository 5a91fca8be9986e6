"""The life of a job, from its acceptance through queue and drawing to its expiry."""

from __future__ import annotations

import asyncio
import io
import logging
from functools import cache
from typing import TYPE_CHECKING, Final, Literal

from PIL import Image

from wan_sandbox.messages import say
from wan_sandbox.queue.drawing import DrawingError, DrawingPool, order_of
from wan_sandbox.queue.jobs import Job, Queue, Records, now
from wan_sandbox.queue.outcomes import fails
from wan_sandbox.server.replies import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from wan_sandbox.queue.counters import Counters
    from wan_sandbox.queue.store import Store, Stored
    from wan_sandbox.settings import Settings

DRAWING_PROCESSES: Final = 2
SECONDS_TO_WAIT: Final = 5

_log = logging.getLogger("wan_sandbox")


class Runs:
    """All jobs of a sandbox."""

    def __init__(self, settings: Settings, store: Store, counters: Counters, run_seconds: Callable[[], float]) -> None:
        self._settings = settings
        self._store = store
        self._counters = counters
        self._run_seconds = run_seconds
        self._drawn: dict[str, Job] = {}
        self._drawing = DrawingPool(min(settings.workers, DRAWING_PROCESSES))
        self.records = Records(retention=settings.retention, most_ended=settings.max_ended, on_forget=self._forget)
        self.queue = Queue(workers=settings.workers, warm_up=settings.warm_up, perform=self._perform, on_end=self._over)

    async def close(self) -> None:
        """Stop everything that waits or runs."""
        self.records.close()
        self._drawing.close()
        await self.queue.close()

    def make_room(self) -> None:
        """Make room for another job.

        Raises:
            Refused: Too much is waiting; a waiting job is never deleted.
        """
        if len(self.queue) >= self._settings.max_waiting:
            raise Refused(429001, "queue_full", retry_after=SECONDS_TO_WAIT)
        while not self._store.has_room():
            if not self.records.forget_oldest():
                raise Refused(429001, "storage_full", retry_after=SECONDS_TO_WAIT)

    def accept(self, job: Job) -> None:
        """Take a job into the queue."""
        self._counters.submits_accepted += 1
        self.records.add(job)
        if self._settings.picture == "preview":
            self._drawing.prepare()
        if "never-starts" in job.traits:
            self.records.ended(job)
            return
        while len(self.queue) < self._settings.ahead:
            self.queue.put(None, self._run_seconds())
        self.queue.put(job, job.seconds)
        self._counters.queue_peak = max(self._counters.queue_peak, len(self.queue))

    def cancel(self, job: Job) -> None:
        """Take a job out of the queue, if it still waits."""
        if job.stage == "in_queue":
            self.queue.remove(job)
            self._end(job, "cancelled")

    def position(self, job: Job) -> int:
        """Return a waiting job's position; one that never starts stays behind all others."""
        return self.queue.position(job) or len(self.queue) + 1

    def job_of(self, output: Stored) -> Job:
        """Return the job that an output belongs to."""
        return self._drawn[output.key]

    async def _perform(self, job: Job) -> None:
        if job.traits & {"never-ends", "canceled"}:
            return
        key, path = self._store.place()
        try:
            if self._settings.picture == "blank":
                await asyncio.to_thread(lambda: path.write_bytes(_blank(job.inputs.size)))
                job.plan = {}
            else:
                references = [file.path for file in job.input_files]
                order = order_of(job.inputs, references, path, drift=self._settings.drift)
                job.plan = await self._drawing.draw(order)
            job.output = self._store.add(key, f"local-preview_{job.id}_output.png", path, "image/png")
            self._drawn[key] = job
        except (DrawingError, OSError):
            _log.exception("a preview could not be drawn")
            path.unlink(missing_ok=True)
            job.error = "InternalError: " + say("drawing_failed", "en")

    def _over(self, job: Job) -> None:
        if "never-ends" in job.traits:
            # The job never ends, but it expires like every other.
            self.records.ended(job)
        elif "canceled" in job.traits:
            self._end(job, "cancelled")
        else:
            self._end(job, "failed" if job.output is None or fails(job) else "succeeded")

    def _end(self, job: Job, stage: Literal["succeeded", "failed", "cancelled"]) -> None:
        job.stage = stage
        job.finished_at = now()
        self.records.ended(job)
        self._counters.jobs_succeeded += stage == "succeeded"
        self._counters.jobs_failed += stage == "failed"
        self._counters.jobs_cancelled += stage == "cancelled"

    def _forget(self, job: Job) -> None:
        for file in job.input_files:
            self._store.drop(file)
        if job.output is not None:
            del self._drawn[job.output.key]
            self._store.drop(job.output)


@cache
def _blank(size: tuple[int, int]) -> bytes:
    """Return a plain area of one of the eight sizes."""
    file = io.BytesIO()
    Image.new("RGB", size, "#808890").save(file, "PNG")
    return file.getvalue()
