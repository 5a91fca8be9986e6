"""Runs that go on without a page."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import REGISTRY

from studio import uploads
from studio.browser.store import Entry
from studio.prompt.form import Form
from studio.public.limits import TOKENS_HOURLY, LimitReached
from studio.public.visitors import Visitor
from studio.runs import results
from studio.runs.job import watch_changes
from studio.runs.jobs import REQUEST_ID, Jobs
from studio.settings import LimitSettings, PageSettings
from tests.conftest import UNTIL_FINISHED
from wan_client import (
    AsyncWanClient,
    AuthenticationError,
    Backend,
    CancelOutcome,
    DownloadFailed,
    PreparedImage,
    RunNotFound,
    Settings,
    WanError,
    outputs,
)
from wan_sandbox import Sandbox
from wan_sandbox import Settings as SandboxSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from studio.runs.job import Job

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("hurry")]

KEEP_HOURS = 1.0
PAGE, ANOTHER_PAGE = Visitor("page"), Visitor("another page")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(SandboxSettings(run_time=(0.4, 0.4), picture="blank")) as sandbox:
        yield sandbox


@pytest.fixture
def settings(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PageSettings:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return PageSettings(Settings(Backend.SANDBOX, sandbox.url), hosted_base=sandbox.url, keep_hours=KEEP_HOURS)


@pytest.fixture
async def jobs(settings: PageSettings) -> AsyncIterator[Jobs]:
    jobs = Jobs(settings)
    yield jobs
    await jobs.close()


@pytest.fixture
async def later(settings: PageSettings) -> AsyncIterator[Jobs]:
    """The server after a restart: it knows nothing but what lies on disk."""
    jobs = Jobs(settings)
    yield jobs
    await jobs.close()


@pytest.fixture
def form(tmp_path: Path, plain_photos: Path) -> Form:
    upload = tmp_path / "cat.jpg"
    upload.write_bytes((plain_photos / "cat.jpg").read_bytes())
    return Form("sketch", str(upload))


async def started(jobs: Jobs, form: Form, page: Visitor = PAGE, token: str = "") -> Job:
    (job,) = await jobs.start([form], page, token)
    return job


async def ended(job: Job) -> Job:
    await asyncio.wait_for(job.work, 20)
    return job


async def test_a_job_ends_without_anybody_watching(jobs: Jobs, form: Form) -> None:
    job = await ended(await started(jobs, form))
    assert job.outcome
    assert job.outcome.path.is_file()
    assert job.outcome.before
    assert job.entry.result == job.outcome.digest
    assert jobs.find(job.key) is job


async def test_watching_ends_with_the_job_and_may_begin_late(jobs: Jobs, form: Form) -> None:
    job = await started(jobs, form)
    seen = [type(job.event).__name__ async for _ in watch_changes([job])]
    assert "Submitted" in seen
    assert seen[-1] == "Finished"
    assert len([_ async for _ in watch_changes([job])]) == 1


async def test_the_same_form_of_one_page_is_one_run(jobs: Jobs, form: Form, sandbox: Sandbox) -> None:
    first, second = await asyncio.gather(started(jobs, form), started(jobs, form))
    other = await started(jobs, form, ANOTHER_PAGE)
    assert first is second
    assert other is not first
    await asyncio.gather(ended(first), ended(other))
    third = await started(jobs, form)
    assert third is not first
    await ended(third)
    assert sandbox.counters.submits_accepted == 3


async def test_variations_are_runs_of_one_group_in_the_order_of_their_seeds(
    jobs: Jobs, form: Form, sandbox: Sandbox
) -> None:
    started = await jobs.start(form.variations(3), PAGE)
    assert await jobs.start(form.variations(3), PAGE) is started
    assert [job.form.seed for job in started] == [0, 1, 2]
    assert jobs.group(started[0].entry.group) == started
    assert len({job.key for job in started}) == 3
    await asyncio.gather(*(ended(job) for job in started))
    assert sandbox.counters.submits_accepted == 3


async def test_a_run_that_failed_permanently_is_run_again_in_its_place(settings: PageSettings, form: Form) -> None:
    with Sandbox(SandboxSettings(run_time=(0.1, 0.1), picture="blank", faults=("failed-text*1",))) as faulty:
        jobs = Jobs(replace(settings, engine=Settings(Backend.SANDBOX, faulty.url)))
        started = await jobs.start(form.variations(3), PAGE)
        await asyncio.gather(*(ended(job) for job in started))
        (failed,) = [job for job in started if job.failed_permanently]
        again = await ended(await jobs.again(failed, PAGE))
        await jobs.close()
        assert again.outcome
        assert again.form.seed == failed.form.seed
        assert jobs.group(again.entry.group) == [again if job is failed else job for job in started]
        assert jobs.find(failed.key) is None
        assert faulty.counters.submits_accepted == 4


async def test_a_run_is_picked_up_by_its_id_without_paying(
    jobs: Jobs, later: Jobs, form: Form, sandbox: Sandbox
) -> None:
    first = await ended(await started(jobs, form))
    assert first.request_id
    assert first.outcome
    picture = first.outcome.path.read_bytes()
    again = await ended(await later.resume(replace(first.entry, result=""), Visitor()))
    assert again.outcome
    assert again.outcome.path.read_bytes() == picture
    assert sandbox.counters.submits_accepted == 1


async def test_a_run_whose_id_the_browser_never_heard_of_is_picked_up(
    jobs: Jobs, later: Jobs, form: Form, sandbox: Sandbox
) -> None:
    job = await started(jobs, form)
    await job.wait_until_submitted()
    assert (uploads.run_folder(job.key) / REQUEST_ID).read_text("utf-8") == job.request_id
    again = await ended(await later.resume(replace(job.entry, request_id=""), Visitor()))
    await ended(job)
    for watched in (job, again):
        assert watched.outcome
        assert watched.outcome.path.is_file()
        assert watched.outcome.recipe_file
        assert watched.request_id == again.request_id
    assert sandbox.counters.submits_accepted == 1


async def test_a_run_that_was_interrupted_before_its_id_is_told_as_an_unknown_outcome(
    jobs: Jobs, later: Jobs, form: Form, sandbox: Sandbox
) -> None:
    job = await ended(await started(jobs, form))
    (uploads.run_folder(job.key) / REQUEST_ID).unlink()
    with pytest.raises(WanError) as caught:
        await later.resume(replace(job.entry, request_id="", result=""), Visitor())
    assert caught.value.code == "submit_interrupted"
    assert sandbox.counters.submits_accepted == 1


async def test_a_run_on_a_visitors_own_token_is_picked_up_with_that_token_alone(
    jobs: Jobs, later: Jobs, form: Form, sandbox: Sandbox
) -> None:
    job = await ended(await started(jobs, form, token="a-token-of-my-own"))
    assert job.outcome
    assert job.entry.engine == "visitor"
    with pytest.raises(WanError) as caught:
        await later.resume(replace(job.entry, result=""), Visitor())
    assert caught.value.code == "other_engine"
    assert caught.value.request_id == job.request_id
    again = await ended(await later.resume(replace(job.entry, result=""), Visitor(), "a-token-of-my-own"))
    assert again.outcome


async def test_an_id_that_was_given_to_somebody_else_opens_nothing(
    jobs: Jobs, later: Jobs, form: Form, sandbox: Sandbox
) -> None:
    theirs = await ended(await started(jobs, form))
    for forged in (
        replace(theirs.entry, key="a-key-of-my-own", result=""),
        replace(theirs.entry, key="a-key-of-my-own", proof="", result=""),
    ):
        with pytest.raises(RunNotFound):
            await later.resume(forged, Visitor())


async def test_cancel_of_a_queued_job(jobs: Jobs, form: Form, sandbox: Sandbox) -> None:
    running = await started(jobs, form)
    await running.wait_until_submitted()
    queued = await started(jobs, form, ANOTHER_PAGE)
    await queued.wait_until_submitted()
    assert await queued.cancel() is CancelOutcome.CANCELLED
    await ended(queued)
    assert queued.problem
    assert queued.problem.code == "cancelled"
    assert queued.failed_permanently


async def test_a_comparison_that_fails_costs_nobody_the_picture(
    jobs: Jobs, form: Form, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: object) -> bytes:
        raise OSError

    monkeypatch.setattr("studio.runs.results.framed", fail)
    job = await ended(await started(jobs, form))
    assert job.outcome
    assert job.outcome.before is None


async def test_what_a_run_came_to_outlives_the_server(jobs: Jobs, form: Form) -> None:
    job = await ended(await started(jobs, form))
    assert results.load(job.key) == job.outcome


async def test_results_of_earlier_days_go_though_nobody_comes(settings: PageSettings) -> None:
    old, young = uploads.run_folder("old"), uploads.run_folder("young")
    for folder in (old, young):
        folder.mkdir(parents=True)
    past = time.time() - KEEP_HOURS * 3600 - 60
    os.utime(old, (past, past))
    cleaning = asyncio.create_task(uploads.clean_regularly(settings.keep_seconds))
    await until(lambda: not old.exists())
    cleaning.cancel()
    assert young.exists()


async def test_nothing_is_started_without_room_for_it(
    jobs: Jobs, form: Form, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "FREE_MIN", 2**80)
    with pytest.raises(WanError) as refused:
        await started(jobs, form)
    assert refused.value.code == "disk_full"
    assert sandbox.counters.submits_accepted == 0


async def until(true: Callable[[], object]) -> None:
    """Wait until something is true, for two minutes at most."""
    end = time.monotonic() + 120
    while not true():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


def _prepared_images() -> list[PreparedImage]:
    return [held for held in gc.get_objects() if isinstance(held, PreparedImage)]


@pytest.mark.parametrize("faults", [(), ("submit-no-balance",)])
async def test_an_ended_run_holds_no_picture_in_memory(
    settings: PageSettings, form: Form, faults: tuple[str, ...]
) -> None:
    # What an earlier test of this process left behind, such as a failed one's traceback, is not this run's.
    before = {id(held) for held in _prepared_images()}
    with Sandbox(SandboxSettings(run_time=(0, 0), picture="blank", faults=faults)) as sandbox:
        jobs = Jobs(replace(settings, engine=Settings(Backend.SANDBOX, sandbox.url)))
        job = await ended(await started(jobs, form))
        assert bool(job.problem) == bool(faults)
        # The frames of the last task and of its thread may end a moment after the run.
        await until(lambda: gc.collect() >= 0 and {id(held) for held in _prepared_images()} <= before)
        await jobs.close()


async def test_a_forgotten_run_leaves_no_file(jobs: Jobs, form: Form) -> None:
    job = await ended(await started(jobs, form))
    folders = uploads.run_folder(job.key), uploads.picture_folder(job.key)
    assert all(folder.is_dir() for folder in folders)
    await jobs.forget(job.key)
    assert not any(folder.exists() for folder in folders)
    assert jobs.find(job.key) is None


async def test_each_file_of_a_run_that_is_served_lies_alone(jobs: Jobs, form: Form) -> None:
    job = await ended(await started(jobs, form))
    result = job.outcome
    assert result
    served = [result.path, result.before_file, result.thumbnail_file, result.recipe_file, result.clean_file]
    files = [file for file in (*served, result.sent_file(1), Path(job.form.image_1 or "")) if file]
    assert len({file.parent for file in files}) == len(files) == 7
    for file in files:
        assert [other.name for other in file.parent.iterdir()] == [file.name]
        assert uploads.is_upload(str(file))
    records = list(uploads.run_folder(job.key).iterdir())
    assert {record.name for record in records} == {"run.json", "outcome.json", "request-id.txt", "proof.txt"}
    assert not any(uploads.is_upload(str(record)) for record in records)


async def test_runs_of_the_version_before_are_found_and_their_records_hidden(jobs: Jobs, form: Form) -> None:
    job = await ended(await started(jobs, form))
    result = job.outcome
    assert result
    old = uploads.old_run_folder(job.key)
    old.mkdir()
    for file in (result.before_file, result.thumbnail_file, result.recipe_file, result.sent_file(1)):
        assert file
        file.replace(old / file.name)
    assert result.clean_file
    result.clean_file.replace(result.path.parent / result.clean_file.name)
    for record in uploads.run_folder(job.key).iterdir():
        record.replace(old / record.name)
    for _ in range(2):
        found = results.load(job.key)
        assert found
        for place in (found.before_file, found.thumbnail_file, found.recipe_file, found.clean_file, found.sent_file(1)):
            assert place
            assert place.is_file()
        known = jobs.known(job.key)
        assert known
        assert known.request_id == job.request_id
        uploads.hide_old_records()
    assert not list(old.glob("*.json"))
    assert not list(old.glob("*.txt"))
    await jobs.forget(job.key)
    assert not old.exists()


async def test_a_run_that_failed_permanently_leaves_no_file_and_can_be_tried_again(
    settings: PageSettings, form: Form
) -> None:
    with Sandbox(SandboxSettings(run_time=(0.1, 0.1), picture="blank", faults=("failed-text*1",))) as failing:
        jobs = Jobs(replace(settings, engine=Settings(Backend.SANDBOX, failing.url)))
        job = await ended(await started(jobs, form))
        assert job.failed_permanently
        assert not uploads.run_folder(job.key).exists()
        again = await ended(await jobs.again(job, PAGE))
        await jobs.close()
    assert again.outcome
    assert (again.entry.group, again.entry.at) == (job.entry.group, job.entry.at)


async def test_a_server_that_stops_starts_nothing_and_waits_for_what_is_on_its_way(
    jobs: Jobs, form: Form, sandbox: Sandbox
) -> None:
    assert not await jobs.stop(), "nothing is at work"
    jobs.stopping = False
    job = await started(jobs, form)
    assert await jobs.stop()
    assert job.request_id
    with pytest.raises(WanError) as caught:
        await started(jobs, form, ANOTHER_PAGE)
    assert caught.value.code == "restarting"
    assert sandbox.counters.submits_accepted == 1


async def test_a_refused_look_leaves_the_run_to_be_fetched(settings: PageSettings, form: Form) -> None:
    """A token that was mistyped at a restart says nothing of the runs that are paid already."""
    with Sandbox(SandboxSettings(run_time=(0.3, 0.3), picture="blank", token="right")) as strict:
        engine = Settings(Backend.RUNCOMFY, strict.url, token="right")
        jobs = Jobs(replace(settings, engine=engine))
        job = await started(jobs, form)
        await job.wait_until_submitted()
        entry = job.entry
        await jobs.close()

        mistyped = Jobs(replace(settings, engine=replace(engine, token="wrong")))
        refused = await ended(await mistyped.resume(entry, Visitor()))
        await mistyped.close()
        assert refused.problem
        assert refused.problem.code == "authentication"
        assert refused.can_be_fetched
        assert not refused.failed_permanently

        fixed = Jobs(replace(settings, engine=engine))
        assert (await ended(await fixed.resume(entry, Visitor()))).outcome
        await fixed.close()
        assert strict.counters.submits_accepted == 1


async def test_a_page_that_closes_before_its_run_begins_pays_for_nothing(
    settings: PageSettings, form: Form, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = Jobs(replace(settings, limits=LimitSettings(budget=5.0, price=0.1)))
    asked, told = asyncio.Event(), asyncio.Event()

    async def slow_price() -> float:
        asked.set()
        await told.wait()
        return 0.1

    monkeypatch.setattr(jobs, "price", slow_price)
    for visitor in (PAGE, Visitor()):
        asked.clear()
        told.clear()
        starting = asyncio.create_task(jobs.start([form], visitor))
        await asked.wait()
        jobs.forget_page("page")
        starting.cancel()
        told.set()
        with pytest.raises(asyncio.CancelledError):
            await starting
    await asyncio.sleep(0)
    await jobs.close()
    assert sandbox.counters.submits_received == 0


async def test_a_forgotten_run_holds_its_place_until_it_ends_and_leaves_nothing(
    settings: PageSettings, form: Form
) -> None:
    jobs = Jobs(replace(settings, limits=LimitSettings(visitor_at_once=1)))
    job = await started(jobs, form)
    await job.wait_until_submitted()
    await jobs.forget(job.key)
    with pytest.raises(LimitReached):
        await started(jobs, replace(form, seed=5), ANOTHER_PAGE)
    await asyncio.wait([job.work])
    assert job.outcome is None
    left = (uploads.run_folder(job.key), *(uploads.served_folder(job.key, kind) for kind in uploads.KINDS))
    assert not any(folder.exists() for folder in left)
    assert await ended(await started(jobs, replace(form, seed=5)))
    await jobs.close()


async def test_a_run_that_is_forgotten_before_it_is_sent_is_not_sent(
    settings: PageSettings, form: Form, sandbox: Sandbox
) -> None:
    jobs = Jobs(replace(settings, limits=LimitSettings(visitor_at_once=1)))
    job = await started(jobs, form)
    await jobs.forget(job.key)
    await asyncio.wait([job.work])
    assert sandbox.counters.submits_received == 0
    assert await ended(await started(jobs, replace(form, seed=5)))
    await jobs.close()


async def test_after_a_restart_runs_at_work_lock_nobody_out(settings: PageSettings, form: Form, redis: str) -> None:
    allowed = LimitSettings(visitor_at_once=2, at_once=2, storage_uri=redis)
    first, second = (Jobs(replace(settings, limits=allowed)) for _ in range(2))
    running = await first.start(form.variations(2), PAGE)
    await asyncio.gather(*(job.wait_until_submitted() for job in running))
    await first.close()
    taken_up = [await second.resume(job.entry, Visitor()) for job in running]
    with pytest.raises(LimitReached):
        await started(second, replace(form, seed=5))
    await asyncio.gather(*(ended(job) for job in taken_up))
    assert all(job.outcome for job in taken_up)
    assert await second.start(form.variations(2), PAGE)
    await second.close()


@pytest.mark.parametrize(("token", "engine"), [("", "sandbox"), ("a-token-of-my-own", "visitor")])
async def test_a_run_that_two_replicas_watch_is_counted_once(
    settings: PageSettings, form: Form, redis: str, token: str, engine: str
) -> None:
    def counted() -> tuple[float, float]:
        runs = REGISTRY.get_sample_value("wan_runs_total", {"engine": engine, "state": "succeeded"})
        return runs or 0, REGISTRY.get_sample_value("wan_cost_usd_total", {"payer": engine}) or 0

    with Sandbox(SandboxSettings(run_time=UNTIL_FINISHED, picture="blank", price=0.25)) as sandbox:
        at = replace(settings, engine=Settings(Backend.SANDBOX, sandbox.url), hosted_base=sandbox.url)
        one, two = (Jobs(replace(at, limits=LimitSettings(storage_uri=redis))) for _ in range(2))
        runs, cost = counted()
        for number in range(1, 3):
            first = await started(one, replace(form, seed=number), token=token)
            await first.wait_until_submitted()
            second = await two.resume(first.entry, Visitor(), token)
            assert second is not first
            sandbox.finish_jobs()
            await asyncio.gather(ended(first), ended(second))
            assert first.outcome
            assert second.outcome
            assert counted() == (runs + number, cost + number * 0.25)
        await one.close()
        await two.close()


async def test_a_result_that_finds_no_room_is_fetched_as_soon_as_there_is(
    settings: PageSettings, form: Form, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.runs.jobs.ROOM_SECONDS", 0.01)
    write, full = outputs.write, True

    def written(*given: Any, **named: Any) -> Path:
        if full:
            raise DownloadFailed("not_writable", file="picture.png")
        return write(*given, **named)

    monkeypatch.setattr(outputs, "write", written)
    jobs = Jobs(settings)
    usage = shutil.disk_usage(form.image_1 or "")
    job = await started(jobs, form)
    await job.wait_until_submitted()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=0))
    await ended(job)
    assert job.lacks_space
    assert job.can_be_fetched
    assert jobs.find(job.key) is job
    full = False
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    (fetching,) = jobs._fetching
    await asyncio.wait_for(fetching, 20)
    again = jobs.find(job.key)
    assert again
    assert (await ended(again)).outcome
    assert sandbox.counters.submits_accepted == 1
    await jobs.close()


async def test_a_record_that_can_not_be_written_leaves_the_run_to_be_fetched(
    jobs: Jobs, form: Form, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await started(jobs, form)
    await job.wait_until_submitted()

    def full(*_given: object) -> None:
        raise OSError

    monkeypatch.setattr("studio.runs.results.write_record", full)
    await ended(job)
    assert job.lacks_space
    assert job.can_be_fetched
    monkeypatch.undo()


async def test_room_is_reserved_while_a_run_is_at_work(jobs: Jobs, form: Form) -> None:
    job = await started(jobs, form)
    await job.wait_until_submitted()
    assert jobs.disk_space._reserved == uploads.RESULT_BYTES
    await ended(job)
    assert jobs.disk_space._reserved == 0


async def test_made_up_runs_leave_no_folder(settings: PageSettings, form: Form, sandbox: Sandbox) -> None:
    jobs = Jobs(replace(settings, engine=Settings(Backend.RUNCOMFY, sandbox.url, token="right")))
    token = "made-up"
    for number in range(5):
        key, request_id = f"key-{number}", f"invented-{number}"
        proof = jobs.engines.proof(token, key, request_id)
        entry = Entry(key, "group", form, "visitor", request_id=request_id, proof=proof)
        job = await ended(await jobs.resume(entry, Visitor(), token))
        assert isinstance(job.problem, RunNotFound)
        assert not uploads.run_folder(key).exists()
        assert not uploads.picture_folder(key).exists()
    await jobs.close()


async def test_tokens_are_tried_a_few_times_an_hour_and_a_refused_one_is_not_sent_again(
    settings: PageSettings, form: Form
) -> None:
    with Sandbox(SandboxSettings(token="right", run_time=(0, 0), picture="blank")) as strict:
        jobs = Jobs(replace(settings, hosted_base=strict.url))
        refused = await ended(await started(jobs, form, token="wrong"))
        assert refused.problem
        assert refused.problem.code == "authentication"
        received = strict.counters.submits_received
        with pytest.raises(AuthenticationError):
            await started(jobs, form, token="wrong")
        assert strict.counters.submits_received == received
        for number in range(TOKENS_HOURLY - 1):
            await jobs.admit(f"token-{number}", PAGE)
            await jobs.admit(f"token-{number}", PAGE)
        with pytest.raises(LimitReached) as caught:
            await jobs.admit("another", PAGE)
        assert caught.value.code == "limit_tokens"
        await jobs.admit("another", Visitor(name="address 192.0.2.7"))
        await jobs.close()


async def test_the_catalogue_is_asked_once_with_a_token(settings: PageSettings, sandbox: Sandbox) -> None:
    jobs = Jobs(settings)
    asked = 0
    model = AsyncWanClient.model

    async def counted(client: AsyncWanClient) -> Any:
        nonlocal asked
        asked += 1
        return await model(client)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AsyncWanClient, "model", counted)
        for _ in range(3):
            await jobs.engines.model("a-token")
    assert asked == 1
    await jobs.close()


async def test_a_made_up_token_does_not_lift_what_protects_the_server(
    settings: PageSettings, form: Form, sandbox: Sandbox
) -> None:
    limits = LimitSettings(visitor_at_once=2, visitor_hourly=1, budget=0.01, price=1.0)
    jobs = Jobs(replace(settings, limits=limits))
    running = await jobs.start(form.variations(2), PAGE, "made-up")
    with pytest.raises(LimitReached) as caught:
        await jobs.start(form.variations(1), ANOTHER_PAGE, "made-up")
    assert caught.value.own_token
    await asyncio.gather(*(ended(job) for job in running))
    await jobs.close()


async def test_two_uploads_of_the_same_file_are_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    mine, theirs = (tmp_path / f"{uploads.UPLOAD_PREFIX}{name}" / "cat.jpg" for name in ("a", "b"))
    for file in (mine, theirs):
        file.parent.mkdir()
        file.write_bytes(b"the same")
    uploads.forget([str(mine)])
    assert not mine.parent.exists()
    assert theirs.exists()


def test_what_is_forgotten_is_ones_own_uploads_and_nothing_else(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    mine, example = tmp_path / "a" / "cat.jpg", tmp_path / "b" / "cat.jpg"
    result = uploads.results_folder() / "c" / "out.png"
    for file, data in ((mine, b"mine"), (example, (photos / "cat.jpg").read_bytes()), (result, b"result")):
        file.parent.mkdir(parents=True)
        file.write_bytes(data)
    uploads.forget(str(file) for file in (mine, example, result, tmp_path / "none", "\0"))
    assert [file.exists() for file in (mine, example, result)] == [False, True, True]


def test_uploads_of_a_process_that_was_killed_are_cleaned(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    old, new, example = (tmp_path / name / "cat.jpg" for name in ("old", "new", "example"))
    for file in (old, new, example):
        file.parent.mkdir()
        file.write_bytes((photos / "cat.jpg").read_bytes() if file is example else b"x")
    broken_off = tmp_path / "tmp123"
    broken_off.write_bytes(b"x")
    for place in (old.parent, example.parent, broken_off):
        os.utime(place, (time.time() - 7200,) * 2)
    uploads.clean(3600)
    assert [place.exists() for place in (old, new, example, broken_off)] == [False, True, True, False]
