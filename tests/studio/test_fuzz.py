"""Whatever is sent to the page: a sentence comes back, nothing is paid for, and nothing breaks."""

from __future__ import annotations

import io
import json
import os
import re
import secrets
import struct
import zipfile
import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from studio.browser import store
from studio.browser.store import Entry
from studio.prompt.form import VARIATIONS_MAX, Form, how_many
from studio.uploads import is_upload, run_folder
from tests.conftest import PHOTOS, running_app
from wan_client import WanError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypothesis.strategies import DrawFn, SearchStrategy

    from tests.conftest import App

# Hundreds of calls to one server: on a busy machine a test takes longer than the others may.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

NOT_SHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)
by_http = settings(max_examples=25, phases=NOT_SHRUNK, suppress_health_check=list(HealthCheck))
# An idle app has 200 MB or so.
MEGABYTES_MAX = 600


@pytest.fixture(scope="module")
def fuzzed() -> Iterator[App]:
    """An app of its own: what it logs is about these calls."""
    with running_app(WAN_BACKEND="sandbox") as app:
        yield app


@pytest.fixture(autouse=True)
def nothing_breaks(request: pytest.FixtureRequest) -> Iterator[None]:
    if "fuzzed" not in request.fixturenames:
        yield
        return
    app: App = request.getfixturevalue("fuzzed")
    before = len(app.log)
    yield
    logged = app.log[before:]
    assert "Traceback" not in logged, logged[logged.index("Traceback") :][:5000]


