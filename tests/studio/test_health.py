"""What probes are answered, and what a server that stops still takes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from studio import uploads
from studio.public import health, stopping
from studio.public.health import Health
from studio.public.limits import Limits
from studio.public.stopping import StopGate
from studio.runs.jobs import Jobs
from studio.settings import LimitSettings, PageSettings
from tests.conftest import free_port
from tests.studio.conftest import redis_server
from wan_client import Backend, Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from starlette.requests import Request

PATHS = ["/", "/file", "/gradio_api/upload", "/gradio_api/queue/join", "/gradio_api/call/edit"]


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(request.url.path)


@pytest.fixture
async def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Jobs]:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    jobs = Jobs(PageSettings(Settings(Backend.SANDBOX, f"http://127.0.0.1:{free_port()}")))
    yield jobs
    await jobs.close()


def asking(jobs: Jobs, monkeypatch: pytest.MonkeyPatch, **settings: str) -> httpx.AsyncClient:
    monkeypatch.setattr(health, "CHECK_SECONDS", -1.0)
    page = PageSettings(Settings(Backend.SANDBOX, "http://127.0.0.1:1"), **settings)  # type: ignore[arg-type]
    app = Starlette(
        routes=[*Health(jobs, page).routes(), *(Route(path, echo, methods=["GET", "POST"]) for path in PATHS)],
        middleware=[Middleware(StopGate, jobs=jobs)],
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://page", timeout=60)


async def test_a_server_that_stops_lives_and_takes_no_runs(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    async with asking(jobs, monkeypatch) as client:
        assert (await client.get("/readyz")).json()["status"] == "ok"
        jobs.stopping = True
        for path in ("/readyz", "/healthz"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["status"]) == (503, "stopping")
        assert (await client.get("/livez")).is_success


async def test_the_disk_counts(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "FREE_MIN", 2**80)
    async with asking(jobs, monkeypatch) as client:
        answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["status"], answer.json()["disk"]) == (503, "full", "full")


@pytest.mark.slow
async def test_the_store_counts_and_its_return_is_seen(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    jobs.limits = Limits(LimitSettings(hourly=9, storage_uri=f"redis://127.0.0.1:{port}"))
    async with asking(jobs, monkeypatch) as client:
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["store"]) == (503, "unavailable")
        with redis_server(port):
            assert (await client.get("/readyz")).json()["store"] == "ok"


async def test_the_state_of_the_api_is_for_information(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    async with asking(jobs, monkeypatch) as client:
        assert (await client.get("/readyz")).json()["api"] == "unknown"
        await jobs.engines.model()
        answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["api"]) == (200, "unavailable")


async def test_behind_a_password_only_the_state_is_said(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    async with asking(jobs, monkeypatch, auth="guest:long-password") as client:
        assert (await client.get("/readyz")).json() == {"status": "ok"}


async def test_the_checks_are_not_made_for_each_who_asks(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    async with asking(jobs, monkeypatch) as client:
        monkeypatch.setattr(health, "CHECK_SECONDS", 3600.0)
        checked = threading.Semaphore(0)
        monkeypatch.setattr(jobs.disk_space, "check", checked.release)
        for _ in range(3):
            await client.get("/readyz")
    assert checked.acquire(blocking=False)
    assert not checked.acquire(blocking=False)


async def test_while_it_stops_nothing_begins_and_what_is_there_is_answered(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with asking(jobs, monkeypatch) as client:
        assert (await client.get("/")).text == "/"
        jobs.stopping = True
        page = await client.get("/", headers={"Accept-Language": "ko"})
        assert page.status_code == 503
        assert page.headers["retry-after"] == str(stopping.RETRY_SECONDS)
        assert 'http-equiv="refresh"' in page.text
        assert 'lang="ko"' in page.text
        for path in ("/gradio_api/upload", "/gradio_api/call/edit"):
            assert (await client.post(path)).status_code == 503
        for answer in (await client.post("/gradio_api/queue/join"), await client.get("/file")):
            assert answer.is_success
            assert answer.headers["connection"] == "close"
