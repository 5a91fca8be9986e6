"""The endpoints for programs, called as programs call them."""

from __future__ import annotations

import io
import json
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from studio.i18n.texts import Texts
from tests.conftest import UNTIL_FINISHED, running_app
from wan_client import ImageSize

if TYPE_CHECKING:
    from tests.conftest import App

pytestmark = pytest.mark.slow


@pytest.fixture
def client(app: App, tmp_path: Path) -> Client:
    return Client(app.url, verbose=False, download_files=str(tmp_path))


ENDPOINTS = ["/edit", "/result", "/status", "/cancel"]


def test_the_four_endpoints_are_all_that_is_published_and_have_words(app: App, client: Client) -> None:
    described = client.view_api(return_format="dict", print_info=False)
    assert isinstance(described, dict)
    assert list(described["named_endpoints"]) == ENDPOINTS
    assert not described["unnamed_endpoints"]
    told = [
        part["label"]
        for endpoint in described["named_endpoints"].values()
        for part in (*endpoint["parameters"], *endpoint["returns"])
    ]
    assert all(" " in words for words in told)
    paths = httpx.get(f"{app.url}/gradio_api/openapi.json", trust_env=False, timeout=60).json()["paths"]
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    assert {f"/gradio_api/call/v2{name}" for name in ENDPOINTS} < set(paths)
    assert all(f"gradio_api/call/v2{name}" in readme for name in ENDPOINTS)
    parameters = described["named_endpoints"]["/edit"]["parameters"]
    assert [parameter["parameter_name"] for parameter in parameters] == [
        "prompt", "image_1", "image_2", "image_3", "negative_prompt", "image_size", "seed", "prompt_extend",
        "idempotency_key", "wait_seconds",
    ]  # fmt: skip
    assert [parameter["parameter_has_default"] for parameter in parameters] == [False, False] + [True] * 8
    assert parameters[6]["type"] == {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}
    assert set(parameters[5]["type"]["enum"]) == {text for size in ImageSize for text in (size.value, size.ratio)}


def test_a_program_gets_the_result_file_and_what_is_known_of_it(app: App, client: Client, photos: Path) -> None:
    sandbox = app.play(picture="preview")
    result, facts = client.predict(
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
    assert facts["engine"] == "sandbox"
    assert facts["local_preview"] is True
    assert (facts["width"], facts["height"], facts["seed"], facts["cost_usd"]) == (1280, 720, 7, 0)
    assert facts["request_id"]


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
        ({"seed": None}, "The seed “None” is no whole number"),
        ({"seed": True}, "The seed “True” is no whole number"),
        ({"seed": 1.5}, "The seed “1.5” is no whole number"),
        ({"prompt": None}, "prompt must be text, not NoneType"),
        ({"prompt_extend": "maybe"}, "prompt_extend must be true or false, not “maybe”"),
        ({"prompt_extend": None}, "prompt_extend must be true or false, not “None”"),
        ({"prompt_extend": 1}, "prompt_extend must be true or false, not “1”"),
        ({"negative_prompt": None}, "negative_prompt must be text"),
        ({"negative_prompt": False}, "negative_prompt must be text"),
        ({"image_size": 1}, "image_size must be text"),
        ({"image_size": None}, "image_size must be text"),
        ({"image_2": 5}, "Image 2 is no file"),
        ({"wait_seconds": "long"}, "“wait_seconds” is no number"),
        ({"wait_seconds": -1}, "“wait_seconds” is no number"),
        ({"idempotency_key": 5}, "idempotency_key must be text"),
        ({"idempotency_key": "order 1"}, "“idempotency_key” can't be that"),
    ],
)
def test_what_can_not_be_sent_is_answered_with_a_sentence(
    app: App, client: Client, plain_photos: Path, arguments: dict[str, Any], sentence: str
) -> None:
    given: dict[str, Any] = {"prompt": "sketch", "image_1": handle_file(plain_photos / "cat.jpg"), **arguments}
    with pytest.raises(AppError, match=sentence):
        client.predict(**given, api_name="/edit")
    assert app.sandbox
    assert app.sandbox.counters.submits_received == 0


def test_a_failed_run_is_answered_with_a_sentence_and_its_id(app: App, client: Client, plain_photos: Path) -> None:
    app.play(faults=("failed-text",))
    with pytest.raises(AppError, match=r"The model's service had a failure of its own\. .*Run [A-Za-z0-9_-]+"):
        client.predict("sketch", handle_file(plain_photos / "cat.jpg"), api_name="/edit")


