"""A key of the caller's own: the same request under it is one run, and is paid once."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from wan_client import (
    Backend,
    Charged,
    InvalidRequest,
    Journal,
    Refused,
    Run,
    RunFailed,
    Settings,
    SettingsError,
    UnknownOutcome,
    WanClient,
)
from wan_client.cli.main import GOES_ON, main
from wan_client.messages import MESSAGES
from wan_client.state import journal as journal_module

from .support import TOKEN, an_edit, hurried, picture

if TYPE_CHECKING:
    from .conftest import Serve

KEY = "order-42"


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "state" / "journal.db")


async def ran(url: str, folder: Path, journal: Journal, key: str | None = KEY, **changes: Any) -> Run:
    async with hurried(url, folder, journal=journal) as client:
        run = client.run(an_edit(**changes), key=key)
        await run
        return run


async def test_one_key_is_one_run_in_one_process_and_in_the_next(
    serve: Serve, tmp_path: Path, journal: Journal
) -> None:
    sandbox = serve(run_time=(0.5, 0.5))
    async with hurried(sandbox.url, tmp_path, journal=journal) as client:
        runs = [client.run(an_edit(), key=KEY) for _ in range(3)]
        await asyncio.gather(*runs)
    runs.append(await ran(sandbox.url, tmp_path, Journal(journal.path)))
    assert len({run.request_id for run in runs}) == 1
    assert sorted(run.reused for run in runs) == [False, True, True, True]
    assert sandbox.counters.submits_received == 1


async def test_a_key_is_its_accounts_own_and_without_one_each_call_is_a_run(
    serve: Serve, tmp_path: Path, journal: Journal
) -> None:
    sandbox = serve()
    for key in (KEY, "another", None, None):
        assert not (await ran(sandbox.url, tmp_path, journal, key)).reused
    async with hurried(sandbox.url, tmp_path, journal=journal, token="another-account") as client:
        run = client.run(an_edit(), key=KEY)
        await run
        assert not run.reused
    assert sandbox.counters.submits_accepted == 5


@pytest.mark.parametrize("change", [{"prompt": "mirror it"}, {"seed": 1}, {"prompt_extend": False}])
async def test_another_request_under_the_same_key_is_refused(
    serve: Serve, tmp_path: Path, journal: Journal, change: dict[str, Any]
) -> None:
    sandbox = serve()
    await ran(sandbox.url, tmp_path, journal)
    with pytest.raises(InvalidRequest) as refused:
        await ran(sandbox.url, tmp_path, journal, **change)
    assert (refused.value.code, refused.value.charged) == ("key_used", Charged.NO)
    assert sandbox.counters.submits_received == 1


async def test_an_unknown_outcome_stays_unknown_and_is_not_sent_again(
    serve: Serve, tmp_path: Path, journal: Journal
) -> None:
    sandbox = serve("accepted-reset*1")
    for _ in range(3):
        with pytest.raises(UnknownOutcome):
            await ran(sandbox.url, tmp_path, Journal(journal.path))
    assert sandbox.counters.submits_received == 1


async def test_a_process_that_was_killed_while_it_sent_leaves_an_unknown_outcome(
    serve: Serve, tmp_path: Path, journal: Journal
) -> None:
    sandbox = serve()
    await ran(sandbox.url, tmp_path, journal)
    with closing(sqlite3.connect(journal.path)) as connection, connection:
        connection.execute("update runs set state = 'sending', request_id = null, owner = 'killed', lease_until = 0")
    with pytest.raises(UnknownOutcome):
        await ran(sandbox.url, tmp_path, journal)
    assert sandbox.counters.submits_received == 1


async def test_a_process_that_was_killed_before_it_sent_leaves_the_key_to_the_next(
    serve: Serve, tmp_path: Path, journal: Journal
) -> None:
    sandbox = serve()
    await ran(sandbox.url, tmp_path, journal)
    with closing(sqlite3.connect(journal.path)) as connection, connection:
        connection.execute("update runs set state = 'claimed', request_id = null, owner = 'killed', lease_until = 0")
    assert journal.for_account(sandbox.url, TOKEN).entries() == []
    assert not (await ran(sandbox.url, tmp_path, journal)).reused
    assert sandbox.counters.submits_received == 2


async def test_a_refusal_frees_the_key(serve: Serve, tmp_path: Path, journal: Journal) -> None:
    sandbox = serve("submit-402*1")
    with pytest.raises(Refused):
        await ran(sandbox.url, tmp_path, journal)
    assert not (await ran(sandbox.url, tmp_path, journal)).reused
    assert sandbox.counters.submits_accepted == 1


async def test_a_request_that_was_never_sent_frees_the_key(serve: Serve, tmp_path: Path, journal: Journal) -> None:
    sandbox = serve()
    async with hurried(sandbox.url, tmp_path, journal=journal) as client:
        run = client.run(an_edit(), key=KEY)
        async for _ in run:
            break
        await run._events.aclose()  # type: ignore[union-attr]
    assert not (await ran(sandbox.url, tmp_path, journal)).reused
    assert sandbox.counters.submits_accepted == 1


async def test_a_run_that_failed_is_not_paid_again_under_its_key(
    serve: Serve, tmp_path: Path, journal: Journal
) -> None:
    sandbox = serve("failed-text*1")
    for _ in range(2):
        with pytest.raises(RunFailed):
            await ran(sandbox.url, tmp_path, journal)
    assert sandbox.counters.submits_received == 1


async def test_a_key_outlives_many_runs_of_its_day(
    serve: Serve, tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "KEPT_RUNS", 2)
    sandbox = serve()
    await ran(sandbox.url, tmp_path, journal)
    for seed in range(4):
        await ran(sandbox.url, tmp_path, journal, None, seed=seed + 1)
    assert (await ran(sandbox.url, tmp_path, journal)).reused


async def test_what_can_not_be_kept_is_not_sent(serve: Serve, tmp_path: Path) -> None:
    sandbox = serve()
    for journal, key, code in (
        (Journal(off=True), KEY, "key_not_kept"),
        (Journal(Path("/dev/null/journal.db")), KEY, "key_not_kept"),
        (Journal(tmp_path / "journal.db"), "", "key_empty"),
    ):
        with pytest.raises((SettingsError, InvalidRequest)) as refused:
            await ran(sandbox.url, tmp_path, journal, key)
        assert refused.value.code == code
    assert sandbox.counters.submits_received == 0


def test_a_local_preview_takes_a_key_and_keeps_none(serve: Serve, tmp_path: Path) -> None:
    with WanClient(Settings(Backend.SANDBOX, serve().url), folder=tmp_path) as client:
        for _ in range(2):
            client.edit("sketch", picture(), key=KEY)
            assert client.last_run
            assert not client.last_run.reused


@pytest.fixture
def shell(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hurry: None) -> Any:
    sandbox = serve("accepted-reset*1@1")
    monkeypatch.chdir(tmp_path)
    for name, value in {"RUNCOMFY_API_TOKEN": TOKEN, "RUNCOMFY_API_BASE": sandbox.url}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "cat.png").write_bytes(picture())
    return sandbox


def test_the_command_says_that_the_run_is_an_earlier_one(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sketch", "cat.png", "--key", KEY, "--json"]) == 0
    assert '"reused": false' in capsys.readouterr().out
    assert main(["sketch", "cat.png", "--key", KEY, "--json"]) == 0
    assert '"reused": true' in capsys.readouterr().out
    assert main(["sketch", "cat.png", "--key", KEY]) == 0
    assert MESSAGES["cli.reused"] in capsys.readouterr().err
    assert main(["mirror it", "cat.png", "--key", KEY]) == 65
    for _ in range(2):
        assert main(["sketch", "cat.png", "--key", "another"]) == GOES_ON
    assert shell.counters.submits_received == 2
