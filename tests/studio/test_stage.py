"""What is presented, taken away and shared: by whom, and for how long."""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from studio import uploads
from studio.browser.store import Entry
from studio.prompt.form import Form
from studio.runs import comparison, results
from studio.runs.jobs import _ENTRY, ENTRY, Jobs
from studio.settings import PageSettings
from studio.stage.page_address import address
from studio.stage.routes import Stage
from tests.studio.test_programme import picture
from wan_client import Backend, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY, OTHER = "the-key-of-a-run-12345", "another-runs-key-67890"
PUBLIC = {"Host": "demo.example.org"}


def finished(key: str, prompt: str) -> None:
    """Put a finished run onto the disk, as a job does."""
    kept = uploads.picture_folder(key)
    kept.mkdir(parents=True)
    (kept / "local-preview.png").write_bytes(picture("blue"))
    image = uploads.served_folder(key, "image-1")
    image.mkdir(parents=True)
    (image / "cat.png").write_bytes(picture("red"))
    before = uploads.served_folder(key, "before")
    before.mkdir(parents=True)
    (before / "before.png").write_bytes(picture("red"))
    entry = Entry("", "group", Form(prompt, str(image / "cat.png")), "sandbox", 1.7e9)
    uploads.write_record(key, ENTRY, _ENTRY.dump_json(entry))
    outcome = results.Outcome("", ("local-preview.png",), "0" * 64, 600, 400, 1.0, before="before.png")
    uploads.write_record(key, results.RECORD, results._OUTCOME.dump_json(outcome))


def keep(key: str, colour: str = "green", number: int = 1) -> str:
    """Put a kept composite of a run onto the disk; return what it is called."""
    kept = comparison.KeptPicture(number, "local-preview-kept.png", 600, 400, "result", 1, None, "0" * 64)
    kept.file(key).parent.mkdir(parents=True, exist_ok=True)
    kept.file(key).write_bytes(picture(colour))
    kept.before_file(key).parent.mkdir(parents=True, exist_ok=True)
    kept.before_file(key).write_bytes(picture("red"))
    uploads.write_record(key, comparison.KEPT, comparison._KEPT.dump_json((kept,)))
    return comparison.kept_key(key, number)


@pytest.fixture
def browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "files"))
    finished(KEY, "make it <b>blue</b>")
    finished(OTHER, "nobody else's")
    stage = Stage(Jobs(PageSettings(Settings(Backend.SANDBOX, "http://127.0.0.1:9"))), local=False)
    with TestClient(Starlette(routes=stage.routes()), base_url="http://demo.example.org") as client:
        yield client
    stage.close()


def made(answer: Any) -> tuple[dict[str, Any], bytes]:
    """Return what an export's answer says at its end, and the file."""
    assert answer.is_success
    rest = answer.content
    while True:
        line, _, rest = rest.partition(b"\n")
        said = json.loads(line)
        if "share" not in said:
            return said, rest


def link(browser: TestClient, key: str = KEY) -> str:
    said = browser.post("/stage/link", json={"key": key, "address": "http://demo.example.org/"}).json()
    return str(said["address"])


def test_cards_are_for_those_who_have_the_keys(browser: TestClient) -> None:
    cards = browser.post("/stage/cards?lang=ko", json={"keys": [OTHER, "unknown", KEY]}).json()
    assert [card["key"] for card in cards] == [OTHER, KEY]
    assert len(cards[0]["marks"]) == 1, "it says that it is a local preview"
    assert OTHER not in cards[0]["after"]


def test_a_kept_composite_is_presented_taken_away_and_shared_as_what_it_is(browser: TestClient) -> None:
    name = keep(KEY)
    (card,) = browser.post("/stage/cards", json={"keys": [name, f"{KEY}/kept-2", f"{KEY}/kept-x"]}).json()
    assert (card["key"], card["marks"]) == (name, ["Local preview", "Partly kept"])
    assert card["after"].endswith("local-preview-kept.png")
    _, sent = made(browser.post("/stage/export", json={"keys": [name], "kind": "page"}))
    assert b"Partly kept" in sent
    assert b"Partly kept" not in made(browser.post("/stage/export", json={"keys": [KEY], "kind": "page"}))[1]
    shared = link(browser, name)
    assert shared != link(browser)
    assert "Partly kept" in browser.get(shared).text
    assert browser.post("/stage/link", json={"key": name, "revoke": True}).is_success
    assert browser.get(shared).status_code == 404
    assert browser.get(link(browser)).is_success


def test_a_link_never_shows_another_composite_that_took_the_place(browser: TestClient) -> None:
    shared = link(browser, keep(KEY))
    keep(KEY, "blue")
    assert browser.get(shared).status_code == 404


@pytest.mark.parametrize("body", [{}, {"keys": "x"}, {"keys": [1]}, {"keys": ["x" * 200]}, {"keys": ["x"] * 41}, []])
def test_a_call_that_makes_no_sense_is_refused(browser: TestClient, body: object) -> None:
    assert browser.post("/stage/cards", json=body).status_code == 400
    assert browser.post("/stage/export", json=body).status_code == 400
    assert browser.post("/stage/link", json=body).status_code == 400


