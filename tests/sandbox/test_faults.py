"""Each fault, by its name, over real sockets."""

import json
import random
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image

from wan_sandbox import Settings
from wan_sandbox.faults.switches import JOB_FAULTS, KINDS, PROXY_CODES, Switches, call_faults, parse

from .conftest import Serve
from .support import MODEL, TOKEN, Caller, body, data_uri, picture, took, until

pytestmark = pytest.mark.slow

STATUSES = {
    "401": (401, 401001),
    "402": (402, 402001),
    "403": (403, 403001),
    "404": (404, 404001),
    "408": (408, 408001),
    "422": (422, 422001),
    "425": (425, 425001),
    "429": (429, 429001),
    "429-bare": (429, 429001),
    "429-date": (429, 429001),
    "429-absurd": (429, 429001),
    "500": (500, 500001),
    "error-200": (200, 500001),
    "unauthorised": (400, 400004),
}


@contextmanager
def raw_submit(
    caller: Caller, fault: str, content: bytes | None = None, seconds: float = 60
) -> Iterator[socket.socket]:
    """Send a submit over a socket of its own, and leave the answer unread."""
    address = urlsplit(caller.sandbox.url)
    content = json.dumps(body()).encode() if content is None else content
    with socket.create_connection((str(address.hostname), address.port or 0), timeout=seconds) as connection:
        head = (
            f"POST {MODEL} HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {TOKEN}\r\n"
            f"X-Sandbox-Fault: {fault}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        connection.sendall(head.encode() + content)
        yield connection


def accepted(caller: Caller) -> int:
    return caller.sandbox.counters.submits_accepted


# ---------------------------------------------------------------------- switching on


def test_the_syntax() -> None:
    switch = parse("poll-html-502*3:0.5@2")
    assert (switch.place, switch.kind, switch.count, switch.rate, switch.after) == ("poll", "html-502", 3, 0.5, 2)
    assert parse("never-ends").place == "job"


@pytest.mark.parametrize(
    "text",
    ["nope", "poll-nope", "poll-no-id", "never-ends:2", "never-ends:x", "never-ends@-1", "poll-reset*", "", "a b"],
)
def test_a_wrong_name_or_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"fault|form|rate"):
        parse(text)


def test_wrong_faults_are_refused_where_they_are_named(shared: Caller) -> None:
    with pytest.raises(ValueError, match="no fault named nope"):
        Settings(faults=("nope",))
    reply = shared.submit("nope")
    assert reply.status_code == 422
    assert reply.json()["detail"][0]["loc"] == ["header", "X-Sandbox-Fault"]


def test_count_after_and_rate() -> None:
    switches = Switches(["status-500*2@1"], random.Random(0))
    assert [switches.take("status", "poll") for _ in range(5)] == [None, "500", "500", None, None]
    assert switches.take("result", "poll") is None
    often = Switches(["poll-500:0.5"], random.Random(0))
    struck = sum(often.take("result", "poll") is not None for _ in range(400))
    assert 150 < struck < 250


def test_global_faults_count_over_all_calls(serve: Serve) -> None:
    caller = serve(faults=("submit-429*1@1", "failed-text@1"))
    assert [caller.submit().status_code for _ in range(3)] == [200, 429, 200]
    assert (accepted(caller), caller.sandbox.counters.faults) == (2, 1)


def test_a_job_keeps_its_faults_to_itself(shared: Caller) -> None:
    troubled, other = shared.accepted("poll-500"), shared.accepted()
    assert shared.status(troubled).status_code == shared.result(troubled).status_code == 500
    assert shared.ended(other)["status"] == "succeeded"


def test_a_fault_named_at_a_call_strikes_this_call(shared: Caller) -> None:
    request_id = shared.accepted()
    path = f"/v1/requests/{request_id}/status"
    assert shared.http.get(path, headers={"x-sandbox-fault": "status-html-503"}).status_code == 503
    assert shared.http.get(path).status_code == 200


# ---------------------------------------------------------------------- answers


