"""What must outlive a process: which runs were paid for and not yet fetched, and how long runs took.

One small SQLite file in the user's state folder, readable by its owner alone. It holds no token, no prompt and no
picture: a request is known by a digest that only the token's holder can make. An error of the file never fails a
run; it is logged once.

Each run that is looked after has a lease: its owner renews it while it is alive, and where it has run out the run is
anybody's. A run without an owner is found and claimed in one transaction, so that it has one new owner only.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import math
import os
import secrets
import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wan_client.api import check_request_id
from wan_client.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import TypeVar

    Value = TypeVar("Value")

log = logging.getLogger(__name__)

KEPT_RUNS = 500
KEPT_DURATIONS = 50
DURATION_MAX = 86_400.0
# Links to results expire after a day.
FETCHABLE = timedelta(hours=24)
LEASE_SECONDS = 4.0
RENEW_SECONDS = 1.0
BUSY_SECONDS = 5.0
# After a file was locked for all of `BUSY_SECONDS`, it is not waited for again during this time.
LOCKED_SECONDS = 60.0

# A claimed run has a key of its caller's own, and nothing of it has been sent.
CLAIMED, SENDING, ACCEPTED, UNKNOWN, FETCHED, FAILED, CANCELLED = (
    "claimed",
    "sending",
    "accepted",
    "unknown",
    "fetched",
    "failed",
    "cancelled",
)
_STATES = {CLAIMED, SENDING, ACCEPTED, UNKNOWN, FETCHED, FAILED, CANCELLED}

_VERSION = 2
_TABLES = (
    "create table if not exists runs"
    " (row integer primary key, account text, digest text, request_id text, state text, sent real, file text)",
    "create table if not exists durations (row integer primary key, engine text, size text, seconds real)",
)
# Columns that earlier versions did not have: a lease, and a key of the caller's own.
_ADDED_COLUMNS = ("owner text", "lease_until real", "caller_key text")
_COLUMNS = "row, request_id, state, sent, file"
# Beyond this, in seconds since 1970, calendars differ.
_FAR_FUTURE = 1e11
# Identifies this process, even where its number is used again.
_OWNER = secrets.token_hex(8)


@dataclass(frozen=True)
class Entry:
    """A run that was sent.

    Attributes:
        row: Its place in the journal.
        request_id: Its id; None where the answer to the submit was never seen.
        state: ``claimed``, ``sending``, ``accepted``, ``unknown``, ``fetched``, ``failed`` or ``cancelled``.
        sent: When it was sent (UTC).
        file: Where its picture is, or was to go.
    """

    row: int
    request_id: str | None
    state: str
    sent: datetime
    file: Path | None


# The files that were logged as unusable.
_warned: set[Path] = set()


@dataclass
class _File:
    """The file that journals of several accounts share, and whether it can be used."""

    path: Path
    off: bool
    is_ready: bool = False
    locked_until: float = -math.inf

    def transaction(self, work: Callable[[sqlite3.Connection], Value], default: Value) -> Value:
        """Do the work in one transaction and return its value, or the default where the file can't be used."""
        if self.off:
            return default
        patience = BUSY_SECONDS if time.monotonic() >= self.locked_until else 0.0
        try:
            self._make()
            with closing(sqlite3.connect(self.path, timeout=patience, isolation_level=None)) as connection:
                connection.execute("begin immediate")
                self._prepare(connection)
                value = work(connection)
                connection.execute("commit")
        except (sqlite3.Error, OSError) as problem:
            if "locked" in str(problem):
                self.locked_until = time.monotonic() + LOCKED_SECONDS
            self.warn(str(problem))
            return default
        self.locked_until = -math.inf
        return value

    def warn(self, reason: str) -> None:
        """Log that the file can't be used, once in a process, however many journals it has there."""
        if self.path not in _warned:
            _warned.add(self.path)
            log.warning("the journal %s can't be used: %s", self.path, reason)

    def _make(self) -> None:
        if not self.path.exists():
            self.is_ready = False
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.path.touch(mode=0o600)

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Create the tables, or migrate those of an earlier version."""
        if self.is_ready:
            return
        (version,) = connection.execute("pragma user_version").fetchone()
        if version < _VERSION:
            for statement in _TABLES:
                connection.execute(statement)
            there = {column[1] for column in connection.execute("pragma table_info(runs)")}
            for column in _ADDED_COLUMNS:
                if column.split()[0] not in there:
                    connection.execute(f"alter table runs add column {column}")
            connection.execute(f"pragma user_version = {_VERSION}")
        self.is_ready = True


@dataclass(frozen=True)
class Found:
    """What a lookup of an earlier run of a request found.

    Attributes:
        entry: A run that had no owner, and now has this process; None if there is none.
        leases: Until when others of its runs have another owner, by row, on the clock of `time.time`.
    """

    entry: Entry | None = None
    leases: dict[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Keyed:
    """What a lookup of the run of a caller's own key found.

    Attributes:
        entry: The run. In the state ``claimed`` it is this process's to send.
        is_same: Whether it was claimed for this very request.
        has_owner: Whether another process is about to send it.
    """

    entry: Entry
    is_same: bool = True
    has_owner: bool = False


class Journal:
    """The journal of one user.

    Args:
        path: Its file; by default in the user's state folder.
        off: Whether it remembers nothing.
    """

    def __init__(self, path: Path | None = None, *, off: bool = False) -> None:
        self._file = _File(path or state_folder() / "journal.db", off)
        self._account = ""
        self._key = b""
        self._held: set[int] = set()

    @property
    def path(self) -> Path:
        """The file."""
        return self._file.path

    @property
    def off(self) -> bool:
        """Whether nothing is remembered."""
        return self._file.off

    def for_account(self, base: str, token: str) -> Journal:
        """Return the same journal, for the runs of one account."""
        journal = Journal(self.path)
        journal._file = self._file
        journal._key = f"{base} {token}".encode()
        journal._account = journal.digest(b"account")
        return journal

    def digest(self, body: bytes) -> str:
        """Return the digest that identifies a request."""
        return hmac.new(self._key, body, hashlib.sha256).hexdigest()[:32]

    def claim(self, digest: str) -> Found:
        """Find a run of this request that is neither fetched nor failed and has no owner, and become its owner.

        Where the response to its submit was never seen, its outcome is noted as unknown: that is reported once.
        """

        def work(connection: sqlite3.Connection) -> Found:
            now = time.time()
            rows = connection.execute(
                f"select {_COLUMNS}, owner, lease_until from runs"  # noqa: S608  # our own columns
                " where account = ? and digest = ? and state in (?, ?) and sent > ? order by row desc",
                (self._account, digest, SENDING, ACCEPTED, now - FETCHABLE.total_seconds()),
            ).fetchall()
            leases: dict[int, float] = {}
            for *columns, owner, until in rows:
                entry = self._entry(columns)
                if entry is None:
                    continue
                if has_live_owner(until, now):
                    if owner != _OWNER:
                        leases[entry.row] = until
                    continue
                if entry.request_id is None:
                    connection.execute("update runs set state = ? where row = ?", (UNKNOWN, entry.row))
                else:
                    self._take_lease(connection, entry.row, now)
                return Found(entry)
            return Found(leases=leases)

        return self._file.transaction(work, Found())

    def claim_key(self, key: str, digest: str, file: Path | None) -> Keyed | None:
        """Claim a caller's own key for a request, or find the run that was claimed under it within a day.

        A run whose process ended while it was sending it is noted as unknown.

        Args:
            key: The key.
            digest: What the request is known by.
            file: Where its picture is to go.

        Returns:
            What was found, or claimed; None where the journal can't be used.
        """
        name = self.digest(b"key " + key.encode("utf-8", "surrogatepass"))

        def work(connection: sqlite3.Connection) -> Keyed | None:
            now = time.time()
            found = connection.execute(
                f"select {_COLUMNS}, digest, owner, lease_until from runs"  # noqa: S608  # our own columns
                " where account = ? and caller_key = ? and sent > ? order by row desc limit 1",
                (self._account, name, now - FETCHABLE.total_seconds()),
            ).fetchone()
            if found is None:
                row = self._insert(connection, CLAIMED, digest, file, name)
                return Keyed(Entry(row, None, CLAIMED, datetime.fromtimestamp(now, timezone.utc), file))
            *columns, noted, _owner, until = found
            entry = self._entry(columns)
            if entry is None or noted != digest or entry.state not in {CLAIMED, SENDING}:
                return Keyed(entry, is_same=noted == digest) if entry else None
            if has_live_owner(until, now):
                return Keyed(entry, has_owner=True)
            if entry.state == CLAIMED:
                self._take_lease(connection, entry.row, now)
                return Keyed(entry)
            connection.execute("update runs set state = ? where row = ?", (UNKNOWN, entry.row))
            return Keyed(replace(entry, state=UNKNOWN))

        return self._file.transaction(work, None)

    def claim_run(self, request_id: str) -> Entry | None:
        """Return the run of an id, of which this process becomes the owner if it has none."""

        def work(connection: sqlite3.Connection) -> Entry | None:
            row = self._select(connection, request_id)
            if row is not None and (entry := self._entry(row)):
                now = time.time()
                (until,) = connection.execute("select lease_until from runs where row = ?", (entry.row,)).fetchone()
                if not has_live_owner(until, now):
                    self._take_lease(connection, entry.row, now)
                return entry
            return None

        return self._file.transaction(work, None)

    def sending(self, digest: str, file: Path | None, row: int | None = None) -> int | None:
        """Note a request before it goes out.

        Args:
            digest: What the request is known by.
            file: Where its picture is to go.
            row: The row of a request that was claimed by a key.

        Returns:
            Its row; None where it could not be noted.
        """

        def work(connection: sqlite3.Connection) -> int | None:
            if row is None:
                return self._insert(connection, SENDING, digest, file)
            changed = connection.execute("update runs set state = ? where row = ?", (SENDING, row)).rowcount
            return row if changed else None

        noted = self._file.transaction(work, None)
        if noted is not None:
            self._held.add(noted)
        return noted

    def not_sent(self, row: int | None) -> None:
        """Note that a claimed request certainly was not accepted, and may be sent another way."""
        if row is not None:
            self._do("update runs set state = ? where row = ?", (CLAIMED, row))

    def _insert(
        self, connection: sqlite3.Connection, state: str, digest: str, file: Path | None, key: str | None = None
    ) -> int:
        now = time.time()
        # A key holds for its day, however many runs come after it.
        connection.execute(
            "delete from runs where row <= (select max(row) from runs) - ? and (caller_key is null or sent <= ?)",
            (KEPT_RUNS, now - FETCHABLE.total_seconds()),
        )
        row = connection.execute(
            "insert into runs (account, digest, state, sent, file, owner, lease_until, caller_key)"
            " values (?, ?, ?, ?, ?, ?, ?, ?)",
            (self._account, digest, state, now, _text(file), _OWNER, now + LEASE_SECONDS, key),
        ).lastrowid
        self._held.add(row or 0)
        return row or 0

    def renew(self) -> None:
        """Renew the leases of the runs that were claimed or sent through this object."""
        self._set_leases(time.time() + LEASE_SECONDS)

    def release(self) -> None:
        """Give up the leases of the runs that were claimed or sent through this object."""
        self._set_leases(0)
        self._held.clear()

    def _set_leases(self, until: float) -> None:
        rows = [(until, _OWNER, row) for row in tuple(self._held)]
        if rows:
            sql = "update runs set lease_until = ? where owner = ? and row = ?"
            self._file.transaction(lambda connection: connection.executemany(sql, rows) and None, None)

    def accepted(self, row: int | None, request_id: str) -> None:
        """Note the id of a run."""
        if row is not None:
            self._do("update runs set state = ?, request_id = ? where row = ?", (ACCEPTED, request_id, row))

    def set_state(self, row: int | None, state: str | None, file: Path | None = None) -> None:
        """Note the outcome of a run, and give up the lease; without a state, only give up the lease."""
        if row is not None:
            self._held.discard(row)
            self._do(
                "update runs set state = coalesce(?, state), file = coalesce(?, file),"
                " lease_until = case when owner = ? then 0 else lease_until end where row = ?",
                (state, _text(file), _OWNER, row),
            )

    def forget(self, row: int | None) -> None:
        """Delete a request that certainly was not accepted."""
        if row is not None:
            self._held.discard(row)
            self._do("delete from runs where row = ?", (row,))

    def find(self, request_id: str) -> Entry | None:
        """Return the run of an id."""
        row = self._file.transaction(lambda connection: self._select(connection, request_id), None)
        return self._entry(row) if row is not None else None

    def entries(self) -> list[Entry]:
        """Return all runs of the account, the latest first."""
        rows = self._do(
            f"select {_COLUMNS} from runs where account = ? and state != ? order by row desc",  # noqa: S608  # our own columns
            (self._account, CLAIMED),
        )
        return [entry for row in rows if (entry := self._entry(row))]

    def durations(self, engine: str, size: str) -> Sequence[float]:
        """Return how long runs of a size took at an engine, the latest last."""
        rows = self._do(
            "select seconds from durations where engine = ? and size = ? order by row desc limit ?",
            (engine, size, KEPT_DURATIONS),
        )
        return [row[0] for row in reversed(rows) if isinstance(row[0], float | int) and 0 < row[0] <= DURATION_MAX]

    def learn(self, engine: str, size: str, seconds: float) -> None:
        """Keep how long a run took."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "insert into durations (engine, size, seconds) values (?, ?, ?)", (engine, size, seconds)
            )
            connection.execute(
                "delete from durations where engine = ? and size = ? and row not in"
                " (select row from durations where engine = ? and size = ? order by row desc limit ?)",
                (engine, size, engine, size, KEPT_DURATIONS),
            )

        self._file.transaction(work, None)

    def _take_lease(self, connection: sqlite3.Connection, row: int, now: float) -> None:
        self._held.add(row)
        values = (_OWNER, now + LEASE_SECONDS, row)
        connection.execute("update runs set owner = ?, lease_until = ? where row = ?", values)

    def _do(self, sql: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        return self._file.transaction(lambda connection: connection.execute(sql, values).fetchall(), [])

    def _select(self, connection: sqlite3.Connection, request_id: str) -> tuple[Any, ...] | None:
        sql = f"select {_COLUMNS} from runs where account = ? and request_id = ?"  # noqa: S608  # our own columns
        row: tuple[Any, ...] | None = connection.execute(sql, (self._account, request_id)).fetchone()
        return row

    def _entry(self, row: Iterable[Any]) -> Entry | None:
        """Return a row as a value; None where it is invalid, because others have written into the file."""
        number, request_id, state, sent, file = row
        try:
            if request_id is not None:
                check_request_id(request_id)
            if state not in _STATES or (file is not None and (not isinstance(file, str) or "\0" in file)):
                raise ValueError(state)
            if not 0 <= sent < _FAR_FUTURE:
                raise ValueError(sent)
            when = datetime.fromtimestamp(sent, timezone.utc)
        except (InvalidRequest, TypeError, ValueError, OverflowError, OSError):
            self._file.warn(f"row {number} makes no sense")
            return None
        return Entry(number, request_id, state, when, Path(file) if file else None)


def has_live_owner(until: object, now: float) -> bool:
    """Return whether a lease is valid.

    One more than twice LEASE_SECONDS ahead was written before the clock was set back, and counts as expired.
    """
    return isinstance(until, float | int) and now < until <= now + 2 * LEASE_SECONDS


def _text(file: Path | None) -> str | None:
    # A name that is no UTF-8 can't be kept as text.
    return str(file.absolute()).encode("utf-8", "replace").decode() if file else None


def state_folder() -> Path:
    """Return the folder for the client's state in the user's home."""
    home = Path.home()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_STATE_HOME") or home / ".local" / "state")
    return base / "wan_client"
