from __future__ import annotations

import gzip
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from wan_client import Charged, DownloadFailed, SettingsError, Submitted
from wan_client.outputs import Picture, write
from wan_client.settings import Timeouts

from .support import TOKEN, an_edit, answer, hurried, names, picture, scripted

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Serve
    from .support import Scripted

pytestmark = pytest.mark.slow

ENDED = answer({"status": "completed"})
BRISK = Timeouts(read=1.0, silence=0.3, download=2.0)


@pytest.mark.parametrize(
    "fault",
    [
        "output-reset*2", "output-close*1", "output-cut*2", "output-stalled*1", "output-hang*1", "output-500*6",
        "output-html-502*2", "output-html-200*2", "output-429*1", "output-expired*2", "output-404*2",
        "output-empty-body*2",
        "output-truncated*2", "output-garbage*1", "output-trickle", "output-slow*1",
    ],
)  # fmt: skip
async def test_a_paid_picture_is_fetched_again_until_it_is_whole(serve: Serve, tmp_path: Path, fault: str) -> None:
    sandbox = serve(fault)
    async with hurried(sandbox.url, tmp_path, timeouts=BRISK) as client:
        result = await client.run(an_edit())
    assert (result.width, result.height) == (1024, 1024)
    assert sandbox.counters.submits_accepted == 1
    assert sandbox.counters.tokens_leaked == 0
    assert names(tmp_path) == [result.path.name]


@pytest.mark.parametrize(
    ("fault", "code", "downloads"),
    [
        ("output-truncated", "output_not_image", 4),
        ("output-garbage", "output_not_image", 4),
        ("output-expired", "download_failed", 4),
        ("output-oversized", "output_too_large", 1),
        ("output-announced-oversized", "output_too_large", 1),
        ("output-many-pixels", "output_too_large", 1),
        ("output-moved", "output_host", 1),
        ("output-moved-away", "output_host", 1),
        ("foreign-output", "output_host", 0),
    ],
)
async def test_a_picture_that_cannot_be_had_is_told_with_the_id(
    serve: Serve, tmp_path: Path, fault: str, code: str, downloads: int
) -> None:
    sandbox = serve(fault)
    async with hurried(sandbox.url, tmp_path, timeouts=Timeouts()) as client:
        with pytest.raises(DownloadFailed) as caught:
            await client.run(an_edit())
    problem = caught.value
    assert (problem.code, problem.charged) == (code, Charged.YES)
    assert problem.request_id
    assert sandbox.counters.output_calls == downloads
    assert sandbox.counters.submits_accepted == 1
    assert (sandbox.counters.redirects_followed, sandbox.counters.tokens_leaked) == (0, 0)
    assert names(tmp_path) == []


async def test_after_the_storage_recovers_the_picture_is_there(serve: Serve, tmp_path: Path) -> None:
    sandbox = serve("output-truncated*4")
    async with hurried(sandbox.url, tmp_path) as client:
        with pytest.raises(DownloadFailed) as caught:
            await client.run(an_edit())
        assert caught.value.request_id
        assert (await client.resume(caught.value.request_id)).path.exists()
    assert sandbox.counters.submits_accepted == 1


async def test_a_storage_that_stays_down_is_given_up_at_the_deadline(serve: Serve, tmp_path: Path) -> None:
    sandbox = serve("output-html-503")
    async with hurried(sandbox.url, tmp_path, deadline=3) as client:
        with pytest.raises(DownloadFailed) as caught:
            await client.run(an_edit())
    assert caught.value.charged is Charged.YES
    assert sandbox.counters.output_calls > 4


@pytest.mark.parametrize(
    "url",
    [
        "http://playgrounds-storage-public.runcomfy.net/a.png",
        "https://runcomfy.net.example.com/a.png",
        "https://example.com/a.png",
        "https://evil-runcomfy.net/a.png",
        "https://user@x.runcomfy.net/a.png",
        "https://x.runcomfy.net:8443/a.png",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "//x.runcomfy.net/a.png",
        "not an address",
        "https://x.runcomfy.net/\u00e9.png",
        "https://[::1/a.png",
    ],
)
async def test_nothing_is_opened_but_the_apis_own_hosts(tmp_path: Path, url: str) -> None:
    with scripted(
        status=[answer({"status": "completed"})], result=[answer({"status": "succeeded", "output": url})]
    ) as server:
        async with hurried(server.url, tmp_path) as client:
            with pytest.raises(DownloadFailed) as caught:
                await client.resume("r1")
    assert caught.value.code == "output_host"


