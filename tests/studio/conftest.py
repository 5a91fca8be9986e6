"""What the page's tests share: Redis servers."""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests import programs
from tests.conftest import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def redis_server(port: int) -> Iterator[str]:
    """Debian's Redis, with nothing kept on disk."""
    command = [programs.redis_server(), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < deadline, "Redis did not start"
                time.sleep(0.02)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture(scope="module")
def redis() -> Iterator[str]:
    with redis_server(free_port()) as uri:
        yield uri
