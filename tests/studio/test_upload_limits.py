"""Uploads too many, too large, or without room for them."""

from __future__ import annotations

import asyncio
import shutil
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from studio import uploads
from studio.public.limits import Limits
from studio.public.upload_limits import FORM_BYTES, MEGABYTE, PAGE_MB, REQUEST_MB, TextLimits, UploadLimits
from studio.settings import LimitSettings
from tests.conftest import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from starlette.requests import Request

ROUTE = "/gradio_api/upload"
QUEUE = "/gradio_api/queue/join"


async def answer(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{len(await request.body())} bytes")


@pytest.fixture
async def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "files"))
    limits = Limits(LimitSettings(uploads=2), lease=60, clock=lambda: 1_800_014_400.0 + 600)
    app = Starlette(
        routes=[Route(path, answer, methods=["GET", "POST"]) for path in (ROUTE, QUEUE, "/other")],
        middleware=[Middleware(UploadLimits, limits=limits, disk_space=uploads.DiskSpace())],
    )
    transport = httpx.ASGITransport(app, client=("192.0.2.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://page", timeout=60) as client:
        yield client


async def test_calls_that_are_no_uploads_are_for_words(client: httpx.AsyncClient) -> None:
    refused = await client.post("/other", content=b"x" * (FORM_BYTES + 1))
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

    too_large = {"Content-Length": str(REQUEST_MB * MEGABYTE + 1)}
    refused = await client.post(ROUTE, content=endless(), headers=too_large)
    assert refused.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE
    assert f"{REQUEST_MB} MB" in refused.text
    chunked = await client.post(ROUTE, content=endless())
    assert chunked.status_code == httpx.codes.LENGTH_REQUIRED
    assert "Content-Length" in chunked.text


async def test_the_disk_is_not_filled_to_the_brim(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "FREE_MIN", 2**80)
    refused = await client.post(ROUTE, content=b"picture")
    assert refused.status_code == httpx.codes.INSUFFICIENT_STORAGE
    assert "no room" in refused.text


async def test_a_store_that_is_away_is_no_visitors_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    limits = Limits(LimitSettings(uploads=2, storage_uri=f"redis://127.0.0.1:{free_port()}"))
    middleware = Middleware(UploadLimits, limits=limits, disk_space=uploads.DiskSpace())
    app = Starlette(routes=[Route(ROUTE, answer, methods=["POST"])], middleware=[middleware])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://page", timeout=60) as client:
        refused = await client.post(ROUTE, content=b"picture")
    await limits.close()
    assert refused.status_code == httpx.codes.SERVICE_UNAVAILABLE


@pytest.mark.parametrize("route", [ROUTE, "/other"])
async def test_a_length_counts_only_where_it_is_the_one_that_counts(client: httpx.AsyncClient, route: str) -> None:
    headers = {"Content-Length": "10", "Transfer-Encoding": "chunked"}
    refused = await client.post(route, content=b"x" * 100, headers=headers)
    assert refused.status_code == httpx.codes.LENGTH_REQUIRED


async def test_a_call_that_only_ends_like_an_upload_is_for_words(client: httpx.AsyncClient) -> None:
    refused = await client.post("/gradio_api/run/upload", content=b"x" * (FORM_BYTES + 1))
    assert refused.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE


async def test_the_page_hands_over_what_its_browser_keeps_and_no_more(client: httpx.AsyncClient) -> None:
    assert (await client.post(QUEUE, content=b"x" * (PAGE_MB * MEGABYTE))).is_success
    refused = await client.post(QUEUE, content=b"x" * (PAGE_MB * MEGABYTE + 1))
    assert refused.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE


async def test_uploads_on_their_way_count_as_if_they_had_arrived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setattr(uploads, "FREE_MIN", 0)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=20 * MEGABYTE))
    arrived, release = asyncio.Event(), asyncio.Event()

    async def slow(request: Request) -> PlainTextResponse:
        arrived.set()
        await release.wait()
        return PlainTextResponse("done")

    disk_space = uploads.DiskSpace()
    middleware = Middleware(UploadLimits, limits=Limits(LimitSettings()), disk_space=disk_space)
    app = Starlette(routes=[Route(ROUTE, slow, methods=["POST"])], middleware=[middleware])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://page", timeout=60) as client:
        first = asyncio.create_task(client.post(ROUTE, content=b"x" * (12 * MEGABYTE)))
        await arrived.wait()
        refused = await client.post(ROUTE, content=b"x" * (12 * MEGABYTE))
        assert refused.status_code == httpx.codes.INSUFFICIENT_STORAGE
        release.set()
        assert (await first).is_success
        assert (await client.post(ROUTE, content=b"x" * (12 * MEGABYTE))).is_success


@pytest.mark.parametrize(
    "body",
    [
        {"data": ["{}", "x" * 20_000], "session_hash": "a"},
        {"data": ["x" * 20_000], "session_hash": "a"},
        {"data": ["x" * 20_000], "session_hash": "a", "route": "/other"},
        {"data": ["{}"], "session_hash": "a" * 1000},
        {"data": ["{}"], "session_hash": "a", "event_data": {"key": "x" * 20_000}},
        {"data": ["{}", {"path": "x", "orig_name": "x" * 20_000}], "session_hash": "a"},
        {"data": ["{}", {"x" * 20_000: 1}], "session_hash": "a"},
        {"data": ["{}", *(["x" * 10_000] * 10)], "session_hash": "a"},
        {"data": ["{}", 10**4000], "session_hash": "a"},
        {"prompt": "x" * 20_000, "route": "/other"},
    ],
)
async def test_texts_longer_than_any_part_of_the_page_takes_are_not_passed_on(body: dict[str, Any]) -> None:
    route = body.pop("route", QUEUE)
    reached = []

    async def behind(request: Request) -> PlainTextResponse:
        reached.append(await request.body())
        return PlainTextResponse("passed on")

    app = Starlette(routes=[Route("/{path:path}", behind, methods=["POST"])], middleware=[Middleware(TextLimits)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://page", timeout=60) as client:
        refused = await client.post(route, json=body)
        assert refused.status_code == httpx.codes.BAD_REQUEST
        assert " " in refused.json()["detail"]
        assert not reached
        usual = {"data": ['{"runs":' + "x" * 200_000, "p" * 4000, None, 1], "session_hash": "a" * 32}
        assert (await client.post(QUEUE, json=usual)).text == "passed on"
        assert reached == [httpx.Request("POST", "http://page", json=usual).content]
