"""The calls and replies of the API, key by key."""

import json
import re
import urllib.request
from datetime import datetime
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image

from .conftest import Serve
from .support import MODEL, TOKEN, Caller, body, data_uri, picture, until


def test_a_submit_answers_with_the_id_and_absolute_links(shared: Caller) -> None:
    reply = shared.submit()
    assert reply.status_code == 200
    sent = reply.json()
    assert sent.keys() == {"request_id", "status_url", "result_url", "cancel_url"}
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,128}", sent["request_id"])
    for name in ("status", "result", "cancel"):
        assert sent[f"{name}_url"] == f"{shared.sandbox.url}/v1/requests/{sent['request_id']}/{name}"


def test_links_follow_the_host_that_was_called(shared: Caller) -> None:
    port = urlsplit(shared.sandbox.url).port
    reply = shared.http.post(MODEL, json=body(), headers={"host": f"localhost:{port}"})
    assert reply.json()["status_url"].startswith(f"http://localhost:{port}/v1/requests/")


def test_the_states_of_a_job(serve: Serve) -> None:
    caller = serve(run_time=(0.3, 0.3))
    request_id = caller.accepted()
    links = {f"{name}_url": f"{caller.sandbox.url}/v1/requests/{request_id}/{name}" for name in ("status", "result")}
    assert caller.status(request_id).json() == {
        "request_id": request_id,
        "status": "in_queue",
        "queue_position": 1,
        **links,
    }
    waiting = caller.result(request_id).json()
    assert waiting.keys() == {"request_id", "status", "created_at", "finished_at", "input"}
    assert (waiting["status"], waiting["finished_at"]) == ("in_queue", None)
    until(lambda: caller.word(request_id) == "in_progress")
    assert caller.status(request_id).json() == {"request_id": request_id, "status": "in_progress", **links}
    assert caller.result(request_id).json()["status"] == "in_progress"
    until(lambda: caller.word(request_id) == "completed")
    assert caller.status(request_id).json() == {"request_id": request_id, "status": "completed", **links}


def test_the_result_of_a_job(shared: Caller) -> None:
    request_id = shared.accepted(seed=7, image_size="800*1200 (2:3)", image_urls=[data_uri(), data_uri()])
    result = shared.ended(request_id)
    assert result.keys() == {
        "request_id",
        "status",
        "output",
        "created_at",
        "finished_at",
        "input",
        "local_preview",
    }
    assert (result["request_id"], result["status"]) == (request_id, "succeeded")
    assert datetime.fromisoformat(result["created_at"].replace("Z", "+00:00")) <= datetime.fromisoformat(
        result["finished_at"].replace("Z", "+00:00")
    )
    assert result["output"].keys() == {"image"}
    url = result["output"]["image"]
    assert url.startswith(shared.sandbox.url + "/outputs/")
    assert "%3D" in url
    assert url.endswith(f"/local-preview_{request_id}_output.png")
    reply = shared.fetch(url)
    assert reply.headers["content-type"] == "image/png"
    with Image.open(BytesIO(reply.content)) as image:
        assert (image.format, image.size) == ("PNG", (800, 1200))


def test_the_echo_names_stored_inputs_by_url(shared: Caller) -> None:
    uri = data_uri(picture(500, 400, "JPEG"), "image/jpeg")
    request_id = shared.accepted(image_urls=[uri])
    echo = shared.ended(request_id)["input"]
    assert echo == {
        "prompt": "pencil sketch",
        "image_urls": echo["image_urls"],
        "negative_prompt": "low resolution, error, worst quality, low quality, deformed, extra fingers",
        "image_size": "1024*1024 (1:1)",
        "seed": 0,
        "prompt_extend": True,
    }
    reply = shared.fetch(echo["image_urls"][0])
    assert reply.content == picture(500, 400, "JPEG")
    assert reply.headers["content-type"] == "image/jpeg"


def test_cost_only_when_asked_for(serve: Serve) -> None:
    caller = serve(price=0.03, run_time=(0.2, 0.2))
    request_id = caller.accepted()
    assert "cost" not in caller.result(request_id, include_cost="true").json()
    assert "cost" not in caller.ended(request_id)
    assert caller.result(request_id, include_cost="true").json()["cost"] == 0.03
    assert "cost" not in caller.result(request_id, include_cost="false").json()


def test_the_sandbox_costs_nothing_by_itself(shared: Caller) -> None:
    request_id = shared.accepted()
    shared.ended(request_id)
    assert shared.result(request_id, include_cost="true").json()["cost"] == 0.0
    assert shared.http.get(MODEL).json()["base_price_usd"] == 0.0


