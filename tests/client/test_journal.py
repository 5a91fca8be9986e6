from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from wan_client import DeadlineExceeded, RunFailed, UnknownOutcome, WanClient
from wan_client.run import Queued, Running
from wan_client.state.journal import Journal, state_folder

from .support import TOKEN, an_edit, hurried, picture

if TYPE_CHECKING:
    from .conftest import Serve

BASE = "https://example.com"


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "state" / "journal.db").for_account(BASE, TOKEN)


def of_another_process(journal: Journal, digest: str, request_id: str | None) -> int:
    """A run that was sent by a process which is gone."""
    row = journal.sending(digest, None)
    if request_id:
        journal.accepted(row, request_id)
    journal.set_state(row, None)
    return row


def test_a_run_is_found_again_until_it_is_settled(journal: Journal) -> None:
    row = of_another_process(journal, "d1", "r1")
    orphan = journal.orphan("d1")
    assert orphan
    assert (orphan.request_id, orphan.state) == ("r1", "accepted")
    assert journal.orphan("d2") is None
    journal.set_state(row, "fetched", Path("a.png"))
    assert journal.orphan("d1") is None
    found = journal.find("r1")
    assert found
    assert found.file == Path("a.png").absolute()


def test_a_run_that_a_living_process_looks_after_is_left_to_it(journal: Journal) -> None:
    journal.accepted(journal.sending("d1", None), "r1")
    assert journal.orphan("d1") is None


def test_a_run_of_yesterday_is_not_picked_up(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    of_another_process(journal, "d1", "r1")
    monkeypatch.setattr("wan_client.state.journal.FETCHABLE", timedelta(0))
    assert journal.orphan("d1") is None


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


def test_a_process_of_the_same_number_but_an_earlier_start_is_gone(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in containers, where every process has number 1."""
    journal.accepted(journal.sending("d1", None), "r1")
    assert journal.orphan("d1") is None
    monkeypatch.setattr("wan_client.state.journal._STARTED", time.time() + 1)
    orphan = journal.orphan("d1")
    assert orphan
    assert orphan.request_id == "r1"
