"""Pictures inside the request, then by a public address: only after a sure refusal, once, and gone afterwards."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from PIL import Image

from wan_client import (
    Backend,
    CancelOutcome,
    Journal,
    PictureNotFetched,
    Refused,
    RunFailed,
    Settings,
    SettingsError,
    UnknownOutcome,
    WanError,
)
from wan_client.hosting import prepared
from wan_client.hosting.data_uri import DATA_URI_BYTES_MAX
from wan_client.hosting.public_url import PICTURES_MAX, ROUTE, PublicHost, PublicUrl
from wan_client.settings import Hosting, Timeouts

from .support import an_edit, answer, hurried, noise, picture, scripted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .conftest import Serve

ACCEPTED = answer({"request_id": "r1"})
FAILED = [answer({"request_id": "r1", "status": "failed", "error": "InvalidURL.Timeout"})]
ENDED = [answer({"request_id": "r1", "status": "completed"})]
OF_PICTURES = {"detail": [{"loc": ["input", "image_urls", 0], "msg": "no", "type": "x"}], "error_code": 422001}


@contextmanager
def public(folder: Path, *, answers: Callable[[bytes], bytes] = lambda data: data) -> Iterator[PublicUrl]:
    """A page's public address, which a server of its own answers for."""
    store = PublicUrl(folder, seconds=60)

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = store.find(self.path.removeprefix(f"{ROUTE}/"))
            data = answers(found.path.read_bytes()) if found else b""
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", found.media_type if found else "text/plain")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        store.base = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield store
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PublicUrl]:
    with public(tmp_path / "hosted") as running:
        yield running


