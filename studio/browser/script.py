"""The page's scripts as one file, which a browser loads beside Gradio's and keeps until it changes."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from .compression import compress, encoding_for

if TYPE_CHECKING:
    from starlette.requests import Request

STATIC = Path(__file__).parent / "static"
_SCRIPTS = ("store.js", "page.js", "slot.js", "viewer.js", "keep.js", "access.js", "starred.js", "present.js")
_NAME = "wan.js"
_FOR_EVER = "public, max-age=31536000, immutable"


def address() -> str:
    """Return the file's address, relative to the page's, with a version that changes with its content."""
    return f"{_NAME}?v={_version()}"


def route() -> Route:
    """Return the route that answers with the file."""
    return Route(f"/{_NAME}", _answer)


async def _answer(request: Request) -> Response:
    encoding = encoding_for(request.headers.get("accept-encoding", ""))
    # A page that an older server sent gets this server's scripts, and does not keep them under the old version.
    keep = _FOR_EVER if request.query_params.get("v") == _version() else "no-store"
    headers = {"Cache-Control": keep, "Vary": "Accept-Encoding"} | ({"Content-Encoding": encoding} if encoding else {})
    return Response(_compressed(encoding), media_type="text/javascript", headers=headers)


@cache
def _scripts() -> bytes:
    return b"\n".join((STATIC / name).read_bytes() for name in _SCRIPTS)


@cache
def _version() -> str:
    return sha256(_scripts()).hexdigest()[:16]


@cache
def _compressed(encoding: str) -> bytes:
    return compress(_scripts(), encoding)