WORDS = st.one_of(
    st.text(st.characters(), max_size=50),
    st.sampled_from(["", " ", "\x00", "\ud800", "\u202e", "{0.__class__}", "%s%n", "'", "<script>"]),
    st.sampled_from("x가[").map(lambda letter: letter * 50_000),
)
NUMBERS = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([float("nan"), float("inf"), float("-inf"), -1, 2**31, 2**63, 10**400, 1e308, 0.5, 10**9]),
)
PATHS = st.one_of(
    WORDS,
    st.sampled_from(
        [
            "/etc/passwd", "/proc/self/environ", "..", "../../.env", "app.py", "/", "/tmp", "~", "C:\\boot.ini",
            "file:///etc/passwd", "http://127.0.0.1:1/x.png", "http://[::1]/x.png", "http://169.254.169.254/latest",
            "https://user:secret@localhost/x.png", "gopher://127.0.0.1/", "data:image/png;base64,AAAA",
            "/gradio_api/file=/etc/passwd", "http://127.0.0.1/gradio_api/file=/etc/passwd", "http://",
            "FOLDER", "FOLDER/wan", "FOLDER/../app.log", "FOLDER/wan/../../state",
        ]
    ),
)  # fmt: skip
SIMPLE = st.one_of(st.none(), st.booleans(), NUMBERS, WORDS, PATHS)
FILES = st.fixed_dictionaries(
    {"path": st.one_of(PATHS, SIMPLE)},
    optional={
        "url": st.one_of(PATHS, SIMPLE),
        "meta": st.one_of(st.just({"_type": "gradio.FileData"}), SIMPLE),
        "orig_name": SIMPLE,
        "mime_type": SIMPLE,
        "size": SIMPLE,
        "is_stream": SIMPLE,
        "is_file": SIMPLE,
    },
)
RUBBISH = st.recursive(
    st.one_of(SIMPLE, FILES), lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


@st.composite
def kept(draw: DrawFn) -> str:
    """A browser's storage, with some of it made up."""
    usual: dict[str, Any] = json.loads(store._ENTRY.dump_json(Entry("key", "group", Form("sketch"), "sandbox")))
    runs = []
    for _ in range(draw(st.integers(0, 3))):
        entry = {**usual, **draw(st.dictionaries(st.sampled_from(sorted(usual)), RUBBISH, max_size=2))}
        form = {**usual["form"], **draw(st.dictionaries(st.sampled_from(sorted(usual["form"])), RUBBISH, max_size=2))}
        runs.append(json.dumps({**entry, "form": draw(st.sampled_from([form, form, entry["form"]]))}))
    storage = {
        "runs": runs,
        "draft": draw(st.sampled_from([None, json.dumps({"prompt": "x", "image_1": "/etc/passwd"})])),
    }
    return draw(st.sampled_from([json.dumps(storage), json.dumps(runs), draw(WORDS)]))


def posted(app: App, path: str, body: Any) -> httpx.Response:
    content = json.dumps(body).replace("FOLDER", str(app._log.parent / "files"))
    answer = httpx.post(
        f"{app.url}/gradio_api/{path}",
        content=content,
        headers={"Content-Type": "application/json"},
        timeout=60,
        trust_env=False,
    )
    assert answer.status_code < 500, answer.text[:1000]
    assert "Traceback" not in answer.text
    return answer


def events(app: App, path: str) -> list[tuple[str, Any]]:
    """Return all events of a call, to its end."""
    found, name = [], "data"
    with httpx.stream("GET", f"{app.url}/gradio_api/{path}", timeout=60, trust_env=False) as told:
        for line in told.iter_lines():
            key, _, value = line.partition(": ")
            if key == "event":
                name = value
            elif key == "data":
                found.append((name, json.loads(value)))
    return found


def outcome_of(app: App, endpoint: str, arguments: dict[str, Any]) -> Any:
    """What a call of an endpoint comes to: its outputs, or a sentence."""
    started = posted(app, f"call/v2/{endpoint}", arguments)
    if not started.is_success:
        return started.text if started.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE else started.json()["detail"]
    event, told = events(app, f"call/v2/{endpoint}/{started.json()['event_id']}")[-1]
    if event == "complete":
        return told
    assert event == "error"
    assert isinstance(told, dict), told
    assert isinstance(told["error"], str), told
    assert " " in told["error"]
    return told["error"]


@given(
    arguments=st.fixed_dictionaries(
        {},
        optional={
            "prompt": st.one_of(st.just("sketch"), RUBBISH),
            "image_1": st.one_of(FILES, RUBBISH),
            "image_2": st.one_of(FILES, RUBBISH),
            "image_3": RUBBISH,
            "negative_prompt": RUBBISH,
            "image_size": st.one_of(st.just("16:9"), RUBBISH),
            "seed": st.one_of(st.just(1), RUBBISH),
            "prompt_extend": RUBBISH,
            "another": RUBBISH,
        },
    )
)
@by_http
@example({"prompt": "sketch", "image_1": {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}})
@example({"prompt": "sketch", "image_1": "http://127.0.0.1:1/x.png"})
def test_made_up_arguments_are_answered_with_a_sentence(fuzzed: App, arguments: dict[str, Any]) -> None:
    assert isinstance(outcome_of(fuzzed, "edit", arguments), str | list)
    assert fuzzed.sandbox
    assert fuzzed.sandbox.counters.submits_received == 0


@given(
    odd=st.fixed_dictionaries(
        {},
        optional={
            "prompt": st.one_of(WORDS, NUMBERS),
            "image_2": FILES,
            "negative_prompt": st.one_of(WORDS, NUMBERS),
            "image_size": st.one_of(WORDS, NUMBERS),
            "seed": st.one_of(NUMBERS, WORDS),
            "prompt_extend": SIMPLE,
        },
    )
)
@by_http
@example({"seed": float("nan")})
@example({"prompt": "\ud800"})
@example({"prompt": "\x00"})
def test_one_odd_argument_among_good_ones_is_told_or_is_harmless(
    fuzzed: App, picture: str, odd: dict[str, Any]
) -> None:
    assert fuzzed.sandbox
    before = fuzzed.sandbox.counters.submits_received
    told = outcome_of(fuzzed, "edit", {"prompt": "sketch", "image_1": {"path": picture}, **odd})
    assert fuzzed.sandbox.counters.submits_received - before == (0 if isinstance(told, str) else 1)


@pytest.fixture(scope="module")
def picture(fuzzed: App) -> str:
    """The path of an uploaded picture."""
    return upload(fuzzed, (PHOTOS / "cat.jpg").read_bytes(), "cat.jpg")


@cache
def config(url: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{url}/config", timeout=60, trust_env=False).json()
    return found


@st.composite
def inputs_of(draw: DrawFn, kinds: list[str]) -> list[Any]:
    known: dict[str, SearchStrategy[Any]] = {
        "textbox": st.one_of(kept(), WORDS),
        "image": FILES,
        "number": NUMBERS,
        "radio": NUMBERS,
        "dropdown": st.one_of(st.just("1024*1024 (1:1)"), WORDS),
        "checkbox": SIMPLE,
        "state": SIMPLE,
    }
    inputs = [draw(st.one_of(known.get(kind, RUBBISH), known.get(kind, RUBBISH), RUBBISH)) for kind in kinds]
    return inputs[: draw(st.sampled_from([len(inputs)] * 9 + [0, 1]))]


EVENTS = st.one_of(
    st.none(),
    RUBBISH,
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("key", "fix", "path", "index", "value", "target", "_data"), SIMPLE)
    ),
)


