"""Responses that no well-behaved server gives: they need the connection itself."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from typing import TYPE_CHECKING, Final

from starlette.responses import Response
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

_TRANSPORT: Final = "wan_sandbox.transport"
_LINGER_ZERO: Final = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


class Connection(H11Protocol):
    """uvicorn's connection, which lets the application reach its transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Put the transport where every request of this connection finds it."""
        self.app_state = {**self.app_state, _TRANSPORT: transport}
        super().connection_made(transport)


def _transport(scope: Scope) -> asyncio.Transport:
    transport: asyncio.Transport = scope["state"][_TRANSPORT]
    return transport


async def until_gone(receive: Receive) -> None:
    """Wait until the connection is lost."""
    while (await receive())["type"] != "http.disconnect":
        pass


class Reset(Response):
    """No answer: the connection is reset."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Abort the connection with RST instead of FIN."""
        transport = _transport(scope)
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        transport.abort()
        await until_gone(receive)


class Close(Response):
    """No answer: the connection is closed."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Close the connection with FIN."""
        # With unread bytes in its buffer a closed socket would answer RST.
        _transport(scope).close()
        await until_gone(receive)


class Hang(Response):
    """No answer: all that is sent is read, and the connection stays open until the caller or the server closes it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Wait for the end of the connection."""
        await until_gone(receive)


class Stall(Response):
    """No answer, and nothing is read, so that a large body cannot even be sent; in the end a reset."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stop reading, wait, and reset the connection."""
        _transport(scope).pause_reading()
        await asyncio.sleep(self._seconds)
        await Reset()(scope, receive, send)


class Partly(Response):
    """Half of an answer, after which the connection is closed or stays silent."""

    def __init__(self, whole: bytes, media_type: str, *, stall: bool = False) -> None:
        super().__init__(whole, media_type=media_type)
        self._stall = stall

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head with the full length, and half of the body."""
        head: Message = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        half = bytes(self.body[: len(self.body) // 2])
        await send(head)
        await send({"type": "http.response.body", "body": half, "more_body": True})
        if not self._stall:
            _transport(scope).close()
        await until_gone(receive)
