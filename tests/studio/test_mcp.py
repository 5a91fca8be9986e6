"""The endpoints as tools for agents, called by the protocol's own client over streamable HTTP."""

from __future__ import annotations

import base64
import io
import random
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from PIL import Image

from studio import settings
from studio.settings import PageSettings
from tests.conftest import PHOTOS, running_app
from wan_client import SettingsError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from mcp.types import CallToolResult

    from tests.conftest import App

pytestmark = pytest.mark.slow

PICTURE = f"data:image/jpeg;base64,{base64.b64encode((PHOTOS / 'cat.jpg').read_bytes()).decode()}"


@pytest.fixture(scope="module")
def tools() -> Iterator[App]:
    with running_app(WAN_BACKEND="sandbox", WAN_MCP="1") as app:
        yield app


@pytest.fixture(scope="module")
def paid() -> Iterator[App]:
    """A page with a token, over an API that only rehearses, and a run a day for each visitor."""
    with running_app(RUNCOMFY_API_TOKEN="rehearsed", WAN_MCP="1", WAN_LIMIT_VISITOR_DAILY="1") as app:
        yield app


@pytest.fixture
def uploaded(tools: App, photos: Path) -> str:
    """The path that an upload answers."""
    with (photos / "cat.jpg").open("rb") as file:
        answer = httpx.post(f"{tools.url}/gradio_api/upload", files={"files": file}, trust_env=False, timeout=60)
    path: str = answer.json()[0]
    return path


@asynccontextmanager
async def agent(app: App, host: str = "127.0.0.1", **headers: str) -> AsyncIterator[ClientSession]:
    """An agent that calls from an address of this machine."""
    transport = httpx.AsyncHTTPTransport(local_address=host)
    async with (
        httpx.AsyncClient(transport=transport, headers=headers, timeout=60) as http,
        streamable_http_client(f"{app.url}/gradio_api/mcp/", http_client=http) as (reads, writes, _),
        ClientSession(reads, writes) as session,
    ):
        await session.initialize()
        yield session


def words(answer: CallToolResult) -> list[str]:
    return [part.text for part in answer.content if part.type == "text"]


async def test_the_two_endpoints_are_all_the_tools_there_are(tools: App) -> None:
    async with agent(tools) as session:
        found = {tool.name: tool for tool in (await session.list_tools()).tools}
    assert set(found) == {"edit", "result"}
    schema = found["edit"].inputSchema
    assert schema["required"] == ["prompt", "image_1"]
    assert all(argument.get("description") for argument in schema["properties"].values())
    assert {"16:9", "1280*720 (16:9)"} < set(schema["properties"]["image_size"]["enum"])
    assert "do not repeat it" in str(found["edit"].description)


async def test_an_agent_gets_the_picture_its_facts_and_the_runs_name_before_it_is_paid_for(tools: App) -> None:
    sandbox = tools.play(picture="preview")
    told: list[str] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        told.append(message or "")

    async with agent(tools) as session:
        arguments = {"prompt": "put image 1 beside image 2", "image_1": PICTURE, "image_2": PICTURE}
        answer = await session.call_tool("edit", {**arguments, "image_size": "16:9"}, progress_callback=note)
        assert not answer.isError
        picture, _, facts = answer.content
        assert picture.type == "image"
        assert base64.b64decode(picture.data).startswith(b"\x89PNG")
        assert facts.type == "text"
        assert "'local_preview': True" in facts.text
        run = facts.text.split("'run': '")[1].split("'")[0]
        assert any(f"run {run}: Preparing the pictures" in message for message in told)
        again = await session.call_tool("result", {"run": run})
        assert words(again) == words(answer)
    assert sandbox.counters.submits_accepted == 1


