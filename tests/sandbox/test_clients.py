"""Clients of other people, as they call and as they read the answers: each completes a job, given the base URL."""

import json
import re
import urllib.request
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from .conftest import Serve
from .support import MODEL, TOKEN, Caller, body, data_uri, picture, until

PNG = b"\x89PNG\r\n\x1a\n"


def test_the_vendors_nodes(shared: Caller) -> None:
    """A price first, one submit, then the result alone is asked for, with its cost; redirects are never followed."""
    headers = {"Accept": "application/json", "Cache-Control": "no-cache", "Pragma": "no-cache"}

    def ask(method: str, path: str, **more: Any) -> dict[str, Any]:
        reply = shared.http.request(method, path, headers=headers, follow_redirects=False, **more)
        assert reply.status_code not in {401, 402, 403}
        assert 200 <= reply.status_code < 300
        assert reply.headers["content-type"].startswith("application/json")
        answer = reply.json()
        assert isinstance(answer, dict)
        return answer

    price = ask("GET", MODEL)
    assert price["model_id"] == MODEL.removeprefix("/v1/models/")
    assert price["price_unit"] == "output"
    assert isinstance(price["base_price_usd"], (int, float))
    assert price["base_price_usd"] >= 0
    request_id = ask("POST", MODEL, json=body(image_urls=[data_uri()] * 3))["request_id"]
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", request_id)
    seen = set()

    def end() -> dict[str, Any] | None:
        result = ask("GET", f"/v1/requests/{request_id}/result", params={"include_cost": "true"})
        seen.add(result["status"])
        return result if result["status"] in {"completed", "succeeded"} else None

    result = until(end)
    assert seen <= {"in_queue", "in_progress", "succeeded"}
    assert isinstance(result["output"]["image"], str)
    assert isinstance(result["cost"], (int, float))
    cancelled = ask("POST", f"/v1/requests/{request_id}/cancel")
    assert cancelled["outcome"] == "not_cancellable"


def test_the_vendors_command_line(shared: Caller) -> None:
    """Its base ends in /v1; it downloads from hosts under .runcomfy.net only, and a hosts file can name this one so."""
    port = urlsplit(shared.sandbox.url).port
    host = f"sandbox.runcomfy.net:{port}"
    base = f"{shared.sandbox.url}/v1"
    headers = {"authorization": f"Bearer {TOKEN}", "user-agent": "runcomfy-cli/0", "host": host}
    with httpx.Client(headers=headers, trust_env=False, timeout=60) as http:
        listed = http.get(f"{base}/models", params={"limit": 20, "offset": 0, "search": "wan"}).json()
        assert [model["categories"] for model in listed["models"]] == [["image-to-image"]]
        assert http.get(f"{base}/models/categories").json()["categories"]
        submitted = http.post(f"{base}/models/wan-ai/wan-2-6/image-to-image", json=body()).json()
        words = []

        def ended() -> bool:
            status = http.get(f"{base}/requests/{submitted['request_id']}/status").json()
            assert isinstance(status["request_id"], str)
            assert status["status"] in {"in_queue", "in_progress", "completed", "succeeded", "failed", "cancelled"}
            assert status["status"] != "in_queue" or isinstance(status["queue_position"], int)
            words.append(status["status"])
            return bool(words[-1] == "completed")

        until(ended)
        assert submitted["result_url"].startswith(f"http://{host}/")
        result = http.get(f"{base}/requests/{submitted['request_id']}/result").json()
    address = urlsplit(result["output"]["image"])
    assert address.hostname is not None
    assert address.hostname.endswith(".runcomfy.net")
    assert address.path.rpartition("/")[2].endswith("_output.png")
    # Without the token, byte for byte.
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", address.path, headers={"Host": host})
    reply = connection.getresponse()
    assert (reply.status, reply.read(8)) == (200, PNG)
    connection.close()


def test_the_vendors_agents_and_forms(shared: Caller) -> None:
    """They draw forms from the schema, and take any answer with a top-level error_code for an error."""
    entry = shared.http.get(MODEL).json()
    schema = entry["input_schema"]
    assert schema["type"] == "object"
    assert set(schema["required"]) <= set(schema["properties"])
    for field in schema["properties"].values():
        assert isinstance(field["title"], str)
        assert field["type"] in {"string", "integer", "boolean", "array"}
    assert all(isinstance(size, str) for size in schema["properties"]["image_size"]["enum"])
    request_id = shared.accepted()
    replies = [shared.status(request_id), shared.result(request_id), shared.cancel(request_id)]
    assert all(reply.json().get("error_code") is None for reply in replies)
    for reply in (shared.submit(prompt=""), shared.status("none"), shared.http.post("/v1/models/none/such", json={})):
        refused = reply.json()
        assert isinstance(refused["error_code"], int)
        assert isinstance(refused["error_message"], str)
        assert reply.status_code == refused["error_code"] // 1000


@pytest.mark.parametrize("accept", ["*/*", "application/json, text/plain, */*", ""])
def test_scripts_of_other_people(shared: Caller, accept: str) -> None:
    """A content type on every call, links as they were given, the state before the outcome, image or images[0]."""
    headers = {"content-type": "application/json", "accept": accept, "authorization": f"Bearer {TOKEN}"}

    def call(url: str, data: bytes | None = None) -> Any:
        request = urllib.request.Request(url, data, headers)
        with urllib.request.urlopen(request, timeout=60) as reply:
            return json.load(reply)

    # Keys that this model has not are sent along by generic wrappers.
    wanted = body(num_images=1, output_format="png", aspect_ratio="1:1")
    sent = call(shared.sandbox.url + MODEL, json.dumps(wanted).encode())
    until(lambda: call(sent["status_url"])["status"] == "completed")
    output = call(sent["result_url"])["output"]
    url = (output.get("images") or [None])[0] or output.get("image")
    with urllib.request.urlopen(url, timeout=60) as reply:
        assert reply.read(8) == PNG


def test_a_body_sent_in_chunks_after_a_nod(shared: Caller) -> None:
    """curl waits for 100 Continue before a large body; fetch and pipes send no length."""
    port = urlsplit(shared.sandbox.url).port or 0
    content = json.dumps(body(image_urls=[data_uri(picture(2000, 2000, "BMP"))])).encode()
    assert len(content) > 10_000_000
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.putrequest("POST", MODEL)
    for name, value in {
        "Authorization": f"bearer {TOKEN}",
        "Content-Type": "application/json; charset=utf-8",
        "Transfer-Encoding": "chunked",
        "Expect": "100-continue",
    }.items():
        connection.putheader(name, value)
    connection.endheaders()
    pieces = (content[start : start + 500_000] for start in range(0, len(content), 500_000))
    for piece in pieces:
        connection.send(b"%x\r\n%b\r\n" % (len(piece), piece))
    connection.send(b"0\r\n\r\n")
    reply = connection.getresponse()
    assert (reply.status, json.loads(reply.read())["detail"][0]["loc"]) == (422, ["input", "image_urls", 0])
    connection.close()


def test_behind_a_proxy_that_speaks_tls(serve: Serve) -> None:
    """Clients that download over https alone reach it under a name that the proxy serves."""
    caller = serve(public_url="https://sandbox.runcomfy.net")
    submitted = caller.submit().json()
    assert submitted["status_url"].startswith("https://sandbox.runcomfy.net/v1/requests/")
    result = caller.ended(submitted["request_id"])
    assert result["output"]["image"].startswith("https://sandbox.runcomfy.net/outputs/")
    assert result["input"]["image_urls"][0].startswith("https://sandbox.runcomfy.net/inputs/")
    address = urlsplit(result["output"]["image"])
    assert caller.fetch(caller.sandbox.url + address.path).content.startswith(PNG)
