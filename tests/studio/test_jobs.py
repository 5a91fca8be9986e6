"""Runs that go on without a page."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING

import pytest

from studio.form import Form
from studio.jobs import FILES_KEPT_SECONDS, Jobs
from wan_client import Backend, CancelOutcome, Settings
from wan_sandbox import Sandbox
from wan_sandbox import Settings as SandboxSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from studio.jobs import Job


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(SandboxSettings(run_time=(0.4, 0.4), picture="blank")) as sandbox:
        yield sandbox


@pytest.fixture
async def jobs(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Jobs]:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    jobs = Jobs(Settings(Backend.SANDBOX, sandbox.url), tmp_path / "wan")
    yield jobs
    await jobs.close()


@pytest.fixture
def form(tmp_path: Path, photos: Path) -> Form:
    upload = tmp_path / "cat.jpg"
    upload.write_bytes((photos / "cat.jpg").read_bytes())
    return Form("sketch", str(upload))


async def ended(job: Job) -> Job:
    await asyncio.wait_for(job.wait(), 20)
    return job


async def test_a_job_ends_without_anybody_watching(jobs: Jobs, form: Form) -> None:
    job = await ended(await jobs.start(form, "page"))
    assert job.result
    assert job.result.path.is_file()
    assert job.before
    assert jobs.find(job.key) is job


async def test_watching_ends_with_the_job_and_may_begin_late(jobs: Jobs, form: Form) -> None:
    job = await jobs.start(form, "page")
    seen = [type(job.event).__name__ async for _ in job.news()]
    assert "Queued" in seen
    assert [_ async for _ in job.news()] == []


async def test_the_same_form_of_one_page_is_one_run(jobs: Jobs, form: Form, sandbox: Sandbox) -> None:
    first, second = await jobs.start(form, "page"), await jobs.start(form, "page")
    other = await jobs.start(form, "another page")
    assert first is second
    assert other is not first
    await asyncio.gather(ended(first), ended(other))
    assert await jobs.start(form, "page") is not first
    assert sandbox.counters.submits_accepted <= 3


async def test_a_run_is_picked_up_by_its_id_without_paying(jobs: Jobs, form: Form, sandbox: Sandbox) -> None:
    first = await ended(await jobs.start(form, "page"))
    assert first.request_id
    later = Jobs(jobs.settings, jobs._folder)
    again = await ended(await later.resume(first.request_id))
    await later.close()
    assert again.result
    assert again.result.path.read_bytes() == first.result.path.read_bytes()  # type: ignore[union-attr]
    assert sandbox.counters.submits_accepted == 1


async def test_cancel_of_a_queued_job(jobs: Jobs, form: Form, sandbox: Sandbox) -> None:
    running = await jobs.start(form, "one")
    queued = await jobs.start(form, "two")
    async for _ in queued.news():
        if queued.request_id and running.request_id:
            break
    last = max((running, queued), key=lambda job: job.began)
    assert await last.cancel() is CancelOutcome.CANCELLED
    await ended(last)
    assert last.problem
    assert last.problem.code == "cancelled"


async def test_a_comparison_that_fails_costs_nobody_the_picture(
    jobs: Jobs, form: Form, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: object) -> bytes:
        raise OSError

    monkeypatch.setattr("studio.jobs.framed", fail)
    job = await ended(await jobs.start(form, "page"))
    assert job.result
    assert job.before is None


async def test_results_of_earlier_days_go(jobs: Jobs, form: Form, tmp_path: Path) -> None:
    old = tmp_path / "wan" / "old"
    old.mkdir(parents=True)
    past = time.time() - FILES_KEPT_SECONDS - 60
    os.utime(old, (past, past))
    await ended(await jobs.start(form, "page"))
    assert not old.exists()
