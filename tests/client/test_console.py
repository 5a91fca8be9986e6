"""Printing never changes what a run came to: whatever the streams are, the run is paid once and its code is its own."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .test_batch import lines, rows
from .test_cli import Shell

if TYPE_CHECKING:
    from .conftest import Serve

pytestmark = pytest.mark.slow

NAME = "그림 → 🖼.png"


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path)


def through(shell: Shell, redirection: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """The command through a shell, with its streams as the redirection says."""
    command = shlex.join([sys.executable, "-m", "wan_client", *arguments])
    return subprocess.run(
        ["bash", "-c", f"{command} {redirection}"], cwd=shell.folder, env=shell.env, capture_output=True, timeout=180,
        check=False,
    )  # fmt: skip


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp949", "utf-8"])
def test_a_name_that_the_terminal_cannot_print_is_replaced(serve: Serve, shell: Shell, encoding: str) -> None:
    sandbox = serve()
    shell.at(sandbox).env |= {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    done = through(shell, "", "sketch", "cat.png", "-o", NAME)
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False)
    assert done.stdout.decode(encoding).strip() == NAME.encode(encoding, "replace").decode(encoding)
    assert (shell.folder / NAME).exists()
    done = through(shell, "", "sketch", "cat.png", "-o", NAME, "--json", "--seed", "5")
    assert json.loads(done.stdout.decode("ascii"))["paths"] == [NAME]
    assert sandbox.counters.submits_accepted == 2


REDIRECTIONS = [
    ">&-",
    "2>&-",
    ">&- 2>&-",
    ">/dev/full",
    "2>/dev/full",
    ">/dev/full 2>/dev/full",
    "| true",
    "2>&1 | head -c 1",
]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("redirection", REDIRECTIONS)
def test_a_stream_that_is_closed_or_full_or_left_ends_nothing(serve: Serve, shell: Shell, redirection: str) -> None:
    sandbox = serve()
    done = through(shell.at(sandbox), f"{redirection}; exit ${{PIPESTATUS[0]}}", "sketch", "cat.png", "-o", "out.png")
    assert done.returncode == 0
    assert b"Traceback" not in done.stdout + done.stderr
    assert (shell.folder / "out.png").exists()
    assert sandbox.counters.submits_accepted == 1


def test_a_batch_goes_on_when_its_reader_has_gone(serve: Serve, shell: Shell) -> None:
    sandbox = serve()
    listed = lines(shell.folder, *rows(3))
    done = through(shell.at(sandbox), "| head -1; exit ${PIPESTATUS[0]}", "batch", listed, "-n", "1")
    assert (done.returncode, done.stdout) == (0, b"outputs/0.png\n")
    assert sandbox.counters.submits_accepted == 3
    assert through(shell, "", "batch", listed).returncode == 0
    assert sandbox.counters.submits_accepted == 3


@pytest.mark.skipif(sys.platform != "linux", reason="names that are no text")
def test_a_name_that_is_no_text_is_printed_as_it_is(serve: Serve, shell: Shell) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    done = through(shell.at(serve()), "", "sketch", "cat.png", "-o", name)
    assert (done.returncode, done.stdout) == (0, b"caf\xe9.png\n")
    assert (shell.folder / name).exists()


def test_help_reaches_a_closed_stream_without_a_word(shell: Shell) -> None:
    assert through(shell, ">&-", "--help").returncode == 0
    done = through(shell, "2>&-", "--no-such-option", "--json")
    assert (done.returncode, json.loads(done.stdout)["code"]) == (64, "usage")
