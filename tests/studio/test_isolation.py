"""Two visitors, and what one can reach of the other and of the server."""

from __future__ import annotations

import json
import re
import secrets
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from gradio_client import Client, handle_file
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from studio.prompt import references
from studio.server import no_relay
from tests.conftest import ROOT
from wan_client import InvalidRequest
from wan_client.schema import check_prompt

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request

    from tests.conftest import App


def get(app: App, path: str) -> httpx.Response:
    return httpx.get(f"{app.url}{path}", timeout=60, trust_env=False)


def post(app: App, path: str, body: Any) -> httpx.Response:
    return httpx.post(f"{app.url}{path}", json=body, timeout=60, trust_env=False)


def handled(app: App, name: str, values: list[Any], event: Any = None, session: str = "") -> str:
    """All that a page's own handler answers to a call that the page would not make."""
    found = next(one for one in get(app, "/config").json()["dependencies"] if one["api_name"] == name)
    session = session or secrets.token_hex(8)
    body = {"fn_index": found["id"], "data": values, "event_data": event, "session_hash": session}
    assert post(app, "/gradio_api/queue/join", body).is_success
    return get(app, f"/gradio_api/queue/data?session_hash={session}").text


@pytest.fixture
def another(app: App, plain_photos: Path) -> dict[str, Any]:
    """The facts of another visitor's run, of which nothing was given away but the request's id and the picture."""
    answer = Client(app.url, verbose=False, download_files=False).predict(
        "a very private matter", handle_file(plain_photos / "cat.jpg"), api_name="/edit"
    )
    picture, facts = answer
    return {**facts, "picture": picture["path"] if isinstance(picture, dict) else picture}


@pytest.mark.parametrize("field", ["request_id", "picture"])
def test_a_run_is_found_by_its_name_alone(app: App, another: dict[str, Any], field: str) -> None:
    started = post(app, "/gradio_api/call/v2/result", {"run": another[field]}).json()["event_id"]
    assert "has no run of that name" in get(app, f"/gradio_api/call/v2/result/{started}").text
    folder = another["picture"].rsplit("/", 2)[-2]
    started = post(app, "/gradio_api/call/v2/result", {"run": folder}).json()["event_id"]
    assert "has no run of that name" in get(app, f"/gradio_api/call/v2/result/{started}").text


def test_a_pictures_address_does_not_lead_to_the_prompt_or_the_runs_name(app: App, another: dict[str, Any]) -> None:
    folder = another["picture"].rsplit("/", 1)[0]
    for name in ("", "run.json", "notes", ".", ".."):
        answer = get(app, f"/gradio_api/file={folder}/{name}")
        assert answer.status_code in {403, 404}
    for name in ("outcome.json", "request-id.txt"):
        answer = get(app, f"/gradio_api/file={folder}/{name}")
        assert "private" not in answer.text
        assert another["run"] not in answer.text


@pytest.mark.parametrize("name", ["show", "delete", "restore"])
def test_an_event_that_names_another_run_by_what_is_known_of_it_does_nothing(
    app: App, another: dict[str, Any], name: str
) -> None:
    for key in (another["request_id"], another["picture"].split("/")[-2], "../" + another["run"]):
        told = handled(app, name, ['{"runs": [], "draft": null}'], {"key": key})
        assert "private" not in told
        assert another["picture"] not in told
    assert get(app, f"/gradio_api/file={another['picture']}").is_success


@pytest.mark.parametrize("name", ["swap_1_2", "swap_2_3", "apply_fix", "changed"])
def test_a_path_in_a_slot_does_not_fetch_a_file_of_the_server(app: App, name: str) -> None:
    config = get(app, "/config").json()
    kinds = {component["id"]: component["type"] for component in config["components"]}
    handler = next(one for one in config["dependencies"] if one["api_name"] == name)
    usual = {"textbox": "x", "dropdown": "1024*1024 (1:1)", "number": 0, "checkbox": True}
    for path in (str(ROOT / "pyproject.toml"), str(app._log), "/etc/passwd", "pyproject.toml"):
        told = handled(
            app, name, [usual.get(kinds[number], {"path": path}) for number in handler["inputs"]], {"fix": "0"}
        )
        for address in re.findall(r"/gradio_api/file=[^\"\\]+", told):
            text = get(app, address).text
            assert "build-backend" not in text
            assert "Running on local URL" not in text


def test_what_a_recipe_is_read_from_is_an_upload(app: App) -> None:
    config = get(app, "/config").json()
    handler = next(one for one in config["dependencies"] if one["api_name"] == "restore_recipe")
    told = handled(
        app, "restore_recipe", [None] * len(handler["inputs"]), {"path": str(ROOT / "assets/screenshot.jpg")}
    )
    assert "/gradio_api/file=" not in told
    assert str(ROOT) not in told


