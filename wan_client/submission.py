"""The paid call: prepare → host → note in the journal → POST once.

A submit has no key that would let the API recognise it, so nothing here sends one again unless it was certainly not
accepted. What is known of it at any time is one of `SubmitState`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
from contextlib import aclosing
from enum import Enum
from hashlib import sha256
from typing import TYPE_CHECKING

from . import outputs
from .api import CancelOutcome
from .errors import (
    InvalidRequest,
    RateLimited,
    Refused,
    RunCancelled,
    SettingsError,
    UnknownOutcome,
    Unreachable,
    WanError,
    unknown_outcome,
)
from .events import Preparing, Retrying, Uploading
from .hosting import check_address, in_preparing_thread, is_address, prepared
from .hosting.bucket import BucketHost
from .hosting.data_uri import DataUri
from .settings import Backend, Hosting
from .state import journal

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable
    from datetime import datetime
    from pathlib import Path
    from typing import Any

    from .events import Event
    from .hosting import Host
    from .hosting.public_url import PublicHost
    from .images import PreparedImage
    from .run import ClientResources
    from .schema import EditRequest, ImageSource

log = logging.getLogger(__name__)

TICK_SECONDS = 0.25
LEASE_POLL_SECONDS = 0.2
SUBMIT_TRIES = 4
SUBMIT_PATIENCE_SECONDS = 60.0


class SubmitState(Enum):
    """What is known of a submit."""

    PREPARING = "preparing"  # nothing has been sent
    SENDING = "sending"  # noted in the journal, and possibly on its way
    ACCEPTED = "accepted"  # there is a request id
    NOT_ACCEPTED = "not_accepted"  # certainly: refused, cut off before its end, or cancelled before it went out
    UNKNOWN = "unknown"  # it may have been accepted


class Submission:
    """One request on its way to a request id.

    Attributes:
        state: What is known of it.
        request_id: The run's id, once there is one.
        recovered: Whether the run was paid for earlier, by a process that did not see its end, or under the same key.
        row: Its row in the journal, where it is noted.
        images: The pictures as they were sent.
        late_outcome: What a cancel achieved that had to wait for the answer to the submit.

    Args:
        resources: What it shares with others.
        request: What to do.
        out: The file to write, for the journal; None if it has no name yet.
        folder: Where results without a name go.
        on_sending: Called in a thread just before the request goes out. Where it raises, nothing is sent.
        on_submitted: Called with the request id as soon as the API has the run, even if the iteration has ended.
        sent_before: When an earlier process was about to send this very request. Unless the journal knows its
            outcome, that is unknown, and it is not sent.
        public: Where its pictures can be fetched from, for a program that has a public address.
        key: The caller's own key: the run that was sent under it within a day takes this one's place.

    Raises:
        InvalidRequest: The key is empty.
    """

    def __init__(
        self,
        resources: ClientResources,
        request: EditRequest,
        *,
        out: Path | None,
        folder: Path,
        on_sending: Callable[[], None] | None = None,
        on_submitted: Callable[[str], None] | None = None,
        sent_before: datetime | None = None,
        public: PublicHost | None = None,
        key: str | None = None,
    ) -> None:
        if key == "":
            raise InvalidRequest("key_empty", field="key")
        self.state = SubmitState.PREPARING
        self.request_id: str | None = None
        self.recovered = False
        self.row: int | None = None
        self.images: tuple[PreparedImage, ...] = ()
        self.late_outcome: CancelOutcome | None = None
        self._resources = resources
        self._request = request
        self._out = out
        self._folder = folder
        self._on_sending = on_sending
        self._on_submitted = on_submitted
        self._sent_before = sent_before
        self._began = time.monotonic()
        self._look_up: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_noted = False
        self._sent = self._total = self._failures = 0
        self._cancel_asked = self._cancel_when_accepted = False
        self._public = public
        self._host: Host = DataUri()
        # A sandbox's runs end with it, and cost nothing.
        self._key = None if resources.settings.backend is Backend.SANDBOX and resources.journal.off else key
        self._is_claimed = self._is_left = False

    @property
    def may_be_paid(self) -> bool:
        """Whether the request has gone out or may have, and was not certainly turned down."""
        return self.state in {SubmitState.SENDING, SubmitState.ACCEPTED, SubmitState.UNKNOWN}

    @property
    def size(self) -> str:
        """The frame that was asked for, by its ratio."""
        return self._request.image_size.ratio

    @property
    def reused(self) -> bool:
        """Whether an earlier call has sent it under the same key."""
        return self.recovered and self._key is not None

    async def events(self) -> AsyncGenerator[Event]:
        """Prepare, host and submit. Closing the iterator does not cancel a submit that has gone out."""
        try:
            async with aclosing(self._stages()) as events:
                async for event in events:
                    yield event
        finally:
            self._is_left = True
            if self._task is None:
                self._unclaim()

    async def _stages(self) -> AsyncGenerator[Event]:
        await asyncio.to_thread(outputs.check_target, self._out, self._folder)
        yield Preparing()
        sources = await self._prepared()
        digest = self._resources.journal.digest(await asyncio.to_thread(_fingerprint, self._request, sources))
        # A cancel until now has promised that nothing is sent; one from here on waits for the result of the look-up.
        self._raise_if_cancelled()
        self._look_up = asyncio.create_task(self._recover(digest) if self._key is None else self._claim(digest))
        self._look_up.add_done_callback(mark_exception_retrieved)
        await asyncio.shield(self._look_up)
        if self.request_id:
            return
        self._host = await asyncio.to_thread(self._first_host)
        body = await self._body(sources)
        # From here to the task there is no await.
        self._raise_if_cancelled()
        self.state, self._total = SubmitState.SENDING, len(body)
        task = self._task = asyncio.create_task(self._send(digest, body, sources))
        task.add_done_callback(mark_exception_retrieved)
        self._resources.submissions.add(task)
        task.add_done_callback(self._resources.submissions.discard)
        async for _ in until_done(task):
            if self._failures:
                yield Retrying(time.monotonic() - self._began, self._failures)
            else:
                yield Uploading(self._sent, self._total)
        if task.cancelled():
            raise RunCancelled("cancelled_before_submit")
        task.result()

    async def cancel(self) -> CancelOutcome | None:
        """Keep the request from being sent, if that is still possible, within the time of a cancel.

        Returns:
            The outcome; None where the API has the run, which then has to be cancelled there.
        """
        self._cancel_asked = True
        seconds = self._resources.timeouts.cancel
        task = self._task
        if task is None:
            if self._look_up is not None and not self._look_up.done():
                await asyncio.wait({self._look_up}, timeout=seconds)
                if not self._look_up.done():
                    return CancelOutcome.UNKNOWN
            if self.request_id:
                return None
            return CancelOutcome.UNKNOWN if self.state is SubmitState.UNKNOWN else CancelOutcome.CANCELLED
        if not task.done():
            # Until the request is noted, the task checks for a cancel itself; once all is sent, wait for the response.
            if self._is_noted and self._sent < self._total:
                task.cancel()
            await asyncio.wait({task}, timeout=seconds)
        if self.request_id:
            return None
        if not task.done():
            self._cancel_when_accepted = True
            return CancelOutcome.UNKNOWN
        return CancelOutcome.CANCELLED if self.state is SubmitState.NOT_ACCEPTED else CancelOutcome.UNKNOWN

    async def remove_hosted(self) -> None:
        """Remove the run's hosted pictures."""
        await asyncio.to_thread(self._host.release)

    async def prefer_public_url(self) -> bool:
        """Make later runs hand over pictures by public URL. Return whether one is available."""
        public = await asyncio.to_thread(self._second_host)
        if public is not None:
            public.store.prefer(self._model_url)
        return public is not None

    def _raise_if_cancelled(self) -> None:
        if self._cancel_asked:
            self.state = SubmitState.NOT_ACCEPTED
            raise RunCancelled("cancelled_before_submit")

    async def _prepared(self) -> list[str | PreparedImage]:
        by_address = self._resources.settings.by_address

        async def ready(number: int, source: ImageSource) -> str | PreparedImage:
            if is_address(source):
                return check_address(source, number=number)
            return await in_preparing_thread(prepared, source, number=number, by_address=by_address)

        sources = await asyncio.gather(*(ready(n, source) for n, source in enumerate(self._request.images, 1)))
        self.images = tuple(source for source in sources if not isinstance(source, str))
        return sources

    @property
    def _model_url(self) -> str:
        """The URL under which it is remembered how an API takes pictures."""
        return self._resources.api.model_url

    def _first_host(self) -> Host:
        """Return the host to hand the pictures over by at first."""
        hosting, public = self._resources.settings.hosting, self._public
        if self._resources.bucket:
            return BucketHost(self._resources.bucket)
        is_preferred = hosting is Hosting.AUTO and public is not None and public.store.is_preferred(self._model_url)
        if (hosting is Hosting.PUBLIC or is_preferred) and self.images:
            if public is not None and public.store.is_usable(self._model_url):
                return public
            if hosting is Hosting.PUBLIC:
                raise SettingsError("public_missing", name="WAN_HOSTING")
        return DataUri()

    def _second_host(self) -> PublicHost | None:
        """Return the public host for pictures that were inside the request; None where it can't be used."""
        public = self._public
        if self._resources.settings.hosting is not Hosting.AUTO or public is None:
            return None
        were_inside = bool(self.images) and isinstance(self._host, DataUri)
        return public if were_inside and public.store.is_usable(self._model_url) else None

    async def _body(self, sources: list[str | PreparedImage]) -> bytes:
        """Host the pictures and return the body of the request."""
        host = self._host
        addresses = [
            source if isinstance(source, str) else await asyncio.to_thread(host.host, source) for source in sources
        ]
        values = self._request.body(addresses)
        return await asyncio.to_thread(lambda: json.dumps(values).encode())

    async def _recover(self, digest: str) -> None:
        """Find this very request in the journal, sent by a process that did not see its end.

        A killed process leaves a lease: wait until the lease has expired, or an owner that is alive has renewed it.
        """
        notes = self._resources.journal
        found = await asyncio.to_thread(notes.claim, digest)
        first = found.leases
        while found.entry is None and not self._cancel_asked and _may_be_abandoned(first, found.leases):
            await asyncio.sleep(LEASE_POLL_SECONDS)
            found = await asyncio.to_thread(notes.claim, digest)
        entry = found.entry
        if entry is not None and entry.request_id is None:
            self.state = SubmitState.UNKNOWN
            raise unknown_outcome(entry.sent)
        if entry is not None:
            self.row, self.request_id, self.recovered = entry.row, entry.request_id, True
            self.state = SubmitState.ACCEPTED
        elif self._sent_before is not None:
            self.state = SubmitState.UNKNOWN
            raise unknown_outcome(self._sent_before)

    async def _claim(self, digest: str) -> None:
        """Claim the caller's key, or find the run that was sent under it, and wait while another process sends it."""
        notes, key = self._resources.journal, self._key or ""
        found = await asyncio.to_thread(notes.claim_key, key, digest, self._out)
        while found is not None and found.has_owner and not self._cancel_asked:
            await asyncio.sleep(LEASE_POLL_SECONDS)
            found = await asyncio.to_thread(notes.claim_key, key, digest, self._out)
        if found is None:
            raise SettingsError("key_not_kept", name="key")
        if not found.is_same:
            raise InvalidRequest("key_used", field="key")
        entry = found.entry
        if entry.request_id is not None:
            self.row, self.request_id, self.recovered = entry.row, entry.request_id, True
            self.state = SubmitState.ACCEPTED
        elif entry.state == journal.UNKNOWN:
            self.state = SubmitState.UNKNOWN
            raise unknown_outcome(entry.sent)
        elif not found.has_owner:
            self.row, self._is_claimed = entry.row, True
            if self._is_left:
                self._unclaim()

    def _unclaim(self) -> None:
        """Free the key of a request that certainly was not accepted."""
        if self._is_claimed:
            self._is_claimed = False
            self._resources.journal.forget(self.row)

    async def _send(self, digest: str, body: bytes, sources: list[str | PreparedImage]) -> None:
        try:
            await self._send_with_fallback(digest, body, sources)
        finally:
            if self.state is SubmitState.NOT_ACCEPTED:
                self._unclaim()

    async def _send_with_fallback(self, digest: str, body: bytes, sources: list[str | PreparedImage]) -> None:
        """Send the request; once more by public URL, where the API certainly refused pictures inside the request."""
        try:
            await self._send_noted(digest, body)
        except Refused as refused:
            public = await asyncio.to_thread(self._second_host) if refused.is_of_pictures else None
            if public is None:
                raise
            self._host, self._is_noted, self._sent = public, False, 0
            self._raise_if_cancelled()
            try:
                body = await self._body(sources)
            except WanError:
                raise refused from None
            self._raise_if_cancelled()
            self.state, self._total = SubmitState.SENDING, len(body)
            await self._send_noted(digest, body)
            public.store.prefer(self._model_url)

    async def _send_noted(self, digest: str, body: bytes) -> None:
        """Note the request, send it, and note the outcome."""
        notes = self._resources.journal
        try:
            await asyncio.to_thread(self._note, digest)
            self._is_noted = True
            self._raise_if_cancelled()
            self.request_id = await self._submit(body)
        except UnknownOutcome:
            self.state = SubmitState.UNKNOWN
            await asyncio.to_thread(notes.set_state, self.row, journal.UNKNOWN)
            raise
        except BaseException as problem:
            if isinstance(problem, asyncio.CancelledError) and self._is_noted and self._sent >= self._total:
                self.state = SubmitState.UNKNOWN  # interrupted after all of it was sent
            else:
                self.state = SubmitState.NOT_ACCEPTED
                (notes.not_sent if self._is_claimed else notes.forget)(self.row)
            raise
        self.state = SubmitState.ACCEPTED
        await asyncio.to_thread(notes.accepted, self.row, self.request_id)
        if self._on_submitted:
            try:
                self._on_submitted(self.request_id)
            except Exception:
                log.exception("the id of run %s could not be noted", self.request_id)
        if self._cancel_when_accepted:
            self.late_outcome = await self._resources.cancel(self.request_id)

    def _note(self, digest: str) -> None:
        """Note, in the journal and by the caller's callback, that the request is about to go out."""
        claimed = self.row if self._is_claimed else None
        noted = self._resources.journal.sending(digest, self._out, claimed)
        if claimed and not noted:
            raise SettingsError("key_not_kept", name="key")
        self.row = noted
        if self._on_sending:
            self._on_sending()

    async def _submit(self, body: bytes) -> str:
        """Send the request until it is accepted or refused; again only where certainly nothing was accepted."""
        while True:
            try:
                return await self._resources.api.submit(body, self._note_sent)
            except (Unreachable, RateLimited) as problem:  # the loop is for retries
                self._failures += 1
                self._sent = 0
                if self._cancel_asked:
                    raise RunCancelled("cancelled_before_submit") from None
                check_patience(problem, SUBMIT_PATIENCE_SECONDS)
                if self._failures >= SUBMIT_TRIES:
                    raise
                await asyncio.sleep(self._resources.schedule.retry_delay(self._failures, problem.retry_after))

    def _note_sent(self, sent: int) -> None:
        self._sent = sent


