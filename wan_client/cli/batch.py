"""Many edits from one list, a table or a folder of pictures: each paid once, wherever the batch is interrupted.

Beside the results lies a manifest, a file that only grows: one JSON object for each thing that is learned about a row,
of which the last says where it stands. A batch that is run again sends what is missing, fetches what was accepted
and not fetched, and does not touch what may have been paid without leaving an id.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from enum import Enum
from typing import TYPE_CHECKING, Any

from anyio import create_task_group

from wan_client import images, outputs
from wan_client.api import CancelOutcome, check_request_id
from wan_client.errors import (
    AuthenticationError,
    DownloadFailed,
    InsufficientBalance,
    InvalidRequest,
    RateLimited,
    RunCancelled,
    RunFailed,
    SettingsError,
    Unreachable,
    WanError,
    unknown_outcome,
)

from .batch_source import json_object, seen_from

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path
    from typing import BinaryIO

    from wan_client.client import AsyncWanClient
    from wan_client.events import Event, Result
    from wan_client.run import Run
    from wan_client.settings import Backend

    from .batch_source import BatchRow

log = logging.getLogger(__name__)

AT_ONCE = 4
COST_MAX = 1e9
MANIFEST = "manifest.jsonl"

_LOCK_OFFSET = 1 << 30
# Rows that ended so are not sent again by themselves: they may be paid twice, or are refused again.
_HELD_BACK = {"unknown_outcome", "run_not_found", "no_image", "moderation"}
# These are not about the row: the next one would end in the same error.
_STOPPING_ERRORS = (AuthenticationError, InsufficientBalance, SettingsError, Unreachable, RateLimited)


class RowState(str, Enum):
    """Where a row stands; `SENDING` is noted before anything is sent."""

    SENDING = "sending"
    ACCEPTED = "accepted"
    FETCHED = "fetched"
    FAILED = "failed"
    HELD = "held"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Outcome:
    """What is known of a row.

    Attributes:
        state: Where it stands.
        request_id: Its run.
        paths: Its files, relative to the manifest's folder.
        cost: What the API says it cost, in USD.
        error: Why there is no picture, as `WanError.as_dict` returns it.
    """

    state: RowState
    request_id: str | None = None
    paths: tuple[str, ...] = ()
    cost: float | None = None
    error: Mapping[str, Any] | None = None


class Manifest:
    """What is known of the rows whose results go to a folder. Open it to be the only batch at work there.

    Args:
        folder: The folder.
        engine: The engine in use. Notes about rows of another engine are ignored.
        read_only: Whether nothing is written and no other batch kept out, for a look at what would be done.
    """

    def __init__(self, folder: Path, engine: Backend, *, read_only: bool = False) -> None:
        self.path = folder / MANIFEST
        self._engine = engine.value
        self._read_only = read_only
        self._known: dict[str, Outcome] = {}
        self._noted: dict[str, datetime] = {}
        self._writing = threading.Lock()
        self._is_torn = False
        self._lock: BinaryIO | None = None

    def __enter__(self) -> Manifest:
        if self._read_only:
            with suppress(OSError):
                self._learn_all(self.path.read_bytes())
            return self
        outputs.check_writable(self.path.parent)
        try:
            self._lock = self.path.open("a+b")
            _lock(self._lock, self.path.parent)
            self._lock.seek(0)
            data = self._lock.read()
            if data and not data.endswith(b"\n"):  # its writer was killed in the middle of a line
                self._lock.write(b"\n")
                self._lock.flush()
        except OSError:
            self.__exit__()
            raise SettingsError("folder_not_writable", folder=self.path.parent.name) from None
        except SettingsError:
            self.__exit__()
            raise
        self._learn_all(data)
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock:
            self._lock.close()

    def find(self, row: BatchRow) -> Outcome | None:
        """Return what is known of a row; None if nothing is."""
        return self._known.get(row.key)

    def noted_at(self, row: BatchRow) -> datetime:
        """Return when the latest note of a row was written (UTC)."""
        return self._noted.get(row.key) or datetime.now(timezone.utc)

    def add_sending(self, row: BatchRow) -> None:
        """Note that a row is about to be sent.

        Raises:
            SettingsError: It can't be written, so it must not be sent.
        """
        try:
            self.add(row, Outcome(RowState.SENDING))
        except DownloadFailed:
            raise SettingsError("folder_not_writable", folder=self.path.parent.name or str(self.path.parent)) from None

    def add(self, row: BatchRow, outcome: Outcome) -> None:
        """Note what was learned of a row, before anything else happens.

        Raises:
            DownloadFailed: It can't be written.
        """
        self._known[row.key] = outcome
        values = {name: "data:…" if images.is_data_uri(value) else value for name, value in row.values.items()}
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        note = {"name": row.name, "row": values, "key": row.key, "engine": self._engine, "at": now, **asdict(outcome)}
        line = json.dumps(note, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
        try:
            # Opened anew: an id may come in after the batch has ended.
            with self._writing, self.path.open("ab") as file:
                # A write that failed halfway leaves a part of a line: this note begins on a new one.
                whole, self._is_torn = (b"\n" if self._is_torn else b"") + line, True
                file.write(whole)
                file.flush()
                os.fsync(file.fileno())
                self._is_torn = False
        except OSError:
            raise DownloadFailed("not_writable", file=MANIFEST, request_id=outcome.request_id) from None

    def has_files(self, outcome: Outcome) -> bool:
        """Return whether the files of a row are still there."""
        return bool(outcome.paths) and all((self.path.parent / path).is_file() for path in outcome.paths)

    def _learn_all(self, data: bytes) -> None:
        bad = 0
        for line in data.splitlines():
            note = _note(line)
            if note is None or not self._learn(note):
                bad += bool(line.strip())
        if bad > 1:  # one bad line is normal: its writer was killed
            log.warning("%d lines of the manifest %s make no sense and are passed over", bad, self.path)

    def _learn(self, note: Mapping[str, Any]) -> bool:
        """Read one line. Return False where it can't be one of ours."""
        if note.get("engine") != self._engine:
            return True
        try:
            outcome, key = _outcome_of(note), str(note["key"])
        except (KeyError, TypeError, ValueError):
            return False
        self._known[key] = outcome
        with suppress(KeyError, TypeError, ValueError):
            self._noted[key] = datetime.fromisoformat(note["at"]).astimezone(timezone.utc)
        return True