def lying(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "hosted"
    return list(folder.iterdir()) if folder.is_dir() else []


def ways(bodies: list[dict[str, Any]]) -> list[str]:
    return [body["image_urls"][0].split(":")[0] for body in bodies]


async def test_a_refused_data_uri_goes_once_more_by_address_and_the_next_run_at_once(
    serve: Serve, tmp_path: Path, store: PublicUrl
) -> None:
    sandbox = serve("data-uri-refused")
    async with hurried(sandbox.url, tmp_path / "out") as client:
        result = await client.run(an_edit(picture(), picture(500, 400)), public=PublicHost(store, "one"))
        assert result.path.is_file()
        assert (sandbox.counters.submits_received, sandbox.counters.submits_accepted) == (2, 1)
        assert lying(tmp_path) == []
        await client.run(an_edit(), public=PublicHost(store, "two"))
    assert (sandbox.counters.submits_received, sandbox.counters.submits_accepted) == (3, 2)
    assert lying(tmp_path) == []


@pytest.mark.parametrize(
    "refusal",
    [
        answer({"error_code": 413001, "message": "too large"}, 413),
        answer(b"too large", 413),
        answer(OF_PICTURES, 422),
        answer(OF_PICTURES, 400),
        answer({"error_code": 400000, "detail": "input.image_urls[0] is no URL"}, 400),
        answer({"error_code": 400000, "message": "image_urls must be https"}, 400),
    ],
)
async def test_each_sure_refusal_of_the_pictures_is_answered_by_address(
    tmp_path: Path, store: PublicUrl, refusal: Any
) -> None:
    with scripted(submit=[refusal, ACCEPTED], status=ENDED, result=FAILED) as server:
        async with hurried(server.url, tmp_path) as client:
            with pytest.raises(RunFailed):
                await client.run(an_edit(), public=PublicHost(store, "run"))
    assert ways(server.bodies) == ["data", "http"]
    assert lying(tmp_path) == []


@pytest.mark.parametrize(
    "reply",
    [
        answer({"error_code": 422001, "detail": [{"loc": ["input", "prompt"], "msg": "no"}]}, 422),
        answer({**OF_PICTURES, "request_id": "r1"}, 422),
        answer({"request_id": "r1"}, 413),
        answer({"message": "image_urls"}, 500),
        answer({"message": "image_urls"}, 403),
        answer({"message": "image_urls", "error_code": 400004}, 400),
        answer({"message": "image_urls", "error_code": 400002}, 400),
        answer({"message": "image_urls", "error_code": 422001}, 200),
        answer({"message": "image_urls"}, 200),
        answer(b"<html>image_urls</html>", 413, Content_Type="text/html"),
        answer(b"<html>image_urls</html>", 422, Content_Type="text/html"),
        answer(b"<html>image_urls</html>", 200, Content_Type="text/html"),
    ],
)
async def test_after_any_other_answer_nothing_is_sent_again(tmp_path: Path, store: PublicUrl, reply: Any) -> None:
    with scripted(submit=[reply, ACCEPTED], status=ENDED, result=FAILED) as server:
        async with hurried(server.url, tmp_path) as client:
            with pytest.raises(WanError):
                await client.run(an_edit(), public=PublicHost(store, "run"))
    assert ways(server.bodies) == ["data"]


@pytest.mark.slow
async def test_nothing_is_sent_again_after_a_time_out(serve: Serve, tmp_path: Path, store: PublicUrl) -> None:
    sandbox = serve("accepted-hang", "data-uri-refused@1")
    async with hurried(sandbox.url, tmp_path, timeouts=Timeouts(submit=3600, sending=1.5)) as client:
        with pytest.raises(UnknownOutcome):
            await client.run(an_edit(), public=PublicHost(store, "run"))
    assert sandbox.counters.submits_received == 1


async def test_refused_both_ways_it_is_not_sent_a_third_time_nor_remembered(tmp_path: Path, store: PublicUrl) -> None:
    with scripted(submit=[answer(OF_PICTURES, 422)]) as server:
        async with hurried(server.url, tmp_path) as client:
            for key in ("one", "two"):
                with pytest.raises(Refused):
                    await client.run(an_edit(), public=PublicHost(store, key))
    assert ways(server.bodies) == ["data", "http"] * 2
    assert lying(tmp_path) == []


@pytest.mark.parametrize("hosting", [Hosting.DATA, Hosting.AUTO])
async def test_it_is_sent_once_where_there_is_no_other_way(tmp_path: Path, store: PublicUrl, hosting: Hosting) -> None:
    if hosting is Hosting.AUTO:
        store.base = None
    with scripted(submit=[answer(OF_PICTURES, 422)]) as server:
        async with hurried(server.url, tmp_path, hosting=hosting) as client:
            with pytest.raises(Refused) as caught:
                await client.run(an_edit(), public=PublicHost(store, "run"))
    assert caught.value.code == "refused_image"
    assert len(server.bodies) == 1


async def test_pictures_given_as_addresses_are_not_sent_again(tmp_path: Path, store: PublicUrl) -> None:
    with scripted(submit=[answer(OF_PICTURES, 422)]) as server:
        async with hurried(server.url, tmp_path) as client:
            with pytest.raises(Refused):
                await client.run(an_edit("https://example.com/a.png"), public=PublicHost(store, "run"))
    assert len(server.bodies) == 1


async def test_each_submit_has_a_row_in_the_journal_of_its_own(tmp_path: Path, store: PublicUrl) -> None:
    rows: list[int] = []
    journal = Journal(tmp_path / "journal.db")
    with scripted(submit=[answer(OF_PICTURES, 422), ACCEPTED], status=ENDED, result=FAILED) as server:
        async with hurried(server.url, tmp_path, journal) as client:
            noted = client._resources.journal
            run = client.run(
                an_edit(),
                on_sending=lambda: rows.extend(entry.row for entry in noted.entries()),
                public=PublicHost(store, "run"),
            )
            with pytest.raises(RunFailed):
                await run
            (entry,) = noted.entries()
    assert len(rows) == 2, "one at a time: the refused one is taken out"
    assert (entry.request_id, entry.state) == ("r1", "failed")


async def test_a_failed_run_is_not_sent_again_but_the_next_goes_by_address(tmp_path: Path, store: PublicUrl) -> None:
    with scripted(submit=[ACCEPTED], status=ENDED, result=FAILED) as server:
        async with hurried(server.url, tmp_path) as client:
            with pytest.raises(PictureNotFetched) as first:
                await client.run(an_edit(), public=PublicHost(store, "one"))
            with pytest.raises(PictureNotFetched) as second:
                await client.run(an_edit(), public=PublicHost(store, "two"))
            with pytest.raises(PictureNotFetched) as third:
                await client.run(an_edit())
    assert ways(server.bodies) == ["data", "http", "data"]
    codes = [caught.value.code for caught in (first, second, third)]
    assert codes == ["image_not_fetched_inside", "image_not_fetched", "image_not_fetched"]


async def test_cancelled_between_the_two_nothing_more_is_sent(tmp_path: Path) -> None:
    waiting, go = threading.Event(), threading.Event()

    def slow(data: bytes) -> bytes:
        waiting.set()
        go.wait(10)
        return data

    with public(tmp_path / "hosted", answers=slow) as store:
        import asyncio

        with scripted(submit=[answer(OF_PICTURES, 422), ACCEPTED]) as server:
            async with hurried(server.url, tmp_path) as client:
                run = client.run(an_edit(), public=PublicHost(store, "run"))
                task = asyncio.ensure_future(run.wait())
                await asyncio.to_thread(waiting.wait, 10)
                cancelling = asyncio.ensure_future(run.cancel())
                await asyncio.sleep(0)
                go.set()
                assert await cancelling is CancelOutcome.CANCELLED
                with pytest.raises(WanError) as caught:
                    await task
    assert caught.value.code == "cancelled_before_submit"
    assert len(server.bodies) == 1
    assert lying(tmp_path) == []


async def test_by_setting_it_goes_by_address_at_once_or_not_at_all(
    serve: Serve, tmp_path: Path, store: PublicUrl
) -> None:
    sandbox = serve("data-uri-refused")
    async with hurried(sandbox.url, tmp_path / "out", hosting=Hosting.PUBLIC) as client:
        await client.run(an_edit(), public=PublicHost(store, "run"))
        assert sandbox.counters.submits_received == 1
        store.base = None
        for host in (PublicHost(store, "other"), None):
            with pytest.raises(SettingsError) as caught:
                await client.run(an_edit(), public=host)
            assert caught.value.code == "public_missing"
    assert sandbox.counters.submits_received == 1


@pytest.mark.parametrize("answers", [lambda _data: b"<html>sign in", lambda data: data + b"x"])
def test_an_address_that_brings_something_else_is_not_believed(
    tmp_path: Path, answers: Callable[[bytes], bytes]
) -> None:
    with public(tmp_path / "hosted", answers=answers) as store:
        assert not store.is_usable("http://127.0.0.1:1")
    assert lying(tmp_path) == []


def test_an_address_of_this_machine_or_network_serves_no_api_elsewhere(store: PublicUrl) -> None:
    assert store.is_usable("http://127.0.0.1:1")
    assert not store.is_usable("https://model-api.runcomfy.net")
    for base in ("https://192.168.1.5", "https://page", "https://page.local", "https://[fd00::1]", "https://localhost"):
        store.base = base
        assert not store.is_usable("https://model-api.runcomfy.net"), base


def test_the_address_is_unguessable_and_the_disk_does_not_tell_it(tmp_path: Path, store: PublicUrl) -> None:
    address = store.put(picture(), "image/png", "owner")
    name = address.rsplit("/", 1)[1]
    assert len(name.partition(".")[0]) * 6 >= 128
    assert name.partition(".")[0] not in lying(tmp_path)[0].name
    with httpx.Client(trust_env=False) as plain:
        reply = plain.get(address)
        assert (reply.content, reply.headers["Content-Type"]) == (picture(), "image/png")
        for other in ("", "x", name + "x", f"{'A' * 32}.png", "..%2f..%2fetc%2fpasswd", lying(tmp_path)[0].name):
            assert plain.get(f"{store.base}{ROUTE}/{other}").status_code == 404
    assert store.find(name.replace(".png", ".jpg")) is None
    store.forget("owner")
    assert store.find(name) is None


@pytest.mark.slow
def test_pictures_are_bounded_in_number_bytes_and_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    folder = tmp_path / "hosted"
    store = PublicUrl(folder, seconds=60, clock=lambda: now)
    store.base = "https://page.example.com"
    monkeypatch.setattr("wan_client.hosting.public_url.BYTES_MAX", 1000)
    with pytest.raises(WanError) as caught:
        store.put(bytes(1001), "image/png", "a")
    assert caught.value.code == "hosting_full"
    now = time.time()
    addresses = [store.put(b"x", "image/png", str(number)) for number in range(PICTURES_MAX)]
    with pytest.raises(WanError):
        store.put(b"x", "image/png", "one-more")
    now += 3600
    assert store.find(addresses[0].rsplit("/", 1)[1]) is None
    store.sweep()
    assert lying(tmp_path) == []


def test_a_picture_on_its_way_as_its_run_is_forgotten_does_not_stay(tmp_path: Path, store: PublicUrl) -> None:
    store.forget("owner")
    with pytest.raises(WanError):
        store.put(picture(), "image/png", "owner")
    assert lying(tmp_path) == []


@pytest.mark.slow
def test_inside_a_request_a_picture_is_a_png_as_long_as_that_is_small_enough() -> None:
    buffer = BytesIO()
    Image.new("RGB", (600, 500), 90).save(buffer, "JPEG")
    small = buffer.getvalue()
    assert prepared(small, number=1, by_address=False).media_type == "image/png"
    assert prepared(small, number=1, by_address=True).data == small
    buffer = BytesIO()
    noise(1900, 1800).save(buffer, "JPEG", quality=85)
    large = prepared(buffer.getvalue(), number=1, by_address=False)
    assert large.media_type == "image/jpeg"
    assert len(large.data) <= DATA_URI_BYTES_MAX


def test_the_way_is_read_from_the_environment() -> None:
    env = {"RUNCOMFY_TOKEN": "t"}
    assert Settings.load(env).hosting is Hosting.AUTO
    assert Settings.load(env | {"WAN_HOSTING": "Public"}).hosting is Hosting.PUBLIC
    for bad, code in (("email", "hosting_unknown"), ("bucket", "bucket_missing")):
        with pytest.raises(SettingsError) as caught:
            Settings.load(env | {"WAN_HOSTING": bad})
        assert caught.value.code == code
    with_bucket = env | {"WAN_S3_BUCKET": "b"}
    assert Settings.load(with_bucket).by_address
    assert not Settings.load(with_bucket | {"WAN_HOSTING": "data"}).by_address
    assert Settings(Backend.RUNCOMFY, token="t").by_address is False
