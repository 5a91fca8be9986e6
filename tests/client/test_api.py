"""Replies and error envelopes as a server may word them, over real HTTP."""

from __future__ import annotations

import gzip
import json
import ssl
import tracemalloc
import zlib
from contextlib import suppress
from datetime import datetime, timezone
from email.utils import format_datetime
from typing import Any

import brotli
import pytest

from wan_client import (
    AuthenticationError,
    CancelOutcome,
    Charged,
    InsufficientBalance,
    RateLimited,
    ReadRefused,
    Refused,
    RunNotFound,
    ServerError,
    UnknownOutcome,
    WanError,
    __version__,
)
from wan_client.api import Api, State
from wan_client.outputs import Outputs

from .support import TOKEN, Scripted, answer, picture, scripted

BODY = b'{"prompt": "x"}'
PAGE = b"<html><body>413 Request Entity Too Large</body></html>"


async def submit(server: Scripted) -> str:
    api = Api(server.url, TOKEN)
    try:
        return await api.submit(BODY)
    finally:
        await api.aclose()


async def test_every_call_says_which_client_it_is() -> None:
    model = answer({"model_id": "wan-ai/wan-2-6/image-to-image"})
    with scripted(submit=[answer({"request_id": "r1"})], model=[model]) as server:
        api = Api(server.url, TOKEN)
        await api.submit(BODY)
        await api.model()
        await api.aclose()
        server.otherwise = (200, {"Content-Type": "image/png"}, picture())
        outputs = Outputs(server.url, ssl.create_default_context())
        await outputs.download(f"{server.url}/files/1_output.png", lambda received, total: None)
        await outputs.aclose()
    assert {headers["User-Agent"] for _, _, headers in server.seen} == {f"wan-client/{__version__}"}
    assert len(server.seen) == 3


SEED = [{"loc": ["input", "seed"], "msg": "m"}]


@pytest.mark.parametrize(
    ("reply", "kind", "code", "words"),
    [
        (answer({"error_code": 400001, "error_message": "m"}, 400), Refused, "model_unknown", "m"),
        (answer({"error_code": "400002", "message": "m"}, 400), InsufficientBalance, "balance", "m"),
        (answer({"code": 400004, "error": "m"}, 400), AuthenticationError, "authentication", "m"),
        (answer({"error_code": None, "code": 400004}, 400), AuthenticationError, "authentication", ""),
        (answer({"code": 403001, "detail": "m"}, 403), AuthenticationError, "forbidden", "m"),
        (answer({"error_code": 403003}, 400), AuthenticationError, "forbidden", ""),
        (answer({"message": "m"}, 401), AuthenticationError, "authentication", "m"),
        (answer(PAGE, 401), AuthenticationError, "authentication", ""),
        (answer(b"", 401), AuthenticationError, "authentication", ""),
        (answer({"message": {"a": 1}}, 402), InsufficientBalance, "balance", '{"a": 1}'),
        (answer({}, 413), Refused, "too_large", ""),
        (answer(PAGE, 413), Refused, "too_large", ""),
        (answer({"error_code": 422001, "detail": SEED}, 422), Refused, "refused_field", None),
        (answer({"detail": [{"loc": ["body", "image_urls", 1]}]}, 422), Refused, "refused_image", None),
        (answer({"detail": [{"loc": ["input", "image_urls"]}]}, 422), Refused, "refused_image", None),
        (answer({"detail": [{"loc": "odd"}]}, 422), Refused, "refused", '[{"loc": "odd"}]'),
        (answer({"detail": 5}, 422), Refused, "refused", "5"),
        (answer({"error": "m"}, 400), Refused, "refused", "m"),
        (answer({"error_code": 400002}, 200), InsufficientBalance, "balance", ""),
        (answer({"error_code": 422001, "request_id": "r1"}, 200), Refused, "refused", ""),
        (answer({}, 429), RateLimited, "rate_limited", ""),
        (answer(b"slow down", 429), RateLimited, "rate_limited", ""),
        (answer({"error_code": 500001, "error_message": "m"}, 400), UnknownOutcome, "unknown_outcome", "m"),
        (answer({"request_id": 5}), UnknownOutcome, "unknown_outcome", "no usable request_id"),
        (answer({"request_id": "a/b"}), UnknownOutcome, "unknown_outcome", "no usable request_id"),
        (answer(PAGE, 403), Refused, "firewall", ""),
        (answer(PAGE, 400), Refused, "firewall", ""),
        (answer(PAGE, 404), Refused, "firewall", ""),
        (answer({}, 404), Refused, "model_unknown", ""),
        (answer({"error_code": 404001}, 404), Refused, "model_unknown", ""),
        (answer({"detail": "input.image_urls[0] could not be read"}, 422), Refused, "refused_image", None),
        (answer({"detail": "input.seed must be an integer"}, 422), Refused, "refused_field", None),
        (answer(b'{"request_id": "r1"}', Content_Encoding="gzip"), UnknownOutcome, "unknown_outcome", None),
    ],
)  # fmt: skip
async def test_an_envelope_becomes_an_error(reply: Any, kind: type[WanError], code: str, words: str | None) -> None:
    with scripted(submit=[reply]) as server:
        with pytest.raises(WanError) as caught:
            await submit(server)
        assert len(server.seen) == 1
    assert (type(caught.value), caught.value.code) == (kind, code)
    assert words is None or (caught.value.api_message or "") == words
    assert str(caught.value)


@pytest.mark.parametrize("code", [0, "", False, None, "0"])
async def test_a_code_that_says_nothing_is_no_error(code: object) -> None:
    with scripted(submit=[answer({"request_id": "r1", "error_code": code})]) as server:
        assert await submit(server) == "r1"


async def test_an_error_that_came_with_an_id_has_the_id() -> None:
    reply = answer({"request_id": "r1", "error_code": 500001})
    with scripted(submit=[reply]) as server, pytest.raises(UnknownOutcome) as caught:
        await submit(server)
    assert caught.value.request_id == "r1"


@pytest.mark.parametrize("status", [200, 201, 202])
async def test_any_success_with_an_id_is_an_acceptance(status: int) -> None:
    with scripted(submit=[answer({"request_id": "r_-1", "status": "in_queue"}, status)]) as server:
        assert await submit(server) == "r_-1"
        method, path, headers = server.seen[0]
    assert (method, path) == ("POST", "/v1/models/wan-ai/wan-2-6/image-to-image")
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert headers["Content-Type"] == "application/json"
    assert headers["Content-Length"] == str(len(BODY))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7), ("0.5", 0.5), ("-3", 0), ("nan", None), ("inf", None), ("1e999", None),
     ("9" * 400, None), ("1e12", 2592000), ("soon", None), ("", None),
     ("Wed, 25 Nov 2026 10:00:00 +99999999", None), ("Wed, 99 Nov 2026 10:00:00 GMT", None),
     (format_datetime(datetime(2020, 1, 1, tzinfo=timezone.utc), usegmt=True), 0)],
)  # fmt: skip
async def test_retry_after_is_read_as_a_number_or_a_date(value: str, seconds: float | None) -> None:
    with scripted(submit=[answer({}, 429, Retry_After=value)]) as server, pytest.raises(RateLimited) as caught:
        await submit(server)
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize(
    ("output", "urls"),
    [
        ({"image": "u"}, ["u"]),
        ({"images": ["u", "v"]}, ["u", "v"]),
        ({"image": {"url": "u"}}, ["u"]),
        ({"images": [{"url": "u"}, {"url": None}, 5]}, ["u"]),
        ({"image": None, "images": ["u"]}, ["u"]),
        ({"image": "", "images": ["u"]}, ["u"]),
        ("u", ["u"]),
        (["u"], ["u"]),
        (None, []),
        ({}, []),
        ({"video": "u"}, []),
        ({"image": ["u"]}, ["u"]),
        ({"image": "u", "images": ["v", "w"]}, ["u", "v", "w"]),
        ({"image": "u", "images": ["u", "v"]}, ["u", "v"]),
    ],
)
async def test_pictures_are_found_wherever_the_output_has_them(output: Any, urls: list[str]) -> None:
    reply = {"status": "succeeded", "output": output, "input": {"image": "not this"}, "cost": 0.03, "more": 1}
    with scripted(result=[answer(reply)]) as server:
        api = Api(server.url, TOKEN)
        result = await api.result("r1")
        await api.aclose()
        assert server.seen[0][1] == "/v1/requests/r1/result?include_cost=true"
    assert list(result.urls) == urls
    assert (result.state, result.cost, result.extra) == (State.SUCCEEDED, 0.03, {"more": 1})


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("in_queue", State.QUEUED), ("PENDING", State.QUEUED), ("waiting", State.QUEUED),
        ("In-Progress", State.RUNNING),
        ("starting", State.RUNNING), ("processing", State.RUNNING), ("completed", State.SUCCEEDED),
        ("Success", State.SUCCEEDED), ("succeeded ", State.SUCCEEDED), ("failed", State.FAILED),
        ("canceled", State.CANCELLED), ("CANCELLED", State.CANCELLED), ("brewing", None), (None, None), (5, None),
    ],
)  # fmt: skip
async def test_words_are_compared_loosely(word: object, state: State | None) -> None:
    with scripted(status=[answer({"status": word, "queue_position": -1})]) as server:
        api = Api(server.url, TOKEN)
        reply = await api.status("r1")
        await api.aclose()
    assert (reply.state, reply.queue_position) == (state, None)
    assert reply.ended == (state in {State.SUCCEEDED, State.FAILED, State.CANCELLED})


async def test_a_result_that_is_not_ready_is_waiting() -> None:
    with scripted(result=[answer({"error_code": 400005}, 400)]) as server:
        api = Api(server.url, TOKEN)
        assert (await api.result("r1")).state is State.RUNNING
        await api.aclose()


async def test_a_status_that_is_not_ready_is_waiting() -> None:
    for reply in (
        answer({"error_code": 400005}, 400),
        answer({"error_code": "400005"}, 200),
        answer({"code": 400005}, 404),
    ):
        with scripted(status=[reply]) as server:
            api = Api(server.url, TOKEN)
            found = await api.status("r1")
            assert (found.ended, found.state) == (False, State.QUEUED)
            await api.aclose()


DEEP = b"[" * 100_000 + b"]" * 100_000
NESTED = b"[" * 500 + b"]" * 500


@pytest.mark.parametrize("number", [b"1e999", b"9" * 400, b"9" * 5000, b"NaN", b"-1", b"true", b'"much"', NESTED])
async def test_a_cost_or_a_price_that_is_none_is_left_out(number: bytes) -> None:
    reply = answer(b'{"status": "succeeded", "output": "u", "cost": %b, "base_price_usd": %b}' % (number, number))
    with scripted(result=[reply], model=[reply]) as server:
        api = Api(server.url, TOKEN)
        assert (await api.result("r1")).cost is None
        assert (await api.model()).price_usd is None
        await api.aclose()


@pytest.mark.parametrize("field", [b'"output": %b', b'"error": %b', b'"extra": %b', b'"queue_position": %b'])
async def test_nesting_that_is_too_deep_is_no_crash(field: bytes) -> None:
    for nested in (DEEP, NESTED):
        body = b'{"status": "in_progress", ' + field % nested + b"}"
        with scripted(result=[(200, {}, body)], status=[(200, {}, body)]) as server:
            api = Api(server.url, TOKEN)
            for call in (api.result, api.status):
                with suppress(WanError):
                    assert (await call("r1")).state is State.RUNNING
            await api.aclose()


async def test_what_the_protocol_does_not_name_is_kept_without_addresses_and_the_token() -> None:
    extra = {"links": ["https://a.runcomfy.net/x_output.png"], TOKEN: f"Bearer {TOKEN}", "half": "\ud800", "n": 5}
    with scripted(
        result=[answer({"status": "succeeded", "output": "https://b.runcomfy.net/y.png", **extra})]
    ) as server:
        api = Api(server.url, TOKEN)
        result = await api.result("r1")
        await api.aclose()
    assert result.extra == {"links": ["[address]"], "[token]": "Bearer [token]", "half": "?", "n": 5}
    assert "runcomfy.net" not in repr(result)


async def test_a_failed_run_may_carry_the_reason_as_an_error_code() -> None:
    reply = {"request_id": "r1", "status": "failed", "error_code": 500001, "error": {"message": "m"}}
    with scripted(result=[answer(reply)]) as server:
        api = Api(server.url, TOKEN)
        result = await api.result("r1")
        await api.aclose()
    assert (result.state, result.failure) == (State.FAILED, '{"message": "m"}')


