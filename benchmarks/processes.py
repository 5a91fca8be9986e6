"""Servers in processes of their own, and what they take of the machine (on Linux)."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).parent.parent
START_SECONDS = 60.0
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


class Server:
    """A server that is up.

    Attributes:
        url: Its address.
        seconds: From its start to its first answer.
        cpu_to_start: The processor's time for that, in seconds.
    """

    def __init__(self, process: subprocess.Popen[bytes], url: str) -> None:
        self.url = url
        self._process = process
        begun = time.monotonic()
        _wait_until_up(process, url)
        self.seconds = time.monotonic() - begun
        self.cpu_to_start = self.cpu

    @property
    def cpu(self) -> float:
        """The CPU time that it has used, in seconds."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    @property
    def memory(self) -> float:
        """Its resident memory, in MB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text("ascii")
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@contextmanager
def running(command: Sequence[str], port: int, environment: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Run a Python program that serves on a port of this machine."""
    env = {**os.environ, **(environment or {})}
    command = [sys.executable, *command]
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield Server(process, f"http://127.0.0.1:{port}")
        finally:
            process.terminate()


@contextmanager
def page(folder: str, api: str, environment: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Run the app as a user starts it.

    Args:
        folder: Where its files go.
        api: The sandbox's address.
        environment: More settings.
    """
    port = free_port()
    settings = {
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_TEMP_DIR": f"{folder}/files",
        "XDG_STATE_HOME": f"{folder}/state",
        "RUNCOMFY_API_BASE": api,
        "WAN_BACKEND": "sandbox",
        "WAN_LOG": "text",
        **(environment or {}),
    }
    with running(["app.py"], port, settings) as server:
        yield server


@contextmanager
def sandbox(*options: str) -> Iterator[Server]:
    """Run a sandbox."""
    port = free_port()
    with running(["-m", "wan_sandbox", "--blank", "--port", str(port), *options], port) as server:
        yield server


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_up(process: subprocess.Popen[bytes], url: str) -> None:
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            httpx.get(url, timeout=30, trust_env=False)
        except httpx.TransportError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"no answer from {url}")