async def test_uploads_and_results_are_taken_by_their_addresses(tools: App, uploaded: str) -> None:
    sandbox = tools.play()
    address = f"{tools.url}/gradio_api/file={uploaded}"
    async with agent(tools) as session:
        first = await session.call_tool("edit", {"prompt": "sketch", "image_1": address})
        assert not first.isError, words(first)
        result = words(first)[0].removeprefix("Image URL: ")
        second = await session.call_tool("edit", {"prompt": "mirror it", "image_1": result})
        assert not second.isError, words(second)
    assert sandbox.counters.submits_accepted == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"prompt": " "}, "There is no prompt."),
        ({"prompt": 5}, "is not of type 'string'"),
        ({"seed": -1}, "no whole number from 0 to 2,147,483,647"),
        ({"image_size": "5:4"}, "'16:9'"),
        ({"image_1": "/etc/passwd"}, "provide a url"),
        ({"image_1": "http://127.0.0.1:1/cat.jpg"}, "a file that was uploaded here"),
        ({"image_1": "data:text/plain;base64,aGVsbG8="}, "can't be read as a picture"),
        ({"image_3": PICTURE}, "Image 2 is empty"),
        ({"picture": PICTURE}, "`picture` is not a valid"),
    ],
)
async def test_wrong_arguments_are_answered_with_a_sentence(
    tools: App, arguments: dict[str, Any], sentence: str
) -> None:
    sandbox = tools.play()
    async with agent(tools) as session:
        answer = await session.call_tool("edit", {"prompt": "sketch", "image_1": PICTURE, **arguments})
    assert answer.isError
    assert sentence in words(answer)[0]
    assert "Traceback" not in words(answer)[0]
    assert sandbox.counters.submits_received == 0


async def test_agents_are_limited_as_visitors_are_each_by_itself(paid: App) -> None:
    sandbox = paid.play()
    call = ("edit", {"prompt": "sketch", "image_1": PICTURE})
    async with agent(paid) as session:
        first = await session.call_tool(*call)
        assert not first.isError
        assert "'engine': 'runcomfy'" in words(first)[-1]
        second = await session.call_tool(*call)
        assert second.isError
        assert "The limit for each visitor is 1 a day" in words(second)[0]
        assert "Nothing was charged." in words(second)[0]
    async with agent(paid, **{"X-Forwarded-For": "203.0.113.9", "X-Wan-Caller": "00 address 203.0.113.9"}) as session:
        assert (await session.call_tool(*call)).isError
    assert sandbox.counters.submits_received == 1
    async with agent(paid, "127.0.0.2") as session:
        assert not (await session.call_tool(*call)).isError
    assert sandbox.counters.submits_received == 2


def test_without_its_extra_the_switch_is_answered_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    assert PageSettings.load({"WAN_MCP": "1"}).mcp
    assert not PageSettings.load({"WAN_MCP": "0"}).mcp
    monkeypatch.setattr(settings, "find_spec", lambda name: None)
    assert not PageSettings.load({}).mcp
    with pytest.raises(SettingsError) as caught:
        PageSettings.load({"WAN_MCP": "1"})
    assert caught.value.code == "mcp_missing"


def test_without_its_extra_the_demo_does_not_start(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    hide = "import sys, runpy; sys.modules['mcp'] = None; sys.path.insert(0, sys.argv[1])"
    hide += "; sys.argv = ['app.py']; runpy.run_path(sys.path[0] + '/app.py', run_name='__main__')"
    ran = subprocess.run(
        [sys.executable, "-c", hide, str(root)],
        cwd=tmp_path,
        env={"WAN_MCP": "1", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 64
    assert "pip install" in ran.stderr


def test_without_the_switch_there_are_no_tools(app: App) -> None:
    answer = httpx.get(f"{app.url}/gradio_api/mcp/schema", trust_env=False, timeout=60)
    assert answer.status_code == httpx.codes.NOT_FOUND


async def test_pictures_inside_an_agents_call_count_as_its_own_uploads() -> None:
    with running_app(WAN_BACKEND="sandbox", WAN_MCP="1", WAN_LIMIT_UPLOADS="1") as app:
        buffer = io.BytesIO()
        noise = Image.frombytes("RGB", (400, 400), random.Random(5).randbytes(480_000))
        noise.save(buffer, "PNG")
        large = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
        async with agent(app, "127.0.0.2") as session:
            answer = await session.call_tool("edit", {"prompt": "sketch", "image_1": large})
            assert not answer.isError, words(answer)
        with pytest.raises(BaseException):  # noqa: B017, PT011  # the protocol's client wraps the refusal in groups
            async with agent(app, "127.0.0.2") as session:
                await session.call_tool("edit", {"prompt": "sketch", "image_1": large})
        # Another agent has its own, and so has a person who calls from the server's own address.
        async with agent(app, "127.0.0.3") as session:
            assert not (await session.call_tool("edit", {"prompt": "mirror", "image_1": large})).isError
        async with httpx.AsyncClient(trust_env=False, timeout=60) as person:
            picture = {"files": ("cat.jpg", buffer.getvalue())}
            assert (await person.post(f"{app.url}/gradio_api/upload", files=picture)).is_success
