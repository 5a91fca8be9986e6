"""The synchronous face, and what importing the package costs."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from wan_client import AsyncWanClient, Backend, Finished, Preparing, RunFailed, Settings, Submitted, WanClient, edit

from .support import TOKEN, an_edit, picture

if TYPE_CHECKING:
    from wan_client import Event

    from .conftest import Serve


ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("hurry")


def settings(url: str) -> Settings:
    return Settings(Backend.RUNCOMFY, url, TOKEN, deadline=120)


def test_a_script_gets_a_picture(serve: Serve, tmp_path: Path) -> None:
    events: list[Event] = []
    ids: list[str] = []
    with WanClient(settings(serve().url), folder=tmp_path) as client:
        result = client.edit(
            "sketch", picture(), on_event=events.append, on_submitted=ids.append, image_size="16:9", seed=7
        )
        again = client.resume(result.request_id, out=tmp_path / "again.png")
        assert client.model().input_schema
    assert (type(events[0]), type(events[-1])) == (Preparing, Finished)
    assert ids == [result.request_id]
    assert result.path.read_bytes() == again.path.read_bytes()


def test_one_call_with_the_settings_of_the_environment(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNCOMFY_API_TOKEN", TOKEN)
    monkeypatch.setenv("RUNCOMFY_API_BASE", serve().url)
    assert edit("sketch", picture(), out=tmp_path / "a.png").path.exists()


async def test_the_synchronous_face_works_inside_a_running_loop(serve: Serve, tmp_path: Path) -> None:
    """As in a notebook, whose cells run on a loop."""
    with WanClient(settings(serve().url), folder=tmp_path) as client:
        assert client.edit("sketch", picture()).path.exists()


def test_errors_come_through_the_synchronous_face(serve: Serve, tmp_path: Path) -> None:
    with WanClient(settings(serve("failed-text").url), folder=tmp_path) as client:
        with pytest.raises(RunFailed) as caught:
            client.edit("sketch", picture())
        assert client.last_run
        assert caught.value.request_id == client.last_run.request_id


def test_one_client_serves_several_threads(serve: Serve, tmp_path: Path) -> None:
    sandbox = serve(workers=4)
    with WanClient(settings(sandbox.url), folder=tmp_path) as client, ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda seed: client.edit("sketch", picture(), seed=seed), range(6)))
    assert len({result.path for result in results}) == 6
    assert sandbox.counters.submits_accepted == 6


def test_a_callback_that_fails_ends_the_waiting_and_not_the_client(serve: Serve, tmp_path: Path) -> None:
    def fail(event: Event) -> None:
        if isinstance(event, Submitted):
            raise LookupError

    with WanClient(settings(serve().url), folder=tmp_path) as client:
        with pytest.raises(LookupError):
            client.edit("sketch", picture(), on_event=fail)
        assert client.last_run
        assert client.last_run.request_id
        assert client.resume(client.last_run.request_id).path.exists()


@pytest.mark.slow
def test_closing_leaves_no_thread_behind() -> None:
    """In a process of its own: here other tests' servers are still at work."""
    code = (
        "import threading; from wan_client import Backend, Settings, WanClient\n"
        "with WanClient(Settings(Backend.RUNCOMFY, 'http://127.0.0.1:9', 'token')): pass\n"
        "assert threading.active_count() == 1, threading.enumerate()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


async def test_a_client_that_is_not_open_says_so() -> None:
    with pytest.raises(RuntimeError, match="open"):
        AsyncWanClient(settings("http://127.0.0.1:9")).run(an_edit())


@pytest.mark.slow
async def test_without_a_token_the_sandbox_comes_and_goes_with_the_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    async with AsyncWanClient(Settings.load({}), folder=tmp_path) as client:
        result = await asyncio.wait_for(client.run(an_edit()).wait(), 60)
    assert "local-preview" in result.path.name


@pytest.mark.slow
def test_importing_the_package_imports_little() -> None:
    code = (
        "import sys, json; import httpx, PIL.Image; before = set(sys.modules); from wan_client import *; "
        "print(json.dumps([sorted(sys.modules), sorted(set(sys.modules) - before)]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT)
    loaded, added = json.loads(done.stdout)
    roots = {name.partition(".")[0] for name in loaded}
    assert not roots & {"gradio", "numpy", "wan_sandbox", "starlette", "uvicorn", "boto3", "botocore", "pillow_heif"}
    third = {name.partition(".")[0] for name in added} - set(sys.stdlib_module_names)
    # The last three are what anyio itself needs on older Pythons, and looks for.
    assert third <= {"wan_client", "dotenv", "PIL", "anyio", "typing_extensions", "exceptiongroup", "sniffio"}


class Recorder(httpx.AsyncHTTPTransport):
    """Connections that are recorded."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.closed = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(f"{request.method} {request.url.path.rsplit('/', 1)[-1]}")
        return await super().handle_async_request(request)

    async def aclose(self) -> None:
        self.closed += 1
        await super().aclose()


async def test_a_transport_carries_the_api_and_the_download(serve: Serve, tmp_path: Path) -> None:
    sandbox, carrier = serve(), Recorder()
    async with AsyncWanClient(settings(sandbox.url), folder=tmp_path, transport=carrier) as client:
        assert (await client.run(an_edit())).path.exists()
    assert carrier.seen[0] == "POST image-to-image"
    assert "GET result" in carrier.seen
    assert carrier.seen[-1].endswith("_output.png")
    assert carrier.closed == 1


def test_the_synchronous_face_takes_a_transport_too(serve: Serve, tmp_path: Path) -> None:
    sandbox, carrier = serve(), Recorder()
    with WanClient(settings(sandbox.url), folder=tmp_path, transport=carrier) as client:
        assert client.edit("sketch", picture()).path.exists()
    assert (carrier.seen[0], carrier.closed) == ("POST image-to-image", 1)


def test_a_transport_that_cannot_carry_the_core_is_told_at_once() -> None:
    transport: Any = httpx.HTTPTransport()
    with transport, pytest.raises(TypeError, match="AsyncBaseTransport"):
        WanClient(settings("http://127.0.0.1:9"), transport=transport)
