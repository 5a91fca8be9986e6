from __future__ import annotations

import asyncio
import base64
import json
import threading
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from PIL import Image

from wan_client import (
    CancelOutcome,
    Charged,
    DeadlineExceeded,
    Downloading,
    Finished,
    ImageError,
    InvalidRequest,
    Preparing,
    Queued,
    Retrying,
    RunCancelled,
    Running,
    RunNotFound,
    SettingsError,
    Submitted,
    Uploading,
)
from wan_client.settings import Timeouts

from .support import TOKEN, Scripted, an_edit, answer, events_of, hurried, noise, picture, scripted

if TYPE_CHECKING:
    from pathlib import Path

    from wan_client import Run

    from .conftest import Serve

pytestmark = pytest.mark.slow

FOR_EVER = (60.0, 60.0)


async def until_running(run: Run) -> None:
    async for event in run:
        if isinstance(event, Running):
            return


async def test_a_run_goes_through_every_state_in_order(serve: Serve, tmp_path: Path) -> None:
    sandbox = serve(run_time=(30, 30), speed=40, warm_up=2)
    async with hurried(sandbox.url, tmp_path) as client:
        run = client.run(an_edit(picture(), picture(500), image_size="16:9"))
        assert not run.submitting
        events = await events_of(run)
    kinds = list(dict.fromkeys(type(event) for event in events))
    assert kinds == [Preparing, Uploading, Submitted, Queued, Running, Downloading, Finished]
    finished = events[-1]
    assert isinstance(finished, Finished)
    result = finished.result
    assert result.request_id == run.request_id
    assert (result.width, result.height) == (1280, 720)
    assert result.path.parent == tmp_path
    assert result.request_id in result.path.name
    assert [image.changes for image in result.images] == [(), ()]
    assert "local_preview" in result.extra
    with Image.open(result.path) as image:
        assert image.size == (1280, 720)
    uploads = [event for event in events if isinstance(event, Uploading)]
    assert uploads[-1].sent == uploads[-1].total
    queued = next(event for event in events if isinstance(event, Queued))
    assert queued.position == 1
    assert sandbox.counters.submits_accepted == 1
    assert sandbox.counters.tokens_leaked == 0


async def test_awaiting_a_run_gives_its_result(serve: Serve, tmp_path: Path) -> None:
    sandbox = serve(price=0.03)
    ids: list[str] = []
    async with hurried(sandbox.url, tmp_path) as client:
        run = client.run(an_edit(), out=tmp_path / "deep" / "mine.png", on_submitted=ids.append)
        result = await run
        assert result.path == tmp_path / "deep" / "mine.png"
        assert ids == [result.request_id]
        assert result.cost == 0.03
        with pytest.raises(RuntimeError):
            await run
    assert sandbox.counters.submits_accepted == 1


async def test_several_pictures_are_all_kept(serve: Serve, tmp_path: Path) -> None:
    async with hurried(serve("two-images").url, tmp_path) as client:
        result = await client.run(an_edit(), out=tmp_path / "a.png")
    assert [path.name for path in result.paths] == ["a.png", "a_2.png"]
    assert all(path.exists() for path in result.paths)


async def test_the_suffix_says_what_the_file_is(serve: Serve, tmp_path: Path) -> None:
    async with hurried(serve().url, tmp_path) as client:
        assert (await client.run(an_edit(), out=tmp_path / "a.jpg")).path.name == "a.png"
        assert (await client.run(an_edit(), out=tmp_path / "v1.2")).path.name == "v1.2.png"


async def test_results_without_a_name_do_not_overwrite_each_other(serve: Serve, tmp_path: Path) -> None:
    async with hurried(serve(workers=4).url, tmp_path) as client:
        results = await asyncio.gather(*(client.run(an_edit()) for _ in range(4)))
    assert len({result.path for result in results}) == 4


# ruff: noqa: PT012  # what happens while a run is iterated over is the point

# ---------------------------------------------------------------- cancelling


async def test_cancel_before_anything_is_sent(serve: Serve, tmp_path: Path) -> None:
    sandbox = serve()
    async with hurried(sandbox.url, tmp_path) as client:
        run = client.run(an_edit())
        assert await run.cancel() is CancelOutcome.CANCELLED
        with pytest.raises(RunCancelled) as caught:
            await run
    assert caught.value.charged is Charged.NO
    assert sandbox.counters.submits_received == 0


