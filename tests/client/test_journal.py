from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from wan_client import DeadlineExceeded, RunFailed, UnknownOutcome, WanClient
from wan_client.events import Queued, Running
from wan_client.state.journal import BUSY_SECONDS, LEASE_SECONDS, Journal, state_folder

from .support import TOKEN, an_edit, hurried, picture

if TYPE_CHECKING:
    from .conftest import Serve

BASE = "https://example.com"


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "state" / "journal.db").for_account(BASE, TOKEN)


def note(journal: Journal, digest: str, request_id: str | None) -> int:
    """A run that this process looks after."""
    row = journal.sending(digest, None)
    assert row
    if request_id:
        journal.accepted(row, request_id)
    return row


def of_another_process(journal: Journal, digest: str, request_id: str | None) -> int:
    """A run that was sent by a process which gave it up."""
    row = note(journal, digest, request_id)
    journal.set_state(row, None)
    return row


def claimed(journal: Journal, digest: str = "d1") -> str | None:
    entry = journal.claim(digest).entry
    return entry.request_id if entry else None


def test_a_run_is_found_again_until_it_is_over(journal: Journal) -> None:
    row = of_another_process(journal, "d1", "r1")
    entry = journal.claim("d1").entry
    assert entry
    assert (entry.row, entry.request_id, entry.state) == (row, "r1", "accepted")
    assert claimed(journal, "d2") is None
    journal.set_state(row, "fetched", Path("a.png"))
    assert claimed(journal) is None
    found = journal.find("r1")
    assert found
    assert found.file == Path("a.png").absolute()


def test_one_run_has_one_new_owner_and_the_next_gets_the_next(journal: Journal) -> None:
    for request_id in ("r1", "r2"):
        of_another_process(journal, "d1", request_id)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: claimed(journal), range(8)))
    assert sorted(request_id for request_id in found if request_id) == ["r1", "r2"]