def test_the_runs_name_is_told_before_anything_is_sent_and_fetches_the_picture_later(
    app: App, client: Client, plain_photos: Path
) -> None:
    sandbox = app.play(run_time=(1.0, 1.0))
    job = client.submit("sketch", handle_file(plain_photos / "cat.jpg"), api_name="/edit")
    picture, facts = job.result(60)
    first, *later, _ = [told for _, told in job.outputs()]
    assert first["request_id"] is None
    assert {told["run"] for told in (first, *later)} == {facts["run"]}
    assert "Running" in {told["message"].split(",")[0] for told in later}
    again, known = client.predict(facts["run"], api_name="/result")
    assert {**known, "reused": False} == facts
    assert Path(again).read_bytes() == Path(picture).read_bytes()
    assert sandbox.counters.submits_accepted == 1


def test_two_alike_of_one_program_are_two_runs(app: App, client: Client, plain_photos: Path) -> None:
    sandbox = app.play()
    jobs = [client.submit("sketch", handle_file(plain_photos / "cat.jpg"), api_name="/edit") for _ in range(2)]
    assert len({job.result(60)[1]["run"] for job in jobs}) == 2
    assert sandbox.counters.submits_accepted == 2


@pytest.mark.parametrize("endpoint", ENDPOINTS[1:])
@pytest.mark.parametrize("run", ["", "nobody's", "../../etc/passwd", "\x00", 5, None, {"a": 1}])
def test_a_run_that_nobody_has_is_told_in_a_sentence(app: App, client: Client, run: object, endpoint: str) -> None:
    with pytest.raises(AppError, match="has no run of that name"):
        client.predict(run, api_name=endpoint)


def test_a_call_that_waits_for_nothing_names_the_run_whose_state_and_picture_can_be_asked_for(
    app: App, client: Client, plain_photos: Path
) -> None:
    sandbox = app.play(run_time=(1.0, 1.0))
    nothing, begun = client.predict("sketch", handle_file(plain_photos / "cat.jpg"), wait_seconds=0, api_name="/edit")
    assert nothing is None
    assert begun["state"] in {"preparing", "sending", "queued", "running"}
    states = [client.predict(begun["run"], api_name="/status")["state"]]
    assert set(states) <= {"preparing", "sending", "queued", "running", "downloading", "succeeded"}
    while states[-1] not in {"succeeded", "failed"}:
        _, now = client.predict(begun["run"], wait_seconds=1, api_name="/result")
        states.append(now["state"])
    picture, facts = client.predict(begun["run"], api_name="/result")
    assert Path(picture).read_bytes().startswith(b"\x89PNG")
    assert client.predict(begun["run"], api_name="/status") == facts
    assert client.predict(begun["run"], api_name="/cancel")["cancel_outcome"] == "not_cancellable"
    assert sandbox.counters.submits_accepted == 1


def test_a_run_is_taken_out_of_the_queue_by_its_name_and_one_at_work_goes_on(
    app: App, client: Client, plain_photos: Path
) -> None:
    sandbox = app.play(workers=1, run_time=UNTIL_FINISHED, warm_up=0)
    runs = []
    for _ in range(2):
        _, facts = client.predict("sketch", handle_file(plain_photos / "cat.jpg"), wait_seconds=0, api_name="/edit")
        runs.append(facts["run"])
        while client.predict(facts["run"], api_name="/status")["state"] in {"preparing", "sending"}:
            time.sleep(0.05)
    while client.predict(runs[0], api_name="/status")["state"] == "queued":
        time.sleep(0.05)
    assert client.predict(runs[1], api_name="/cancel")["cancel_outcome"] == "cancelled"
    assert client.predict(runs[0], api_name="/cancel")["cancel_outcome"] == "not_cancellable"
    assert client.predict(runs[0], api_name="/status")["state"] == "running"
    with pytest.raises(AppError, match=Texts("en")("error.cancelled")):
        client.predict(runs[1], api_name="/result")
    assert client.predict(runs[1], api_name="/status")["state"] == "cancelled"
    assert sandbox.counters.submits_accepted == 2


def test_nothing_is_lost_by_a_restart_and_a_call_with_a_key_is_one_run_through_it(
    app: App, client: Client, plain_photos: Path
) -> None:
    sandbox = app.play()
    call: dict[str, Any] = {"prompt": "sketch", "image_1": handle_file(plain_photos / "cat.jpg"), "api_name": "/edit"}
    key = {"idempotency_key": str(uuid.uuid4())}
    first = [client.submit(**call, **key) for _ in range(3)]
    facts = [job.result(60)[1] for job in first]
    assert len({one["run"] for one in facts}) == 1
    assert sorted(one["reused"] for one in facts) == [False, True, True]
    with pytest.raises(AppError, match="used for another request"):
        client.predict(**{**call, "prompt": "mirror it"}, **key)
    assert sandbox.counters.submits_accepted == 1
    sandbox = app.play(run_time=UNTIL_FINISHED)
    job = client.submit(**call, seed=7)
    while not any(told["request_id"] for _, told in job.outputs()):
        time.sleep(0.05)
    _, told = job.outputs()[-1]
    app.stop(kill=True)
    app.start()
    client = Client(app.url, verbose=False)
    sandbox.finish_jobs()
    _, picked_up = client.predict(told["run"], api_name="/result")
    assert (picked_up["request_id"], picked_up["seed"]) == (told["request_id"], 7)
    _, again = client.predict(**call, **key)
    assert (again["run"], again["reused"]) == (facts[0]["run"], True)
    assert sandbox.counters.submits_accepted == 1


