"""Uploads too many, too large, or without room for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from studio import uploads
from studio.public.limits import Limits
from studio.public.upload_limits import MEGABYTE, REQUEST_MB, WORDS_MB, UploadLimits
from studio.settings import LimitSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from starlette.requests import Request

ROUTE = "/gradio_api/upload"


async def answer(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{len(await request.body())} bytes")


@pytest.fixture
async def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "files"))
    limits = Limits(LimitSettings(uploads=2), lease=60, clock=lambda: 1_800_014_400.0 + 600)
    app = Starlette(
        routes=[Route(path, answer, methods=["GET", "POST"]) for path in (ROUTE, "/other")],
        middleware=[Middleware(UploadLimits, limits=limits)],
    )
    transport = httpx.ASGITransport(app, client=("192.0.2.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://page") as client:
        yield client


async def test_calls_that_are_no_uploads_are_for_words(client: httpx.AsyncClient) -> None:
    refused = await client.post("/other", content=b"x" * (WORDS_MB * MEGABYTE + 1))
    assert refused.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE
    assert (await client.post("/other", content=b"x")).text == "1 bytes"


async def test_a_visitor_may_upload_so_often_an_hour(client: httpx.AsyncClient) -> None:
    for _ in range(2):
        assert (await client.post(ROUTE, content=b"picture")).text == "7 bytes"
    refused = await client.post(ROUTE, content=b"picture")
    assert refused.status_code == httpx.codes.TOO_MANY_REQUESTS
    assert refused.text == "The limit for each visitor is 2 uploads an hour. It starts again in 50 min."
    korean = await client.post(ROUTE, content=b"picture", headers={"Accept-Language": "ko"})
    assert "시간당 2번" in korean.text
    assert (await client.get(ROUTE)).is_success
    assert (await client.post("/other", content=b"picture")).is_success


async def test_one_upload_may_be_so_large(client: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"picture"

    for headers in ({"Content-Length": str(REQUEST_MB * MEGABYTE + 1)}, {}):
        refused = await client.post(ROUTE, content=endless(), headers=headers)
        assert refused.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE
        assert f"{REQUEST_MB} MB" in refused.text


async def test_the_disk_is_not_filled_to_the_brim(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "FREE_MIN", 2**80)
    refused = await client.post(ROUTE, content=b"picture")
    assert refused.status_code == httpx.codes.INSUFFICIENT_STORAGE
    assert "no room" in refused.text


@pytest.mark.parametrize("route", [ROUTE, "/other"])
async def test_a_length_counts_only_where_it_is_the_one_that_counts(client: httpx.AsyncClient, route: str) -> None:
    headers = {"Content-Length": "10", "Transfer-Encoding": "chunked"}
    refused = await client.post(route, content=b"x" * 100, headers=headers)
    assert refused.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE


async def test_a_call_that_only_ends_like_an_upload_is_for_words(client: httpx.AsyncClient) -> None:
    refused = await client.post("/gradio_api/run/upload", content=b"x" * (WORDS_MB * MEGABYTE + 1))
    assert refused.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE
