"""The client's two interfaces: asynchronous, and synchronous over the same core."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from .api import Api, ModelEntry
from .errors import WanError
from .hosting.bucket import Bucket
from .outputs import Outputs
from .run import ClientResources, Run
from .sandbox import running_sandbox
from .schema import EditRequest
from .schema_drift import differences
from .settings import DEFAULT_API_BASE, Backend, Settings
from .state.journal import RENEW_SECONDS, Journal
from .state.polling import PollSchedule
from .submission import Submission
from .threads import LoopThread, postponed_interrupt

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime
    from os import PathLike

    from .api import CancelOutcome, OnCall, OnReply, StatusReply
    from .events import Event, Result
    from .hosting.public_url import PublicHost
    from .schema import ImageSource

log = logging.getLogger(__name__)

READS_AT_ONCE = 24
OUTPUT_FOLDER = Path("outputs")

Value = TypeVar("Value")

# The URLs of the models whose schema has been compared with ours; a difference is logged once.
_checked_schemas: set[str] = set()


class AsyncWanClient:
    """Runs edits. Use it as ``async with AsyncWanClient() as client``.

    Args:
        settings: Where the API is and how to reach it; by default from the environment and ``.env``. Without a
            token, the sandbox is started on this machine for as long as the client is open.
        folder: Where results go that have no name of their own.
        schedule: When to ask again; by default what this installation has learned.
        journal: Where runs are noted before they are paid for, so that the same request made again after a crash
            fetches the picture that is paid already. By default runs are not noted: a server has many users.
        transport: What carries every request, to the API and for downloads, instead of connections of the client's
            own: ``httpx.AsyncHTTPTransport(proxy=…)`` for a proxy, one with ``verify=`` for certificates of your own
            (mTLS), or one that records. It is closed with the client. Keep connections of it short-lived: a submit
            whose kept connection breaks has an unknown outcome.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        folder: str | PathLike[str] = OUTPUT_FOLDER,
        schedule: PollSchedule | None = None,
        journal: Journal | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        if transport is not None and not isinstance(transport, httpx.AsyncBaseTransport):
            raise TypeError("transport must be an httpx.AsyncBaseTransport: the core is asynchronous")
        self.settings = settings or Settings.load()
        self._transport = transport
        self.folder = Path(folder)
        self._schedule = schedule or self._learned_schedule()
        self._journal = journal or Journal(off=True)
        self._stack = AsyncExitStack()
        self._open: ClientResources | None = None

    async def __aenter__(self) -> AsyncWanClient:
        await self.open()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        await self.aclose(in_a_hurry=kind is not None)

    async def open(self) -> None:
        """Open the connections, and start the sandbox where there is no token. Opening it twice changes nothing.

        Raises:
            SettingsError: The bucket can't be used, or the sandbox did not start.
        """
        if self._open is not None:
            return
        try:
            self._open = await self._make_resources()
        except BaseException:
            await self._stack.aclose()
            raise

    async def _make_resources(self) -> ClientResources:
        settings = self.settings
        bucket = None
        if settings.bucket and settings.passes_through_bucket:
            bucket = await asyncio.to_thread(Bucket, settings.bucket)
        if settings.api_base is None:
            address = await asyncio.to_thread(self._stack.enter_context, running_sandbox())
            settings = replace(settings, api_base=address)
        base = settings.api_base or ""
        tls = ssl.create_default_context()
        transport = _SharedTransport(self._transport) if self._transport else None
        if self._transport:
            self._stack.push_async_callback(self._transport.aclose)
        api = Api(base, settings.token, tls, settings.timeouts, transport, settings.model)
        outputs = Outputs(base, tls, settings.timeouts, transport)
        self._stack.push_async_callback(api.aclose)
        self._stack.push_async_callback(outputs.aclose)
        gate = asyncio.Semaphore(READS_AT_ONCE)
        journal = self._journal.for_account(base, settings.token)
        if not journal.off:
            renewing = asyncio.create_task(_renew_leases(journal))
            self._stack.push_async_callback(asyncio.to_thread, journal.release)
            self._stack.callback(renewing.cancel)
        return ClientResources(api, outputs, self._schedule, journal, gate, settings, settings.timeouts, bucket)

    async def aclose(self, *, in_a_hurry: bool = False) -> None:
        """Close the connections, and end a sandbox that was started. Runs at the API go on.

        Args:
            in_a_hurry: Whether a submit on its way is waited for as long as a cancel may take, instead of all the
                time that it may take itself. Closing its connection leaves its outcome unknown.
        """
        resources, self._open = self._open, None
        if resources and resources.submissions:
            timeouts = resources.timeouts
            await asyncio.wait(resources.submissions, timeout=timeouts.cancel if in_a_hurry else timeouts.sending)
        await self._stack.aclose()

    def run(
        self,
        request: EditRequest,
        *,
        out: str | PathLike[str] | None = None,
        folder: str | PathLike[str] | None = None,
        named: bool = True,
        on_sending: Callable[[], None] | None = None,
        on_submitted: Callable[[str], None] | None = None,
        sent_before: datetime | None = None,
        public: PublicHost | None = None,
        key: str | None = None,
    ) -> Run:
        """Return a run of the request. Nothing is sent until it is iterated over or awaited.

        Args:
            request: What to do.
            out: The file to write, or a folder (one that exists, or a name with a slash at its end); by default a file
                named by the API.
            folder: Where that one goes; by default the client's folder.
            named: Whether a person gave `out` its name. Only then is a file of that very name replaced.
            on_sending: Called in a thread just before the request goes out. Where it raises, nothing is sent.
            on_submitted: Called with the request id as soon as the API has the run.
            sent_before: When an earlier process was about to send this very request. Unless the journal knows
                its outcome, it is not sent, and the run ends in `UnknownOutcome`.
            public: Where its pictures can be fetched from, for a program that has a public address.
            key: A key of the caller's own. The same request under the same key within a day is one run, whichever
                process of this user makes it; another request under it is refused. It is kept in the journal.
        """
        file, place = self._target(out, folder)
        submission = Submission(
            self._resources,
            request,
            out=file,
            folder=place,
            on_sending=on_sending,
            on_submitted=on_submitted,
            sent_before=sent_before,
            public=public,
            key=key,
        )
        return Run(self._resources, submission, out=file, folder=place, named=named)

    def resume(
        self,
        request_id: str,
        *,
        out: str | PathLike[str] | None = None,
        folder: str | PathLike[str] | None = None,
        named: bool = True,
        public: PublicHost | None = None,
    ) -> Run:
        """Return an earlier run, resumed by its id. It costs nothing.

        Args:
            request_id: Its id.
            out: As for `run`.
            folder: As for `run`.
            named: As for `run`.
            public: Where its pictures may lie still. They are removed when it has ended.

        Raises:
            InvalidRequest: The id can't be one.
        """
        file, place = self._target(out, folder)
        return Run(self._resources, request_id=request_id, out=file, folder=place, named=named, public=public)

    async def cancel(self, request_id: str) -> CancelOutcome:
        """Cancel an earlier run by its id, within seconds, and return the outcome.

        Raises:
            InvalidRequest: The id can't be one.
        """
        return await self.resume(request_id).cancel()

    async def look(self, request_id: str) -> StatusReply:
        """Ask once where a run stands.

        Raises:
            WanError: The API does not say.
        """
        return await self._resources.api.status(request_id)

    def observe(self, on_reply: OnReply) -> None:
        """Register a function to call with each reply of the API: the request, the HTTP status and the JSON object."""
        self._resources.api.on_reply = on_reply

    def observe_calls(self, on_call: OnCall) -> None:
        """Register a function to call after each call of the API, with its name, its outcome, and its seconds.

        The outcome is ``ok`` or the code of the error.
        """
        self._resources.api.on_call = on_call

    async def model(self) -> ModelEntry:
        """Return the catalogue's entry of the model, price included. What can't be learned is left empty."""
        api = self._resources.api
        try:
            entry = await api.model()
        except WanError as problem:
            log.info("no catalogue entry: %s", problem.code)
            return ModelEntry()
        if entry.input_schema and api.model_url not in _checked_schemas:
            _checked_schemas.add(api.model_url)
            if different := differences(entry.input_schema):
                log.warning("the catalogue's schema of the model differs from ours: %s", "; ".join(different))
        return entry

    def _learned_schedule(self) -> PollSchedule:
        engine = self.settings.backend.value
        if self.settings.backend is Backend.RUNCOMFY and self.settings.api_base != DEFAULT_API_BASE:
            engine = "other"
        store = Journal()
        return PollSchedule(recall=partial(store.durations, engine), keep=partial(store.learn, engine))

    def _target(self, out: str | PathLike[str] | None, folder: str | PathLike[str] | None) -> tuple[Path | None, Path]:
        """Return the file to write, None if it has no name, and the folder for that case."""
        separators = tuple(filter(None, (os.sep, os.altsep)))
        if out is not None and (os.fspath(out).endswith(separators) or os.path.isdir(out)):  # noqa: PTH112  # takes any name
            out, folder = None, out
        return Path(out) if out is not None else None, Path(folder or self.folder)

    @property
    def _resources(self) -> ClientResources:
        if self._open is None:
            raise RuntimeError("open the client first: async with AsyncWanClient() as client")
        return self._open