def upload(app: App, file: Path) -> str:
    with file.open("rb") as opened:
        answer = httpx.post(f"{app.url}/gradio_api/upload", files={"files": opened}, trust_env=False, timeout=60)
    path: str = answer.json()[0]
    return path


def named(app: App, endpoint: str, arguments: dict[str, Any]) -> str:
    """The address of a call with named arguments, begun as curl begins it."""
    address = f"{app.url}/gradio_api/call/v2/{endpoint}"
    started = httpx.post(address, json=arguments, trust_env=False, timeout=60)
    assert started.is_success, started.text
    return f"{address}/{started.json()['event_id']}"


def test_a_caller_that_is_cut_off_loses_nothing(app: App, plain_photos: Path) -> None:
    sandbox = app.play(run_time=(1.5, 1.5))
    address = named(app, "edit", {"prompt": "sketch", "image_1": {"path": upload(app, plain_photos / "cat.jpg")}})
    with httpx.stream("GET", address, timeout=60, trust_env=False) as told:
        line = next(line for line in told.iter_lines() if line.startswith("data: "))
    run = json.loads(line.removeprefix("data: "))[1]["run"]
    result = httpx.get(named(app, "result", {"run": run}), timeout=60, trust_env=False).text
    assert "event: complete" in result
    assert sandbox.counters.submits_accepted == 1
    assert not sandbox.counters.cancel_calls


def test_a_result_that_could_not_be_fetched_says_how_to_fetch_it(plain_photos: Path) -> None:
    with running_app(WAN_BACKEND="sandbox", WAN_DEADLINE="1") as app:
        sandbox = app.play(run_time=UNTIL_FINISHED)
        client = Client(app.url, verbose=False)
        with pytest.raises(AppError, match=r"call /result with the run “.+”") as told:
            client.predict("sketch", handle_file(plain_photos / "cat.jpg"), api_name="/edit")
        run = str(told.value).split("the run “")[1].split("”")[0]
        sandbox.finish_jobs()
        facts = None
        while facts is None:
            with suppress(AppError):
                _, facts = client.predict(run, api_name="/result")
        assert facts["run"] == run
        assert sandbox.counters.submits_accepted == 1


@pytest.mark.parametrize(
    "arguments",
    [{}, {"prompt": "sketch"}, {"prompt": "sketch", "image_1": None, "picture": None}],
)
def test_arguments_that_are_missing_or_unknown_are_told_in_a_sentence(app: App, arguments: dict[str, Any]) -> None:
    told = httpx.post(f"{app.url}/gradio_api/call/v2/edit", json=arguments, trust_env=False, timeout=60)
    assert told.status_code == httpx.codes.BAD_REQUEST
    assert Texts("en")("error.call_malformed") in told.json()["detail"]
    assert Texts("en")("charged.no") in told.json()["detail"]


def call(app: App, data: list[Any]) -> str:
    """The endpoint over plain HTTP, as curl calls it."""
    started = httpx.post(f"{app.url}/gradio_api/call/edit", json={"data": data}, trust_env=False, timeout=60)
    address = f"{app.url}/gradio_api/call/edit/{started.json()['event_id']}"
    return httpx.get(address, timeout=60, trust_env=False).text


def test_plain_http_works_too(app: App, plain_photos: Path) -> None:
    told = call(app, ["sketch", {"path": upload(app, plain_photos / "cat.jpg")}, None, None, "", "1:1", 0, True])
    url = json.loads(told.split("event: complete\ndata: ")[1])[0]["url"]
    with Image.open(io.BytesIO(httpx.get(url, trust_env=False, timeout=60).content)) as image:
        assert image.size == (1024, 1024)


@pytest.mark.parametrize("path", ["/etc/passwd", "app.py", "../.env"])
def test_a_path_of_the_server_is_no_picture(app: App, path: str) -> None:
    told = call(app, ["sketch", {"path": path}, None, None, "", "1:1", 0, True])
    assert Texts("en")("error.image_not_uploaded", number=1) in told
    assert app.sandbox
    assert app.sandbox.counters.submits_received == 0


def test_the_answer_is_in_the_callers_language(app: App) -> None:
    client = Client(app.url, verbose=False, headers={"Accept-Language": "ko"})
    with pytest.raises(AppError, match="프롬프트가 없습니다"):
        client.predict("", handle_file(Path(__file__).parents[2] / "assets/photos/cat.jpg"), api_name="/edit")