def test_a_waiting_job_can_be_cancelled(serve: Serve) -> None:
    caller = serve(run_time=(60, 60))
    request_id = caller.accepted()
    reply = caller.cancel(request_id)
    assert reply.status_code == 202
    assert reply.json() == {"request_id": request_id, "status": "cancelled", "outcome": "cancelled"}
    assert caller.word(request_id) == "cancelled"
    assert caller.result(request_id).json()["status"] == "cancelled"
    assert caller.cancel(request_id).json()["outcome"] == "cancelled"
    assert caller.sandbox.counters.jobs_cancelled == 1


def test_a_running_or_ended_job_cannot_be_cancelled(serve: Serve) -> None:
    caller = serve(run_time=(0.4, 0.4), warm_up=0)
    request_id = caller.accepted()
    until(lambda: caller.word(request_id) == "in_progress")
    reply = caller.cancel(request_id)
    assert reply.status_code == 202
    assert reply.json() == {"request_id": request_id, "status": "in_progress", "outcome": "not_cancellable"}
    assert caller.ended(request_id)["status"] == "succeeded"
    assert caller.cancel(request_id).json() == {
        "request_id": request_id,
        "status": "completed",
        "outcome": "not_cancellable",
    }


def test_the_catalogue(shared: Caller) -> None:
    entry = shared.http.get(MODEL).json()
    assert entry.keys() == {
        "model_id",
        "display_name",
        "categories",
        "base_price_usd",
        "price_unit",
        "pricing_note",
        "input_schema",
    }
    assert (entry["model_id"], entry["price_unit"]) == ("wan-ai/wan-2-6/image-to-image", "output")
    assert entry["pricing_note"].startswith("The sandbox is free:")
    images = entry["input_schema"]["properties"]["image_urls"]
    assert [rule["rule"] for rule in images["items"]["validations"]] == [
        "file_size_mb< 10",
        "width_pixels> 384",
        "height_pixels> 384",
        "width_pixels< 5000",
        "height_pixels< 5000",
    ]
    assert images["title"] == "Reference images"
    korean = shared.http.get(MODEL, headers={"accept-language": "ko-KR,ko;q=0.9,en;q=0.8"}).json()
    assert korean["input_schema"]["properties"]["image_urls"]["title"] == "참조 이미지"
    assert shared.http.get("/v1/models").json() == {"models": [entry], "total": 1, "limit": 100, "offset": 0}


@pytest.mark.parametrize(
    ("query", "found", "total"),
    [
        ({"search": "WAN 2.6"}, 1, 1),
        ({"search": "flux"}, 0, 0),
        ({"category": "image-to-image", "kind": "model", "include_schema": "true"}, 1, 1),
        ({"category": "text-to-video"}, 0, 0),
        ({"limit": "100", "offset": "100"}, 0, 1),
        ({"limit": "many", "offset": "-1"}, 1, 1),
    ],
)
def test_the_catalogue_is_searched_and_paged(shared: Caller, query: dict[str, str], found: int, total: int) -> None:
    page = shared.http.get("/v1/models", params=query).json()
    assert (len(page["models"]), page["total"]) == (found, total)


def test_the_categories(shared: Caller) -> None:
    assert shared.http.get("/v1/models/categories").json() == {"categories": ["image-to-image"]}


@pytest.mark.parametrize(
    ("headers", "path"),
    [
        ({}, MODEL),
        ({"authorization": "Bearer"}, MODEL),
        ({"authorization": "Basic abc"}, MODEL),
        ({}, "/v1/models"),
        ({}, "/v1/requests/abc/status"),
        ({}, "/v1/requests/abc/result"),
    ],
)
def test_a_token_is_required(shared: Caller, headers: dict[str, str], path: str) -> None:
    reply = httpx.get(shared.sandbox.url + path, headers=headers, timeout=60)
    assert reply.status_code == 400
    assert reply.json() == {"error_code": 400004, "error_message": "The token is missing, wrong or expired."}


def test_a_submit_and_a_cancel_require_a_token(shared: Caller) -> None:
    before = shared.sandbox.counters.submits_accepted
    assert httpx.post(shared.sandbox.url + MODEL, json=body(), timeout=60).json()["error_code"] == 400004
    assert httpx.post(shared.sandbox.url + "/v1/requests/abc/cancel", timeout=60).json()["error_code"] == 400004
    assert shared.sandbox.counters.submits_accepted == before


