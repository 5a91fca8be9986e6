"""Reading the bodies of requests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import Message, Receive


def json_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a request's body; an empty one where there is none."""
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return given if isinstance(given, dict) else {}


def replayed(body: bytes, receive: Receive) -> Receive:
    """Return what receives a request whose body was read: the body, then what comes after it."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay
