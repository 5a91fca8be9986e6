"""A running sandbox, in a thread of its own."""

from __future__ import annotations

import asyncio
import atexit
import os
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import uvicorn

from wan_sandbox.queue.counters import Counters
from wan_sandbox.queue.folder import Folder
from wan_sandbox.server.access_log import AccessLog
from wan_sandbox.server.app import Api, build
from wan_sandbox.server.transport import Connection
from wan_sandbox.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START_TIMEOUT: Final = 20.0
STOP_TIMEOUT: Final = 20.0


class Sandbox:
    """A server on loopback that speaks the Model API.

    Usable as a context manager, or with ``start`` and ``stop``. ``url`` is the address it listens on, ``counters``
    its counters.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.counters = Counters()
        self.url = ""
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._folder: Folder | None = None

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> Sandbox:
        """Start listening, and return once calls are answered.

        Raises:
            OSError: The address can't be listened on.
            RuntimeError: The server did not come up, or is up already.
        """
        if self._thread is not None:
            raise RuntimeError("the sandbox is running already")
        listener = _listen(self.settings.host, self.settings.port)
        host, port = listener.getsockname()[:2]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        self._folder = Folder()
        self._server = _Server(self.settings, self._folder.path, self.counters, (host, port))
        self._thread = threading.Thread(target=self._server.run, args=([listener],), name="wan-sandbox", daemon=True)
        self._thread.start()
        atexit.register(self.stop)
        if not self._server.ready.wait(START_TIMEOUT):
            self.stop()
            raise RuntimeError("the sandbox did not start")
        return self

    def finish_jobs(self) -> None:
        """End the run time of every job that waits or runs now, for callers that need not wait.

        Raises:
            RuntimeError: The sandbox is not running.
        """
        server = self._server
        if server is None or server.loop is None:
            raise RuntimeError("the sandbox is not running")
        server.loop.call_soon_threadsafe(server.api.runs.queue.finish)

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Refuse connections for as long as the context lasts; those that are open are closed."""
        server = self._server
        if server is None or server.loop is None:
            raise RuntimeError("the sandbox is not running")
        loop = server.loop

        async def close() -> None:
            server.stop_listening()

        asyncio.run_coroutine_threadsafe(close(), loop).result()
        try:
            yield
        finally:
            asyncio.run_coroutine_threadsafe(server.resume_listening(), loop).result()

    def stop(self) -> None:
        """Close every connection, stop every job and delete every file."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(STOP_TIMEOUT)
        if self._folder is not None:
            self._folder.close()
        atexit.unregister(self.stop)
        self._server = self._thread = self._folder = None


def _listen(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        if os.name != "nt":
            # On Windows this would let two servers share a port; elsewhere it only forgives recent connections.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


class _Server(uvicorn.Server):
    """uvicorn that signals when it is up, ends calls that would never end, and can refuse connections."""

    def __init__(self, settings: Settings, folder: Path, counters: Counters, address: tuple[str, int]) -> None:
        self.api = Api(settings, folder, counters)
        self.api.on_refuse = self.refuse
        self.ready = threading.Event()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.address = address
        app = build(self.api)
        super().__init__(
            uvicorn.Config(
                AccessLog(app) if settings.access_log else app,
                http=Connection,
                ws="none",
                loop="asyncio",
                lifespan="on",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                backlog=2048,
                timeout_keep_alive=30,
                timeout_graceful_shutdown=1,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and signal that calls are answered."""
        await super().startup(sockets)
        self.loop = asyncio.get_running_loop()
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the calls that hang on purpose; uvicorn would wait for them."""
        for server in self.servers:
            server.close()
        self._hang_up()
        await super().shutdown(sockets)
        # A connection that was just being accepted; its socket is closed a turn of the loop later.
        self._hang_up()
        await asyncio.sleep(0)

    def _hang_up(self) -> None:
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()

    def refuse(self, seconds: float) -> None:
        """Refuse connections for some seconds."""
        self.stop_listening()
        loop = asyncio.get_running_loop()
        loop.call_later(seconds, lambda: asyncio.run_coroutine_threadsafe(self.resume_listening(), loop))

    def stop_listening(self) -> None:
        """Stop listening, and close the open connections once they have their answers."""
        for server in self.servers:
            server.close()
        self.servers.clear()
        for connection in list(self.server_state.connections):
            connection.shutdown()

    async def resume_listening(self) -> None:
        """Listen again, at the same address."""
        if self.servers or self.should_exit:
            return
        loop = asyncio.get_running_loop()

        def connect() -> Connection:
            return Connection(self.config, self.server_state, self.lifespan.state)

        self.servers.append(await loop.create_server(connect, sock=_listen(*self.address)))