def test_a_lease_is_another_s_until_it_runs_out(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    row = note(journal, "d1", "r1")
    assert claimed(journal) is None
    monkeypatch.setattr("wan_client.state.journal._OWNER", "another process")
    assert list(journal.claim("d1").leases) == [row]
    now = time.time()
    monkeypatch.setattr("wan_client.state.journal.time.time", lambda: now + LEASE_SECONDS + 1)
    assert claimed(journal) == "r1"


def test_a_lease_is_renewed_and_a_clock_set_back_does_not_make_it_longer(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    note(journal, "d1", "r1")
    now = time.time()
    clock = SimpleNamespace(time=lambda: now + LEASE_SECONDS - 1, monotonic=time.monotonic)
    monkeypatch.setattr("wan_client.state.journal.time", clock)
    journal.renew()
    clock.time = lambda: now + LEASE_SECONDS + 1
    assert claimed(journal) is None
    clock.time = lambda: now - 3600
    assert claimed(journal) == "r1"


def test_a_run_without_an_id_is_given_out_once_as_unknown(journal: Journal) -> None:
    of_another_process(journal, "d1", None)
    entry = journal.claim("d1").entry
    assert entry
    assert entry.request_id is None
    assert journal.claim("d1").entry is None
    assert [entry.state for entry in journal.entries()] == ["unknown"]


def test_a_run_of_yesterday_is_not_picked_up(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    of_another_process(journal, "d1", "r1")
    monkeypatch.setattr("wan_client.state.journal.FETCHABLE", timedelta(0))
    assert claimed(journal) is None


BEFORE = """
create table runs (
    row integer primary key, account text, digest text, request_id text,
    state text, sent real, file text, process integer
);
create table durations (row integer primary key, engine text, size text, seconds real);
"""


def test_the_file_of_the_version_before_is_read_and_written_on(journal: Journal) -> None:
    journal.path.parent.mkdir()
    account, now = journal.digest(b"account"), time.time()
    with closing(sqlite3.connect(journal.path)) as connection, connection:
        connection.executescript(BEFORE)
        connection.executemany(
            "insert into runs (account, digest, request_id, state, sent, file, process) values (?, ?, ?, ?, ?, ?, ?)",
            [
                (account, "d1", "r1", "accepted", now - 60, "/tmp/a.png", os.getpid()),
                (account, "d2", None, "sending", now - 60, None, 1),
                (account, "d3", "r3", "fetched", now - 90, "/tmp/c.png", 0),
            ],
        )
        connection.execute("insert into durations (engine, size, seconds) values ('runcomfy', '1:1', 80.5)")
    assert [(entry.request_id, entry.state) for entry in journal.entries()] == [
        ("r3", "fetched"), (None, "sending"), ("r1", "accepted"),
    ]  # fmt: skip
    assert journal.durations("runcomfy", "1:1") == [80.5]
    # A process number says nothing any more: it may be another process's by now.
    assert claimed(journal) == "r1"
    assert claimed(journal) is None
    note(journal, "d4", "r4")
    assert journal.find("r4")


NONSENSE = [
    ("request_id", "../../x"), ("request_id", b"\xff"), ("state", "lost"), ("state", 5), ("sent", "yesterday"),
    ("sent", 1e300), ("sent", float("inf")), ("sent", None), ("file", b"\xff"), ("file", "a\0b"),
    ("lease_until", "for ever"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "value"), NONSENSE)
async def test_a_tampered_row_costs_a_warning_and_never_a_run(
    serve: Serve, tmp_path: Path, column: str, value: object, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox, journal = serve(), Journal(tmp_path / "journal.db")
    async with hurried(sandbox.url, tmp_path, journal=journal) as client:
        await client.run(an_edit())
        with closing(sqlite3.connect(journal.path)) as connection, connection:
            connection.execute("update runs set state = 'accepted'")
            connection.execute(f"update runs set {column} = ?", (value,))
        assert (await client.run(an_edit())).path.exists()
        journal.for_account(sandbox.url, TOKEN).entries()
    assert len(caplog.records) <= 1


def test_a_broken_file_costs_one_warning_for_all_journals_of_a_process(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = tmp_path / "journal.db"
    broken.write_bytes(b"no database" * 500)
    for journal in (Journal(broken), Journal(broken)):
        assert journal.durations("runcomfy", "1:1") == []
        assert journal.for_account("https://a.test", TOKEN).entries() == []
    assert len(caplog.records) == 1


@pytest.mark.parametrize("seconds", [-1, 0, "long", None, float("inf"), 1e300, b"1"])
async def test_a_duration_that_is_none_is_passed_over(serve: Serve, tmp_path: Path, seconds: object) -> None:
    journal = Journal(tmp_path / "journal.db")
    for known in (30.0, 40.0, 50.0):
        journal.learn("runcomfy", "1:1", known)
    with closing(sqlite3.connect(journal.path)) as connection, connection:
        connection.execute("insert into durations (engine, size, seconds) values ('runcomfy', '1:1', ?)", (seconds,))
    assert journal.durations("runcomfy", "1:1") == [30.0, 40.0, 50.0]


def test_a_locked_file_is_waited_for_once_and_not_at_each_access(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    patience: list[float] = []
    connect = sqlite3.connect

    def counted(path: Path, *, timeout: float, **options: Any) -> sqlite3.Connection:
        patience.append(timeout)
        connection: sqlite3.Connection = connect(path, timeout=timeout / 100, **options)
        return connection

    note(journal, "d1", "r1")
    with closing(connect(journal.path, isolation_level=None)) as other:
        other.execute("begin exclusive")
        monkeypatch.setattr("wan_client.state.journal.sqlite3.connect", counted)
        for _ in range(5):
            assert journal.entries() == []
    assert patience == [BUSY_SECONDS, 0, 0, 0, 0]
    assert len(caplog.records) == 1
    # Free again, it is used again.
    assert len(journal.entries()) == 1


def test_accounts_and_addresses_are_kept_apart(journal: Journal) -> None:
    of_another_process(journal, journal.digest(b"body"), "r1")
    for other in (journal.for_account(BASE, "another"), journal.for_account("https://other.example", TOKEN)):
        assert other.digest(b"body") != journal.digest(b"body")
        assert other.entries() == []
        assert other.find("r1") is None


@pytest.mark.skipif(sys.platform == "win32", reason="modes")
def test_the_file_is_its_owners_alone_and_tells_nothing(serve: Serve, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "state" / "journal.db")
    old = os.umask(0)
    try:
        with WanClient(folder=tmp_path, settings=hurried(serve().url, tmp_path).settings, journal=journal) as client:
            client.edit("a secret instruction", picture())
    finally:
        os.umask(old)
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(journal.path.parent.stat().st_mode) == 0o700
    data = journal.path.read_bytes()
    assert b"secret instruction" not in data
    assert TOKEN.encode() not in data


def test_a_journal_that_cannot_be_used_never_fails_a_run(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "broken.db").write_bytes(b"no database" * 1000)
    settings = hurried(serve().url, tmp_path).settings
    for path in (tmp_path / "file" / "journal.db", tmp_path / "broken.db"):
        with WanClient(settings, folder=tmp_path, journal=Journal(path)) as client:
            assert client.edit("sketch", picture()).path.exists()


@pytest.mark.slow
def test_several_processes_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    code = (
        "import sys; from pathlib import Path; from wan_client.state.journal import Journal\n"
        f"j = Journal(Path({str(path)!r})).for_account('b', 't')\n"
        "for n in range(20): j.accepted(j.sending('d', None), f'{sys.argv[1]}-{n}')"
    )
    root = Path(__file__).parents[2]
    several = [subprocess.Popen([sys.executable, "-c", code, str(n)], cwd=root) for n in range(3)]
    assert [process.wait(60) for process in several] == [0, 0, 0]
    assert len({entry.request_id for entry in Journal(path).for_account("b", "t").entries()}) == 60


def test_durations_are_kept_apart_by_engine_and_size(journal: Journal) -> None:
    for seconds in range(60):
        journal.learn("runcomfy", "1:1", float(seconds))
    journal.learn("sandbox", "1:1", 3.0)
    assert journal.durations("runcomfy", "1:1") == [float(seconds) for seconds in range(10, 60)]
    assert journal.durations("runcomfy", "16:9") == []


def test_the_state_folder_is_the_systems(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if sys.platform == "linux":
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
        assert state_folder() == tmp_path / "wan_client"


@pytest.mark.slow
async def test_the_same_request_after_a_deadline_fetches_what_was_paid(serve: Serve, tmp_path: Path) -> None:
    sandbox = serve(run_time=(1.2, 1.2), speed=1, warm_up=0)
    journal = Journal(tmp_path / "journal.db")
    async with hurried(sandbox.url, tmp_path, journal=journal, deadline=1.0) as client:
        with pytest.raises(DeadlineExceeded):
            await client.run(an_edit())
    async with hurried(sandbox.url, tmp_path, journal=journal) as client:
        run = client.run(an_edit())
        await run
        assert run.recovered
        other = client.run(an_edit(seed=5))
        await other
        assert not other.recovered
    assert sandbox.counters.submits_accepted == 2


async def test_a_run_that_failed_is_paid_again(serve: Serve, tmp_path: Path) -> None:
    sandbox = serve("failed-text*1")
    async with hurried(sandbox.url, tmp_path, journal=Journal(tmp_path / "journal.db")) as client:
        with pytest.raises(RunFailed):
            await client.run(an_edit())
        assert (await client.run(an_edit())).path.exists()
    assert sandbox.counters.submits_accepted == 2


async def test_an_unknown_outcome_was_told_and_is_not_told_twice(serve: Serve, tmp_path: Path) -> None:
    sandbox = serve("submit-html-502*1")
    async with hurried(sandbox.url, tmp_path, journal=Journal(tmp_path / "journal.db")) as client:
        with pytest.raises(UnknownOutcome):
            await client.run(an_edit())
        assert (await client.run(an_edit())).path.exists()
    assert sandbox.counters.submits_accepted == 1


async def test_a_run_cancelled_while_queued_is_over_and_one_that_runs_is_not(serve: Serve, tmp_path: Path) -> None:
    for fault, event_kind, state in (("never-starts", Queued, "cancelled"), ("never-ends", Running, "accepted")):
        sandbox = serve(fault)
        journal = Journal(tmp_path / f"{fault}.db")
        async with hurried(sandbox.url, tmp_path, journal=journal) as client:
            run = client.run(an_edit())
            async for event in run:
                if isinstance(event, event_kind):
                    await run.cancel()
                    break
        assert [entry.state for entry in journal.for_account(sandbox.url, TOKEN).entries()] == [state]


@pytest.mark.slow
async def test_two_identical_requests_after_a_crash_adopt_one_run_once(serve: Serve, tmp_path: Path) -> None:
    """One of them fetches what was paid, the other is paid: two requests, two pictures, two runs."""
    sandbox = serve(run_time=(20, 20), workers=4)
    journal = Journal(tmp_path / "journal.db")
    async with hurried(sandbox.url, tmp_path, journal=journal) as client:
        async for event in client.run(an_edit()):
            if isinstance(event, Queued):
                break
    assert sandbox.counters.submits_accepted == 1
    async with hurried(sandbox.url, tmp_path, journal=journal) as client:
        runs = [client.run(an_edit()) for _ in range(2)]
        results = await asyncio.gather(*runs)
    assert sorted(run.recovered for run in runs) == [False, True]
    assert len({result.request_id for result in results}) == 2
    assert sandbox.counters.submits_accepted == 2


@pytest.mark.slow
async def test_a_lease_that_a_killed_process_left_is_waited_for(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wan_client.state.journal.LEASE_SECONDS", 0.8)
    sandbox, journal = serve(), Journal(tmp_path / "journal.db")
    async with hurried(sandbox.url, tmp_path, journal=journal) as client:
        await client.run(an_edit())
        # As a process leaves it that is killed while it waits: with a lease, and nobody to renew it.
        monkeypatch.setattr("wan_client.state.journal._OWNER", "killed")
        lease = f"update runs set state = 'accepted', owner = 'killed', lease_until = {time.time() + 0.8}"
        with closing(sqlite3.connect(journal.path)) as connection, connection:
            connection.execute(lease)
        monkeypatch.setattr("wan_client.state.journal._OWNER", "the next")
        run = client.run(an_edit())
        await run
    assert run.recovered
    assert sandbox.counters.submits_accepted == 1


@pytest.mark.slow
async def test_a_run_that_another_process_renews_is_left_to_it(serve: Serve, tmp_path: Path) -> None:
    sandbox, journal = serve(run_time=(10, 10)), Journal(tmp_path / "journal.db")
    code = (
        "import asyncio, sys; from pathlib import Path; sys.path.insert(0, 'tests')\n"
        "from tests.client.support import an_edit, hurried; from wan_client import Journal, Submitted\n"
        "async def main():\n"
        f"    journal = Journal(Path({str(journal.path)!r}))\n"
        f"    async with hurried({sandbox.url!r}, Path({str(tmp_path)!r}), journal=journal) as c:\n"
        "        async for event in c.run(an_edit()):\n"
        "            if isinstance(event, Submitted):\n"
        "                print(flush=True)\n"
        "                await asyncio.sleep(60)\n"
        "asyncio.run(main())"
    )
    root = Path(__file__).parents[2]
    other = await asyncio.create_subprocess_exec(sys.executable, "-c", code, cwd=root, stdout=asyncio.subprocess.PIPE)
    assert other.stdout
    await other.stdout.readline()
    async with hurried(sandbox.url, tmp_path, journal=journal) as client:
        run = client.run(an_edit())
        await run
    other.kill()
    await other.wait()
    assert not run.recovered
    assert sandbox.counters.submits_accepted == 2
