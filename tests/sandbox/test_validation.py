"""Every limit of the inputs, and what is said about it."""

import json
from typing import Any

import httpx
import pytest
from PIL import Image

from .support import MODEL, Caller, body, claiming, data_uri, picture


def problems(caller: Caller, language: str = "en", **changes: Any) -> list[dict[str, Any]]:
    """Submit and return the entries of ``detail``; none means that it was accepted."""
    reply = caller.http.post(MODEL, json=body(**changes), headers={"accept-language": language})
    if reply.status_code == 200:
        return []
    assert reply.status_code == 422
    sent = reply.json()
    assert sent.keys() == {"error_code", "error_message", "detail"}
    assert sent["error_code"] == 422001
    assert sent["detail"][0]["msg"] in sent["error_message"]
    detail: list[dict[str, Any]] = sent["detail"]
    assert all(entry.keys() == {"loc", "msg", "type"} for entry in detail)
    return detail


@pytest.mark.parametrize(
    "changes",
    [
        {"prompt": "x"},
        {"prompt": "가" * 1999},
        {"prompt": "😀" * 1999},
        {"negative_prompt": ""},
        {"negative_prompt": "x" * 500},
        {"seed": 0},
        {"seed": 2147483647},
        {"prompt_extend": False},
        {"image_size": "1344*576 (21:9)"},
        {"image_urls": [data_uri()] * 3},
        {"guidance": "unknown keys are ignored"},
    ],
)
def test_what_is_accepted(shared: Caller, changes: dict[str, Any]) -> None:
    assert problems(shared, **changes) == []


@pytest.mark.parametrize(
    ("changes", "loc", "kind"),
    [
        ({"prompt": ""}, ["prompt"], "rule"),
        ({"prompt": " \n"}, ["prompt"], "rule"),
        ({"prompt": "x" * 2000}, ["prompt"], "rule"),
        ({"prompt": "😀" * 2000}, ["prompt"], "rule"),
        ({"prompt": 5}, ["prompt"], "string_type"),
        ({"prompt": None}, ["prompt"], "string_type"),
        ({"negative_prompt": "x" * 501}, ["negative_prompt"], "rule"),
        ({"negative_prompt": ["x"]}, ["negative_prompt"], "string_type"),
        ({"image_size": "1024*1024"}, ["image_size"], "enum"),
        ({"image_size": "1:1"}, ["image_size"], "enum"),
        ({"image_size": 1024}, ["image_size"], "string_type"),
        ({"seed": -1}, ["seed"], "rule"),
        ({"seed": 2147483648}, ["seed"], "rule"),
        ({"seed": 1.5}, ["seed"], "integer_type"),
        ({"seed": "7"}, ["seed"], "integer_type"),
        ({"seed": True}, ["seed"], "integer_type"),
        ({"prompt_extend": 1}, ["prompt_extend"], "boolean_type"),
        ({"prompt_extend": "true"}, ["prompt_extend"], "boolean_type"),
        ({"image_urls": []}, ["image_urls"], "rule"),
        ({"image_urls": [data_uri()] * 4}, ["image_urls"], "rule"),
        ({"image_urls": data_uri()}, ["image_urls"], "array_type"),
        ({"image_urls": [7]}, ["image_urls", 0], "string_type"),
        ({"image_urls": [data_uri(), "cat.jpg"]}, ["image_urls", 1], "url_scheme"),
        ({"image_urls": ["ftp://example.com/cat.jpg"]}, ["image_urls", 0], "url_scheme"),
        ({"image_urls": ["file:///etc/hostname"]}, ["image_urls", 0], "url_scheme"),
        ({"image_urls": ["data:text/html;base64,AAAA"]}, ["image_urls", 0], "data_uri"),
        ({"image_urls": ["data:image/png,AAAA"]}, ["image_urls", 0], "data_uri"),
        ({"image_urls": ["data:image/png;base64,A*A"]}, ["image_urls", 0], "data_uri"),
        ({"image_urls": [data_uri(b"no image at all")]}, ["image_urls", 0], "image_unreadable"),
        ({"image_urls": [data_uri(picture()[:-40])]}, ["image_urls", 0], "image_unreadable"),
        ({"image_urls": [data_uri(picture(kind="GIF", mode="L"))]}, ["image_urls", 0], "image_unreadable"),
        ({"image_urls": [data_uri(claiming(14000, 14000))]}, ["image_urls", 0], "image_too_large"),
        ({"image_urls": [data_uri(picture(mode="RGBA"))]}, ["image_urls", 0], "image_alpha"),
    ],
)
def test_what_is_refused(shared: Caller, changes: dict[str, Any], loc: list[Any], kind: str) -> None:
    before = shared.sandbox.counters.submits_accepted
    assert [(entry["loc"], entry["type"]) for entry in problems(shared, **changes)] == [(["input", *loc], kind)]
    assert shared.sandbox.counters.submits_accepted == before