@pytest.mark.parametrize("kind", STATUSES)
def test_error_answers_at_every_call(shared: Caller, kind: str) -> None:
    status, code = STATUSES[kind]
    before = accepted(shared)
    replies = [shared.submit(f"submit-{kind}")]
    assert accepted(shared) == before
    replies.append(shared.submit(f"accepted-{kind}"))
    assert accepted(shared) == before + 1
    request_id = shared.accepted(f"status-{kind},result-{kind},cancel-{kind},cancelled-{kind}@1")
    replies += [shared.status(request_id), shared.result(request_id), shared.cancel(request_id)]
    replies.append(shared.http.get(MODEL, headers={"x-sandbox-fault": f"model-{kind}"}))
    for reply in replies:
        assert (reply.status_code, reply.json()["error_code"]) == (status, code)


def test_retry_after(shared: Caller) -> None:
    assert shared.submit("submit-429").headers["retry-after"] == "1"
    assert "retry-after" not in shared.submit("submit-429-bare").headers
    assert shared.submit("submit-429-date").headers["retry-after"].endswith(" GMT")
    assert shared.submit("submit-429-absurd").headers["retry-after"] == "86400"


@pytest.mark.parametrize("code", PROXY_CODES)
def test_pages_of_the_proxy(shared: Caller, code: int) -> None:
    before = accepted(shared)
    for reply in (shared.submit(f"submit-html-{code}"), shared.submit(f"accepted-html-{code}")):
        assert reply.status_code == code
        assert reply.headers["content-type"].startswith("text/html")
        assert "<html" in reply.text
    assert accepted(shared) == before + 1
    request_id = shared.accepted(f"poll-html-{code}*1")
    assert shared.status(request_id).status_code == code
    assert shared.status(request_id).status_code == 200


def test_no_balance(shared: Caller) -> None:
    reply = shared.submit("submit-no-balance")
    assert (reply.status_code, reply.json()["error_code"]) == (400, 400002)


def test_unreadable_answers(shared: Caller) -> None:
    assert "<html" in shared.submit("accepted-html-200").text
    assert shared.submit("accepted-empty-body").content == b""
    assert shared.submit("accepted-wrong-json").json() == [1, 2, 3]
    with pytest.raises(ValueError, match="Unterminated"):
        shared.submit("accepted-invalid-json").json()
    assert shared.submit("accepted-no-id").json() == {"status": "in_queue"}
    assert shared.submit("accepted-hostile-id").json() == {"request_id": "../../x"}
    assert shared.submit("submit-500-text").text == "Internal Server Error"
    assert len(shared.submit("submit-huge-error").content) > 8_000_000


def test_the_token_is_echoed_only_by_the_faults_for_it(shared: Caller) -> None:
    assert TOKEN in shared.submit("submit-echo-token").text
    assert TOKEN in shared.ended(shared.accepted("failed-echo-token"))["error"]


def test_a_redirect_leads_to_this_server_and_is_noticed(shared: Caller) -> None:
    request_id = shared.accepted("poll-redirect*1")
    reply = shared.status(request_id)
    assert reply.status_code == 307
    before = shared.sandbox.counters.redirects_followed
    target = reply.headers["location"]
    assert target.startswith(shared.sandbox.url + "/elsewhere/v1/")
    assert shared.fetch(target).status_code == 200
    assert shared.sandbox.counters.redirects_followed == before + 1


def test_404_just_after_the_submit(shared: Caller) -> None:
    request_id = shared.accepted("poll-404*2")
    assert [shared.status(request_id).status_code for _ in range(3)] == [404, 404, 200]


def test_not_ready_until_the_end(serve: Serve) -> None:
    caller = serve(run_time=(0.2, 0.2))
    request_id = caller.accepted("result-not-ready")
    reply = caller.result(request_id)
    assert (reply.status_code, reply.json()["error_code"]) == (400, 400005)
    assert caller.status(request_id).status_code == 200
    assert caller.ended(request_id)["status"] == "succeeded"


def test_late_answers(serve: Serve) -> None:
    caller = serve(speed=10)
    request_id = caller.accepted("status-slow*1")
    began = time.monotonic()
    assert caller.status(request_id).status_code == 200
    assert time.monotonic() - began > 0.25


# ---------------------------------------------------------------------- connections


def received(connection: socket.socket) -> bytes:
    found = b""
    while piece := connection.recv(65536):
        found += piece
    return found


@pytest.mark.parametrize(("place", "jobs"), [("submit", 0), ("accepted", 1)])
def test_a_reset_is_a_reset(shared: Caller, place: str, jobs: int) -> None:
    before = accepted(shared)
    with raw_submit(shared, f"{place}-reset") as connection, pytest.raises(ConnectionResetError):
        received(connection)
    assert accepted(shared) == before + jobs