def _note(line: bytes) -> dict[str, Any] | None:
    try:
        return json_object(line)
    except InvalidRequest:
        return None


def _outcome_of(note: Mapping[str, Any]) -> Outcome:
    """Return what a line of the manifest says.

    Raises:
        KeyError, TypeError, ValueError: It is none that this program writes.
    """
    request_id, cost, error, paths = (note.get(name) for name in ("request_id", "cost", "error", "paths"))
    if request_id is not None:
        check_request_id(request_id)
    if not (
        (paths is None or isinstance(paths, list))
        and all(isinstance(path, str) and "\0" not in path for path in paths or ())
    ):
        raise TypeError(paths)
    if cost is not None and not 0 <= cost < COST_MAX:
        raise ValueError(cost)
    if error is not None and not isinstance(error, dict):
        raise TypeError(error)
    return Outcome(RowState(note["state"]), request_id, tuple(paths or ()), cost, error)


def _lock(file: BinaryIO, folder: Path) -> None:
    """Keep other batches out until the file is closed, or this process is gone."""
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415  # there on Windows alone

            # Windows blocks reads and writes of a locked byte, so it is one that the file never reaches.
            os.lseek(file.fileno(), _LOCK_OFFSET, os.SEEK_SET)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415  # not there on Windows

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        raise SettingsError("batch_busy", folder=folder.name or str(folder)) from None


