"""Start the app as the fork of a process that has imported it, which costs a fifth of a start of its own.

A fork runs the program from its first line, with arguments, an environment and a log of its own. Only what the program
imports is there already.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import BinaryIO

ROOT = Path(__file__).parent.parent
PROGRAM = ROOT / "app.py"
MESSAGE_BYTES = 200_000
# Gradio reads this as it is imported; see `PageSettings.export_to_environment`.
READ_ON_IMPORT = {"GRADIO_ANALYTICS_CACHE_FREQUENCY": str(sys.maxsize)}


class Fork:
    """A process that was forked, with what tests need of `subprocess.Popen`."""

    def __init__(self, answers: socket.socket) -> None:
        self._answers = answers
        self.pid = int(answers.recv(MESSAGE_BYTES))
        self._returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit code if the process has ended."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the process to end; return its exit code, or what ended it as a negative number."""
        if self._returncode is None:
            if not select.select([self._answers], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(str(PROGRAM), timeout or 0)
            self._returncode = int(self._answers.recv(MESSAGE_BYTES))
            self._answers.close()
        return self._returncode

    def send_signal(self, number: int) -> None:
        """Send the process a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask the process to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process as a crash would."""
        self.send_signal(signal.SIGKILL)


class Template:
    """The process that is forked, until this one ends."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-m", "tests.forks", str(theirs.fileno())]
            environment = {**os.environ, **READ_ON_IMPORT}
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()]
            )
        atexit.register(self._end)

    def start(self, arguments: Sequence[str], environment: Mapping[str, str], log: BinaryIO) -> Fork:
        """Start the app in the project's folder, with a log for what it prints."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        asked = json.dumps({"arguments": list(arguments), "environment": dict(environment)})
        with theirs:
            socket.send_fds(self._channel, [asked.encode()], [log.fileno(), theirs.fileno()])
        return Fork(ours)

    def _end(self) -> None:
        self._channel.close()
        self._process.wait()


@cache
def template() -> Template:
    """Return the one that this process forks."""
    return Template()


def _serve(channel: socket.socket) -> None:
    """Fork for each message, until there is nobody left to send one."""
    from studio import gradio_import  # only the process that is forked imports the app

    gradio_import.skip_tools()
    importlib.import_module("studio.server")
    importlib.import_module("wan_sandbox")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    # What is imported is looked through by no fork's garbage collection, which would copy it.
    gc.collect()
    gc.freeze()
    while True:
        message, descriptors, *_ = socket.recv_fds(channel, MESSAGE_BYTES, 2)
        if not message:
            return
        if not os.fork():
            channel.close()
            _attend(json.loads(message), *descriptors)
            return
        for descriptor in descriptors:
            os.close(descriptor)


def _attend(asked: dict[str, Any], log: int, answers: int) -> None:
    """Fork once more, for the program itself, and say what its id is and what it ends with."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with socket.socket(fileno=answers) as said:
        if pid := os.fork():
            said.send(str(pid).encode())
            said.send(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())
            os._exit(0)
    _run(asked, log)


def _run(asked: dict[str, Any], log: int) -> None:
    """Run the program as if it had been started."""
    # nohup ignores the first, and a shell's background the second; children inherit that.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.close(log)
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = [str(PROGRAM), *asked["arguments"]]
    sys.path[0] = str(ROOT)
    runpy.run_path(str(PROGRAM), run_name="__main__")


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
