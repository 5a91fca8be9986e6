"""Runs that go on whether or not a page is watching them.

A job belongs to the server, not to a tab: a closed tab, a reload or a phone's lock screen ends the watching and
nothing else. After a restart of the server the run is picked up by its request id.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
import time
from collections import OrderedDict
from contextlib import aclosing, suppress
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from pydantic import TypeAdapter, ValidationError

from studio import telemetry, uploads
from studio.browser.store import Entry
from studio.public.limits import LimitReached, Limits, price_of
from studio.telemetry import RunFacts
from studio.uploads import Room
from wan_client import (
    AuthenticationError,
    Backend,
    CancelOutcome,
    Charged,
    DownloadFailed,
    Downloading,
    Finished,
    ImageSize,
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
from .caller_keys import caller_key
from .engines import FRESH_SECONDS, OWNER, SANDBOX, VISITOR, Engines
from .names import result_name

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from studio.prompt.form import Form
    from studio.public.limits import Permit
    from studio.public.visitors import Visitor
    from studio.settings import PageSettings
    from wan_client import AsyncWanClient, Event, PreparedImage, Result, Run

    from .caller_keys import CallerKey
    from .results import Outcome

log = logging.getLogger(__name__)

_ENTRY = TypeAdapter(Entry)
KEPT = 500
REQUEST_ID = "request-id.txt"
PROOF = "proof.txt"
ENTRY = "run.json"
# How often room is looked for that a result waits for.
ROOM_SECONDS = 10.0
# How long a run may take from the claim of its caller's key to its record, and how often that is looked for.
STARTING_SECONDS = 60.0
LOOK_SECONDS = 0.1


class Job:
    """One run, and what is known of it now.

    Attributes:
        event: The latest event.
        outcome: What it came to, once it has.
        problem: Why it came to nothing.
        cancel_outcome: What the Cancel button achieved.
        began: When it began, on the monotonic clock.
        running_since: When the model began with it, in seconds since 1970, as far as that was seen.
        asked: The form with the files as they were uploaded, for a run that was started here.
        forgotten: Whether the visitor asked to forget it: from then on it is not shown.
    """

    def __init__(
        self,
        entry: Entry,
        engine: AbstractAsyncContextManager[AsyncWanClient],
        make: Callable[[AsyncWanClient], Run],
        *,
        prove: Callable[[str], str],
        visitor: Visitor,
        permit: Permit,
        room: Room,
        asked: Form | None = None,
    ) -> None:
        self.event: Event | None = None
        self.outcome: Outcome | None = None
        self.problem: WanError | None = None
        self.cancel_outcome: CancelOutcome | None = None
        self.began = time.monotonic()
        self.running_since: float | None = None
        self.asked = asked
        self.forgotten = False
        self._entry = entry
        self._engine = engine
        self._make = make
        self._prove = prove
        self._visitor = visitor
        self._permit = permit
        self._room = room
        self._submitted: float | None = None
        self._ran: float | None = None
        self._run: Run | None = None
        self._ended_as: str | None = None
        self._was_submitted = False
        self._made = asyncio.Event()
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._work())

    @property
    def entry(self) -> Entry:
        """The run as the browser keeps it."""
        request_id = self.request_id or self._entry.request_id
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
        return self._run.request_id if self._run else self._ended_as

    @property
    def ended(self) -> bool:
        """Whether it came to a result or to a problem."""
        return self._task.done()

    @property
    def can_be_fetched(self) -> bool:
        """Whether a run that brought no picture may still bring one: asking again costs nothing."""
        problem = self.problem
        # A refusal of a look at it, as after a mistyped token, says nothing of the run.
        return bool(problem and problem.request_id and not isinstance(problem, RunFailed | RunNotFound | RunCancelled))

    @property
    def lacks_room(self) -> bool:
        """Whether its picture is at the API and could not be written here."""
        return isinstance(self.problem, DownloadFailed) and self.problem.code == "not_writable"

    @property
    def failed_permanently(self) -> bool:
        """Whether it has ended for good without a picture."""
        return self.problem is not None and not self.outcome and not self.can_be_fetched

    @property
    def signal(self) -> asyncio.Event:
        """Set at the next change."""
        return self._changed

    @property
    def work(self) -> asyncio.Task[None]:
        """Done when the job has ended."""
        return self._task

    async def wait(self) -> None:
        """Wait for the end."""
        await asyncio.shield(self._task)

    async def wait_until_submitted(self) -> None:
        """Wait until the API has the run, or will never have it."""
        async for _ in watch_changes([self]):
            if self.request_id:
                return

    def take_place_of(self, other: Job) -> None:
        """Stand where the other stood among its variations."""
        self._entry = replace(self._entry, group=other.group, at=other.entry.at)

    def detach(self) -> None:
        """Stop watching the run. At the API it goes on, and its place is held until the lease ends."""
        self._task.cancel()

    def forget(self) -> None:
        """Keep nothing of the run. What was submitted is watched to its end, because it holds its place until then."""
        self.forgotten = True
        if not (self._run and self._run.submitting):
            self.detach()

    async def cancel(self) -> CancelOutcome | None:
        """Cancel the run at the API, and say what came of it. None where it had ended before."""
        made = asyncio.ensure_future(self._made.wait())
        await asyncio.wait({self._task, made}, return_when=asyncio.FIRST_COMPLETED)
        made.cancel()
        if self._run and not self.ended:
            self.cancel_outcome = await self._run.cancel()
            self._notify()
        return self.cancel_outcome

    async def _work(self) -> None:
        telemetry.started()
        keeping = asyncio.create_task(self._permit.keep())
        try:
            with self._room.reserved(uploads.RESULT_BYTES):
                await self._watch()
        except asyncio.CancelledError:
            # What was submitted goes on, and so does its lease.
            if self.forgotten and not self._was_submitted:
                await asyncio.shield(self._settle())
            raise
        else:
            keeping.cancel()
            await self._settle()
        finally:
            keeping.cancel()
            facts = self._facts()
            # What is left goes on, and ends elsewhere.
            counted = facts.state == "left" or await self._permit.count_end()
            telemetry.ended(facts, counted=counted)
        if self.forgotten or (self.failed_permanently and self.asked):
            # No browser keeps it, so nobody could ask for its files to be deleted.
            await asyncio.to_thread(uploads.forget_run, self.key)
            if self._permit.claim and self.problem and not self.forgotten:
                # The next call with the same key, wherever it is answered, comes to the same.
                await asyncio.to_thread(results.keep_problem, self.key, self.problem)
        self._notify()

    async def _watch(self) -> None:
        try:
            async with self._engine as client:
                self._run = self._make(client)
                self._made.set()
                async with aclosing(cast("AsyncGenerator[Event]", aiter(self._run))) as events:
                    async for event in events:
                        self.event = event
                        self._note_time(event)
                        if self.forgotten and isinstance(event, Downloading | Finished):
                            break
                        if isinstance(event, Finished):
                            self.outcome = await asyncio.to_thread(self._keep, event.result)
                        self._notify()
        except WanError as problem:
            self.problem = _alone(problem)
        except Exception:
            log.exception("run %s", self.request_id)
            charged = Charged.UNKNOWN if self._run and self._run.submitting else Charged.NO
            self.problem = WanError("unexpected", charged=charged, request_id=self.request_id)
        finally:
            # The run holds the pictures as they were sent, and a job is kept for long after it has ended.
            self._was_submitted = bool(self._run and self._run.submitting)
            self._ended_as, self._run = self.request_id, None
            if isinstance(self.event, Finished):
                self.event = Finished(replace(self.event.result, images=()))

    def _note_time(self, event: Event) -> None:
        if isinstance(event, Submitted):
            self._submitted = time.monotonic()
        elif isinstance(event, Running):
            self._ran = self._ran or time.monotonic()
            self.running_since = self.running_since or time.time() - event.elapsed

    def _facts(self) -> RunFacts:
        """Return what the log and the metrics record of the run."""
        now, form = time.monotonic(), self.form
        sizes = {size.value: size.ratio for size in ImageSize}
        return RunFacts(
            state=self._state(),
            engine=self._entry.engine,
            total_seconds=now - self.began,
            request_id=self.request_id,
            code=self.problem.code if self.problem else None,
            visitor=self._visitor.name,
            images=sum(slot is not None for slot in form.slots),
            image_size=sizes.get(form.image_size),
            bytes_in=self.outcome.bytes_in if self.outcome else None,
            bytes_out=self.outcome.bytes_out if self.outcome else None,
            queue_seconds=self._ran - self._submitted if self._ran and self._submitted else None,
            run_seconds=now - self._ran if self._ran else None,
            cost=self._cost(),
        )

    def _cost(self) -> float | None:
        """What the API says the run cost, with or without a picture."""
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
        """Give back what the run held of the page's limits, and count what it came to."""
        ended_well = self.outcome or (self.forgotten and isinstance(self.event, Downloading | Finished))
        left = Charged.YES if ended_well else Charged.UNKNOWN if self._was_submitted else Charged.NO
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
        """The references of a run that was picked up by its id, if their files are still here."""
        try:
            return tuple(prepare(path, number=number) for number, path in enumerate(self.form.slots, 1) if path)
        except WanError:
            return ()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