def test_another_sites_page_can_start_no_export(browser: TestClient) -> None:
    wish = json.dumps({"keys": [KEY], "kind": "page"})
    assert browser.post("/stage/export", content=wish, headers={"Content-Type": "text/plain"}).status_code == 400


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["page", "png", "pdf", "webp", "gif", "zip"])
def test_a_result_is_taken_away(browser: TestClient, kind: str) -> None:
    said, file = made(browser.post("/stage/export", json={"keys": [KEY], "kind": kind}))
    assert len(file) == said["size"]
    assert "local-preview" in said["name"]
    starts = {"page": b"<!", "png": b"\x89PNG", "pdf": b"%PDF", "webp": b"RIFF", "gif": b"GIF8", "zip": b"PK"}
    assert file.lstrip().startswith(starts[kind])
    assert KEY.encode() not in file
    assert str(uploads.results_folder()).encode() not in file
    if kind == "page":
        assert b"<b>blue" not in file


def test_several_are_one_file_in_the_order_asked_for(browser: TestClient) -> None:
    said, file = made(browser.post("/stage/export", json={"keys": [OTHER, KEY], "kind": "page"}))
    assert said["type"] == "text/html"
    assert file.index(b"nobody else") < file.index(b"make it &lt;b&gt;")
    said, file = made(browser.post("/stage/export", json={"keys": [OTHER, KEY], "kind": "webp"}))
    assert len(zipfile.ZipFile(io.BytesIO(file)).namelist()) == 2


def test_a_result_that_is_gone_is_a_sentence(browser: TestClient) -> None:
    said, file = made(browser.post("/stage/export", json={"keys": [KEY, "gone"], "kind": "page"}))
    assert said["problem"]
    assert not file


def test_a_programme_is_saved_on_a_local_page_alone(browser: TestClient) -> None:
    assert browser.post("/stage/export", json={"keys": [KEY], "kind": "programme"}).status_code == 400


def test_too_many_exports_are_refused(browser: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.stage.exports.OF_A_VISITOR", 0)
    assert browser.post("/stage/export", json={"keys": [KEY], "kind": "page"}).status_code == 503


def test_a_link_shows_one_result_and_says_nothing_else(browser: TestClient) -> None:
    shared = browser.get(link(browser), headers={"Accept-Language": "ko"})
    assert shared.is_success
    assert 'lang="ko"' in shared.text
    assert "make it &lt;b&gt;blue" in shared.text
    for secret in (KEY, OTHER, "nobody else", str(uploads.results_folder())):
        assert secret not in shared.text
    assert "noindex" in shared.headers["x-robots-tag"]
    assert shared.headers["referrer-policy"] == "no-referrer"
    assert shared.headers["cache-control"] == "no-store"


def test_a_link_is_no_key_and_a_key_no_link(browser: TestClient) -> None:
    name = link(browser).rsplit("/", 1)[1]
    assert browser.post("/stage/cards", json={"keys": [name]}).json() == []
    assert browser.get(f"/shared/{KEY}").status_code == 404
    assert KEY not in name
    written = [file.read_bytes() for file in uploads.records_folder().rglob("*") if file.is_file()]
    assert not any(KEY.encode() in data for data in written), "the key itself is not written anywhere"


def test_a_link_is_made_when_asked_for_and_can_be_revoked(browser: TestClient) -> None:
    first = link(browser)
    assert link(browser) == first
    assert browser.post("/stage/link", json={"key": OTHER, "revoke": True}).is_success
    assert browser.get(first).is_success
    assert browser.post("/stage/link", json={"key": KEY, "revoke": True}).is_success
    assert browser.get(first).status_code == 404
    assert link(browser) != first


def test_a_link_ends_with_its_files(browser: TestClient) -> None:
    shared = link(browser)
    assert browser.get(shared).is_success
    uploads.forget_run(KEY)
    assert browser.get(shared).status_code == 404
    assert not list(uploads.records_folder().rglob("*.html"))
    assert "problem" in browser.post("/stage/link", json={"key": KEY, "address": "http://demo.example.org/"}).json()


def test_the_code_is_of_the_pages_own_address(browser: TestClient) -> None:
    said = browser.post("/stage/address", json={"address": "http://demo.example.org/?lang=ko#x"}).json()
    assert said["address"] == "http://demo.example.org/"
    assert re.match(r"data:image/svg\+xml", said["code"])
    assert "problem" in browser.post("/stage/address", json={"address": "http://evil.example/"}).json()


@pytest.mark.parametrize(
    "host", ["localhost:7860", "127.0.0.1:7860", "127.9.9.9", "[::1]:7860", "0.0.0.0:1", "a.localhost"]
)
def test_no_code_leads_to_loopback(host: str) -> None:
    scope = {"type": "http", "headers": [(b"host", host.encode())]}
    assert address(None, scope, f"http://{host}/") is None
    assert address("https://demo.example", scope, f"http://{host}/") == "https://demo.example/"