@dataclass
class Batch:
    """The rows of a list, sorted by what is to be done with them.

    Attributes:
        rows: All rows.
        manifest: What is known of them, open.
        free: Whether sending costs nothing, so that nothing is held back or fetched from an earlier sandbox.
        again: Whether rows are sent again that may have been paid, or that the content check refused.
        done: Rows whose files are there.
        fetch: Rows that were accepted and are not fetched, with their ids.
        check: Rows that an earlier process was about to send. They are fetched where the journal knows their runs.
        send: Rows to send.
        held: Rows that are not sent again, with the reason.
        ended: How many rows need nothing more.
        stopped: What ended the batch early, if anything did.
    """

    rows: list[BatchRow]
    manifest: Manifest
    free: bool = False
    again: bool = False
    done: list[BatchRow] = field(default_factory=list)
    fetch: list[tuple[BatchRow, str]] = field(default_factory=list)
    check: list[BatchRow] = field(default_factory=list)
    send: list[BatchRow] = field(default_factory=list)
    held: list[tuple[BatchRow, str]] = field(default_factory=list)
    ended: int = 0
    stopped: WanError | None = None

    def __post_init__(self) -> None:
        for row in self.rows:
            known = self.manifest.find(row)
            state = known.state if known else None
            if known and state is RowState.FETCHED and self.manifest.has_files(known):
                self.done.append(row)
            elif known and known.request_id and state in {RowState.ACCEPTED, RowState.FETCHED} and not self.free:
                self.fetch.append((row, known.request_id))
            elif known and state is RowState.SENDING and not self.again and not self.free:
                self.check.append(row)
            elif known and state is RowState.HELD and not self.again and not self.free:
                self.held.append((row, str((known.error or {}).get("message", ""))))
            else:
                self.send.append(row)
        self.ended = len(self.done) + len(self.held)

    async def run(
        self,
        client: AsyncWanClient,
        *,
        at_once: int = AT_ONCE,
        on_event: Callable[[Event], object] = lambda event: None,
        on_end: Callable[[BatchRow, Result | WanError], object] = lambda row, end: None,
    ) -> None:
        """Fetch and send the rows that need it. If cancelled, cancel the open runs and note the outcome of each.

        Args:
            client: What runs them.
            at_once: How many rows are on their way at a time.
            on_event: Called with each event of each run.
            on_end: Called when a row has ended in a picture or an error.
        """
        # Paid rows come first.
        paid, unsure = ((row, id_, False) for row, id_ in self.fetch), ((row, None, True) for row in self.check)
        waiting: Iterator[tuple[BatchRow, str | None, bool]] = iter(
            [*paid, *unsure, *((row, None, False) for row in self.send)]
        )

        async def work() -> None:
            for row, request_id, is_unsure in waiting:
                if self.stopped:
                    return
                end = await self._end(client, row, request_id, on_event, is_unsure=is_unsure)
                self.ended += 1
                on_end(row, end)

        async with create_task_group() as group:
            for _ in range(at_once):
                group.start_soon(work)

    async def _end(
        self,
        client: AsyncWanClient,
        row: BatchRow,
        request_id: str | None,
        on_event: Callable[[Event], object],
        *,
        is_unsure: bool,
    ) -> Result | WanError:
        """Send or fetch one row, note its outcome and return it."""
        folder = self.manifest.path.parent
        is_noted = False

        def note_sending() -> None:
            nonlocal is_noted
            self.manifest.add_sending(row)
            is_noted = True

        def note_id(request_id: str) -> None:
            self.manifest.add(row, Outcome(RowState.ACCEPTED, request_id))

        if request_id:
            run = client.resume(request_id, out=row.out, folder=folder, named=row.named)
        else:
            run = client.run(
                row.request,
                out=row.out,
                folder=folder,
                named=row.named,
                on_sending=note_sending,
                on_submitted=note_id,
                sent_before=self.manifest.noted_at(row) if is_unsure else None,
            )
        try:
            result = await run.wait(on_event)
            self.manifest.add(row, self._fetched(result))
        except asyncio.CancelledError:
            left = self._fetched(run.result) if run.result else self._interrupted(run, is_noted=is_noted)
            if left:
                with suppress(DownloadFailed):
                    self.manifest.add(row, left)
            raise
        except WanError as problem:
            if isinstance(problem, _STOPPING_ERRORS) or problem.code == "not_writable":
                self.stopped = problem
            with suppress(DownloadFailed):  # where nothing can be written, the journal knows the run
                self.manifest.add(row, self._without_picture(problem))
            return problem
        return result

    def _fetched(self, result: Result) -> Outcome:
        paths = tuple(seen_from(self.manifest.path.parent, path) for path in result.paths)
        return Outcome(RowState.FETCHED, result.request_id, paths, None if self.free else result.cost)

    def _without_picture(self, problem: WanError) -> Outcome:
        if problem.code in _HELD_BACK:
            state = RowState.HELD
        elif isinstance(problem, RunCancelled):
            state = RowState.CANCELLED
        elif isinstance(problem, RunFailed) or not problem.request_id:
            state = RowState.FAILED
        else:
            state = RowState.ACCEPTED
        cost = None if self.free else problem.cost
        return Outcome(state, problem.request_id, cost=cost, error=problem.as_dict(sandbox=self.free))

    @staticmethod
    def _interrupted(run: Run, *, is_noted: bool) -> Outcome | None:
        """Return the outcome of a run that was cancelled before its end; None where nothing was sent or noted."""
        if run.cancel_outcome is CancelOutcome.CANCELLED:
            return Outcome(RowState.CANCELLED, run.request_id) if run.request_id or is_noted else None
        if run.request_id:
            return Outcome(RowState.ACCEPTED, run.request_id)
        if not run.submitting:
            return Outcome(RowState.CANCELLED) if is_noted else None
        problem = unknown_outcome(datetime.now(timezone.utc))
        return Outcome(RowState.HELD, error=problem.as_dict())

    def count(self) -> Counter[str]:
        """Return how many rows are in each state; ``open`` for those of which nothing is known."""
        found = (self.manifest.find(row) for row in self.rows)
        return Counter(outcome.state.value if outcome else "open" for outcome in found)

    def report(self) -> Iterable[dict[str, Any]]:
        """Yield all rows and what is known of them, ready for JSON."""
        for row in self.rows:
            known = self.manifest.find(row)
            yield {"name": row.name, **(asdict(known) if known else {"state": "open"})}