async def watch_changes(jobs: Sequence[Job], *, every: float | None = None) -> AsyncIterator[None]:
    """Yields at every change of any of the jobs, the last time when all have ended.

    Args:
        jobs: The jobs.
        every: After how many seconds to yield in any case.
    """
    while True:
        live = [job for job in jobs if not job.ended]
        signals = [job.signal for job in live]
        yield
        if not live:
            return
        waiting = [asyncio.create_task(signal.wait()) for signal in signals]
        ends: list[asyncio.Task[Any]] = [job.work for job in live]
        try:
            await asyncio.wait([*waiting, *ends], timeout=every, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waiting:
                wait.cancel()


class Jobs:
    """All jobs of this server.

    Attributes:
        engines: Who does the work.
        limits: What strangers may spend.
        own_token_limits: What those who pay for themselves may ask of this server.
        stopping: Whether the server is about to stop. Runs go on at the API.
        sending_seconds: How long a submit may take.

    Args:
        settings: The page's settings.
    """

    def __init__(self, settings: PageSettings) -> None:
        self.engines = Engines(settings)
        free = settings.engine.backend is Backend.SANDBOX
        # Whoever pays for a run, its end is counted once on all replicas.
        self._shared = Limits(settings.limits)
        self.limits = Limits(settings.limits.of_free_runs, ends=self._shared) if free else self._shared
        # A token is believed only when the API has seen it, and until then its runs are this server's work.
        self.own_token_limits = Limits(settings.limits.of_free_runs, ends=self._shared)
        self.room = Room()
        self.stopping = False
        self.sending_seconds = settings.engine.timeouts.sending
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._forgotten: set[Job] = set()
        self._fetching: set[asyncio.Task[None]] = set()
        self._latest: dict[str, tuple[tuple[Form, ...], asyncio.Task[list[Job]]]] = {}

    async def start(self, forms: Sequence[Form], visitor: Visitor, token: str = "") -> list[Job]:
        """Start a run of each form. The same forms sent twice by one page are started once.

        Args:
            forms: What was entered; several are variations of one another.
            visitor: Who asks.
            token: The visitor's own token; none lets the page's owner pay.

        Raises:
            InvalidRequest: A form can't be sent.
            ImageError: A picture is no uploaded file.
            LimitReached: A limit of this page stands against it.
            WanError: The server is about to stop.
        """
        asked, session = tuple(forms), visitor.session
        latest, starting = self._latest.get(session or "", ((), None))
        if starting and latest == asked and not _is_over(starting):
            return await asyncio.shield(starting)
        if not session:
            # A program that hangs up while it waits here has heard of no run, so none is started.
            return await self._start(asked, visitor, token)
        starting = asyncio.create_task(self._start(asked, visitor, token))
        # Who never opened the page never closes it either.
        self._latest = {name: one for name, one in self._latest.items() if not _is_over(one[1])}
        self._latest[session] = asked, starting
        return await asyncio.shield(starting)

    async def start_once(self, form: Form, visitor: Visitor, key: str) -> tuple[str, bool]:
        """Start a run under a caller's own key, or find the one that was started under it within a day.

        Where it is not known what came of that one, it is not started again. A run that the API has never seen frees
        its key.

        Args:
            form: What was entered.
            visitor: Who asks.
            key: The key, checked.

        Returns:
            The run's name, and whether it was started by an earlier call.

        Raises:
            InvalidRequest: The key was used for another request.
            WanError: It is not known what came of the earlier run; or as for `start`.
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
        for form in forms:
            form.request()
        needed = len(forms) * uploads.RESULT_BYTES
        self.room.check(needed)
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
            # Asked last: `stop` waits for the jobs that there are.
            if self.stopping:
                raise WanError("restarting")
            if visitor.session and visitor.session not in self._latest:
                # Closed or reloaded meanwhile: no browser has the run's key, so nobody could ever fetch it.
                raise WanError("page_closed")
            self.room.check(needed)
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
        """What a run on the page owner's token counts within the budget, in US dollars.

        None where there is no budget, which a slow catalogue must then not hold up, or where the catalogue does not
        tell.
        """
        if not self.limits.settings.budget or self.engines.name() == SANDBOX:
            return None
        return price_of(await self.engines.model(age=FRESH_SECONDS))

    async def again(self, failed: Job, visitor: Visitor, token: str = "") -> Job:
        """Start a run in the place of one that came to nothing.

        Raises:
            WanError: As for `start`.
        """
        (job,) = await self.start([failed.asked or failed.form], visitor, token)
        job.take_place_of(failed)
        self._jobs.pop(failed.key, None)
        return job

    async def resume(self, entry: Entry, visitor: Visitor, token: str = "") -> Job:
        """The job of a run that a browser waits for, picked up by its id if this server does not have it.

        Raises:
            InvalidRequest: The id can't be one.
            RunNotFound: The id was not given to this browser.
            WanError: There is no id: the server was interrupted as the run was being sent. Or the run was made with
                a visitor's own token, and the token is not here.
        """
        job = self.find(entry.key)
        if job and not job.can_be_fetched:
            return job
        noted = _noted_id(entry.key)
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
            # That the owner paid for it is proven; what anybody can invent needs a free place.
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
        """Whether a page's latest runs, or those that it shows, have not ended."""
        _, starting = self._latest.get(session or "", ((), None))
        return bool(starting and not _is_over(starting)) or any(not job.ended for job in self.group(group))

    def group(self, name: str) -> list[Job]:
        """The jobs of one click, in their order."""
        return sorted((job for job in self._jobs.values() if job.group == name), key=lambda job: job.entry.at)

    def find(self, key: str) -> Job | None:
        """The job of that key, if this server has it."""
        return self._jobs.get(key)

    def known(self, key: str) -> Entry | None:
        """The run of that key, if this server has it, or had it before it was started anew."""
        if job := self.find(key):
            return job.entry
        noted = _noted(key)
        return replace(noted, key=key, request_id=_noted_id(key), proof=_text(key, PROOF)) if noted else None

    def _is_known(self, key: str) -> bool:
        """Whether a run, or what it came to without a picture, is known here."""
        return self.known(key) is not None or results.load_problem(key) is not None

    def forget(self, key: str) -> None:
        """Forget a run and delete its files. At the API it goes on, if it was going."""
        if job := self._jobs.pop(key, None):
            job.forget()
            self._forgotten.add(job)
            job.work.add_done_callback(lambda _: self._forgotten.discard(job))
        uploads.forget_run(key)
        self.engines.public_host(key).release()

    def forget_page(self, session: str) -> None:
        """A page was closed: its jobs go on, its session is forgotten."""
        self._latest.pop(session, None)

    async def stop(self) -> None:
        """Start no more runs, and wait until those on their way are at the API.

        Cut off in the middle, they might be paid for and lost.
        """
        self.stopping = True
        await asyncio.gather(*(job.wait_until_submitted() for job in (*self._jobs.values(), *self._forgotten)))

    async def close(self) -> None:
        """Close the connections. Runs at the API go on."""
        for waiting in self._fetching:
            waiting.cancel()
        for job in (*self._jobs.values(), *self._forgotten):
            job.detach()
        await self.engines.close()
        for limits in {self._shared, self.limits, self.own_token_limits}:
            await limits.close()

    def _entries(self, forms: Sequence[Form], keys: Sequence[str], token: str) -> list[Entry]:
        """The runs of the forms, each with the pictures in folders of its own."""
        group, engine, now = secrets.token_hex(8), self.engines.name(token), time.time()
        entries = []
        for step, (form, key) in enumerate(zip(forms, keys, strict=True)):
            kept, references = uploads.keep_references(form, key)
            entries.append(_note(Entry(key, group, kept, engine, now + step / 1000, references)))
        return entries

    def _job(self, entry: Entry, token: str, visitor: Visitor, permit: Permit, asked: Form | None = None) -> Job:
        pictures = uploads.picture_folder(entry.key)

        prove = partial(self.engines.proof, token, entry.key)

        def note(request_id: str) -> None:
            if not job.forgotten:
                with suppress(OSError):
                    uploads.write_record(entry.key, REQUEST_ID, request_id.encode())
                    uploads.write_record(entry.key, PROOF, prove(request_id).encode())

        def make(client: AsyncWanClient) -> Run:
            public = self.engines.public_host(entry.key)
            if entry.request_id:
                return client.resume(entry.request_id, folder=pictures, public=public)
            return client.run(entry.form.request(), folder=pictures, on_submitted=note, public=public)

        def ended(_: asyncio.Task[None]) -> None:
            if isinstance(job.problem, AuthenticationError) and token:
                self.engines.refuse(token)
            if job.lacks_room and not job.forgotten and not self.stopping:
                waiting = asyncio.create_task(self._fetch_later(job, token, visitor))
                self._fetching.add(waiting)
                waiting.add_done_callback(self._fetching.discard)

        engine = self.engines.client(token)
        job = Job(entry, engine, make, prove=prove, visitor=visitor, permit=permit, room=self.room, asked=asked)
        job.work.add_done_callback(ended)
        return job

    async def _fetch_later(self, job: Job, token: str, visitor: Visitor) -> None:
        """Fetch a result that could not be written, as soon as there is room for it."""
        while self._jobs.get(job.key) is job:
            await asyncio.sleep(ROOM_SECONDS)
            with suppress(WanError):
                await asyncio.to_thread(self.room.check, uploads.RESULT_BYTES)
                await self.resume(job.entry, visitor, token)
                return

    def _remember(self, job: Job) -> Job:
        self._jobs[job.key] = job
        for key in [key for key, kept in self._jobs.items() if kept.ended][: max(0, len(self._jobs) - KEPT)]:
            del self._jobs[key]
        return job


def _alone(problem: WanError) -> WanError:
    """The problem without what it came through: the frames of a traceback hold the whole request."""
    problem.__cause__ = problem.__context__ = None
    return problem.with_traceback(None)


def _is_over(starting: asyncio.Task[list[Job]]) -> bool:
    """Whether what was started has come to its end, or was never begun."""
    if not starting.done():
        return False
    return bool(starting.cancelled() or starting.exception() or all(job.ended for job in starting.result()))


def _note(entry: Entry) -> Entry:
    """Note a run down, for those who have its key and nothing else. The key itself is not written anywhere."""
    with suppress(OSError):
        uploads.write_record(entry.key, ENTRY, _ENTRY.dump_json(replace(entry, key="")))
    return entry


def _noted(key: str) -> Entry | None:
    try:
        return _ENTRY.validate_json(uploads.read_record(key, ENTRY))
    except (OSError, ValidationError):
        return None


def _noted_id(key: str) -> str:
    """The request id that was noted down when the API gave it: the browser may not have heard of it any more."""
    return _text(key, REQUEST_ID)


def _text(key: str, name: str) -> str:
    try:
        return uploads.read_record(key, name).decode()
    except OSError:
        return ""