@pytest.mark.parametrize(
    ("width", "height", "broken"),
    [
        (385, 385, []),
        (4999, 385, []),
        (385, 4999, []),
        (384, 385, ["width_pixels> 384"]),
        (385, 384, ["height_pixels> 384"]),
        (5000, 385, ["width_pixels< 5000"]),
        (385, 5000, ["height_pixels< 5000"]),
        (300, 6000, ["width_pixels> 384", "height_pixels< 5000"]),
        (6000, 6000, ["width_pixels< 5000", "height_pixels< 5000"]),
    ],
)
def test_sides_are_judged_strictly(shared: Caller, width: int, height: int, broken: list[str]) -> None:
    found = problems(shared, image_urls=[data_uri(picture(width, height, mode="L"))])
    assert [entry["loc"] for entry in found] == [["input", "image_urls", 0]] * len(broken)
    assert all(rule in entry["msg"] for rule, entry in zip(broken, found, strict=True))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "WEBP"])
def test_formats(shared: Caller, kind: str) -> None:
    assert problems(shared, image_urls=[data_uri(picture(kind=kind), f"image/{kind.lower()}")]) == []


def test_the_size_of_a_file_is_judged_strictly(shared: Caller) -> None:
    whole = picture()
    just_under = whole + bytes(9_999_999 - len(whole))
    assert problems(shared, image_urls=[data_uri(just_under)]) == []
    found = problems(shared, image_urls=[data_uri(just_under + b"\0")])
    assert [entry["loc"] for entry in found] == [["input", "image_urls", 0]]
    assert "file_size_mb< 10" in found[0]["msg"]


def test_everything_that_is_wrong_is_listed(shared: Caller) -> None:
    found = problems(shared, prompt="", seed=-1, image_size="big", negative_prompt="x" * 501)
    assert [entry["loc"][1] for entry in found] == ["prompt", "negative_prompt", "image_size", "seed"]
    small = data_uri(picture(100, 400))
    found = problems(shared, image_urls=[small, data_uri(), small])
    assert [entry["loc"][2] for entry in found] == [0, 2]


def test_missing_inputs(shared: Caller) -> None:
    reply = shared.http.post(MODEL, json={})
    assert [(entry["loc"], entry["type"]) for entry in reply.json()["detail"]] == [
        (["input", "prompt"], "missing"),
        (["input", "image_urls"], "missing"),
    ]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"[]", b'"x"', b"null", b"1" * 5000])
def test_bodies_that_are_no_object(shared: Caller, content: bytes) -> None:
    reply = shared.http.post(MODEL, content=content)
    assert reply.status_code == 422
    assert reply.json()["detail"][0]["loc"] == ["body"]


def test_text_that_is_no_unicode(shared: Caller) -> None:
    content = json.dumps(body()).replace("pencil", "\\ud800").encode()
    assert shared.http.post(MODEL, content=content).json()["detail"][0]["type"] == "string_unicode"


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "The image must be at least 384 pixels wide. Here it is 384; the rule is width_pixels> 384."),
        ("ko", "이미지 너비는 최소 384픽셀이어야 합니다. 현재 값은 384, 규칙은 width_pixels> 384입니다."),
    ],
)
def test_the_message_of_a_rule_in_both_languages(shared: Caller, language: str, said: str) -> None:
    found = problems(shared, language, image_urls=[data_uri(picture(384, 400))])
    assert [entry["msg"] for entry in found] == [said]


@pytest.mark.parametrize(
    ("accepted", "korean"),
    [
        ("ko", True),
        ("ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7", True),
        ("fr, ko;q=0.5", True),
        ("en-US,en;q=0.9,ko;q=0.8", False),
        ("fr", False),
        ("", False),
        ("ko;q=oops", False),
        ("*", False),
    ],
)
def test_the_language_that_is_asked_for(shared: Caller, accepted: str, korean: bool) -> None:
    reply = shared.http.get("/v1/requests/nobody/status", headers={"accept-language": accepted})
    assert ("요청" in reply.json()["error_message"]) == korean


@pytest.mark.parametrize("run_time", ["-1", "nan", "x", "1e9"])
def test_a_run_time_that_is_none(shared: Caller, run_time: str) -> None:
    reply = shared.http.post(MODEL, json=body(), headers={"x-sandbox-run-time": run_time})
    assert reply.json()["detail"][0]["loc"] == ["header", "X-Sandbox-Run-Time"]


def test_nothing_too_large_is_decoded(shared: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of few bytes may hold a picture of any size; its header alone is read."""
    decoded = []
    load = Image.Image.load

    def watched(image: Image.Image) -> Any:
        decoded.append(image.size)
        return load(image)

    bomb, large = data_uri(claiming(14000, 14000)), data_uri(claiming(5000, 5000))
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", watched)
    assert len(problems(shared, image_urls=[bomb, large])) == 3
    assert decoded == []


def test_every_message_is_there_in_both_languages() -> None:
    from wan_sandbox.messages import LANGUAGES, TEXTS

    assert all(texts.keys() == set(LANGUAGES) for texts in TEXTS.values())


def test_curl_like_http(shared: Caller) -> None:
    """Chunked, without a content type, and with Expect: all of it is HTTP."""
    content = json.dumps(body()).encode()
    reply = shared.http.post(MODEL, content=iter([content[:100], content[100:]]))
    assert reply.status_code == 200
    reply = httpx.post(
        shared.sandbox.url + MODEL,
        content=content,
        headers={"authorization": "bearer anything", "expect": "100-continue"},
        timeout=60,
    )
    assert reply.status_code == 200