@given(data=st.data())
@settings(by_http, max_examples=60)
def test_the_pages_own_handlers_take_anything(fuzzed: App, data: st.DataObject) -> None:
    assert fuzzed.sandbox
    fuzzed.sandbox.counters.submits_received = 0
    found = config(fuzzed.url)
    kinds = {component["id"]: component["type"] for component in found["components"]}
    handler = data.draw(st.sampled_from([one for one in found["dependencies"] if one["backend_fn"]]))
    session = secrets.token_hex(8)
    body = {
        "fn_index": handler["id"],
        "data": data.draw(inputs_of([kinds[number] for number in handler["inputs"]])),
        "event_data": data.draw(EVENTS),
        "session_hash": session,
    }
    if not posted(fuzzed, "queue/join", body).is_success:
        return
    for _, told in events(fuzzed, f"queue/data?session_hash={session}"):
        if told["msg"] == "process_completed" and not told["success"]:
            assert isinstance(told["output"]["error"], str), (handler, body)
            assert " " in told["output"]["error"]
    assert fuzzed.sandbox.counters.submits_received == 0


USUAL: dict[str, Any] = {
    "textbox": "x", "dropdown": "1024*1024 (1:1)", "number": 0, "checkbox": True, "radio": 1, "image": None,
    "state": None, "uploadbutton": None,
}  # fmt: skip
WRONG: tuple[Any, ...] = (
    None,
    "",
    "x" * 15_000,
    -1,
    1.5,
    True,
    [],
    {},
    [None],
    {"path": None},
    {"path": [], "meta": {"_type": "gradio.FileData"}},
)


def wrong_inputs(kinds: list[str]) -> Iterator[list[Any]]:
    """Inputs of a handler with each wrong value everywhere, with nothing in each place, and too few or too many."""
    usual = [USUAL.get(kind) for kind in kinds]
    for value in WRONG:
        yield [value for _ in kinds]
    for place in range(len(kinds)):
        for value in (None, {"path": None}, "x" * 15_000):
            yield [*usual[:place], value, *usual[place + 1 :]]
    yield from wrong_lengths(kinds)


def wrong_lengths(kinds: list[str]) -> Iterator[list[Any]]:
    """Too few inputs of a handler, and too many."""
    usual = [USUAL.get(kind) for kind in kinds]
    yield usual[:-1]
    yield [*usual, None]


def function_of(handler: dict[str, Any]) -> tuple[object, ...]:
    """Return what identifies a handler's function: Gradio adds a number to its name for each further event.

    What only the browser does has no function: it is refused before its inputs are looked at.
    """
    if not handler["backend_fn"]:
        return ()
    name = re.sub(r"_[0-9]+$", "", handler["api_name"])
    return name, tuple(handler["inputs"]), tuple(handler["outputs"])


def test_every_handler_takes_wrong_types_lengths_and_nothing(fuzzed: App) -> None:
    found = config(fuzzed.url)
    kinds = {component["id"]: component["type"] for component in found["components"]}
    handlers = found["dependencies"]
    assert len(handlers) > 30
    broke, seen = [], set()
    with httpx.Client(base_url=f"{fuzzed.url}/gradio_api/", timeout=60, trust_env=False) as client:
        for handler in handlers:
            # The same function with the same inputs behind another event is only called.
            is_known = function_of(handler) in seen
            seen.add(function_of(handler))
            wrong = (wrong_lengths if is_known else wrong_inputs)([kinds[one] for one in handler["inputs"]])
            for number, inputs in enumerate(wrong):
                before, session = len(fuzzed.log), f"{handler['id']}-{number}"
                body = {"fn_index": handler["id"], "data": inputs, "event_data": None, "session_hash": session}
                answer = client.post("queue/join", json=body)
                assert answer.status_code < 500, (handler["api_name"], inputs)
                if answer.is_success:
                    client.get(f"queue/data?session_hash={session}")
                if "Traceback" in (logged := fuzzed.log[before:]):
                    broke.append(f"{handler['api_name']} {str(inputs)[:100]} {logged[-200:]}")
    assert not broke, broke[:5]


def upload(app: App, data: bytes, name: str) -> str:
    answer = httpx.post(f"{app.url}/gradio_api/upload", files={"files": (name, data)}, timeout=60, trust_env=False)
    path: str = answer.json()[0]
    return path


