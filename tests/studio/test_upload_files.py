"""The files of uploads: whose they are, who can open what, and what is left of those that broke off."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx
from gradio_client import Client, handle_file

from studio.uploads import RECORDS, UPLOAD_PREFIX
from tests.sandbox.support import until

if TYPE_CHECKING:
    from tests.conftest import App


def upload(app: App, data: bytes, name: str = "cat.jpg") -> Path:
    answer = httpx.post(f"{app.url}/gradio_api/upload", files={"files": (name, data)}, timeout=60, trust_env=False)
    return Path(answer.json()[0])


def opened(app: App, path: Path) -> int:
    return httpx.get(f"{app.url}/gradio_api/file={quote(str(path))}", timeout=60, trust_env=False).status_code


def test_the_same_file_uploaded_twice_is_two_files(app: App, photos: Path) -> None:
    data = (photos / "cat.jpg").read_bytes()
    first, second = upload(app, data), upload(app, data)
    assert first != second
    assert first.name == second.name == "cat.jpg"
    assert all(path.parent.name.startswith(UPLOAD_PREFIX) for path in (first, second))
    assert first.read_bytes() == second.read_bytes() == data
    assert opened(app, first) == opened(app, second) == httpx.codes.OK


def test_what_breaks_off_is_deleted_at_once(app: App) -> None:
    folder = Path(app.folder / "files")
    before = {path for path in folder.iterdir() if path.is_file()} if folder.exists() else set()
    host, port = app.url.removeprefix("http://").split(":")
    body = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n' + b"x" * 3_000_000
    head = (
        "POST /gradio_api/upload HTTP/1.1\r\nHost: page\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        "Content-Length: 30000000\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), 30) as sender:
        sender.sendall(head.encode() + body)
        until(lambda: any(path.stat().st_size > 1_000_000 for path in parts(folder, before)))
    until(lambda: not parts(folder, before))


def parts(folder: Path, before: set[Path]) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_file() and path not in before] if folder.exists() else []


def test_an_address_opens_one_file_and_a_record_has_none(app: App, plain_photos: Path) -> None:
    results = app.folder / "files" / "wan"
    of_others = {*results.glob("*/*"), *(results / RECORDS).glob("*/*")}
    Client(app.url, verbose=False, download_files=False).predict(
        "a very private matter", handle_file(plain_photos / "cat.jpg"), api_name="/edit"
    )
    served = [path for path in results.glob("*/*") if path.parent.name != RECORDS and path not in of_others]
    assert len(served) > 5
    for path in served:
        assert [other.name for other in path.parent.iterdir()] == [path.name]
    assert any(opened(app, path) == httpx.codes.OK for path in served)
    records = [record for record in (results / RECORDS).glob("*/*") if record not in of_others]
    assert {record.name for record in records} >= {"run.json", "outcome.json", "request-id.txt", "proof.txt"}
    for record in records:
        assert opened(app, record) == httpx.codes.FORBIDDEN
        assert opened(app, record.parent / ".." / record.parent.name / record.name) == httpx.codes.FORBIDDEN
        assert opened(app, Path(str(record).replace("records", "RECORDS"))) == httpx.codes.FORBIDDEN