@pytest.mark.parametrize(("place", "jobs"), [("submit", 0), ("accepted", 1)])
@pytest.mark.parametrize("size", [0, 300_000])
def test_a_closed_connection_is_no_reset(shared: Caller, place: str, jobs: int, size: int) -> None:
    before = accepted(shared)
    content = json.dumps(body() | {"padding": "x" * size}).encode()
    with raw_submit(shared, f"{place}-close", content) as connection:
        assert received(connection) == b""
    assert accepted(shared) == before + jobs


@pytest.mark.parametrize(("place", "jobs"), [("submit", 0), ("accepted", 1)])
def test_a_hanging_call_never_answers(shared: Caller, place: str, jobs: int) -> None:
    before, arrived = accepted(shared), shared.sandbox.counters.submits_received
    with raw_submit(shared, f"{place}-hang") as connection:
        until(lambda: shared.sandbox.counters.submits_received > arrived and accepted(shared) == before + jobs)
        connection.settimeout(0.5)
        with pytest.raises(TimeoutError):
            received(connection)
    assert accepted(shared) == before + jobs


def test_a_stalled_submit_does_not_even_read(shared: Caller) -> None:
    before = accepted(shared)
    with pytest.raises(TimeoutError), raw_submit(shared, "submit-stall", bytes(64_000_000), seconds=0.5):
        pass
    assert accepted(shared) == before


def test_a_reset_before_a_large_body(shared: Caller) -> None:
    before = accepted(shared)
    with (
        pytest.raises((ConnectionResetError, BrokenPipeError)),
        raw_submit(shared, "submit-reset", bytes(64_000_000)) as connection,
    ):
        received(connection)
    assert accepted(shared) == before


def test_an_error_before_a_large_body_can_be_read(shared: Caller) -> None:
    large = picture(1000, 1000, "BMP")
    assert shared.submit("submit-429", image_urls=[data_uri(large, "image/bmp")]).status_code == 429
    assert shared.submit(image_urls=[data_uri(large, "image/bmp")]).status_code == 200


@pytest.mark.parametrize("kind", ["reset", "close", "cut"])
def test_broken_polls(shared: Caller, kind: str) -> None:
    request_id = shared.accepted(f"poll-{kind}*2")
    for ask in (shared.status, shared.result):
        with pytest.raises(httpx.TransportError):
            ask(request_id)
    assert shared.ended(request_id)["status"] == "succeeded"


def test_a_cut_answer_announces_more_than_it_sends(shared: Caller) -> None:
    with raw_submit(shared, "accepted-cut") as connection:
        head, _, rest = received(connection).partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    assert length is not None
    assert 0 < len(rest) < int(length[1])


def test_refused_connections(serve: Serve) -> None:
    caller = serve(speed=4)
    request_id = caller.accepted("poll-refused*1")
    with pytest.raises(httpx.TransportError):
        caller.status(request_id)
    with pytest.raises(httpx.ConnectError):
        caller.status(request_id)

    def again() -> bool:
        try:
            return caller.status(request_id).status_code == 200
        except httpx.ConnectError:
            return False

    assert until(again)


def test_refusing_on_purpose(serve: Serve) -> None:
    caller = serve()
    request_id = caller.accepted()
    with caller.sandbox.refusing():
        for _ in range(2):
            with pytest.raises(httpx.TransportError):
                caller.status(request_id)
    assert caller.status(request_id).status_code == 200


def test_a_server_with_hanging_calls_stops(serve: Serve) -> None:
    caller = serve()
    with raw_submit(caller, "submit-hang"), raw_submit(caller, "submit-slow"), raw_submit(caller, "submit-stall"):
        until(lambda: caller.sandbox.counters.submits_received == 3)
        caller.sandbox.stop()


# ---------------------------------------------------------------------- jobs


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("failed-text", "InternalError: the model stopped unexpectedly"),
        ("failed-object", {"code": "InternalError", "message": "the model stopped unexpectedly"}),
        ("failed-bare", None),
    ],
)
def test_failures(shared: Caller, fault: str, error: Any) -> None:
    request_id = shared.accepted(fault)
    result = shared.ended(request_id)
    assert (result["status"], result.get("error")) == ("failed", error)
    assert "output" not in result
    # Completed means ended, not succeeded.
    assert shared.word(request_id) == "completed"