def png(width: int, height: int) -> bytes:
    """A PNG that says it has so many pixels, and has none."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../x", bytes(10_000_000))
    return buffer.getvalue()


@cache
def saved(kind: str) -> bytes:
    buffer = io.BytesIO()
    with Image.open(PHOTOS / "cat.jpg") as image:
        image.resize((400, 400)).save(buffer, kind)
    return buffer.getvalue()


@st.composite
def damaged(draw: DrawFn) -> bytes:
    whole = draw(st.sampled_from([saved(kind) for kind in ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP")]))
    cut = bytearray(whole[: draw(st.integers(0, len(whole)))])
    for place, value in draw(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6)):
        if place < len(cut):
            cut[place] = value
    return bytes(cut) + draw(st.binary(max_size=100))


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><image href="file:///etc/passwd"/></svg>'


@given(data=st.one_of(damaged(), st.binary(max_size=300)), name=st.sampled_from(["a.jpg", "a.png", "a", "a.svg"]))
@by_http
@example(b"", "a.jpg")
@example(SVG, "a.svg")
@example(zipped(), "a.png")
@example(png(60_000, 60_000), "a.png")
@example(png(2**31 - 1, 2**31 - 1), "a.png")
@example(png(0, 0), "a.png")
@example(saved("JPEG") + zipped(), "a.jpg")
@example(b"GIF89a/*" + SVG + b"*/=1;", "a.gif")
@example(b"%PDF-1.4\n%%EOF", "a.pdf")
@example(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 400 400\n(/etc/passwd) (r) file\n", "a.eps")
def test_a_file_that_is_no_picture_is_told_in_a_sentence(fuzzed: App, data: bytes, name: str) -> None:
    assert fuzzed.sandbox
    before = fuzzed.sandbox.counters.submits_received
    told = outcome_of(fuzzed, "edit", {"prompt": "sketch", "image_1": {"path": upload(fuzzed, data, name)}})
    assert fuzzed.sandbox.counters.submits_received - before == (0 if isinstance(told, str) else 1)
    if isinstance(told, str):
        assert "mage 1" in told


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("call/v2/nothing", {}),
        ("call/nothing", {"data": []}),
        ("call/edit", {"data": []}),
        ("call/edit", {"data": [{}] * 20}),
        ("run/edit", {"data": ["sketch"]}),
        ("api/edit", {"data": ["sketch"]}),
        ("run/predict", {"data": [], "fn_index": 10**9}),
        ("queue/join", {"data": [], "fn_index": -1, "session_hash": "a"}),
        ("queue/join", {"data": None, "fn_index": 10**9, "session_hash": "a"}),
        ("component_server", {"data": 1, "component_id": 10**9, "session_hash": "a", "fn_name": "__init__"}),
        ("component_server", {"data": 1, "component_id": 1, "session_hash": "a", "fn_name": "preprocess"}),
        ("cancel", {"session_hash": "a", "fn_index": 0, "event_id": "a"}),
        ("reset", {"event_id": "a"}),
        ("vibe-edit", {"prompt": "x"}),
        ("upload", {}),
    ],
)
def test_a_route_that_is_called_wrongly_does_not_fail(fuzzed: App, path: str, body: Any) -> None:
    posted(fuzzed, path, body)


def test_a_call_that_is_too_large_or_too_deep_is_not_read(fuzzed: App) -> None:
    route, kind = f"{fuzzed.url}/gradio_api/call/v2/edit", {"Content-Type": "application/json"}
    large = httpx.post(route, content=b" " * 6_000_000, headers=kind, trust_env=False, timeout=60)
    deep = httpx.post(route, content=b"[" * 100_000, headers=kind, trust_env=False, timeout=60)
    assert large.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE
    assert deep.status_code == httpx.codes.BAD_REQUEST


def test_after_all_that_the_app_is_as_small_as_before_and_still_works(fuzzed: App, picture: str) -> None:
    assert isinstance(outcome_of(fuzzed, "edit", {"prompt": "sketch", "image_1": {"path": picture}}), list)
    pages = Path(f"/proc/{fuzzed.pid}/statm").read_text("ascii").split()[1]
    assert int(pages) * os.sysconf("SC_PAGE_SIZE") < MEGABYTES_MAX * 1_000_000


@given(st.one_of(kept(), WORDS))
@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@example("[" * 100_000)
def test_what_a_browser_keeps_is_read_or_is_not_there(text: str) -> None:
    for entry in store.read(text).entries:
        run_folder(entry.key)


@given(RUBBISH, RUBBISH, RUBBISH, RUBBISH)
@settings(max_examples=200, suppress_health_check=list(HealthCheck))
def test_a_form_can_be_sent_or_is_told_why_not(prompt: Any, negative: Any, size: Any, seed: Any) -> None:
    with pytest.raises(WanError):
        Form(prompt, None, None, None, negative, size, seed).request()


@given(PATHS)
def test_a_made_up_path_is_no_upload(path: str) -> None:
    assert not is_upload(path)


@given(RUBBISH)
@example(10**9)
@example(0)
@example(float("nan"))
@example([4])
def test_the_number_of_variations_is_one_that_the_page_offers(given: Any) -> None:
    assert 1 <= how_many(given) <= VARIATIONS_MAX