async def test_a_cancel_between_preparing_and_sending_is_kept(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where an error says that nothing was sent, nothing is paid."""
    sandbox = serve()
    dumps, ready, let_go = json.dumps, threading.Event(), threading.Event()

    def slow_dumps(value: Any, **options: Any) -> str:
        if "image_urls" in value and value["image_urls"][0].startswith("data:"):
            ready.set()
            let_go.wait(60)
        return dumps(value, **options)

    monkeypatch.setattr("wan_client.submission.json.dumps", slow_dumps)
    async with hurried(sandbox.url, tmp_path) as client:
        run = client.run(an_edit())
        reading = asyncio.create_task(events_of(run))
        await asyncio.to_thread(ready.wait, 60)
        assert await run.cancel() is CancelOutcome.CANCELLED
        let_go.set()
        with pytest.raises(RunCancelled):
            await reading
    assert sandbox.counters.submits_received == 0


async def test_cancel_while_queued(serve: Serve, tmp_path: Path) -> None:
    sandbox = serve(ahead=3, run_time=FOR_EVER, speed=1)
    async with hurried(sandbox.url, tmp_path) as client:
        run = client.run(an_edit())
        with pytest.raises(RunCancelled) as caught:
            async for event in run:
                if isinstance(event, Queued):
                    assert event.position == 4
                    assert await run.cancel() is CancelOutcome.CANCELLED
    assert (caught.value.code, caught.value.charged) == ("cancelled", Charged.NO)
    assert caught.value.request_id == run.request_id
    assert sandbox.counters.jobs_cancelled == 1


async def test_cancel_while_running_is_told_truthfully(serve: Serve, tmp_path: Path) -> None:
    sandbox = serve("never-ends")
    async with hurried(sandbox.url, tmp_path) as client:
        run = client.run(an_edit())
        await until_running(run)
        assert await run.cancel() is CancelOutcome.NOT_CANCELLABLE
    assert sandbox.counters.jobs_cancelled == 0


async def test_cancelling_the_awaiting_task_cancels_the_queued_run(serve: Serve, tmp_path: Path) -> None:
    sandbox = serve("never-starts")
    async with hurried(sandbox.url, tmp_path) as client:
        accepted = asyncio.Event()
        run = client.run(an_edit(), on_submitted=lambda _: accepted.set())
        task = asyncio.ensure_future(run.wait())
        await accepted.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert run.cancel_outcome is CancelOutcome.CANCELLED
    assert sandbox.counters.jobs_cancelled == 1


async def test_leaving_the_events_leaves_the_run_alone(serve: Serve, tmp_path: Path) -> None:
    sandbox = serve("submit-slow", speed=6)
    async with hurried(sandbox.url, tmp_path) as client:
        ids: list[str] = []
        run = client.run(an_edit(), on_submitted=ids.append)
        async for event in run:
            if isinstance(event, Uploading) and event.sent == event.total:
                break
    # The client was closed under the submit, and still waited for the id.
    assert ids == [run.request_id]
    async with hurried(sandbox.url, tmp_path) as client:
        assert (await client.resume(ids[0])).path.exists()
    counters = sandbox.counters
    assert (counters.submits_accepted, counters.cancel_calls) == (1, 0)


async def test_cancel_during_the_upload(serve: Serve, tmp_path: Path) -> None:
    sandbox = serve("submit-stall")
    async with hurried(sandbox.url, tmp_path, timeouts=Timeouts()) as client:
        run = client.run(an_edit(*[noise(1400, 1400, seed) for seed in (1, 2, 3)]))
        with pytest.raises(RunCancelled) as caught:
            async for event in run:
                if isinstance(event, Uploading) and event.sent:
                    assert event.sent < event.total
                    assert await run.cancel() is CancelOutcome.CANCELLED
                    assert await run.cancel() is CancelOutcome.CANCELLED
    assert caught.value.code == "cancelled_before_submit"
    assert sandbox.counters.submits_accepted == 0


async def test_cancel_while_the_answer_to_the_submit_is_awaited(serve: Serve, tmp_path: Path) -> None:
    """The answer comes within the cancel's patience: the run is there, and is cancelled."""
    sandbox = serve("never-starts", "accepted-slow", speed=10)
    async with hurried(sandbox.url, tmp_path) as client:
        run = client.run(an_edit())
        with pytest.raises(RunCancelled):
            async for event in run:
                if isinstance(event, Uploading) and event.sent == event.total and not run.cancel_outcome:
                    assert await run.cancel() is CancelOutcome.CANCELLED
    assert (sandbox.counters.submits_accepted, sandbox.counters.jobs_cancelled) == (1, 1)


async def test_a_submit_accepted_after_the_cancel_gave_up_is_cancelled_then(serve: Serve, tmp_path: Path) -> None:
    sandbox = serve("never-starts", "accepted-slow", speed=1.5)
    timeouts = Timeouts(cancel=1)
    async with hurried(sandbox.url, tmp_path, timeouts=timeouts) as client:
        run = client.run(an_edit())
        async for event in run:
            if isinstance(event, Uploading) and event.sent == event.total:
                assert await run.cancel() is CancelOutcome.UNKNOWN
                break
    assert run.request_id
    assert run.cancel_outcome is CancelOutcome.CANCELLED
    assert (sandbox.counters.submits_accepted, sandbox.counters.jobs_cancelled) == (1, 1)


async def test_a_cancelled_run_is_not_sent_again_after_a_429(serve: Serve, tmp_path: Path) -> None:
    sandbox = serve("submit-slow*1", "submit-429*1", speed=10)
    with scripted(submit=[answer({}, 429, Retry_After="1"), answer({"request_id": "r1"})]) as server:
        async with hurried(server.url, tmp_path, timeouts=Timeouts(cancel=60)) as client:
            run = client.run(an_edit())
            with pytest.raises(RunCancelled):
                async for event in run:
                    if isinstance(event, Retrying) and not run.cancel_outcome:
                        assert await run.cancel() is CancelOutcome.CANCELLED
        assert len(server.seen) == 1
    assert sandbox.counters.submits_received == 0


@pytest.mark.parametrize("fault", ["cancel-hang", "cancel-html-502", "cancel-reset", "cancelled-close", "cancel-500"])
async def test_a_cancel_without_an_answer_is_unknown_and_soon(serve: Serve, tmp_path: Path, fault: str) -> None:
    sandbox = serve("never-starts", fault)
    async with hurried(sandbox.url, tmp_path, timeouts=Timeouts(cancel=1)) as client:
        run = client.run(an_edit())
        async for event in run:
            if isinstance(event, Queued):
                assert await run.cancel() is CancelOutcome.UNKNOWN
                break


# ---------------------------------------------------------------- resuming and the deadline


async def test_past_the_deadline_nothing_is_lost(serve: Serve, tmp_path: Path) -> None:
    sandbox = serve(run_time=(2, 2), speed=1, warm_up=0)
    async with hurried(sandbox.url, tmp_path, deadline=1.0) as client:
        with pytest.raises(TimeoutError) as caught:
            await client.run(an_edit())
    problem = caught.value
    assert isinstance(problem, DeadlineExceeded)
    assert (problem.code, problem.charged) == ("deadline", Charged.UNKNOWN)
    assert problem.request_id
    assert problem.request_id in str(problem)
    async with hurried(sandbox.url, tmp_path) as client:
        result = await client.resume(problem.request_id)
    assert result.request_id == problem.request_id
    assert sandbox.counters.submits_accepted == 1
    assert sandbox.counters.cancel_calls == 0


@pytest.mark.parametrize("fault", ["never-starts", "never-ends", "unknown-word", "status-hang", "poll-html-502"])
async def test_the_deadline_holds_whatever_happens(serve: Serve, tmp_path: Path, fault: str) -> None:
    sandbox = serve("never-ends" if fault == "unknown-word" else fault, fault)
    async with hurried(sandbox.url, tmp_path, deadline=1.0, timeouts=Timeouts(read=3600)) as client:
        with pytest.raises(DeadlineExceeded) as caught:
            await client.run(an_edit())
    assert caught.value.request_id
    assert caught.value.code == ("deadline_trouble" if fault == "poll-html-502" else "deadline")


async def test_events_come_while_a_poll_hangs(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wan_client.poller.TICK_SECONDS", 0.1)
    sandbox = serve("status-hang")
    async with hurried(sandbox.url, tmp_path, timeouts=Timeouts(read=3600)) as client:
        ticks = 0
        async for event in client.run(an_edit()):
            ticks += isinstance(event, Queued)
            if ticks == 3:
                break
    assert sandbox.counters.status_calls == 1


async def test_resuming_a_run_that_is_unknown_says_so_at_once(serve: Serve, tmp_path: Path) -> None:
    sandbox = serve()
    async with hurried(sandbox.url, tmp_path) as client:
        with pytest.raises(RunNotFound) as caught:
            await client.resume("0123456789abcdef")
        assert caught.value.request_id == "0123456789abcdef"
    assert sandbox.counters.status_calls == 1


@pytest.mark.parametrize("request_id", ["../../x", "a/b", "a b", "", "x" * 129, "é"])
async def test_an_id_that_can_be_none_is_refused(tmp_path: Path, request_id: str) -> None:
    async with hurried("http://127.0.0.1:9", tmp_path) as client:
        with pytest.raises(InvalidRequest):
            client.resume(request_id)


# ---------------------------------------------------------------- before anything is paid


async def test_a_folder_that_cannot_be_written_is_noticed_before_the_submit(serve: Serve, tmp_path: Path) -> None:
    sandbox = serve()
    (tmp_path / "file").write_text("x")
    async with hurried(sandbox.url, tmp_path) as client:
        with pytest.raises(SettingsError) as caught:
            await client.run(an_edit(), out=tmp_path / "file" / "a.png")
        assert caught.value.code == "folder_not_writable"
    assert sandbox.counters.submits_received == 0


async def test_out_may_be_a_folder(serve: Serve, tmp_path: Path) -> None:
    async with hurried(serve().url, tmp_path / "elsewhere") as client:
        assert (await client.run(an_edit(), out=tmp_path)).path.parent == tmp_path


async def test_a_picture_that_cannot_be_read_is_noticed_before_the_submit(serve: Serve, tmp_path: Path) -> None:
    sandbox = serve()
    async with hurried(sandbox.url, tmp_path) as client:
        with pytest.raises(ImageError) as caught:
            await client.run(an_edit(picture(), b"no picture"))
        assert caught.value.values["number"] == 2
    assert sandbox.counters.submits_received == 0


async def test_addresses_go_as_they_are_and_pictures_inside_the_request(tmp_path: Path) -> None:
    with scripted(submit=[answer({"request_id": "r1"})], status=[answer({"status": "cancelled"})],
                  result=[answer({"status": "cancelled"})]) as server:  # fmt: skip
        address = "https://example.com/a%3Db.png?X=%2F"
        async with hurried(server.url, tmp_path) as client:
            with pytest.raises(RunCancelled):
                await client.run(an_edit(address, picture()))
        assert isinstance(server, Scripted)
        body = server.bodies[0]
    assert body["image_urls"][0] == address
    assert body["image_urls"][1].startswith("data:image/png;base64,")


@pytest.mark.parametrize(
    "address", ["http://example.com/a.png", "https://user:pw@example.com/a.png", "data:text/html,x"]
)
async def test_an_address_that_cannot_be_fetched_is_refused(tmp_path: Path, address: str) -> None:
    async with hurried("http://127.0.0.1:9", tmp_path) as client:
        with pytest.raises(ImageError) as caught:
            await client.run(an_edit(address))
        assert caught.value.code == "image_url_refused"
        assert "pw" not in str(caught.value)


async def test_the_model_entry_is_optional(serve: Serve, tmp_path: Path) -> None:
    async with hurried(serve(price=0.03).url, tmp_path) as client:
        entry = await client.model()
        assert entry.price_usd == 0.03
        assert entry.price_unit in {"output", "image"}
        assert entry.input_schema["required"] == ["prompt", "image_urls"]
    async with hurried(serve("model-500").url, tmp_path) as client:
        assert (await client.model()).price_usd is None


async def test_nothing_a_client_says_of_itself_holds_the_token(serve: Serve, tmp_path: Path) -> None:
    async with hurried(serve().url, tmp_path) as client:
        run = client.run(an_edit())
        assert TOKEN not in f"{client!r}{client.__dict__!r}{run!r}{run.__dict__!r}{client.settings!r}"


@pytest.mark.parametrize("encoding", [";base64", ""])
async def test_a_picture_given_inside_an_address_leaves_without_its_metadata(tmp_path: Path, encoding: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    buffer = BytesIO()
    Image.new("RGB", (400, 400)).save(buffer, "JPEG", exif=exif)
    text = base64.b64encode(buffer.getvalue()).decode() if encoding else quote(buffer.getvalue())
    given = f"data:image/jpeg{encoding},{text}"
    with scripted(submit=[answer({"request_id": "r1"})], cancel=[answer({"outcome": "cancelled"})]) as server:
        async with hurried(server.url, tmp_path) as client:
            run = client.run(an_edit(given))
            async for event in run:
                if isinstance(event, Submitted):
                    break
    (sent,) = server.bodies[0]["image_urls"]
    assert b"where I live" in buffer.getvalue()
    assert b"where I live" not in base64.b64decode(sent.partition(",")[2])
    with Image.open(BytesIO(base64.b64decode(sent.partition(",")[2]))) as picture_sent:
        assert picture_sent.size == (400, 400)


@pytest.mark.parametrize(
    "given", ["data:image/png;base64,????", "data:image/png;base64,", "data:image/png", "data:x,y"]
)
async def test_an_address_that_holds_no_picture_is_refused(serve: Serve, tmp_path: Path, given: str) -> None:
    sandbox = serve()
    async with hurried(sandbox.url, tmp_path) as client:
        with pytest.raises(ImageError):
            await client.run(an_edit(given))
    assert sandbox.counters.submits_received == 0
