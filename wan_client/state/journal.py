"""What must outlive a process: which runs were paid for and not yet fetched, and how long runs took.

One small file in the user's state folder, readable by its owner alone. It holds no token, no prompt and no picture:
a request is known by a digest that only the token's holder can make. Trouble with the file never fails a run.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

log = logging.getLogger(__name__)

KEPT_RUNS = 500
KEPT_DURATIONS = 50
# Links to results live for a day.
FETCHABLE = timedelta(hours=24)

SENDING, ACCEPTED, UNKNOWN, FETCHED, FAILED, CANCELLED = (
    "sending",
    "accepted",
    "unknown",
    "fetched",
    "failed",
    "cancelled",
)

_TABLES = """
create table if not exists runs (
    row integer primary key, account text, digest text, request_id text,
    state text, sent real, file text, process integer
);
create table if not exists durations (row integer primary key, engine text, size text, seconds real);
"""
_BUSY_SECONDS = 5.0
# Where this process's own runs begin: what its number sent earlier was another's, as in containers, all of number 1.
_STARTED = time.time()


@dataclass(frozen=True)
class Entry:
    """A run that was sent.

    Attributes:
        row: Its place in the journal.
        request_id: Its id; None where the answer to the submit was never seen.
        state: ``sending``, ``accepted``, ``unknown``, ``fetched``, ``failed`` or ``cancelled``.
        sent: When it was sent (UTC).
        file: Where its picture is, or was to go.
    """

    row: int
    request_id: str | None
    state: str
    sent: datetime
    file: Path | None


class Journal:
    """The journal of one user.

    Args:
        path: Its file; by default in the user's state folder.
        off: Whether it remembers nothing.
    """

    def __init__(self, path: Path | None = None, *, off: bool = False) -> None:
        self.path = path or state_folder() / "journal.db"
        self.off = off
        self._account = ""
        self._key = b""

    def for_account(self, base: str, token: str) -> Journal:
        """The same journal, for the runs of one account."""
        journal = Journal(self.path, off=self.off)
        journal._key = f"{base} {token}".encode()
        journal._account = journal.digest(b"account")
        return journal

    def digest(self, body: bytes) -> str:
        """What a request is known by."""
        return hmac.new(self._key, body, hashlib.sha256).hexdigest()[:32]

    def orphan(self, digest: str) -> Entry | None:
        """The latest run of this request that is neither fetched nor failed, and that no process looks after."""
        after = (datetime.now(timezone.utc) - FETCHABLE).timestamp()
        rows = self._do(
            "select row, request_id, state, sent, file, process from runs"
            " where account = ? and digest = ? and state in (?, ?) and sent > ? order by row desc",
            (self._account, digest, SENDING, ACCEPTED, after),
        )
        return next((_entry(row) for row in rows if not _has_live_owner(process=row[5], sent=row[3])), None)

    def sending(self, digest: str, file: Path | None) -> int:
        """Note a request before it goes out. Returns its row."""
        now = datetime.now(timezone.utc).timestamp()
        values = (self._account, digest, SENDING, now, str(file.absolute()) if file else None, os.getpid())
        self._do("delete from runs where row <= (select max(row) from runs) - ?", (KEPT_RUNS,))
        rows = self._do(
            "insert into runs (account, digest, state, sent, file, process) values (?, ?, ?, ?, ?, ?) returning row",
            values,
        )
        return int(rows[0][0]) if rows else 0

    def adopt(self, row: int) -> None:
        """Note that this process looks after a run now."""
        self._do("update runs set process = ? where row = ?", (os.getpid(), row))

    def accepted(self, row: int | None, request_id: str) -> None:
        """Note the id of a run."""
        self._do("update runs set state = ?, request_id = ? where row = ?", (ACCEPTED, request_id, row))

    def set_state(self, row: int | None, state: str | None, file: Path | None = None) -> None:
        """Note what came of a run; without a state: that nobody looks after it for now."""
        self._do(
            "update runs set process = 0, state = coalesce(?, state), file = coalesce(?, file) where row = ?",
            (state, str(file.absolute()) if file else None, row),
        )

    def forget(self, row: int | None) -> None:
        """Take out a request that certainly was not accepted."""
        self._do("delete from runs where row = ?", (row,))

    def find(self, request_id: str) -> Entry | None:
        """The run of an id."""
        rows = self._do(
            "select row, request_id, state, sent, file from runs where account = ? and request_id = ?",
            (self._account, request_id),
        )
        return _entry(rows[0]) if rows else None

    def entries(self) -> list[Entry]:
        """All runs of the account, the latest first."""
        rows = self._do(
            "select row, request_id, state, sent, file from runs where account = ? order by row desc", (self._account,)
        )
        return [_entry(row) for row in rows]

    def durations(self, engine: str, size: str) -> Sequence[float]:
        """How long runs of a size took at an engine, the latest last."""
        rows = self._do(
            "select seconds from durations where engine = ? and size = ? order by row desc limit ?",
            (engine, size, KEPT_DURATIONS),
        )
        return [row[0] for row in reversed(rows)]

    def learn(self, engine: str, size: str, seconds: float) -> None:
        """Keep how long a run took."""
        self._do("insert into durations (engine, size, seconds) values (?, ?, ?)", (engine, size, seconds))
        self._do(
            "delete from durations where engine = ? and size = ? and row not in"
            " (select row from durations where engine = ? and size = ? order by row desc limit ?)",
            (engine, size, engine, size, KEPT_DURATIONS),
        )

    def _do(self, sql: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        if self.off:
            return []
        try:
            if not self.path.exists():
                self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                self.path.touch(mode=0o600)
            with closing(sqlite3.connect(self.path, timeout=_BUSY_SECONDS)) as connection, connection:
                connection.executescript(_TABLES)
                return connection.execute(sql, values).fetchall()
        except (sqlite3.Error, OSError) as problem:
            log.warning("the journal %s can't be used: %s", self.path, problem)
            return []


def state_folder() -> Path:
    """Where programs of this user keep what is not worth a backup."""
    home = Path.home()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_STATE_HOME") or home / ".local" / "state")
    return base / "wan_client"


def _entry(row: tuple[Any, ...]) -> Entry:
    number, request_id, state, sent, file = row[:5]
    when = datetime.fromtimestamp(sent, timezone.utc)
    return Entry(number, request_id, state, when, Path(file) if file else None)


def _has_live_owner(*, process: int, sent: float) -> bool:
    return sent >= _STARTED if process == os.getpid() else _is_alive(process)


def _is_alive(process: int) -> bool:
    if not process:
        return False
    if sys.platform == "win32":
        return _is_alive_on_windows(process)
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


if sys.platform == "win32":
    import ctypes

    _SYNCHRONIZE, _WAIT_TIMEOUT, _ACCESS_DENIED = 0x00100000, 0x102, 5

    def _is_alive_on_windows(process: int) -> bool:
        # `os.kill` would end the process here.
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.OpenProcess.restype = ctypes.c_void_p
        handle = ctypes.c_void_p(kernel.OpenProcess(_SYNCHRONIZE, False, process))
        if not handle:
            return ctypes.get_last_error() == _ACCESS_DENIED
        try:
            return bool(kernel.WaitForSingleObject(handle, 0) == _WAIT_TIMEOUT)
        finally:
            kernel.CloseHandle(handle)