def test_a_session_is_a_secret_of_its_page(app: App) -> None:
    """Its name is a random one that the page chooses and gives to nobody; who makes one up hears nothing."""
    told = get(app, "/gradio_api/queue/data?session_hash=made-up").text
    assert "Not Found" in told
    assert get(app, "/gradio_api/call/edit/made-up").text.count("event: error") == 1
    assert "session_hash" not in get(app, "/gradio_api/queue/status").text


@pytest.mark.parametrize(
    "path",
    [
        "/monitoring", "/monitoring/summary", "/monitoring/key", "/gradio_api/deep_link?session_hash=a",
        "/gradio_api/runs", "/gradio_api/run-history/records", "/gradio_api/profiling/summary",
        "/gradio_api/upload_progress?upload_id=1", "/gradio_api/vibe-code", "/gradio_api/mcp/",
        "/gradio_api/file=", "/gradio_api/file=/", "/gradio_api/file=/tmp", "/gradio_api/file=.env",
        "/gradio_api/file=app.py", "/gradio_api/file=/etc/passwd", "/gradio_api/file=http://127.0.0.1:1/",
        "/gradio_api/proxy=http://127.0.0.1:1/", "/static/..%2f..%2fapp.py", "/assets/..%2f..%2fapp.py",
    ],
)  # fmt: skip
def test_what_gradio_could_serve_beside_the_page_is_closed(app: App, path: str) -> None:
    assert get(app, path).status_code in {400, 403, 404}


def test_no_folder_is_listed(app: App, another: dict[str, Any]) -> None:
    parts = another["picture"].split("/")
    for end in range(1, len(parts)):
        assert get(app, f"/gradio_api/file={'/'.join(parts[:end])}").status_code in {403, 404}


def test_the_pages_configuration_holds_nothing_of_anybody(app: App, another: dict[str, Any]) -> None:
    for path in ("/config", "/gradio_api/info", "/gradio_api/openapi.json", "/", "/gradio_api/startup-events"):
        told = get(app, path).text
        assert not [
            value for value in (another["run"], another["request_id"], "a very private matter") if value in told
        ]


def test_one_programs_events_are_not_heard_by_another(app: App, plain_photos: Path) -> None:
    app.play(run_time=(1.0, 1.0))
    first, second = (Client(app.url, verbose=False) for _ in range(2))
    job = first.submit("sketch", handle_file(plain_photos / "cat.jpg"), api_name="/edit")
    assert first.session_hash != second.session_hash
    assert "run" not in get(app, f"/gradio_api/queue/data?session_hash={second.session_hash}").text
    assert json.dumps(job.result(60)[1])


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=https://example.com/x.png", "/gradio_api/file/https://example.com/x.png",
        "/gradio_api/file=HTTPS://example.com/x.png", "/gradio_api/file=https%253A//example.com/x.png",
        "/file=http://example.com/x.png", "/gradio_api/proxy=https://example.com/",
    ],
)  # fmt: skip
async def test_what_another_host_says_is_not_passed_on(path: str) -> None:
    """Gradio would show it as this page's own, a script included."""
    reached: list[str] = []

    async def behind(request: Request) -> PlainTextResponse:
        reached.append(request.url.path)
        return PlainTextResponse("passed on")

    app = no_relay(Starlette(routes=[Route("/{path:path}", behind)]))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://page", timeout=60) as client:
        assert (await client.get(path)).status_code == httpx.codes.NOT_FOUND
        assert not reached
        assert (await client.get("/gradio_api/file=/tmp/gradio/a%20b/x.png")).text == "passed on"


def test_an_address_is_not_fetched_for_whoever_names_it(app: App) -> None:
    picture = {"path": "https://example.com/huge", "meta": {"_type": "gradio.FileData"}}
    answer = post(app, "/gradio_api/run/like_image_1", {"data": [picture], "session_hash": "s"})
    assert not answer.is_success
    assert "can't be read" in answer.text
    verdict = post(app, "/slot", {"path": "https://example.com/huge", "number": 1})
    assert verdict.json()["state"] == "gone"


def test_a_text_made_to_take_long_is_not_begun() -> None:
    """Looked through, each of them would take the whole server minutes."""
    marks = "a" + "\u0301" * 100_000 + "\u0323" * 100_000
    for prompt in ("\uc774\ubbf8\uc9c0" + " " * 200_000, "\u201c" * 200_000, marks):
        assert references.check(prompt, [True, True, False]) == ()
        assert references.renumber(prompt, {1: 2}) == prompt
        with pytest.raises(InvalidRequest):
            check_prompt(prompt)