class _SharedTransport(httpx.AsyncBaseTransport):
    """A transport that several HTTP clients use, and that none of them closes."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._transport.handle_async_request(request)


async def _renew_leases(journal: Journal) -> None:
    """Renew the leases of the client's runs for as long as it is open."""
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        await asyncio.to_thread(journal.renew)


async def _run_work(work: Callable[[AsyncWanClient], Awaitable[Value]], core: AsyncWanClient) -> Value:
    return await work(core)


class WanClient:
    """The synchronous client: for scripts, notebooks and the command line. Use it as ``with WanClient() as client``.

    It takes the same arguments as `AsyncWanClient`, and runs it in a thread of its own.

    Runs are noted in the user's journal before they are paid for: the same request made again after a crash fetches
    the picture that is paid already. ``journal=Journal(off=True)`` turns that off.

    Attributes:
        last_run: The latest run; after an interrupt it has the run's id and what cancelling it achieved.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        folder: str | PathLike[str] = OUTPUT_FOLDER,
        schedule: PollSchedule | None = None,
        journal: Journal | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        settings = settings or Settings.load()
        # A sandbox's runs end with the sandbox.
        journal = journal or Journal(off=settings.backend is Backend.SANDBOX)
        self._core = AsyncWanClient(settings, folder=folder, schedule=schedule, journal=journal, transport=transport)
        self._thread: LoopThread | None = None
        self.last_run: Run | None = None

    def __enter__(self) -> WanClient:
        return self.open()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # After an interrupt a submit on its way is waited for during seconds, not minutes.
        self.close(in_a_hurry=kind is not None)

    def open(self) -> WanClient:
        """Start the client's thread and open its connections."""
        self._thread = LoopThread()
        try:
            self.call(AsyncWanClient.open)
        except BaseException:
            self.close(in_a_hurry=True)
            raise
        return self

    def close(self, *, in_a_hurry: bool = False) -> None:
        """Close the connections and end the client's thread. Runs at the API go on."""
        thread, self._thread = self._thread, None
        if thread is not None:
            try:
                thread.start(self._core.aclose(in_a_hurry=in_a_hurry)).result()
            finally:
                thread.stop()

    @property
    def settings(self) -> Settings:
        """The settings in use."""
        return self._core.settings

    def edit(
        self,
        prompt: str,
        *images: ImageSource,
        out: str | PathLike[str] | None = None,
        on_event: Callable[[Event], object] = lambda event: None,
        on_submitted: Callable[[str], None] | None = None,
        key: str | None = None,
        **options: Any,
    ) -> Result:
        """Edit pictures and wait for the result.

        Args:
            prompt: The instruction; it calls the pictures "image 1", "image 2", "image 3".
            images: One to three pictures, in that order.
            out: The file to write; by default one in the client's folder, named by the API.
            on_event: Called with each event of the run, in the client's thread.
            on_submitted: Called with the request id as soon as the API has the run.
            key: A key of the caller's own, as for `AsyncWanClient.run`.
            options: ``negative_prompt``, ``image_size``, ``seed``, ``prompt_extend``, as in `EditRequest`.

        Raises:
            WanError: There is no picture; the error says why and what it cost.
        """
        request = EditRequest(prompt, images, **options)
        return self._wait_for(self._core.run(request, out=out, on_submitted=on_submitted, key=key), on_event)

    def resume(
        self,
        request_id: str,
        *,
        out: str | PathLike[str] | None = None,
        on_event: Callable[[Event], object] = lambda event: None,
    ) -> Result:
        """Fetch the result of an earlier run by its id. It costs nothing.

        Raises:
            WanError: There is no picture; the error says why and what it cost.
        """
        return self._wait_for(self._core.resume(request_id, out=out), on_event)

    def cancel(self, request_id: str) -> CancelOutcome:
        """Cancel an earlier run by its id, within seconds, and return the outcome.

        Raises:
            InvalidRequest: The id can't be one.
        """
        return self.call(lambda core: core.cancel(request_id))

    def model(self) -> ModelEntry:
        """Return the catalogue's entry of the model, price included. What can't be learned is left empty."""
        return self.call(AsyncWanClient.model)

    def _wait_for(self, run: Run, on_event: Callable[[Event], object]) -> Result:
        self.last_run = run
        return self.call(lambda _core: run.wait(on_event))

    def call(self, work: Callable[[AsyncWanClient], Awaitable[Value]]) -> Value:
        """Run work on the asynchronous client, in the client's thread, and wait for its value.

        Ctrl-C cancels it there and waits until it has ended, so that its outcome is known afterwards; the
        `KeyboardInterrupt` comes then. Pressing it again does not shorten that: it is a matter of seconds.
        """
        if self._thread is None:
            raise RuntimeError("open the client first: with WanClient() as client")
        with postponed_interrupt() as interrupt:
            task = self._thread.start(_run_work(work, self._core))
            interrupt.on_interrupt(task.cancel)
            return task.result()


def edit(prompt: str, *images: ImageSource, out: str | PathLike[str] | None = None, **options: Any) -> Result:
    """Edit pictures with the settings of the environment and wait for the result, in one call.

    It takes the arguments of `WanClient.edit`.
    """
    with WanClient() as client:
        return client.edit(prompt, *images, out=out, **options)