async def test_the_address_is_used_byte_for_byte_and_without_the_token(tmp_path: Path) -> None:
    path = "/a%3D%3d/b+c%20d/x_output.png?sig=%2F%3D&t=a=b"
    with scripted(status=[answer({"status": "completed"})], **{"x_output.png": [answer(picture())]}) as server:
        server.answers["result"] = [answer({"status": "succeeded", "output": server.url + path})]
        async with hurried(server.url, tmp_path) as client:
            result = await client.resume("r1")
        fetched = next(entry for entry in server.seen if "x_output" in entry[1])
    assert fetched[1] == path
    assert TOKEN not in repr(fetched)
    assert result.path.name == "r1_output.png"


async def test_a_packed_picture_is_bounded_while_it_is_unpacked(tmp_path: Path) -> None:
    bomb = answer(gzip.compress(bytes(100_000_000)), Content_Encoding="gzip")
    with scripted(status=[ENDED], **{"x.png": [bomb]}) as server:
        server.answers["result"] = [answer({"status": "succeeded", "output": server.url + "/x.png"})]
        async with hurried(server.url, tmp_path) as client:
            with pytest.raises(DownloadFailed) as caught:
                await client.resume("r1")
    assert caught.value.code == "output_too_large"


@pytest.mark.parametrize("name", ["..%2F..%2Fetc%2Fpasswd", ".hidden", "%00", "con:aux|x?y", "%2e%2e", "a" * 300])
async def test_a_name_from_the_wire_is_made_safe(tmp_path: Path, name: str) -> None:
    with scripted(status=[answer({"status": "completed"})]) as server:
        server.otherwise = answer(picture())
        server.answers["result"] = [answer({"status": "succeeded", "output": f"{server.url}/{name}"})]
        async with hurried(server.url, tmp_path / "here") as client:
            result = await client.resume("r1")
    assert result.path.parent == tmp_path / "here"
    assert result.path.suffix == ".png"
    assert not result.path.name.startswith(".")
    assert len(result.path.name) < 150


# ---------------------------------------------------------------- several pictures


def two(server: Scripted, first: str, second: str) -> None:
    server.answers["result"] = [answer({"status": "succeeded", "output": {"images": [first, second]}})]


RED, BLUE = picture(400, 401), picture(400, 402)


async def test_pictures_of_one_name_are_kept_beside_each_other(tmp_path: Path) -> None:
    with scripted(status=[ENDED], **{"x.png": [answer(RED), answer(BLUE)]}) as server:
        two(server, f"{server.url}/a/x.png", f"{server.url}/b/x.png")
        async with hurried(server.url, tmp_path) as client:
            result = await client.resume("r1")
    assert [path.name for path in result.paths] == ["r1_output.png", "r1_output_2.png"]
    assert [path.read_bytes() for path in result.paths] == [RED, BLUE]
    assert result.missing == ()


async def test_pictures_of_the_same_bytes_are_two_files(tmp_path: Path) -> None:
    with scripted(status=[ENDED], **{"x.png": [answer(RED)]}) as server:
        two(server, f"{server.url}/a/x.png", f"{server.url}/b/x.png")
        async with hurried(server.url, tmp_path) as client:
            assert len(set((await client.resume("r1")).paths)) == 2
            assert len(set((await client.resume("r1")).paths)) == 2
    assert names(tmp_path) == ["r1_output.png", "r1_output_2.png"]


@pytest.mark.parametrize("good_first", [True, False])
@pytest.mark.parametrize(
    ("bad", "code"),
    [("https://example.com/x.png", "output_host"), ("/gone.png", "download_failed"), ("/no.png", "output_not_image")],
)
async def test_a_good_picture_beside_a_bad_one_is_kept(tmp_path: Path, bad: str, code: str, good_first: bool) -> None:
    with scripted(status=[ENDED], **{"x.png": [answer(RED)], "no.png": [answer(b"no picture")]}) as server:
        pair = [f"{server.url}/x.png", bad if bad.startswith("https") else server.url + bad]
        two(server, *(pair if good_first else reversed(pair)))
        async with hurried(server.url, tmp_path) as client:
            result = await client.resume("r1", out=tmp_path / "mine.png")
        assert len([entry for entry in server.seen if entry[1] == "/x.png"]) == 1
    assert [path.read_bytes() for path in result.paths] == [RED]
    assert [problem.code for problem in result.missing] == [code]
    assert result.missing[0].request_id == "r1"
    assert "example.com" not in repr(result.missing)


async def test_a_picture_that_comes_at_the_second_try_is_not_missing(tmp_path: Path) -> None:
    with scripted(status=[ENDED], **{"x.png": [answer(RED)], "y.png": [answer(b"", 503), answer(BLUE)]}) as server:
        two(server, f"{server.url}/x.png", f"{server.url}/y.png")
        async with hurried(server.url, tmp_path) as client:
            result = await client.resume("r1")
    assert [path.read_bytes() for path in result.paths] == [RED, BLUE]
    assert result.missing == ()