def check_patience(problem: WanError, most: float) -> None:
    """Raise the problem if it asks to wait for more than so many seconds."""
    if problem.retry_after is not None and problem.retry_after > most:
        problem.code = "told_to_wait"
        problem.values = {**problem.values, "minutes": math.ceil(problem.retry_after / 60)}
        raise problem


async def until_done(task: asyncio.Task[Any]) -> AsyncIterator[None]:
    """Yield a few times a second until the task is done, and once then; never cancel it."""
    while not task.done():
        await asyncio.wait({task}, timeout=TICK_SECONDS)
        yield


def mark_exception_retrieved(task: asyncio.Task[Any]) -> None:
    """Retrieve a task's exception, so that asyncio does not log it where nobody awaits the task."""
    if not task.cancelled():
        task.exception()


def _may_be_abandoned(first: dict[int, float], now: dict[int, float]) -> bool:
    """Return whether a lease that was there at first has neither been renewed nor expired."""
    return any(now.get(row) == until for row, until in first.items())


def _fingerprint(request: EditRequest, sources: list[str | PreparedImage]) -> bytes:
    """Return what identifies a request, however its pictures are hosted."""
    pictures = [source if isinstance(source, str) else sha256(source.data).hexdigest() for source in sources]
    return json.dumps(request.body(pictures)).encode()