@pytest.mark.parametrize("status", [400, 405, 409, 410, 422])
async def test_a_refusal_to_say_where_a_run_stands_is_no_news_of_the_run(status: int) -> None:
    for reply in (answer({"error": "m"}, status), answer(PAGE, status)):
        with scripted(status=[reply], result=[reply]) as server:
            api = Api(server.url, TOKEN)
            for call in (api.status, api.result):
                with pytest.raises((ReadRefused, RunNotFound)) as caught:
                    await call("r1")
                assert caught.value.charged is Charged.UNKNOWN
                assert "prompt" not in caught.value.hint
            await api.aclose()


@pytest.mark.parametrize("status", [404, 400])
async def test_an_unknown_run_is_its_own_error(status: int) -> None:
    with scripted(status=[answer({"error_code": 404001}, status)]) as server:
        api = Api(server.url, TOKEN)
        with pytest.raises(RunNotFound):
            await api.status("r1")
        await api.aclose()


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (answer({"outcome": "cancelled"}, 202), CancelOutcome.CANCELLED),
        (answer({"outcome": "Canceled"}, 200), CancelOutcome.CANCELLED),
        (answer({"status": "cancelled"}, 202), CancelOutcome.CANCELLED),
        (answer({"outcome": "not_cancellable"}, 202), CancelOutcome.NOT_CANCELLABLE),
        (answer({"outcome": "perhaps"}, 202), CancelOutcome.UNKNOWN),
        (answer({}, 202), CancelOutcome.UNKNOWN),
        (answer({}, 500), CancelOutcome.UNKNOWN),
        (answer({"error_code": 404001}, 404), CancelOutcome.UNKNOWN),
    ],
)
async def test_a_cancel_is_told_as_it_is(reply: Any, outcome: CancelOutcome) -> None:
    with scripted(cancel=[reply]) as server:
        api = Api(server.url, TOKEN)
        assert await api.cancel("r1") is outcome
        await api.aclose()


async def test_a_reply_without_end_is_cut_off() -> None:
    with scripted(status=[answer(b" " * (65 * 1024 * 1024))]) as server:
        api = Api(server.url, TOKEN)
        with pytest.raises(ServerError):
            await api.status("r1")
        await api.aclose()


# ---------------------------------------------------------------- bodies


def packed(name: str, data: bytes) -> bytes:
    if name == "br":
        return bytes(brotli.compress(data, quality=5))
    return gzip.compress(data) if name == "gzip" else zlib.compress(data)


REPLY = json.dumps({"status": "succeeded", "output": {"image": "https://x.runcomfy.net/a.png"}}).encode()


@pytest.mark.parametrize("name", ["gzip", "deflate"])
async def test_a_packed_reply_is_read_all_the_same(name: str) -> None:
    with scripted(result=[answer(packed(name, REPLY), Content_Encoding=name)]) as server:
        api = Api(server.url, TOKEN)
        assert (await api.result("r1")).state is State.SUCCEEDED
        await api.aclose()
        assert server.seen[0][2]["Accept-Encoding"] == "identity"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd", "gzip, br"])
async def test_a_packed_reply_is_bounded_while_it_is_unpacked(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """What is taken from the unpacker never grows beyond the limit by more than one piece."""
    monkeypatch.setattr("wan_client.api.REPLY_BYTES_MAX", 1_000_000)
    bomb = packed(name, bytes(100_000_000))
    assert len(bomb) < 200_000
    tracemalloc.start()
    try:
        with scripted(result=[answer(bomb, Content_Encoding=name)]) as server:
            api = Api(server.url, TOKEN)
            with pytest.raises(ServerError):
                await api.result("r1")
            await api.aclose()
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


async def test_a_packed_reply_that_is_cut_off_is_no_reply() -> None:
    with scripted(result=[answer(packed("gzip", REPLY)[:-9], Content_Encoding="gzip")]) as server:
        api = Api(server.url, TOKEN)
        with pytest.raises(ServerError):
            await api.result("r1")
        await api.aclose()


async def test_a_submit_whose_answer_cannot_be_unpacked_has_an_unknown_outcome() -> None:
    with scripted(submit=[answer(packed("br", b'{"request_id": "r1"}'), Content_Encoding="br")]) as server:
        with pytest.raises(UnknownOutcome):
            await submit(server)
        assert len(server.bodies) == 1
