"""The page's scripts and styles, each as one file that a browser loads beside Gradio's and keeps until it changes."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.responses import Response
from starlette.routing import Route

from .compression import compress, encoding_for

if TYPE_CHECKING:
    from starlette.requests import Request

_STATIC = Path(__file__).parent / "static"
SCRIPTS: Final = "wan.js"
STYLES: Final = "wan.css"
_MEDIA_TYPES = {SCRIPTS: "text/javascript", STYLES: "text/css"}
_SCRIPT_PARTS = (
    "frames.js", "store.js", "page.js", "shortcuts.js", "slot.js", "viewer.js", "keep.js", "access.js", "starred.js",
    "take_away.js", "present.js",
)  # fmt: skip
_STYLE_PARTS = (
    "page.css", "language.css", "input.css", "slot.css", "viewer.css", "keep.css", "runs.css", "starred.css",
    "access.css",
)  # fmt: skip
# Rules for the whole document, and rules without a selector, such as keyframes.
_DOCUMENT_STYLE_PARTS = ("document.css", "present.css", "take_away.css")
# Matches everything on the page, and outweighs Gradio's selectors of up to three classes. Handed to Gradio, the styles
# would get such a prefix in the browser, rule by rule, and lose their rules for the document in media queries.
_OUTWEIGH = ":is(:root, .a.b.c)"
_FOR_EVER = "public, max-age=31536000, immutable"


def address(name: str) -> str:
    """Return a file's address, relative to the page's, with a version that changes with its content."""
    return f"{name}?v={_version(name)}"


def routes() -> list[Route]:
    """Return the routes that answer with the files."""
    return [Route(f"/{name}", _answer) for name in _MEDIA_TYPES]


async def _answer(request: Request) -> Response:
    name = request.url.path.rpartition("/")[2]
    encoding = encoding_for(request.headers.get("accept-encoding", ""))
    # A page from an older server gets this server's files, but must not cache them under the old version.
    keep = _FOR_EVER if request.query_params.get("v") == _version(name) else "no-store"
    headers = {"Cache-Control": keep, "Vary": "Accept-Encoding"} | ({"Content-Encoding": encoding} if encoding else {})
    return Response(_compressed(name, encoding), media_type=_MEDIA_TYPES[name], headers=headers)


@cache
def _content(name: str) -> bytes:
    if name == SCRIPTS:
        return _joined(_SCRIPT_PARTS)
    return b"%s\n%s {\n%s\n}\n" % (_joined(_DOCUMENT_STYLE_PARTS), _OUTWEIGH.encode(), _joined(_STYLE_PARTS))


def _joined(parts: tuple[str, ...]) -> bytes:
    return b"\n".join((_STATIC / part).read_bytes() for part in parts)


@cache
def _version(name: str) -> str:
    return sha256(_content(name)).hexdigest()[:16]


@cache
def _compressed(name: str, encoding: str) -> bytes:
    return compress(_content(name), encoding)
