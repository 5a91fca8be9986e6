"""The door: how the demo starts, and how it refuses to."""

from __future__ import annotations

import ctypes
import json
import os
import platform
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.conftest import made_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import App

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"WAN_BACKEND": "runcomfy"}, "there is no token"),
        ({"WAN_BACKEND": "somewhere"}, "which is no engine"),
        ({"RUNCOMFY_API_TOKEN": "two words"}, "can't be a token"),
        ({"RUNCOMFY_API_BASE": "http://example.com"}, "can't be used"),
        ({"WAN_DEADLINE": "soon"}, "out of range"),
        ({"WAN_TRUSTED_PROXIES": "*"}, "no list of networks"),
        ({"ALL_PROXY": "socks5://127.0.0.1:9"}, "ALL_PROXY"),
        ({"SSL_CERT_FILE": "nowhere.pem"}, "SSL_CERT_FILE"),
        ({"NO_PROXY": "[::1]"}, "NO_PROXY"),
        ({"GRADIO_SERVER_PORT": "abc"}, "GRADIO_SERVER_PORT"),
        ({"WAN_LOG": "jsno"}, "WAN_LOG"),
    ],
)
def test_a_bad_setting_is_told_in_a_sentence(tmp_path: Path, environment: dict[str, str], sentence: str) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("RUNCOMFY", "WAN_"))}
    ran = subprocess.run(
        [sys.executable, str(ROOT / "app.py")],
        cwd=tmp_path,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert ran.returncode == 64
    assert sentence in ran.stderr
    assert "Traceback" not in ran.stderr
    assert "two words" not in ran.stderr


@pytest.fixture
def taken_port() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield str(listener.getsockname()[1])


def test_a_taken_port_is_told_in_a_sentence(taken_port: str) -> None:
    with made_app(WAN_BACKEND="sandbox", GRADIO_SERVER_PORT=taken_port) as app:
        app.launch()
        assert app.wait() == 69
        assert f"Port {taken_port} is taken" in app.log
        assert "Traceback" not in app.log


def test_a_taken_port_for_metrics_names_its_own_variable_and_every_line_is_json(taken_port: str) -> None:
    with made_app(WAN_BACKEND="sandbox", WAN_METRICS_PORT=taken_port, WAN_LOG="json") as app:
        app.launch()
        assert app.wait() == 69
        assert "WAN_METRICS_PORT" in [json.loads(line)["message"] for line in app.log.splitlines()][-1]


@pytest.mark.parametrize("host", ["::1", "127.0.0.1"])
def test_the_page_starts_behind_a_proxy_that_is_not_there_and_every_line_is_json(host: str) -> None:
    proxy = dict.fromkeys(("HTTP_PROXY", "http_proxy"), "http://127.0.0.1:9")
    with made_app(WAN_BACKEND="sandbox", WAN_LOG="json", GRADIO_SERVER_NAME=host, **proxy) as app:
        app.forked = host != "::1"  # one start as a user's own
        app.start()
        assert httpx.get(app.url, trust_env=False, timeout=60).is_success
        assert httpx.get(app.url + "/healthz", trust_env=False).json()["status"] == "ok"
        app.stop()
        lines = app.log.splitlines()
    assert [json.loads(line)["level"] for line in lines]


# The number of Linux's call that sends a signal to one thread.
TGKILL = {"x86_64": 234, "aarch64": 131}


def test_a_signal_that_another_thread_receives_stops_the_page(app: App) -> None:
    threads = [int(folder.name) for folder in Path(f"/proc/{app.pid}/task").iterdir()]
    other = next(thread for thread in threads if thread != app.pid)
    assert ctypes.CDLL(None).syscall(TGKILL[platform.machine()], app.pid, other, signal.SIGTERM) == 0
    assert app.wait() == 0
