"""What the model's words mean, with their codes as they stand in the API's documentation and in others' clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from wan_client import (
    Backend,
    Charged,
    DownloadFailed,
    ImageError,
    ModerationRefused,
    PictureNotFetched,
    ReadRefused,
    Settings,
    SettingsError,
)
from wan_client.failures import error_of_run
from wan_client.poller import REFUSALS_MAX
from wan_client.state.journal import Journal

from .support import TOKEN, an_edit, answer, hurried, picture, scripted

if TYPE_CHECKING:
    from pathlib import Path

ENDED = [answer({"status": "completed"})]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("DataInspectionFailed: Input data may contain inappropriate content", "moderation"),
        ("IPInfringementSuspect: input data is suspected of being involved in IP infringement", "moderation"),
        ('{"code": "DataInspectionFailed", "message": "m"}', "moderation"),
        ("blocked by moderation", "moderation"),
        ("InvalidParameter.DataInspection: unable to download the media resource", "image_not_fetched"),
        ("InvalidParameter.DataInspection", "image_not_fetched"),
        ("InvalidURL: the URL can't be used", "image_not_fetched"),
        ("InvalidURL.Timeout", "image_not_fetched"),
        ("unable to download the media resource during the data inspection process", "image_not_fetched"),
        ("Download of the multimodal file timed out", "image_not_fetched"),
        ("InvalidImage.FileFormat: m", "image_format"),
        ("the wrong content-type of multimodal url", "image_format"),
        ("Throttling: requests are throttled", "model_busy"),
        ("Throttling.RateQuota", "model_busy"),
        ("Throttling.BurstRate: m", "model_busy"),
        ("Throttling.AllocationQuota: m", "vendor_account"),
        ("Arrearage: overdue payment", "vendor_account"),
        ("InternalError.Algo: inference failed", "model_trouble"),
        ("RequestTimeOut", "model_trouble"),
        ("ServiceUnavailable: m", "model_trouble"),
        ('{"error": "task failed", "details": {"code": "DataInspectionFailed"}}', "moderation"),
        ("something else", "run_failed"),
        ("", "run_failed"),
    ],
)
def test_whole_codes_come_before_words(words: str, code: str) -> None:
    error = error_of_run(words)
    assert error.code == code
    assert isinstance(error, ModerationRefused) == (code == "moderation")
    assert isinstance(error, PictureNotFetched) == (code == "image_not_fetched")
    assert error.full_message()


@pytest.mark.parametrize(
    ("words", "images", "named"),
    [
        ("InvalidURL: input.image_urls[1] can't be opened", 3, "image 2"),
        ("InvalidURL: image 3", 3, "image 3"),
        ("InvalidURL", 1, "image 1"),
        ("InvalidURL", 2, "images"),
        ("InvalidURL", None, "images"),
    ],
)
def test_a_picture_that_could_not_be_fetched_is_named(words: str, images: int | None, named: str) -> None:
    error = error_of_run(words, images=images)
    assert error.values == {"field": named}
    assert named in error.summary


@pytest.mark.parametrize(("cost", "charged"), [(None, Charged.UNKNOWN), (0.0, Charged.NO), (0.03, Charged.YES)])
def test_what_a_failed_run_cost_is_said(cost: float | None, charged: Charged) -> None:
    error = error_of_run("InternalError", cost=cost)
    assert (error.charged, error.cost, error.as_dict()["cost"]) == (charged, cost, cost)
    assert ("Cost: $0.03" in str(error)) == (cost == 0.03)
    assert error.as_dict(sandbox=True)["cost"] is None


@pytest.mark.parametrize("output", [None, {}, {"images": []}])
async def test_a_completed_run_with_an_error_in_it_is_that_error(tmp_path: Path, output: Any) -> None:
    reply = {"status": "completed", "error": {"code": "DataInspectionFailed"}, "output": output, "cost": 0.02}
    with scripted(submit=[answer({"request_id": "r1"})], status=ENDED, result=[answer(reply)]) as server:
        async with hurried(server.url, tmp_path) as client:
            with pytest.raises(ModerationRefused) as caught:
                await client.run(an_edit())
    assert caught.value.cost == 0.02


async def test_a_picture_that_is_there_is_not_lost_to_an_error_beside_it(tmp_path: Path) -> None:
    with scripted(submit=[answer({"request_id": "r1"})], status=ENDED, **{"x.png": [answer(picture())]}) as server:
        server.answers["result"] = [
            answer({"status": "succeeded", "error": "warning", "output": {"image": f"{server.url}/x.png"}})
        ]
        async with hurried(server.url, tmp_path) as client:
            assert (await client.run(an_edit())).path.exists()


@pytest.mark.parametrize("status", [400, 409])
async def test_a_refused_look_is_tried_again_and_then_leaves_the_run_to_be_fetched(tmp_path: Path, status: int) -> None:
    journal = Journal(tmp_path / "journal.db")
    with scripted(submit=[answer({"request_id": "r1"})], status=[answer({"error": "m"}, status)]) as server:
        async with hurried(server.url, tmp_path, journal=journal) as client:
            with pytest.raises(ReadRefused) as caught:
                await client.run(an_edit())
        looks = [path for _, path, _ in server.seen if path.endswith("/status")]
        assert [entry.state for entry in journal.for_account(server.url, TOKEN).entries()] == ["accepted"]
    assert len(looks) == 4
    assert (caught.value.request_id, caught.value.charged) == ("r1", Charged.UNKNOWN)


@pytest.mark.parametrize(
    "location", ["https://xn--a.com/", "http://[::1", "https://a:99999999/", "\xff", "//", "a b:c"]
)
async def test_a_redirect_to_what_is_no_address_is_an_error_of_ours(tmp_path: Path, location: str) -> None:
    moved = answer({}, 302, Location=location)
    with scripted(submit=[answer({"request_id": "r1"})], status=[moved]) as server:
        async with hurried(server.url, tmp_path) as client:
            with pytest.raises(ReadRefused):
                await client.run(an_edit())
    with scripted(submit=[answer({"request_id": "r1"})], status=ENDED, **{"x.png": [moved]}) as server:
        server.answers["result"] = [answer({"status": "succeeded", "output": f"{server.url}/x.png"})]
        async with hurried(server.url, tmp_path) as client:
            with pytest.raises(DownloadFailed) as caught:
                await client.run(an_edit())
        assert caught.value.code == "output_host"
        assert sum(path == "/x.png" for _, path, _ in server.seen) == 1


NO_ADDRESSES = [
    "https://xn--a.com/x.png", "https://xn--zzzzzz--.com/x.png", "https://a.com/\ud800", "https://a b.com/x.png",
    "https://a.com/long-enough-to-be-taken-out-of-texts/\ud800.png",
    "https://a.com:99999/x.png", "https://[::1/x.png", "https://a.com/a b.png", "https:///x.png", "https://\u2603.com/x",
]  # fmt: skip


@pytest.mark.parametrize("address", NO_ADDRESSES)
async def test_an_output_that_is_no_address_is_an_error_of_ours_at_once(tmp_path: Path, address: str) -> None:
    with scripted(submit=[answer({"request_id": "r1"})], status=ENDED) as server:
        server.answers["result"] = [answer({"status": "succeeded", "output": address})]
        async with hurried(server.url, tmp_path) as client:
            with pytest.raises(DownloadFailed) as caught:
                await client.run(an_edit())
        assert caught.value.code == "output_host"
        assert len([path for _, path, _ in server.seen if "/result" in path]) == 1
    assert "com" not in str(caught.value)


@pytest.mark.parametrize("which", ["status", "result"])
async def test_a_reply_that_is_nested_too_deep_is_an_error_of_ours_after_a_few_looks(
    tmp_path: Path, which: str
) -> None:
    body = b'{"status": "succeeded", "extra": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    answers: dict[str, Any] = {"status": ENDED, which: [(200, {}, body)]}
    with scripted(submit=[answer({"request_id": "r1"})], **answers) as server:
        async with hurried(server.url, tmp_path) as client:
            with pytest.raises(ReadRefused) as caught:
                await client.run(an_edit())
        assert len([path for _, path, _ in server.seen if f"/{which}" in path]) == REFUSALS_MAX + 1
    assert (caught.value.request_id, caught.value.charged) == ("r1", Charged.UNKNOWN)


@pytest.mark.parametrize("address", NO_ADDRESSES)
async def test_an_input_or_a_setting_that_is_no_address_is_an_error_of_ours(tmp_path: Path, address: str) -> None:
    async with hurried("http://127.0.0.1:9", tmp_path) as client:
        with pytest.raises(ImageError):
            await client.run(an_edit(address))
    with pytest.raises(SettingsError):
        Settings(Backend.RUNCOMFY, address, TOKEN)
