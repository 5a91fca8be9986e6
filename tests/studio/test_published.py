"""The one endpoint for programs, called as programs call it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

if TYPE_CHECKING:
    from tests.conftest import App


@pytest.fixture
def client(app: App, tmp_path: Path) -> Client:
    return Client(app.url, verbose=False, download_files=str(tmp_path))


def test_edit_is_all_that_is_published(client: Client) -> None:
    described = client.view_api(return_format="dict", print_info=False)
    assert isinstance(described, dict)
    assert list(described["named_endpoints"]) == ["/edit"]
    assert not described["unnamed_endpoints"]
    parameters = described["named_endpoints"]["/edit"]["parameters"]
    assert [parameter["parameter_name"] for parameter in parameters] == [
        "prompt", "image_1", "image_2", "image_3", "negative_prompt", "image_size", "seed", "prompt_extend",
    ]  # fmt: skip
    assert [parameter["parameter_has_default"] for parameter in parameters] == [False, False] + [True] * 6


def test_a_program_gets_the_result_file(app: App, client: Client, photos: Path) -> None:
    sandbox = app.play(picture="preview")
    result = client.predict(
        "Put image 1 and image 2 side by side",
        handle_file(photos / "cat.jpg"),
        handle_file(photos / "coffee.jpg"),
        image_size="16:9",
        seed=7,
        api_name="/edit",
    )
    assert "local-preview" in Path(result).name
    with Image.open(result) as image:
        assert image.size == (1280, 720)
        assert image.format == "PNG"
        assert "local preview" in json.dumps({key: str(value) for key, value in image.info.items()})
    assert sandbox.counters.submits_accepted == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"prompt": " "}, "There is no prompt."),
        ({"prompt": "x" * 2000}, "at most 1,999 are allowed"),
        ({"negative_prompt": "x" * 501}, "at most 500 are allowed"),
        ({"image_size": "5:4"}, "none of the eight sizes"),
        ({"seed": -1}, "no whole number from 0 to 2,147,483,647"),
        ({"seed": 2**31}, "no whole number from 0 to 2,147,483,647"),
        ({"prompt": 5}, "must be text"),
        ({"seed": "many"}, "no whole number"),
    ],
)
def test_what_can_not_be_sent_is_answered_with_a_sentence(
    app: App, client: Client, photos: Path, arguments: dict[str, Any], sentence: str
) -> None:
    given: dict[str, Any] = {"prompt": "sketch", "image_1": handle_file(photos / "cat.jpg"), **arguments}
    with pytest.raises(AppError, match=sentence):
        client.predict(**given, api_name="/edit")
    assert app.sandbox
    assert app.sandbox.counters.submits_received == 0


def test_a_failed_run_is_answered_with_a_sentence_and_its_id(app: App, client: Client, photos: Path) -> None:
    app.play(faults=("failed-text",))
    with pytest.raises(AppError, match=r"could not finish this run\. .*Run [A-Za-z0-9_-]+"):
        client.predict("sketch", handle_file(photos / "cat.jpg"), api_name="/edit")


def call(app: App, data: list[Any]) -> str:
    """The endpoint over plain HTTP, as curl calls it."""
    started = httpx.post(f"{app.url}/gradio_api/call/edit", json={"data": data}, trust_env=False)
    address = f"{app.url}/gradio_api/call/edit/{started.json()['event_id']}"
    return httpx.get(address, timeout=60, trust_env=False).text


def test_plain_http_works_too(app: App, photos: Path) -> None:
    with (photos / "cat.jpg").open("rb") as file:
        uploaded = httpx.post(f"{app.url}/gradio_api/upload", files={"files": file}, trust_env=False).json()
    told = call(app, ["sketch", {"path": uploaded[0]}, None, None, "", "1:1", 0, True])
    assert told.startswith("event: complete")
    url = json.loads(told.split("data: ", 1)[1])[0]["url"]
    with Image.open(io.BytesIO(httpx.get(url, trust_env=False).content)) as image:
        assert image.size == (1024, 1024)


@pytest.mark.parametrize("path", ["/etc/passwd", "app.py", "../.env"])
def test_a_path_of_the_server_is_no_picture(app: App, path: str) -> None:
    told = call(app, ["sketch", {"path": path}, None, None, "", "1:1", 0, True])
    assert "event: error" in told
    assert app.sandbox
    assert app.sandbox.counters.submits_received == 0


def test_the_answer_is_in_the_callers_language(app: App) -> None:
    client = Client(app.url, verbose=False, headers={"Accept-Language": "ko"})
    with pytest.raises(AppError, match="프롬프트가 없습니다"):
        client.predict("", handle_file(Path(__file__).parents[2] / "assets/photos/cat.jpg"), api_name="/edit")