# ---------------------------------------------------------------- files that are there already


async def test_a_file_that_nobody_named_is_never_replaced(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(b"mine")
    (tmp_path / "cat_2.png").write_bytes(b"mine too")
    async with hurried(serve().url, tmp_path) as client:
        result = await client.run(an_edit(), out=tmp_path / "cat.jpg")
        assert result.path.name == "cat_3.png"
        assert (await client.resume(result.request_id, out=tmp_path / "cat.jpg")).path == result.path
    assert (tmp_path / "cat.png").read_bytes() == b"mine"
    assert (tmp_path / "cat_2.png").read_bytes() == b"mine too"
    assert names(tmp_path) == ["cat.png", "cat_2.png", "cat_3.png"]


async def test_a_second_picture_replaces_nothing_either(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "a_2.png").write_bytes(b"mine")
    async with hurried(serve("two-images").url, tmp_path) as client:
        result = await client.run(an_edit(), out=tmp_path / "a.png")
    assert [path.name for path in result.paths] == ["a.png", "a_2_2.png"]
    assert (tmp_path / "a_2.png").read_bytes() == b"mine"


async def test_a_file_of_the_very_name_that_was_given_is_replaced(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"mine")
    async with hurried(serve().url, tmp_path) as client:
        assert (await client.run(an_edit(), out=tmp_path / "a.png")).path.name == "a.png"
        assert (tmp_path / "a.png").read_bytes() != b"mine"
        (tmp_path / "a.png").write_bytes(b"mine")
        assert (await client.run(an_edit(), out=tmp_path / "a.png", named=False)).path.name == "a_2.png"
    assert (tmp_path / "a.png").read_bytes() == b"mine"


def test_writers_at_once_replace_nothing_of_each_other(tmp_path: Path) -> None:
    together = Barrier(8)

    def writes(number: int) -> Path:
        together.wait()
        return write(Picture(bytes([number]) * 10, "x.png", 1, 1), tmp_path / "a.jpg")

    with ThreadPoolExecutor(8) as threads:
        paths = list(threads.map(writes, range(8)))
    assert [path.read_bytes() for path in paths] == [bytes([number]) * 10 for number in range(8)]
    assert len(names(tmp_path)) == 8


def test_without_hard_links_nothing_is_replaced_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("os.link", refuses)
    (tmp_path / "a.png").write_bytes(b"mine")
    assert write(Picture(b"new", "x.png", 1, 1), tmp_path / "a.jpg").name == "a_2.png"
    assert names(tmp_path) == ["a.png", "a_2.png"]


@pytest.mark.parametrize("name", ["x" * 300 + ".png", "x" * 256, "가" * 90, "a\0b.png"])
async def test_a_name_that_no_file_can_have_is_refused_before_anything_is_paid(
    serve: Serve, tmp_path: Path, name: str
) -> None:
    sandbox = serve()
    async with hurried(sandbox.url, tmp_path) as client:
        for out in (tmp_path / name, tmp_path / name / "a.png"):
            with pytest.raises(SettingsError) as caught:
                await client.run(an_edit(), out=out)
            assert caught.value.code in {"out_not_writable", "folder_not_writable"}
            assert len(str(caught.value)) < 200
    assert sandbox.counters.submits_received == 0


async def test_a_folder_that_appears_under_the_name_is_noticed_before_the_submit(serve: Serve, tmp_path: Path) -> None:
    sandbox = serve()
    async with hurried(sandbox.url, tmp_path) as client:
        run = client.run(an_edit(), out=tmp_path / "a.png")
        (tmp_path / "a.png").mkdir()
        with pytest.raises(SettingsError) as caught:
            await run
    assert caught.value.code == "out_is_folder"
    assert sandbox.counters.submits_received == 0


async def test_a_name_with_a_slash_at_its_end_is_a_folder(serve: Serve, tmp_path: Path) -> None:
    async with hurried(serve().url, tmp_path) as client:
        assert (await client.run(an_edit(), out=f"{tmp_path}/later/")).path.parent == tmp_path / "later"


async def test_a_disk_that_cannot_be_written_loses_nothing(serve: Serve, tmp_path: Path) -> None:
    sandbox = serve()
    target = tmp_path / "a.png"
    async with hurried(sandbox.url, tmp_path) as client:
        run = client.run(an_edit(), out=target)
        with pytest.raises(DownloadFailed) as caught:
            await run.wait(lambda event: target.mkdir() if isinstance(event, Submitted) else None)
        assert caught.value.code == "not_writable"
        assert caught.value.request_id
        target.rmdir()
        assert (await client.resume(caught.value.request_id, out=target)).path == target
    assert names(tmp_path) == ["a.png"]
