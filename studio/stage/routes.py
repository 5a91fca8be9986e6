"""The routes for presenting: cards, exports, links, QR codes."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import gradio as gr
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from studio.i18n.texts import texts_for
from studio.public.visitors import name_in

from . import exports, page_address, shared_links
from .items import CARDS_MAX, Items, keys_in

if TYPE_CHECKING:
    from starlette.requests import Request

    from studio.i18n.texts import Texts
    from studio.runs.jobs import Jobs

    from .programme import Programme

NO_STORE = {"Cache-Control": "no-store"}
PICTURE_HEADERS = {"Cache-Control": "private, max-age=3600", "X-Robots-Tag": "noindex"}
SHARED_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}


class Stage:
    """The routes, over the server's jobs.

    Attributes:
        base: The page's address from outside, once that is known.

    Args:
        jobs: The server's jobs.
        programme: The programme, if there is one.
        local: Whether only people at this machine open the page.
    """

    def __init__(self, jobs: Jobs, programme: Programme | None = None, *, local: bool) -> None:
        self.base: str | None = None
        self._programme = programme
        self._items = Items(jobs, programme)
        self._links = shared_links.SharedLinks(self._items)
        self._exports = exports.Exports(self._items, jobs.disk_space, local=local)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/stage/cards", self._cards, methods=["POST"]),
            Route("/stage/programme", self._programme_cards, methods=["GET"]),
            Route("/stage/programme/{number}/{name}", self._programme_file, methods=["GET", "HEAD"]),
            Route("/stage/export", self._export, methods=["POST"]),
            Route("/stage/link", self._link, methods=["POST"]),
            Route("/stage/address", self._address, methods=["POST"]),
            Route(f"{shared_links.ROUTE}/{{name}}", self._shared, methods=["GET", "HEAD"]),
        ]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The file types that can be exported on this machine."""
        return self._exports.kinds

    def close(self) -> None:
        """Start no more exports."""
        self._exports.close()

    async def _cards(self, request: Request) -> Response:
        """Return what is needed to present the results of these keys."""
        keys = keys_in((await _json_body(request)).get("keys"), CARDS_MAX)
        if keys is None:
            return _refused()
        texts = _texts(request)
        found = await asyncio.to_thread(self._items.all, keys)
        return JSONResponse([item.card(texts) for item in found], headers=NO_STORE)

    async def _programme_cards(self, request: Request) -> Response:
        cards = self._programme.cards(_texts(request)) if self._programme else []
        return JSONResponse(cards, headers=NO_STORE)

    async def _programme_file(self, request: Request) -> Response:
        number, name = request.path_params["number"], request.path_params["name"]
        file = self._programme.file(number, name) if self._programme else None
        if file is None:
            return PlainTextResponse("Not Found", HTTPStatus.NOT_FOUND)
        return FileResponse(file, headers=PICTURE_HEADERS)

    async def _export(self, request: Request) -> Response:
        """Stream the progress of an export, then its file."""
        wanted = exports.parse_request(await request.body()) if _is_json(request) else None
        if wanted is None or wanted.kind not in self._exports.kinds:
            return _refused()
        texts = _texts(request)
        visitor = name_in(request.scope)
        if self._exports.is_full(visitor):
            return PlainTextResponse(texts("take.busy"), HTTPStatus.SERVICE_UNAVAILABLE, NO_STORE)
        made = self._exports.make(wanted, texts, visitor)
        return StreamingResponse(made, media_type="application/octet-stream", headers=NO_STORE)

    async def _link(self, request: Request) -> Response:
        """Make or revoke the read-only link to one result."""
        body = await _json_body(request)
        keys = keys_in([body.get("key")], 1)
        if keys is None:
            return _refused()
        if body.get("revoke"):
            await asyncio.to_thread(self._links.revoke, keys[0])
            return JSONResponse({}, headers=NO_STORE)
        texts = _texts(request)
        base = self._page_address(request, body)
        if base is None:
            return JSONResponse({"problem": texts("audience.local")}, headers=NO_STORE)
        name = await asyncio.to_thread(self._links.make, keys[0])
        if name is None:
            return JSONResponse({"problem": texts("error.stage_gone")}, headers=NO_STORE)
        return _with_qr_code(urljoin(base, f"{shared_links.ROUTE[1:]}/{name}"))

    async def _address(self, request: Request) -> Response:
        """Return the page's address for others, and its QR code."""
        base = self._page_address(request, await _json_body(request))
        if base is None:
            return JSONResponse({"problem": _texts(request)("audience.local")}, headers=NO_STORE)
        return _with_qr_code(base)

    async def _shared(self, request: Request) -> Response:
        texts = _texts(request)
        file = await asyncio.to_thread(self._links.open, request.path_params["name"], texts.language)
        if file is None:
            return PlainTextResponse(texts("audience.gone"), HTTPStatus.NOT_FOUND, SHARED_HEADERS)
        return FileResponse(file, headers=SHARED_HEADERS, media_type="text/html")

    def _page_address(self, request: Request, body: dict[str, Any]) -> str | None:
        shown = body.get("address")
        return page_address.address(self.base, request.scope, shown if isinstance(shown, str) else "")


def _texts(request: Request) -> Texts:
    return texts_for(gr.Request(request))


def _with_qr_code(address: str) -> Response:
    return JSONResponse({"address": address, "code": page_address.qr_code(address)}, headers=NO_STORE)


def _refused() -> Response:
    return Response(status_code=HTTPStatus.BAD_REQUEST)


def _is_json(request: Request) -> bool:
    """Return whether a call is sent as JSON, which browsers do not let another site's page send."""
    return request.headers.get("content-type", "").partition(";")[0].strip() == "application/json"


async def _json_body(request: Request) -> dict[str, Any]:
    """Return the JSON object in a call's body; an empty one where there is none."""
    try:
        body = json.loads(await request.body()) if _is_json(request) else None
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
