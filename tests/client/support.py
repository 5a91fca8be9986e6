"""What the client's tests share: small pictures, a client in a hurry, and a server with set answers."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import TYPE_CHECKING, Any

from PIL import Image

from wan_client import AsyncWanClient, Backend, EditRequest, Settings
from wan_client.settings import Timeouts
from wan_client.state.polling import PollSchedule

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wan_client import Event, Run
    from wan_client.state.journal import Journal

TOKEN = "demo-token-5f1c"
# Reads are repeated, so they may be given up soon. What is sent once must reach a sandbox on a busy machine.
SHORT = Timeouts(connect=60.0, read=0.6, submit=120.0, cancel=60.0)


@cache
def picture(width: int = 400, height: int = 400, kind: str = "PNG", mode: str = "RGB") -> bytes:
    buffer = BytesIO()
    Image.new(mode, (width, height), 90).save(buffer, kind)
    return buffer.getvalue()


@cache
def noise(width: int, height: int, seed: int = 1) -> Image.Image:
    """A picture that hardly compresses, the same for the same seed."""
    import random

    data = random.Random(seed).randbytes(width * height * 3)
    return Image.frombytes("RGB", (width, height), data)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def an_edit(*images: Any, prompt: str = "pencil sketch", **changes: Any) -> EditRequest:
    return EditRequest(prompt, list(images) or [picture()], **changes)


def hurried(url: str, folder: Path, journal: Journal | None = None, **changes: Any) -> AsyncWanClient:
    """A client that looks often and gives up soon, for runs of a tenth of a second."""
    values: dict[str, Any] = {"token": TOKEN, "deadline": 120.0, "timeouts": SHORT} | changes
    settings = Settings(Backend.RUNCOMFY, url, **values)
    return AsyncWanClient(settings, folder=folder, schedule=PollSchedule(seed=1, speed=20.0), journal=journal)


async def events_of(run: Run) -> list[Event]:
    return [event async for event in run]


class Scripted(ThreadingHTTPServer):
    """A server that gives each path the answers it was given, in order, the last one again and again.

    Attributes:
        seen: Method, path and headers of every request.
        bodies: The JSON bodies of all submits.
        otherwise: The answer at every other path.
    """

    daemon_threads = True

    def __init__(self, **answers: list[tuple[int, dict[str, str], bytes]]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = {f"{name}": list(replies) for name, replies in answers.items()}
        self.bodies: list[dict[str, Any]] = []
        self.otherwise: tuple[int, dict[str, str], bytes] = (404, {}, b"")
        self.seen: list[tuple[str, str, dict[str, str]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Scripted

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if body:
            self.server.bodies.append(json.loads(body))
        self.server.seen.append((self.command, self.path, dict(self.headers)))
        last = self.path.split("?")[0].rsplit("/", 1)[-1]
        name = {"image-to-image": "submit" if self.command == "POST" else "model"}.get(last, last)
        replies = self.server.answers.get(name) or [self.server.otherwise]
        status, headers, body = replies.pop(0) if len(replies) > 1 else replies[0]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _answer  # noqa: N815  # the names that http.server calls

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


def answer(body: Any, status: int = 200, **headers: str) -> tuple[int, dict[str, str], bytes]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return status, {name.replace("_", "-"): value for name, value in headers.items()}, data


@contextmanager
def scripted(**answers: list[tuple[int, dict[str, str], bytes]]) -> Iterator[Scripted]:
    with Scripted(**answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
