"""Runs that go on whether or not a page is watching them.

A job belongs to the server, not to a tab: a closed tab, a reload or a phone's lock screen ends the watching and
nothing else. After a restart of the server the run is picked up by its request id.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import shutil
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from wan_client import AsyncWanClient, Backend, CancelOutcome, Charged, Finished, WanError

from .before import framed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from wan_client import Event, ModelEntry, Result, Run, Settings

    from .form import Form

log = logging.getLogger(__name__)

KEPT = 500
FILES_KEPT_SECONDS = 24 * 3600
PRICE_SECONDS = 600.0


class Job:
    """One run, and what is known of it now.

    Attributes:
        key: Its name between this server and the browser that started it. Unguessable.
        form: What was entered; None for a run picked up by its id.
        sandbox: Whether the local preview does the work.
        event: The latest event.
        result: The result, once there is one.
        problem: Why there is none.
        before: The picture to compare the result with, in the same frame.
        cancel_outcome: What the Cancel button achieved.
    """

    def __init__(self, run: Run, form: Form | None, folder: Path, *, sandbox: bool) -> None:
        self.key = secrets.token_urlsafe(16)
        self.form = form
        self.sandbox = sandbox
        self.event: Event | None = None
        self.result: Result | None = None
        self.problem: WanError | None = None
        self.before: Path | None = None
        self.cancel_outcome: CancelOutcome | None = None
        self.began = time.monotonic()
        self._run = run
        self._folder = folder
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._work())

    @property
    def request_id(self) -> str | None:
        """The run's id, once the API has given one."""
        return self._run.request_id

    @property
    def ended(self) -> bool:
        """Whether it came to a result or to a problem."""
        return self._task.done()

    async def news(self) -> AsyncIterator[None]:
        """Yields at every change until the job has ended."""
        while not self.ended:
            news = self._news
            yield
            waiting = asyncio.ensure_future(news.wait())
            try:
                await asyncio.wait({self._task, waiting}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                waiting.cancel()

    async def wait(self) -> None:
        """Wait for the end."""
        await asyncio.shield(self._task)

    async def cancel(self) -> CancelOutcome:
        """Cancel the run at the API, and say what came of it."""
        self.cancel_outcome = await self._run.cancel()
        self._tell()
        return self.cancel_outcome

    async def _work(self) -> None:
        try:
            async for event in self._run:
                self.event = event
                if isinstance(event, Finished):
                    await asyncio.to_thread(self._keep_before, event.result)
                    self.result = event.result
                self._tell()
        except WanError as problem:
            log.info("run %s: %s", self.request_id, problem.code)
            self.problem = problem
        except Exception:
            log.exception("run %s", self.request_id)
            charged = Charged.UNKNOWN if self._run.submitting else Charged.NO
            self.problem = WanError("unexpected", charged=charged, request_id=self.request_id)
        self._tell()

    def _keep_before(self, result: Result) -> None:
        if not result.images:
            return
        file = self._folder / "before.jpg"
        try:
            file.write_bytes(framed(result.images, (result.width, result.height), result.extra))
        except Exception:
            # The comparison is an extra: the picture that was paid for is shown without it.
            log.exception("run %s has no picture to compare with", self.request_id)
        else:
            self.before = file

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


class Jobs:
    """All jobs of this server, over one client.

    Args:
        settings: Where the API is.
        folder: Where results go. Each job gets a folder of its own under an unguessable name.
    """

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings = settings
        self._folder = folder
        self._client = AsyncWanClient(settings)
        self._opening = asyncio.Lock()
        self._is_open = False
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._latest: dict[str, Job] = {}
        self._model: tuple[float, ModelEntry] | None = None

    @property
    def sandbox(self) -> bool:
        """Whether the local preview does the work."""
        return self.settings.backend is Backend.SANDBOX

    async def start(self, form: Form, owner: str | None) -> Job:
        """Start a run of the form. The same form sent twice by one page is one run.

        Args:
            form: What was entered.
            owner: The page's session; None never meets another.

        Raises:
            InvalidRequest: The form can't be sent.
        """
        request = form.request()
        before = self._latest.get(owner) if owner else None
        if before and not before.ended and before.form == form:
            return before
        client = await self._open()
        folder = self._new_folder()
        job = self._keep(Job(client.run(request, folder=folder), form, folder, sandbox=self.sandbox))
        if owner:
            self._latest[owner] = job
        return job

    async def resume(self, request_id: str) -> Job:
        """Pick up a run by its id.

        Raises:
            InvalidRequest: The id can't be one.
        """
        known = next((job for job in self._jobs.values() if job.request_id == request_id and not job.problem), None)
        if known:
            return known
        client = await self._open()
        folder = self._new_folder()
        return self._keep(Job(client.resume(request_id, folder=folder), None, folder, sandbox=self.sandbox))

    def find(self, key: str) -> Job | None:
        """The job of that key, if this server has it."""
        return self._jobs.get(key)

    def forget_page(self, owner: str) -> None:
        """A page was closed: its jobs go on, its session is forgotten."""
        self._latest.pop(owner, None)

    async def model(self) -> ModelEntry:
        """The catalogue's entry of the model, asked for every ten minutes at the most."""
        now = time.monotonic()
        if self._model is None or now - self._model[0] > PRICE_SECONDS:
            self._model = now, await (await self._open()).model()
        return self._model[1]

    async def close(self) -> None:
        """Close the client's connections. Runs at the API go on."""
        async with self._opening:
            if self._is_open:
                self._is_open = False
                await self._client.__aexit__(None, None, None)

    async def _open(self) -> AsyncWanClient:
        async with self._opening:
            if not self._is_open:
                await self._client.__aenter__()
                self._is_open = True
        return self._client

    def _new_folder(self) -> Path:
        """An empty folder under an unguessable name; those of earlier days go."""
        if self._folder.is_dir():
            for old in self._folder.iterdir():
                if time.time() - old.stat().st_mtime > FILES_KEPT_SECONDS:
                    shutil.rmtree(old, ignore_errors=True)
        folder = self._folder / secrets.token_hex(16)
        folder.mkdir(parents=True)
        return folder

    def _keep(self, job: Job) -> Job:
        self._jobs[job.key] = job
        for key in [key for key, kept in self._jobs.items() if kept.ended][: max(0, len(self._jobs) - KEPT)]:
            del self._jobs[key]
        return job
