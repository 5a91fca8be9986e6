"""All runs of this server.

A job belongs to the server, not to a tab: a closed tab, a reload or a phone's lock screen ends the watching and
nothing else. After a restart of the server the run is resumed by its request id.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from studio import telemetry, uploads
from studio.browser.store import Entry
from studio.public.limits import LimitReached, Limits, price_of
from studio.uploads import DiskSpace
from wan_client import AuthenticationError, Backend, Charged, RunNotFound, WanError

from . import results
from .caller_keys import caller_key
from .engines import FRESH_SECONDS, OWNER, SANDBOX, VISITOR, Engines
from .job import Job

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from studio.prompt.form import Form
    from studio.public.limits import Permit
    from studio.public.visitors import Visitor
    from studio.settings import PageSettings
    from wan_client import Run

    from .caller_keys import CallerKey

_ENTRY = TypeAdapter(Entry)
KEPT = 500
REQUEST_ID = "request-id.txt"
PROOF = "proof.txt"
ENTRY = "run.json"
# How often a result that found no space on the disk is tried again.
ROOM_SECONDS = 10.0
# How long a run may take from the claim of its caller's key to its record, and how often the record is looked for.
STARTING_SECONDS = 60.0
LOOK_SECONDS = 0.1


class Jobs:
    """All jobs of this server.

    Attributes:
        engines: Who does the work.
        limits: What strangers may spend.
        own_token_limits: The limits for visitors who pay with their own tokens.
        stopping: Whether the server is about to stop. Runs go on at the API.
        sending_seconds: How long a submit may take.

    Args:
        settings: The page's settings.
    """

    def __init__(self, settings: PageSettings) -> None:
        self.engines = Engines(settings)
        free = settings.engine.backend is Backend.SANDBOX
        # A run's end is counted once on all replicas, no matter who pays for it.
        self._shared = Limits(settings.limits)
        self.limits = Limits(settings.limits.of_free_runs, ends=self._shared) if free else self._shared
        # A token may be made up until the API has accepted it, so its runs are limited as free ones.
        self.own_token_limits = Limits(settings.limits.of_free_runs, ends=self._shared)
        self.disk_space = DiskSpace()
        self.stopping = False
        self.sending_seconds = settings.engine.timeouts.sending
        self._jobs: dict[str, Job] = {}
        # Includes forgotten jobs.
        self._at_work: set[Job] = set()
        self._fetching: set[asyncio.Task[None]] = set()
        self._latest: dict[str, tuple[tuple[Form, ...], asyncio.Task[list[Job]]]] = {}

    async def start(self, forms: Sequence[Form], visitor: Visitor, token: str = "") -> list[Job]:
        """Start a run of each form. The same forms sent twice by one page are started once.

        Args:
            forms: What was entered, as `Form.variations` returns it.
            visitor: Who asks.
            token: The visitor's own token; none lets the page's owner pay.

        Raises:
            ImageError: A picture is no uploaded file.
            LimitReached: A limit of this page stands against it.
            WanError: The server is about to stop.
        """
        asked, session = tuple(forms), visitor.session
        latest, starting = self._latest.get(session or "", ((), None))
        if starting and latest == asked and not _is_over(starting):
            return await asyncio.shield(starting)
        if not session:
            # A program that disconnects while it waits here knows of no run, so none is started.
            return await self._start(asked, visitor, token)
        starting = asyncio.create_task(self._start(asked, visitor, token))
        # A page that is never closed leaves its entry behind, so entries that are over are dropped here.
        self._latest = {name: one for name, one in self._latest.items() if not _is_over(one[1])}
        self._latest[session] = asked, starting
        return await asyncio.shield(starting)

    async def start_once(self, form: Form, visitor: Visitor, key: str) -> tuple[str, bool]:
        """Start a run under a caller's own key, or find the one that was started under it within a day.

        Where the outcome of the earlier run is unknown, none is started. A run that the API has never seen frees its
        key.

        Args:
            form: What was entered.
            visitor: Who asks.
            key: The key, checked.

        Returns:
            The run's name, and whether it was started by an earlier call.

        Raises:
            InvalidRequest: The form can't be sent, or the key was used for another request.
            WanError: The outcome of the earlier run is unknown; or as for `start`.
        """
        request, digests = form.request(), await asyncio.to_thread(uploads.digests, form)
        while True:
            claim = caller_key(key, visitor.name, self.engines.account, request, digests)
            try:
                held = await self.limits.claim(claim)
                if held is None:
                    await self._start((form,), visitor, "", claim)
                    return claim.run, False
            except BaseException:
                await asyncio.shield(self.limits.unclaim(claim))
                raise
            run, since = claim.earlier(held)
            if await asyncio.to_thread(self._is_known, run):
                return run, True
            if time.time() - since > STARTING_SECONDS:
                raise WanError("key_run_lost", charged=Charged.UNKNOWN)
            await asyncio.sleep(LOOK_SECONDS)

    async def _start(
        self, forms: tuple[Form, ...], visitor: Visitor, token: str, claim: CallerKey | None = None
    ) -> list[Job]:
        needed = len(forms) * uploads.RESULT_BYTES
        self.disk_space.check(needed)
        limits = self.own_token_limits if token else self.limits
        keys = [claim.run] if claim else [secrets.token_urlsafe(16) for _ in forms]
        try:
            await self.admit(token, visitor)
            price = None if token else await self.price()
            permits = await limits.take(visitor, keys, price=price)
            for permit in permits:
                permit.claim = claim
        except LimitReached as reached:
            telemetry.refused(reached.status.code)
            reached.own_token = bool(token)
            raise
        try:
            entries = await asyncio.to_thread(self._entries, forms, keys, token)
            # Checked last: `stop` waits only for jobs that exist.
            if self.stopping:
                raise WanError("restarting")
            if visitor.session and visitor.session not in self._latest:
                # The page was closed meanwhile: no browser has the run's key, so nobody could fetch the run.
                raise WanError("page_closed")
            self.disk_space.check(needed)
        except BaseException:
            for permit in permits:
                await permit.end(reached=False, charged=Charged.NO)
            for key in keys:
                await asyncio.to_thread(uploads.forget_run, key)
            raise
        return [
            self._remember(self._job(entry, token, visitor, permit, form))
            for entry, permit, form in zip(entries, permits, forms, strict=True)
        ]

    async def price(self) -> float | None:
        """Return what a run on the page owner's token counts within the budget, in US dollars.

        None where there is no budget, so that no run waits for a slow catalogue in vain, or where the price is unknown.
        """
        if not self.limits.settings.budget or self.engines.name() == SANDBOX:
            return None
        return price_of(await self.engines.model(age=FRESH_SECONDS))

    async def again(self, failed: Job, visitor: Visitor, token: str = "") -> Job:
        """Start a run in the place of a failed one.

        Raises:
            WanError: The form can't be sent; or as for `start`.
        """
        (job,) = await self.start((failed.asked or failed.form).variations(1), visitor, token)
        job.take_place_of(failed)
        self._jobs.pop(failed.key, None)
        return job

    async def resume(self, entry: Entry, visitor: Visitor, token: str = "") -> Job:
        """Return the job of a run that a browser waits for, resumed by its id if this server does not have it.

        Raises:
            InvalidRequest: The id can't be one.
            RunNotFound: The id was not given to this browser.
            WanError: There is no id: the server was interrupted as the run was being sent. Or the run was made with
                a visitor's own token, and the token is not here.
        """
        job = self.find(entry.key)
        if job and not job.can_be_fetched:
            return job
        noted = await asyncio.to_thread(_read_request_id, entry.key)
        request_id = entry.request_id or noted
        if not request_id:
            raise WanError("submit_interrupted", charged=Charged.UNKNOWN)
        proven = hmac.compare_digest(entry.proof, self.engines.proof(token, entry.key, request_id))
        if entry.engine != self.engines.name(token) or (entry.engine == VISITOR and not proven):
            raise WanError("other_engine", charged=Charged.UNKNOWN, request_id=request_id)
        if not proven and request_id != noted:
            raise RunNotFound("run_not_found", charged=Charged.UNKNOWN)
        limits = self.own_token_limits if token else self.limits
        try:
            await self.admit(token, visitor)
            # The proof shows that the owner's run was counted when it started. Other entries can be forged, so they
            # need a free place.
            permit = await limits.take_up(visitor, entry.key, within_limits=entry.engine != OWNER)
        except WanError as refused:
            refused.request_id = request_id
            raise
        if (other := self.find(entry.key)) and other is not job:
            return other
        return self._remember(self._job(replace(entry, request_id=request_id), token, visitor, permit))

    async def admit(self, token: str, visitor: Visitor) -> None:
        """Count a visitor's own token that is new to this page.

        Raises:
            LimitReached: The visitor has tried too many in this hour.
            AuthenticationError: The API has refused it a short while ago.
        """
        if token and self.engines.is_new(token):
            await self.own_token_limits.count_token(visitor)
            self.engines.admit(token)
        self.engines.check(token)

    def is_at_work(self, session: str | None, group: str) -> bool:
        """Return whether a page's latest runs, or those that it shows, have not ended."""
        _, starting = self._latest.get(session or "", ((), None))
        return bool(starting and not _is_over(starting)) or any(not job.ended for job in self.group(group))

    def group(self, name: str) -> list[Job]:
        """Return the jobs of one click, in their order."""
        return sorted((job for job in [*self._jobs.values()] if job.group == name), key=lambda job: job.entry.at)

    def find(self, key: str) -> Job | None:
        """Return the job of that key, if this server has it."""
        return self._jobs.get(key)

    def known(self, key: str) -> Entry | None:
        """Return the run of that key, if this server has its job or its record on disk."""
        if job := self.find(key):
            return job.entry
        noted = uploads.load_record(_ENTRY, key, ENTRY)
        return (
            replace(noted, key=key, request_id=_read_request_id(key), proof=_read_text(key, PROOF)) if noted else None
        )

    def _is_known(self, key: str) -> bool:
        """Return whether a run, or the problem that it ended with, is known here."""
        return self.known(key) is not None or results.load_problem(key) is not None

    async def forget(self, key: str) -> None:
        """Forget a run and delete its files. A run at the API goes on."""
        if job := self._jobs.pop(key, None):
            job.forget()
        await asyncio.to_thread(uploads.forget_run, key)
        await asyncio.to_thread(self.engines.public_host(key).release)

    def forget_page(self, session: str) -> None:
        """Forget the session of a page that was closed. Its jobs go on."""
        self._latest.pop(session, None)

    async def stop(self) -> bool:
        """Start no more runs, wait until those on their way are at the API, and return whether any is at work.

        A run that is cut off while it is submitted may be paid for and lost.
        """
        self.stopping = True
        await asyncio.gather(*(job.wait_until_submitted() for job in self._at_work))
        return bool(self._at_work)

    async def close(self) -> None:
        """Close the connections. Runs at the API go on."""
        for waiting in self._fetching:
            waiting.cancel()
        for job in self._at_work:
            job.detach()
        await self.engines.close()
        for limits in {self._shared, self.limits, self.own_token_limits}:
            await limits.close()

    def _entries(self, forms: Sequence[Form], keys: Sequence[str], token: str) -> list[Entry]:
        """Create and record the runs of the forms, each with its pictures in folders of its own."""
        group, engine, now = secrets.token_hex(8), self.engines.name(token), time.time()
        entries = []
        for step, (form, key) in enumerate(zip(forms, keys, strict=True)):
            kept, references = uploads.keep_references(form, key)
            entries.append(_write_entry(Entry(key, group, kept, engine, now + step / 1000, references)))
        return entries

    def _job(self, entry: Entry, token: str, visitor: Visitor, permit: Permit, asked: Form | None = None) -> Job:
        pictures = uploads.picture_folder(entry.key)

        prove = partial(self.engines.proof, token, entry.key)

        def note(request_id: str) -> None:
            if not job.forgotten:
                with suppress(OSError):
                    uploads.write_record(entry.key, REQUEST_ID, request_id.encode())
                    uploads.write_record(entry.key, PROOF, prove(request_id).encode())

        @asynccontextmanager
        async def opening() -> AsyncIterator[Run]:
            public = self.engines.public_host(entry.key)
            async with self.engines.client(token) as client:
                if entry.request_id:
                    yield client.resume(entry.request_id, folder=pictures, public=public)
                else:
                    yield client.run(entry.form.request(), folder=pictures, on_submitted=note, public=public)

        def ended(_: asyncio.Task[None]) -> None:
            self._at_work.discard(job)
            if isinstance(job.problem, AuthenticationError) and token:
                self.engines.refuse(token)
            if job.lacks_space and not job.forgotten and not self.stopping:
                waiting = asyncio.create_task(self._fetch_later(job, token, visitor))
                self._fetching.add(waiting)
                waiting.add_done_callback(self._fetching.discard)

        job = Job(
            entry, opening(), prove=prove, visitor=visitor, permit=permit, disk_space=self.disk_space, asked=asked
        )
        self._at_work.add(job)
        job.work.add_done_callback(ended)
        return job

    async def _fetch_later(self, job: Job, token: str, visitor: Visitor) -> None:
        """Fetch a result that could not be written, as soon as there is space for it."""
        while self._jobs.get(job.key) is job:
            await asyncio.sleep(ROOM_SECONDS)
            with suppress(WanError):
                await asyncio.to_thread(self.disk_space.check, uploads.RESULT_BYTES)
                await self.resume(job.entry, visitor, token)
                return

    def _remember(self, job: Job) -> Job:
        self._jobs[job.key] = job
        for key in [key for key, kept in self._jobs.items() if kept.ended][: max(0, len(self._jobs) - KEPT)]:
            del self._jobs[key]
        return job


def _is_over(starting: asyncio.Task[list[Job]]) -> bool:
    """Return whether all runs of a start have ended, or it failed."""
    if not starting.done():
        return False
    return bool(starting.cancelled() or starting.exception() or all(job.ended for job in starting.result()))


def _write_entry(entry: Entry) -> Entry:
    """Record a run, so that its key leads to it. The key itself is not written anywhere."""
    with suppress(OSError):
        uploads.write_record(entry.key, ENTRY, _ENTRY.dump_json(replace(entry, key="")))
    return entry


def _read_request_id(key: str) -> str:
    """Read the request id that was recorded when the API gave it, in case the browser did not receive it."""
    return _read_text(key, REQUEST_ID)


def _read_text(key: str, name: str) -> str:
    try:
        return uploads.read_record(key, name).decode()
    except OSError:
        return ""
