"""The endpoints as tools for agents, called by the protocol's own client over streamable HTTP."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import random
import subprocess
import sys
import uuid
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CancelledNotification, CancelledNotificationParams, ClientNotification
from PIL import Image

from studio import settings
from studio.i18n.texts import Texts
from studio.public.agent_tools import _preview
from studio.settings import PageSettings
from tests.conftest import PHOTOS, UNTIL_FINISHED, running_app
from tests.studio.test_agent_guide import read
from wan_client import SettingsError, __version__

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from mcp.types import CallToolResult

    from tests.conftest import App

pytestmark = pytest.mark.slow

PICTURE = f"data:image/jpeg;base64,{base64.b64encode((PHOTOS / 'cat.jpg').read_bytes()).decode()}"

PRICE = 0.03


@pytest.fixture(scope="module")
def tools() -> Iterator[App]:
    with running_app(WAN_BACKEND="sandbox", WAN_MCP="1") as app:
        yield app


@pytest.fixture(scope="module")
def paid() -> Iterator[App]:
    """A page with a token, over an API that only rehearses, and limits for each visitor."""
    limits = {"WAN_LIMIT_VISITOR_DAILY": "2", "WAN_LIMIT_UPLOADS": "1"}
    with running_app(RUNCOMFY_API_TOKEN="rehearsed", WAN_MCP="1", **limits) as app:
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


async def fetched(address: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        return await http.get(address)


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    """Ask until it is true."""
    while not await true():  # noqa: ASYNC110  # what is asked is another process
        await asyncio.sleep(0.05)


def facts_of(answer: CallToolResult) -> dict[str, Any]:
    assert not answer.isError, words(answer)
    assert answer.structuredContent is not None
    assert json.loads(words(answer)[-1]) == answer.structuredContent
    return answer.structuredContent


async def test_the_tools_are_described_as_they_are(tools: App) -> None:
    async with agent(tools) as session:
        started = await session.initialize()
        found = {tool.name: tool for tool in (await session.list_tools()).tools}
    assert started.serverInfo.version == __version__
    assert list(found) == ["edit", "result", "status", "cancel"]
    schema = found["edit"].inputSchema
    assert schema["required"] == ["prompt", "image_1"]
    arguments = schema["properties"]
    assert all(
        argument.get("description") for tool in found.values() for argument in tool.inputSchema["properties"].values()
    )
    assert {"16:9", "1280*720 (16:9)"} < set(arguments["image_size"]["enum"])
    assert all("data:image/png;base64," in arguments[f"image_{number}"]["description"] for number in (1, 2, 3))
    assert arguments["image_2"]["type"] == ["string", "null"]
    assert (arguments["seed"]["default"], arguments["seed"]["minimum"], arguments["seed"]["maximum"]) == (
        0,
        0,
        2**31 - 1,
    )
    hints = {name: tool.annotations for name, tool in found.items()}
    assert all(hints.values())
    assert [bool(hint and hint.readOnlyHint) for hint in hints.values()] == [False, True, True, False]
    assert hints["edit"]
    assert hints["edit"].idempotentHint is False
    assert "cost money" in str(hints["edit"].title)
    assert all(tool.outputSchema for tool in found.values())
    listed = (await fetched(f"{tools.url}/gradio_api/mcp/schema")).json()
    assert [(tool["name"], tool["inputSchema"]) for tool in listed] == [(n, t.inputSchema) for n, t in found.items()]


async def test_an_agent_gets_the_picture_its_facts_and_the_runs_name_before_it_is_paid_for(tools: App) -> None:
    sandbox = tools.play(picture="preview")
    told: list[str] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        told.append(message or "")

    async with agent(tools) as session:
        arguments = {"prompt": "put image 1 beside image 2", "image_1": PICTURE, "image_2": PICTURE, "image_3": None}
        answer = await session.call_tool("edit", {**arguments, "image_size": "16:9"}, progress_callback=note)
        facts = facts_of(answer)
        shown = answer.content[0]
        assert shown.type == "image"
        assert len(shown.data) <= 200_000
        with Image.open(io.BytesIO(base64.b64decode(shown.data))) as small:
            assert "local preview" in str(small.info["comment"])
        assert facts["local_preview"] is True
        assert any(f"run {facts['run']}: Preparing the pictures" in message for message in told)
        again = await session.call_tool("result", {"run": facts["run"]})
        assert {**facts_of(again), "reused": False} == facts
    whole = await fetched(facts["picture_url"])
    with Image.open(io.BytesIO(whole.content)) as picture:
        assert (picture.format, *picture.size) == ("PNG", 1280, 720)
    assert sandbox.counters.submits_accepted == 1


def test_a_picture_of_any_kind_is_shown_small(tmp_path: Path) -> None:
    noise = Image.frombytes("RGB", (1500, 1500), random.Random(5).randbytes(6_750_000))
    noise.save(tmp_path / "noise.png")
    assert len(base64.b64encode(_preview(tmp_path / "noise.png", is_preview=False))) <= 200_000


async def test_an_agent_that_does_not_wait_learns_the_runs_name_and_fetches_it_later(tools: App) -> None:
    sandbox = tools.play(run_time=(1.0, 1.0))
    async with agent(tools) as session:
        begun = await session.call_tool("edit", {"prompt": "sketch", "image_1": PICTURE, "wait_seconds": 0})
        facts = facts_of(begun)
        assert facts["state"] in {"preparing", "sending", "queued", "running"}
        assert all(part.type == "text" for part in begun.content)
        assert facts["run"] in words(begun)[0]
        assert facts_of(await session.call_tool("status", {"run": facts["run"]}))["run"] == facts["run"]
    async with agent(tools) as session:
        done = facts_of(await session.call_tool("result", {"run": facts["run"]}))
        assert done["state"] == "succeeded"
        late = facts_of(await session.call_tool("cancel", {"run": facts["run"]}))
        assert late["cancel_outcome"] == "not_cancellable"
    assert sandbox.counters.submits_accepted == 1


async def test_a_key_of_the_agents_own_is_one_run(tools: App) -> None:
    sandbox = tools.play()
    call = {"prompt": "sketch", "image_1": PICTURE, "idempotency_key": str(uuid.uuid4())}
    async with agent(tools) as session:
        first = facts_of(await session.call_tool("edit", call))
        again = facts_of(await session.call_tool("edit", call))
        other = await session.call_tool("edit", {**call, "prompt": "mirror it"})
    assert (first["reused"], again["reused"]) == (False, True)
    assert first["run"] == again["run"]
    assert other.isError
    assert Texts("en")("error.key_used") in words(other)[0]
    async with agent(tools, "127.0.0.2") as session:
        assert facts_of(await session.call_tool("edit", call))["run"] != first["run"]
    assert sandbox.counters.submits_accepted == 2


async def test_a_call_that_is_given_up_takes_its_run_out_of_the_queue_and_leaves_one_at_work(tools: App) -> None:
    sandbox = tools.play(workers=1, run_time=UNTIL_FINISHED, warm_up=0)
    runs: list[str] = []

    async def call(session: ClientSession) -> None:
        async def note(progress: float, total: float | None, message: str | None) -> None:
            name = str(message).removeprefix("run ").partition(":")[0]
            if name not in runs:
                runs.append(name)

        await session.call_tool("edit", {"prompt": "sketch", "image_1": PICTURE}, progress_callback=note)

    async def is_now(session: ClientSession, number: int, state: str) -> bool:
        if len(runs) <= number:
            return False
        return bool(facts_of(await session.call_tool("status", {"run": runs[number]}))["state"] == state)

    async def give_up(session: ClientSession, request_id: int) -> None:
        notice = CancelledNotification(params=CancelledNotificationParams(requestId=request_id, reason="timed out"))
        await session.send_notification(ClientNotification(notice))

    async with agent(tools) as looking, agent(tools) as first, agent(tools) as second:
        calls = [asyncio.create_task(call(first))]
        await until(lambda: is_now(looking, 0, "running"))
        calls.append(asyncio.create_task(call(second)))
        await until(lambda: is_now(looking, 1, "queued"))
        # Another client's notice of a call with the same number concerns nobody else.
        await give_up(looking, 1)
        await give_up(first, 1)
        assert await is_now(looking, 1, "queued")
        await give_up(second, 1)
        await until(lambda: is_now(looking, 1, "cancelled"))
        assert await is_now(looking, 0, "running")
        for task in calls:
            task.cancel()
    assert sandbox.counters.submits_accepted == 2


async def test_an_agent_that_hangs_up_cancels_nothing(tools: App) -> None:
    sandbox = tools.play(workers=1, run_time=(0.5, 0.5))
    runs: list[str] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        runs.append(str(message).removeprefix("run ").partition(":")[0])

    async def has_a_name() -> bool:
        return bool(runs)

    async with agent(tools) as session:
        call = session.call_tool("edit", {"prompt": "sketch", "image_1": PICTURE}, progress_callback=note)
        task = asyncio.create_task(call)
        await until(has_a_name)
        task.cancel()
    async with agent(tools) as session:
        assert facts_of(await session.call_tool("result", {"run": runs[0]}))["state"] == "succeeded"
    assert sandbox.counters.submits_accepted == 1
    assert not sandbox.counters.cancel_calls


async def test_uploads_and_results_are_taken_by_their_addresses(tools: App, uploaded: str) -> None:
    sandbox = tools.play()
    address = f"{tools.url}/gradio_api/file={uploaded}"
    async with agent(tools) as session:
        first = facts_of(await session.call_tool("edit", {"prompt": "sketch", "image_1": address}))
        second = await session.call_tool("edit", {"prompt": "mirror it", "image_1": first["picture_url"]})
        assert not second.isError, words(second)
    assert sandbox.counters.submits_accepted == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"prompt": " "}, "There is no prompt."),
        ({"prompt": 5}, "prompt must be text, not int"),
        ({"seed": -1}, "no whole number from 0 to 2,147,483,647"),
        ({"seed": None}, "The seed “None” is no whole number"),
        ({"prompt_extend": "maybe"}, "prompt_extend must be true or false"),
        ({"image_size": "5:4"}, "16:9"),
        ({"image_size": PICTURE}, "16:9"),
        ({"image_1": None}, "Image 1 is neither a data: URI"),
        ({"image_1": PICTURE.replace(";base64", "")}, "Image 1 is neither a data: URI"),
        ({"image_1": PICTURE[:-200] + "!"}, "Image 1 is neither a data: URI"),
        ({"image_1": PICTURE.removeprefix("data:image/jpeg;base64,")}, "Image 1 is neither a data: URI"),
        ({"image_1": "/etc/passwd"}, "Image 1 is neither a data: URI"),
        ({"image_1": "http://127.0.0.1:1/cat.jpg"}, "Other hosts are not asked."),
        ({"image_1": {"path": PICTURE}}, "Image 1 is neither a data: URI"),
        ({"image_1": "data:text/plain;base64,aGVsbG8="}, "can't be read as a picture"),
        ({"image_3": PICTURE}, "Image 2 is empty"),
        ({"picture": PICTURE}, "“picture” is no argument"),
        ({"wait_seconds": "long"}, "“wait_seconds” is no number"),
        ({"idempotency_key": "short"}, "“idempotency_key” can't be that"),
    ],
)
async def test_wrong_arguments_are_answered_with_a_sentence_that_repeats_no_picture(
    tools: App, arguments: dict[str, Any], sentence: str
) -> None:
    sandbox = tools.play()
    async with agent(tools) as session:
        answer = await session.call_tool("edit", {"prompt": "sketch", "image_1": PICTURE, **arguments})
    assert answer.isError
    assert sentence in words(answer)[0]
    assert "Traceback" not in words(answer)[0]
    assert len(words(answer)[0]) < 1000
    assert PICTURE[30:60] not in words(answer)[0]
    assert sandbox.counters.submits_received == 0


@pytest.mark.parametrize(
    ("tool", "arguments"), [("edit", {"prompt": "x"}), ("result", {}), ("draw", {}), ("status", {"run": "x"})]
)
async def test_calls_that_make_no_sense_are_answered_with_a_sentence(
    tools: App, tool: str, arguments: dict[str, Any]
) -> None:
    async with agent(tools) as session:
        answer = await session.call_tool(tool, arguments)
    assert answer.isError
    assert Texts("en")("charged.sandbox") in words(answer)[0]


async def test_agents_are_limited_as_visitors_are_each_by_itself(paid: App) -> None:
    sandbox = paid.play(price=PRICE)
    call = ("edit", {"prompt": "sketch", "image_1": PICTURE})
    async with agent(paid) as session:
        for _ in range(2):
            allowed = await session.call_tool(*call)
            assert not allowed.isError
            assert facts_of(allowed)["engine"] == "runcomfy"
        refused = await session.call_tool(*call)
        assert refused.isError
        assert "The limit for each visitor is 2 a day" in words(refused)[0]
        assert "Nothing was charged." in words(refused)[0]
    async with agent(paid, **{"X-Forwarded-For": "203.0.113.9", "X-Wan-Caller": "00 address 203.0.113.9"}) as session:
        assert (await session.call_tool(*call)).isError
    assert sandbox.counters.submits_received == 2
    async with agent(paid, "127.0.0.2") as session:
        assert not (await session.call_tool(*call)).isError
    assert sandbox.counters.submits_received == 3


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


async def test_pictures_inside_an_agents_call_count_as_its_own_uploads(paid: App) -> None:
    paid.play(price=PRICE)
    buffer = io.BytesIO()
    noise = Image.frombytes("RGB", (400, 400), random.Random(5).randbytes(480_000))
    noise.save(buffer, "PNG")
    large = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    async with agent(paid, "127.0.0.3") as session:
        answer = await session.call_tool("edit", {"prompt": "sketch", "image_1": large})
        assert not answer.isError, words(answer)
    with pytest.raises(BaseException):  # noqa: B017, PT011  # the protocol's client wraps the refusal in groups
        async with agent(paid, "127.0.0.3") as session:
            await session.call_tool("edit", {"prompt": "sketch", "image_1": large})
    # Another agent has its own, and so has a person who calls from the server's own address.
    async with agent(paid, "127.0.0.4") as session:
        assert not (await session.call_tool("edit", {"prompt": "mirror", "image_1": large})).isError
    async with httpx.AsyncClient(trust_env=False, timeout=60) as person:
        picture = {"files": ("cat.jpg", buffer.getvalue())}
        assert (await person.post(f"{paid.url}/gradio_api/upload", files=picture)).is_success


def test_the_guide_names_the_price_the_limits_and_the_tools_where_there_are_any(paid: App) -> None:
    paid.play(price=PRICE)
    guide = read(paid, "/llms.txt")
    assert f"{PRICE} US dollars a run" in guide
    assert "2 runs a day" in guide
    assert f"{paid.url}/gradio_api/mcp/" in guide
    assert "rehearsed" not in guide