def test_moderation_and_throttling(shared: Caller) -> None:
    assert shared.ended(shared.accepted("moderation-text"))["error"].startswith("DataInspectionFailed")
    assert shared.ended(shared.accepted("moderation-object"))["error"]["code"] == "DataInspectionFailed"
    assert shared.ended(shared.accepted("throttled"))["error"].startswith("Throttling")


def test_a_status_that_says_failed(shared: Caller) -> None:
    request_id = shared.accepted("failed-word")
    shared.ended(request_id)
    assert shared.word(request_id) == "failed"


def test_a_job_that_the_server_cancels(shared: Caller) -> None:
    request_id = shared.accepted("canceled")
    result = until(lambda: (reply := shared.result(request_id).json())["finished_at"] and reply)
    assert (result["status"], shared.word(request_id)) == ("canceled", "canceled")


def test_a_job_that_never_starts_can_be_cancelled(shared: Caller) -> None:
    request_id = shared.accepted("never-starts")
    assert shared.status(request_id).json()["queue_position"] == 1
    assert shared.cancel(request_id).json()["outcome"] == "cancelled"
    assert shared.word(request_id) == "cancelled"


def test_a_job_that_never_ends_holds_nobody_up(serve: Serve) -> None:
    caller = serve(workers=1)
    stuck = caller.accepted("never-ends")
    assert caller.ended(caller.accepted())["status"] == "succeeded"
    assert caller.word(stuck) == "in_progress"
    assert caller.cancel(stuck).json()["outcome"] == "not_cancellable"


def test_a_slow_job(serve: Serve) -> None:
    caller = serve(run_time=(0.05, 0.05))
    result = caller.ended(caller.accepted("slow-job"))
    assert result["status"] == "succeeded"
    assert took(result) > 0.45


def test_other_words(serve: Serve) -> None:
    caller = serve(run_time=(1, 1), warm_up=1, workers=3)
    unknown, other, upper = (caller.accepted(fault) for fault in ("unknown-word", "other-words", "upper-case"))
    assert (caller.word(other), caller.word(upper)) == ("pending", "IN_QUEUE")
    until(lambda: caller.word(unknown) == "warming_up")
    until(lambda: caller.word(other) == "processing")
    until(lambda: caller.word(upper) == "IN_PROGRESS")
    assert caller.ended(unknown)["status"] == "succeeded"
    assert caller.ended(other)["status"] == "success"
    assert caller.ended(upper)["status"] == "SUCCEEDED"
    assert caller.ended(caller.accepted("completed-result"))["status"] == "completed"


def test_shapes_of_the_output(shared: Caller) -> None:
    def output(fault: str) -> Any:
        return shared.ended(shared.accepted(fault)).get("output", "nothing")

    def is_url(value: Any) -> bool:
        return isinstance(value, str) and shared.fetch(value).status_code == 200

    assert output("empty-success") == "nothing"
    assert output("empty-output") == {}
    assert output("output-null") == {"image": None}
    assert is_url(output("image-object")["image"]["url"])
    assert [is_url(url) for url in output("images")["images"]] == [True]
    assert [is_url(entry["url"]) for entry in output("images-objects")["images"]] == [True]
    assert [is_url(url) for url in output("two-images")["images"]] == [True, True]
    assert is_url(output("output-string"))
    assert [is_url(url) for url in output("output-list")] == [True]
    assert output("foreign-output")["image"].startswith("https://foreign.invalid/outputs/")


def test_shapes_of_the_submit(shared: Caller) -> None:
    assert shared.submit("no-links").json().keys() == {"request_id"}
    assert shared.submit("created-201").status_code == 201
    foreign = shared.submit("foreign-links").json()
    assert all(foreign[name].startswith("https://foreign.invalid/v1/") for name in foreign if name != "request_id")
    assert shared.ended(shared.accepted("text-dates"))["finished_at"] == "just now"


def test_data_uris_can_be_refused(shared: Caller) -> None:
    before = accepted(shared)
    reply = shared.submit("data-uri-refused", image_urls=[data_uri(), data_uri()])
    assert reply.status_code == 422
    assert [entry["loc"] for entry in reply.json()["detail"]] == [
        ["input", "image_urls", 0],
        ["input", "image_urls", 1],
    ]
    assert accepted(shared) == before


