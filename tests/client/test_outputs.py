from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wan_client import Charged, DownloadFailed, Submitted
from wan_client.settings import Timeouts

from .support import TOKEN, an_edit, answer, hurried, names, picture, scripted

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Serve

pytestmark = pytest.mark.slow

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
    assert result.path.name == "r1_x_output.png"


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
