"""A caller's own key leads to one run: in one process, on two replicas, and after a restart."""

from __future__ import annotations

import asyncio
import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from redis.asyncio import Redis

from studio import uploads
from studio.prompt.form import Form
from studio.public.limit_store import MemoryStore
from studio.public.limits import LimitReached
from studio.public.visitors import Visitor
from studio.runs import jobs as jobs_module
from studio.runs import results
from studio.runs.caller_keys import KEY_MAX, KEY_MIN, check_key
from studio.runs.jobs import REQUEST_ID, Jobs
from studio.settings import LimitSettings, PageSettings
from tests.conftest import free_port
from wan_client import Backend, Charged, InvalidRequest, Settings, WanError
from wan_sandbox import Sandbox
from wan_sandbox import Settings as SandboxSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("hurry")]

KEY, ANOTHER_KEY = "0b8f1f0e-8f43-4f0e-9f5e-6f6b8d0f9a11", "another-key-of-the-caller"
ANN, BEN = Visitor(name="address 192.0.2.1"), Visitor(name="address 192.0.2.2")


@pytest.fixture
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    faults = getattr(request, "param", ())
    with Sandbox(SandboxSettings(run_time=(0.1, 0.1), picture="blank", faults=faults)) as sandbox:
        yield sandbox


@pytest.fixture(params=["memory", "redis"])
async def replica(
    request: pytest.FixtureRequest, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[..., Jobs]]:
    """Makes one replica after another, over the same disk, the same account and the same store."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    uri = request.getfixturevalue("redis") if request.param == "redis" else None
    if uri:
        async with Redis.from_url(uri) as client:
            await client.flushdb()
    made = []

    def make(token: str = "rehearsed", **allowed: Any) -> Jobs:
        engine = Settings(Backend.RUNCOMFY, sandbox.url, token)
        jobs = Jobs(PageSettings(engine, sandbox.url, limits=LimitSettings(storage_uri=uri, **allowed)))
        made.append(jobs)
        return jobs

    yield make
    for jobs in made:
        await jobs.close()


@pytest.fixture
def form(tmp_path: Path, plain_photos: Path) -> Form:
    return Form("sketch", upload(tmp_path, plain_photos / "cat.jpg"))


def upload(folder: Path, photo: Path) -> str:
    file = folder / "upload" / photo.name
    file.parent.mkdir(exist_ok=True)
    shutil.copyfile(photo, file)
    return str(file)


async def end_of(jobs: Jobs, run: str) -> None:
    if job := jobs.find(run):
        await job.work


async def test_one_key_is_one_run_however_often_and_wherever_it_is_called(
    replica: Callable[..., Jobs], form: Form, sandbox: Sandbox
) -> None:
    replicas = [replica(), replica()]
    started = await asyncio.gather(*(jobs.start_once(form, ANN, KEY) for jobs in replicas for _ in range(5)))
    assert len({run for run, _ in started}) == 1
    assert sum(not reused for _, reused in started) == 1
    run = started[0][0]
    for jobs in replicas:
        await end_of(jobs, run)
    assert await replica().start_once(replace(form, prompt="  sketch\n"), ANN, KEY) == (run, True)
    assert sandbox.counters.submits_received == 1


async def test_of_two_processes_over_one_disk_one_gets_each_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    stores = [MemoryStore(), MemoryStore()]
    names = [f"{number:04}" for number in range(100)]
    for name in names[::2]:  # every other one is free again, as its day is over
        await stores[0].claim(name, "yesterday", now=0, seconds=1)
    claims = [
        store.claim(name, f"store {index}", now=9, seconds=9) for name in names for index, store in enumerate(stores)
    ]
    answers = await asyncio.gather(*claims)
    for pair in zip(answers[::2], answers[1::2], strict=True):
        assert pair in {(None, "store 0"), ("store 1", None)}


async def test_a_key_is_its_callers_and_its_accounts_own(
    replica: Callable[..., Jobs], form: Form, sandbox: Sandbox
) -> None:
    jobs = replica()
    runs = [
        await jobs.start_once(form, ANN, KEY),
        await jobs.start_once(form, BEN, KEY),
        await jobs.start_once(form, ANN, ANOTHER_KEY),
        await replica("another-account").start_once(form, ANN, KEY),
    ]
    assert len({run for run, _ in runs}) == 4
    assert not any(reused for _, reused in runs)


@pytest.mark.parametrize(
    "change",
    [{"prompt": "mirror it"}, {"seed": 1}, {"image_size": "16:9"}, {"prompt_extend": False}, {"image_1": "coffee.jpg"}],
)
async def test_another_request_under_the_same_key_is_refused(
    replica: Callable[..., Jobs], form: Form, sandbox: Sandbox, plain_photos: Path, change: dict[str, Any]
) -> None:
    jobs = replica()
    run, _ = await jobs.start_once(form, ANN, KEY)
    if "image_1" in change:
        change = {"image_1": upload(uploads.results_folder().parent, plain_photos / change["image_1"])}
    with pytest.raises(InvalidRequest) as refused:
        await jobs.start_once(replace(form, **change), ANN, KEY)
    assert refused.value.code == "key_used"
    assert refused.value.charged is Charged.NO
    assert run not in str(refused.value)
    await end_of(jobs, run)
    assert sandbox.counters.submits_received == 1


async def test_what_was_not_sent_frees_its_key(replica: Callable[..., Jobs], form: Form, sandbox: Sandbox) -> None:
    jobs = replica(visitor_hourly=1)
    run, _ = await jobs.start_once(form, ANN, KEY)
    await end_of(jobs, run)
    with pytest.raises(LimitReached):
        await jobs.start_once(form, ANN, ANOTHER_KEY)
    another, reused = await replica().start_once(form, ANN, ANOTHER_KEY)
    assert another != run
    assert not reused


@pytest.mark.parametrize("sandbox", [("submit-402*1",)], indirect=True)
async def test_a_run_that_the_api_refused_frees_its_key(
    sandbox: Sandbox, replica: Callable[..., Jobs], form: Form
) -> None:
    jobs = replica()
    run, _ = await jobs.start_once(form, ANN, KEY)
    await end_of(jobs, run)
    job = jobs.find(run)
    assert job
    assert job.problem
    assert job.problem.charged is Charged.NO
    again, reused = await jobs.start_once(form, ANN, KEY)
    assert again != run
    assert not reused
    await end_of(jobs, again)
    assert sandbox.counters.submits_accepted == 1


@pytest.mark.parametrize("sandbox", [("accepted-reset*1",)], indirect=True)
async def test_an_unknown_outcome_stays_unknown_and_is_not_sent_again(
    sandbox: Sandbox, replica: Callable[..., Jobs], form: Form, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = replica()
    run, _ = await jobs.start_once(form, ANN, KEY)
    await end_of(jobs, run)
    assert await jobs.start_once(form, ANN, KEY) == (run, True)
    job = jobs.find(run)
    assert job
    assert job.problem
    assert job.problem.charged is Charged.UNKNOWN
    another = replica()
    assert await another.start_once(form, ANN, KEY) == (run, True)
    kept = results.load_problem(run)
    assert kept
    assert (kept.code, kept.charged) == (job.problem.code, Charged.UNKNOWN)
    assert str(kept) == str(job.problem)
    uploads.forget_run(run)
    monkeypatch.setattr(jobs_module, "STARTING_SECONDS", 0)
    with pytest.raises(WanError) as told:
        await another.start_once(form, ANN, KEY)
    assert (told.value.code, told.value.charged) == ("key_run_lost", Charged.UNKNOWN)
    assert sandbox.counters.submits_received == 1


async def test_a_server_that_was_killed_while_it_sent_is_an_unknown_outcome(
    sandbox: Sandbox, replica: Callable[..., Jobs], form: Form
) -> None:
    jobs = replica()
    run, _ = await jobs.start_once(form, ANN, KEY)
    await end_of(jobs, run)
    for record in (REQUEST_ID, "outcome.json"):
        (uploads.run_folder(run) / record).unlink()
    later = replica()
    assert await later.start_once(form, ANN, KEY) == (run, True)
    entry = later.known(run)
    assert entry
    with pytest.raises(WanError) as told:
        await later.resume(entry, ANN)
    assert told.value.charged is Charged.UNKNOWN
    assert sandbox.counters.submits_received == 1


async def test_a_key_holds_for_its_day_however_short_files_are_kept(
    replica: Callable[..., Jobs], form: Form, sandbox: Sandbox, plain_photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = replica()
    run, _ = await jobs.start_once(form, ANN, KEY)
    await end_of(jobs, run)
    uploads.clean(-1)
    monkeypatch.setattr(jobs_module, "STARTING_SECONDS", 0)
    again = Form("sketch", upload(uploads.results_folder().parent, plain_photos / "cat.jpg"))
    with pytest.raises(WanError) as told:
        await replica().start_once(again, ANN, KEY)
    assert told.value.code == "key_run_lost"
    assert sandbox.counters.submits_received == 1


async def test_the_store_keeps_neither_key_nor_caller_nor_run(
    replica: Callable[..., Jobs], form: Form, request: pytest.FixtureRequest
) -> None:
    jobs = replica()
    run, _ = await jobs.start_once(form, ANN, KEY)
    await end_of(jobs, run)
    if request.node.callspec.params["replica"] == "redis":
        async with Redis.from_url(request.getfixturevalue("redis")) as client:
            names = await client.keys("wan:claim/*")
            kept = [text for name in names for text in (name.decode(), (await client.get(name)).decode())]
    else:
        kept = [text for file in uploads.claims_folder().glob("[!.]*") for text in (file.name, file.read_text("utf-8"))]
    assert len(kept) == 2
    said = json.dumps(kept)
    assert not any(secret in said for secret in (KEY, run, "192.0.2.1", "sketch", "rehearsed"))


async def test_without_its_store_nothing_is_begun_under_a_key(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: Form
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    limits = LimitSettings(storage_uri=f"redis://127.0.0.1:{free_port()}")
    jobs = Jobs(PageSettings(Settings(Backend.RUNCOMFY, sandbox.url, "rehearsed"), limits=limits))
    with pytest.raises(LimitReached) as refused:
        await jobs.start_once(form, ANN, KEY)
    assert refused.value.code == "limit_unavailable"
    await jobs.close()
    assert sandbox.counters.submits_received == 0


@pytest.mark.parametrize(
    "key", ["", "short", "x" * (KEY_MIN - 1), "x" * (KEY_MAX + 1), "with a space in the key", "é" * 20]
)
def test_a_key_that_can_be_guessed_is_none(key: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_key(key)
    assert refused.value.code == "key_unusable"
