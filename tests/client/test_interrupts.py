"""Ctrl-C: whenever it comes, what is printed last is true, and with ``--json`` it is one object."""

from __future__ import annotations

import json
import os
import signal
import ssl
import time
from threading import Event, Timer
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.support import until
from wan_client import Finished, Journal, Uploading
from wan_client.cli.console import Console
from wan_client.threads import Work

from .test_batch import lines, noted_whole, rows
from .test_cli import Shell

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wan_client import Event as RunEvent

    from .conftest import Serve

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="signals")]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hurry: None) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path)


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture
def press_and_wait(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Press Ctrl-C, in another thread than the main one, and wait until the client's work is to be cancelled next."""
    cancelled, cancel = Event(), Work.cancel

    def noted(work: Work[Any]) -> None:
        cancel(work)
        cancelled.set()

    def press_and_wait() -> None:
        press()
        assert cancelled.wait(60)

    monkeypatch.setattr(Work, "cancel", noted)
    return press_and_wait


def press_at(kind: type[RunEvent], monkeypatch: pytest.MonkeyPatch) -> None:
    """Press Ctrl-C as an event of a kind is shown."""
    show: Callable[[Console, RunEvent], None] = Console.show

    def shown(console: Console, event: RunEvent) -> None:
        show(console, event)
        if isinstance(event, kind):
            press()

    monkeypatch.setattr(Console, "show", shown)


def test_as_the_run_ends_the_picture_is_told(serve: Serve, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = serve()
    press_at(Finished, monkeypatch)
    code, told = shell.at(sandbox).json("sketch", "cat.png", "-o", "out.png")
    assert (code, told["paths"]) == (0, ["out.png"])
    assert sandbox.counters.submits_accepted == 1


def test_as_the_request_goes_out_it_is_told_whether_it_was_accepted(
    serve: Serve, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = serve("never-starts")
    press_at(Uploading, monkeypatch)
    code, told = shell.at(sandbox).json("sketch", "cat.png")
    assert (code, told["outcome"], told["charged"]) == (130, "cancelled", "no")
    assert sandbox.counters.submits_accepted == sandbox.counters.jobs_cancelled


@pytest.mark.parametrize("paid", [False, True])
def test_during_the_look_up_in_the_journal(
    serve: Serve,
    shell: Shell,
    monkeypatch: pytest.MonkeyPatch,
    press_and_wait: Callable[[], None],
    paid: bool,
) -> None:
    """A run that is found just then is the one that is cancelled."""
    sandbox = serve("never-starts")
    if paid:
        with shell.at(sandbox).start("sketch", "cat.png") as process:
            until(lambda: [run["state"] for run in shell.json("runs")[1]["runs"]] == ["accepted"])
            process.kill()
        request_id = shell.json("runs")[1]["runs"][0]["request_id"]
    claim = Journal.claim

    def slow(journal: Journal, digest: str) -> Any:
        press_and_wait()
        return claim(journal, digest)

    # The look-up that finds it is the one that is interrupted.
    monkeypatch.setattr("wan_client.state.journal.has_live_owner", lambda until, now: False)
    monkeypatch.setattr(Journal, "claim", slow)
    code, told = shell.at(sandbox).json("sketch", "cat.png")
    assert (code, told["outcome"], told["charged"]) == (130, "cancelled", "no")
    assert told["request_id"] == (request_id if paid else None)
    assert (sandbox.counters.submits_accepted, sandbox.counters.jobs_cancelled) == (int(paid), int(paid))


def test_while_the_program_is_loaded_it_ends_without_a_word(shell: Shell) -> None:
    (shell.folder / "slow").mkdir()
    (shell.folder / "slow" / "httpx.py").write_text("open('loading', 'w').close(); import time; time.sleep(300)")
    shell.env["PYTHONPATH"] = f"{shell.folder / 'slow'}{os.pathsep}{shell.env['PYTHONPATH']}"
    with shell.start("sketch", "cat.png") as process:
        until((shell.folder / "loading").exists)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert (process.returncode, out, err) == (-signal.SIGINT, "", "")


def test_while_the_client_opens(
    serve: Serve, shell: Shell, monkeypatch: pytest.MonkeyPatch, press_and_wait: Callable[[], None]
) -> None:
    sandbox, make = serve(), ssl.create_default_context

    def slow() -> ssl.SSLContext:
        press_and_wait()
        return make()

    monkeypatch.setattr("wan_client.client.ssl.create_default_context", slow)
    code, told = shell.at(sandbox).json("sketch", "cat.png")
    assert (code, told["outcome"], told["charged"], told["request_id"]) == (130, "cancelled", "no", None)
    assert sandbox.counters.submits_received == 0


def test_twice_in_a_batch_what_is_on_its_way_is_still_counted(serve: Serve, shell: Shell) -> None:
    sandbox = serve("never-ends", "cancel-slow", speed=3, workers=4, warm_up=0)
    listed = lines(shell.folder, *rows(4))
    with shell.at(sandbox).start("batch", listed, "-n", "2", "--json") as process:
        until(lambda: noted_whole(shell.folder).count("accepted") == 2)
        for _ in range(3):
            process.send_signal(signal.SIGINT)
            time.sleep(0.1)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in err
    told = json.loads(out)
    assert (told["accepted"], told["not_sent"], told["interrupted"]) == (2, 2, True)
    assert sandbox.counters.submits_accepted == 2


def test_at_random_moments_what_is_printed_last_is_true(serve: Serve, shell: Shell) -> None:
    """Each moment by its share of the time that a run takes; truth by what the server accepted."""
    for share in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        sandbox = serve(run_time=(0.4, 0.4), speed=1, warm_up=0)
        pressing = Timer(share * 0.8, press)
        try:
            pressing.start()
            code, told = shell.at(sandbox).json("sketch", "cat.png", "-o", f"{share}.png")
            pressing.join()
        except KeyboardInterrupt:
            # Pressed when the command had ended already.
            continue
        counters = sandbox.counters
        paid = counters.submits_accepted - counters.jobs_cancelled
        if code == 0:
            assert (paid, (shell.folder / f"{share}.png").exists()) == (1, True)
        else:
            assert code == 130
            assert told["charged"] in ({"no"} if not paid else {"unknown", "yes"})