def test_only_the_configured_token(serve: Serve) -> None:
    caller = serve(token="right")
    assert caller.submit().json()["error_code"] == 400004
    reply = caller.http.post(MODEL, json=body(), headers={"authorization": "Bearer right"})
    assert reply.status_code == 200
    assert "right" not in repr(caller.sandbox.settings)


def test_requests_belong_to_their_token(shared: Caller) -> None:
    request_id = shared.accepted()
    other = {"authorization": "Bearer somebody-else"}
    for method, call in (("GET", "status"), ("GET", "result"), ("POST", "cancel")):
        reply = shared.http.request(method, f"/v1/requests/{request_id}/{call}", headers=other)
        assert (reply.status_code, reply.json()["error_code"]) == (403, 403001)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unknown_models(shared: Caller, method: str) -> None:
    reply = shared.http.request(method, "/v1/models/wan-ai/wan-9", json=body())
    assert (reply.status_code, reply.json()["error_code"]) == (400, 400001)


def test_unknown_requests_routes_and_methods(shared: Caller) -> None:
    for reply in (shared.status("nobody"), shared.result("nobody"), shared.cancel("nobody")):
        assert (reply.status_code, reply.json()["error_code"]) == (404, 404001)
    assert shared.http.get("/nowhere").json()["error_code"] == 404000
    reply = shared.http.delete("/v1/models")
    assert (reply.status_code, reply.json()["error_code"]) == (405, 405001)


def test_an_output_address_is_used_byte_for_byte(shared: Caller) -> None:
    url = shared.ended(shared.accepted())["output"]["image"]
    reply = shared.fetch(url.replace("%3D", "="))
    assert (reply.status_code, reply.json()["error_code"]) == (403, 403001)
    assert shared.fetch(url).status_code == 200


def test_a_token_sent_to_an_output_is_noticed(shared: Caller) -> None:
    url = shared.ended(shared.accepted())["output"]["image"]
    before = shared.sandbox.counters.tokens_leaked
    shared.http.get(url)
    assert shared.sandbox.counters.tokens_leaked == before + 1


def test_the_counters(serve: Serve) -> None:
    caller = serve()
    request_id = caller.accepted()
    caller.submit(prompt="")
    caller.status(request_id)
    result = caller.ended(request_id)
    caller.cancel(request_id)
    caller.http.get(MODEL)
    caller.fetch(result["output"]["image"])
    counted = caller.sandbox.counters.as_dict()
    assert counted.pop("result_calls") >= 1
    assert {name: number for name, number in counted.items() if number} == {
        "submits_received": 2,
        "submits_accepted": 1,
        "status_calls": 1,
        "cancel_calls": 1,
        "model_calls": 1,
        "jobs_succeeded": 1,
        "outputs_served": 1,
        "output_calls": 1,
        "queue_peak": 1,
    }


def test_a_client_of_another_kind_completes_a_job(shared: Caller) -> None:
    """The standard library's client: HTTP/1.1 without keep-alive, links taken from the replies as they are."""

    def call(url: str, data: bytes | None = None) -> Any:
        request = urllib.request.Request(url, data, {"Authorization": f"Bearer {TOKEN}"})
        with urllib.request.urlopen(request, timeout=60) as reply:
            return json.load(reply)

    sent = call(shared.sandbox.url + MODEL, json.dumps(body()).encode())
    result = until(lambda: (reply := call(sent["result_url"]))["status"] == "succeeded" and reply)
    with urllib.request.urlopen(result["output"]["image"], timeout=60) as reply:
        assert reply.read(8) == b"\x89PNG\r\n\x1a\n"


@pytest.mark.slow
def test_a_preview_is_drawn_and_explained(serve: Serve) -> None:
    caller = serve(picture="preview")
    request_id = caller.accepted(prompt="turn image 1 into a pencil sketch", image_size="1344*576 (21:9)")
    # Other calls are answered while it is drawn.
    assert caller.http.get("/healthz").text == "ok"
    result = until(lambda: (reply := caller.result(request_id).json())["finished_at"] and reply)
    assert result["status"] == "succeeded"
    assert result["local_preview"]["understood"]
    with Image.open(BytesIO(caller.fetch(result["output"]["image"]).content)) as image:
        assert image.size == (1344, 576)


@pytest.mark.slow
def test_a_drifting_preview_says_by_how_much(serve: Serve) -> None:
    caller = serve(drift=True, picture="preview")
    plans = [caller.ended(caller.accepted(seed=seed))["local_preview"]["drift"] for seed in (1, 2)]
    assert plans[0]["scale"] != plans[1]["scale"]