# ---------------------------------------------------------------------- outputs


def url_of(caller: Caller, fault: str) -> str:
    return str(caller.ended(caller.accepted(fault))["output"]["image"])


def test_outputs_that_are_no_picture(shared: Caller) -> None:
    whole = shared.fetch(url_of(shared, "")).content
    half = shared.fetch(url_of(shared, "output-truncated"))
    assert (half.status_code, len(half.content)) == (200, len(whole) // 2)
    assert shared.fetch(url_of(shared, "output-garbage")).headers["content-type"] == "image/png"
    assert shared.fetch(url_of(shared, "output-empty-body")).content == b""
    assert "<html" in shared.fetch(url_of(shared, "output-html-200")).text
    expired = shared.fetch(url_of(shared, "output-expired"))
    assert (expired.status_code, expired.headers["content-type"]) == (403, "application/xml")


def test_an_output_of_too_many_pixels(shared: Caller) -> None:
    content = shared.fetch(url_of(shared, "output-many-pixels")).content
    assert len(content) < 1_000_000
    with pytest.raises(Image.DecompressionBombError):
        Image.open(BytesIO(content))


@pytest.mark.parametrize("kind", ["oversized", "announced-oversized"])
def test_an_output_of_too_many_bytes(shared: Caller, kind: str) -> None:
    with httpx.stream("GET", url_of(shared, f"output-{kind}"), timeout=60) as reply:
        assert ("content-length" in reply.headers) == (kind == "announced-oversized")
        received = 0
        for piece in reply.iter_raw():
            received += len(piece)
            if received > 33 * 1024 * 1024:
                break
    assert received > 33 * 1024 * 1024


def test_outputs_that_break_off(shared: Caller) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        shared.fetch(url_of(shared, "output-cut"))
    with pytest.raises(httpx.ReadError):
        shared.fetch(url_of(shared, "output-reset"))
    with pytest.raises(httpx.ReadTimeout):
        shared.fetch(url_of(shared, "output-stalled"), timeout=0.5)
    url = url_of(shared, "output-html-503*2")
    assert [shared.fetch(url).status_code for _ in range(3)] == [503, 503, 200]


def test_a_trickling_output(serve: Serve) -> None:
    caller = serve(speed=10)
    url = url_of(caller, "output-trickle")
    began = time.monotonic()
    assert Image.open(BytesIO(caller.fetch(url).content)).size == (1024, 1024)
    assert time.monotonic() - began > 0.2


def test_outputs_that_moved(shared: Caller) -> None:
    moved = shared.fetch(url_of(shared, "output-moved")).headers["location"]
    assert moved.startswith(shared.sandbox.url + "/elsewhere/outputs/")
    assert shared.fetch(moved).headers["content-type"] == "image/png"
    away = shared.fetch(url_of(shared, "output-moved-away"))
    assert (away.status_code, away.headers["location"]) == (302, "https://foreign.invalid/picture.png")


# ---------------------------------------------------------------------- completeness


def test_every_call_fault_answers_something(serve: Serve) -> None:
    """Whatever the name, the server answers or breaks off as it should, and goes on working."""
    caller = serve(speed=100, workers=8)
    url = url_of(caller, "")
    waiting = {"hang", "stall", "stalled", "refused", "oversized", "announced-oversized"}
    for name, _ in call_faults():
        place, _, kind = name.partition("-")
        if kind in waiting:
            continue
        headers = {"x-sandbox-fault": name}
        try:
            if place in {"submit", "accepted"}:
                caller.http.post(MODEL, json=body(), headers=headers)
            elif place == "model":
                caller.http.get(MODEL, headers=headers)
            elif place == "output":
                caller.http.get(url, headers=headers)
            else:
                request_id = caller.accepted()
                call = {"poll": "result", "cancelled": "cancel"}.get(place, place)
                method = "POST" if call == "cancel" else "GET"
                caller.http.request(method, f"/v1/requests/{request_id}/{call}", headers=headers)
        except httpx.TransportError:
            assert kind in {"reset", "close", "cut"}, name
    assert caller.ended(caller.accepted())["status"] == "succeeded"


def test_names_are_unambiguous() -> None:
    names = [name for name, _ in call_faults()] + list(JOB_FAULTS)
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in names)
    assert set(KINDS) == {parse(name).kind for name, _ in call_faults()}
