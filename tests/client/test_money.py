"""What a client may do with a call that costs money, and what it owes to one that was paid.

Each test counts the runs that the server accepted: never two for one request.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from wan_client import (
    AuthenticationError,
    Charged,
    InsufficientBalance,
    ModerationRefused,
    RateLimited,
    Refused,
    Retrying,
    RunCancelled,
    RunFailed,
    TransientError,
    UnknownOutcome,
    Unreachable,
    WanError,
)
from wan_client.settings import Timeouts
from wan_client.state.journal import Journal

from .support import SHORT, TOKEN, an_edit, hurried, names, noise

if TYPE_CHECKING:
    from pathlib import Path

    from wan_client import Event

    from .conftest import Serve

pytestmark = pytest.mark.slow

# ---------------------------------------------------------------- the submit: sent once

HASTY = Timeouts(submit=2)
LOST = [
    *(f"{place}-{kind}" for place in ("submit", "accepted") for kind in (
        "reset", "close", "cut", "hang", "408", "425", "500", "500-text", "html-502", "html-503", "html-504",
        "html-520", "html-521", "html-522", "html-523", "html-524", "html-200", "error-200", "invalid-json",
        "wrong-json", "empty-body", "huge-error", "echo-token", "redirect", "no-id", "hostile-id",
    )),
]  # fmt: skip


@pytest.mark.parametrize("fault", LOST)
async def test_a_submit_whose_outcome_is_unknown_is_not_sent_again(
    serve: Serve, tmp_path: Path, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox = serve(fault)
    before = datetime.now(timezone.utc)
    with caplog.at_level(logging.DEBUG):
        async with hurried(sandbox.url, tmp_path, timeouts=HASTY if fault.endswith("hang") else SHORT) as client:
            with pytest.raises(UnknownOutcome) as caught:
                await client.run(an_edit())
    problem = caught.value
    assert sandbox.counters.submits_received == 1
    assert sandbox.counters.submits_accepted == fault.startswith("accepted")
    assert sandbox.counters.redirects_followed == 0
    assert problem.charged is Charged.UNKNOWN
    assert problem.at
    assert before <= problem.at <= datetime.now(timezone.utc)
    assert f"{problem.at:%H:%M:%S}" in str(problem)
    assert "Generations" in problem.hint
    told = "".join(traceback.format_exception(problem)) + caplog.text + repr(problem) + repr(vars(problem))
    assert TOKEN not in told
    assert len(problem.api_message or "") <= 2000


@pytest.mark.parametrize("fault", ["submit-hang", "accepted-hang"])
async def test_a_submit_is_bounded_as_a_whole(serve: Serve, tmp_path: Path, fault: str) -> None:
    sandbox = serve(fault)
    async with hurried(sandbox.url, tmp_path, timeouts=Timeouts(submit=3600, sending=1.5)) as client:
        with pytest.raises(UnknownOutcome) as caught:
            await client.run(an_edit())
    assert caught.value.charged is Charged.UNKNOWN
    assert sandbox.counters.submits_received == 1


@pytest.mark.parametrize("timeouts", [Timeouts(submit=3600, sending=2), Timeouts(submit=0.6)])
async def test_a_submit_that_is_cut_off_before_its_end_costs_nothing(
    serve: Serve, tmp_path: Path, timeouts: Timeouts
) -> None:
    sandbox = serve("submit-stall")
    notes = Journal(tmp_path / "state" / "journal.db")
    async with hurried(sandbox.url, tmp_path, timeouts=timeouts, journal=notes) as client:
        with pytest.raises(TransientError) as caught:
            # More than the connection's own buffers take.
            await client.run(an_edit(*[noise(1300, 1000)] * 3))
    assert (caught.value.code, caught.value.charged) == ("submit_incomplete", Charged.NO)
    assert (sandbox.counters.submits_received, sandbox.counters.submits_accepted) == (1, 0)
    assert notes.for_account(sandbox.url, TOKEN).entries() == []


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        ("submit-401", AuthenticationError, "authentication"),
        ("submit-402", InsufficientBalance, "balance"),
        ("submit-403", AuthenticationError, "forbidden"),
        ("submit-unauthorised", AuthenticationError, "authentication"),
        ("submit-no-balance", InsufficientBalance, "balance"),
        ("submit-422", Refused, "refused_field"),
        ("data-uri-refused", Refused, "refused_image"),
    ],
)
async def test_a_refusal_is_final_and_costs_nothing(
    serve: Serve, tmp_path: Path, fault: str, kind: type[WanError], code: str
) -> None:
    sandbox = serve(fault)
    async with hurried(sandbox.url, tmp_path) as client:
        with pytest.raises(kind) as caught:
            await client.run(an_edit())
    assert caught.value.code == code
    assert caught.value.charged is Charged.NO
    assert caught.value.api_code
    assert (sandbox.counters.submits_received, sandbox.counters.submits_accepted) == (1, 0)


@pytest.mark.parametrize("fault", ["submit-429*2", "submit-429-bare*2", "submit-429-date*1"])
async def test_a_submit_that_was_not_taken_is_sent_again(serve: Serve, tmp_path: Path, fault: str) -> None:
    sandbox = serve(fault)
    began = asyncio.get_running_loop().time()
    async with hurried(sandbox.url, tmp_path) as client:
        await client.run(an_edit())
    assert sandbox.counters.submits_accepted == 1
    if fault == "submit-429*2":
        assert asyncio.get_running_loop().time() - began >= 2, "Retry-After: 1, twice"


async def test_a_submit_is_given_up_when_it_is_never_taken(serve: Serve, tmp_path: Path) -> None:
    sandbox = serve("submit-429-bare")
    async with hurried(sandbox.url, tmp_path) as client:
        with pytest.raises(RateLimited) as caught:
            await client.run(an_edit())
    assert caught.value.charged is Charged.NO
    assert sandbox.counters.submits_received == 4
    assert sandbox.counters.submits_accepted == 0


async def test_an_absurd_wait_is_refused(serve: Serve, tmp_path: Path) -> None:
    sandbox = serve("submit-429-absurd")
    async with hurried(sandbox.url, tmp_path) as client:
        with pytest.raises(RateLimited) as caught:
            await client.run(an_edit())
    assert caught.value.code == "told_to_wait"
    assert "1,440 minutes" in str(caught.value)
    assert sandbox.counters.submits_received == 1


async def test_an_absurd_wait_between_polls_is_refused_and_the_id_is_told(serve: Serve, tmp_path: Path) -> None:
    sandbox = serve("status-429-absurd*1@1", "never-starts")
    async with hurried(sandbox.url, tmp_path) as client:
        with pytest.raises(RateLimited) as caught:
            await client.run(an_edit())
    assert (caught.value.code, caught.value.charged) == ("told_to_wait", Charged.UNKNOWN)
    assert caught.value.request_id


async def test_a_refused_connection_is_tried_again_and_costs_nothing(serve: Serve, tmp_path: Path) -> None:
    sandbox = serve()
    events: list[Event] = []
    async with hurried(sandbox.url, tmp_path) as client:
        with sandbox.refusing(), pytest.raises(Unreachable) as caught:
            await client.run(an_edit()).wait(events.append)
        assert caught.value.charged is Charged.NO
        assert any(isinstance(event, Retrying) for event in events)
        await client.run(an_edit())
    assert sandbox.counters.submits_accepted == 1


async def test_a_kept_connection_that_dies_does_not_make_a_submit_doubtful(serve: Serve, tmp_path: Path) -> None:
    """Polls keep connections open; a submit never rides on one that may be closing."""
    sandbox = serve()
    async with hurried(sandbox.url, tmp_path) as client:
        await client.run(an_edit())
        with sandbox.refusing():
            pass
        await client.run(an_edit())
    assert sandbox.counters.submits_accepted == 2


# ---------------------------------------------------------------- reading: until the deadline

PASSING = (
    "reset", "close", "cut", "hang", "refused", "408", "425", "429", "429-bare", "500", "500-text", "html-502",
    "html-503", "html-504", "html-520", "html-521", "html-522", "html-523", "html-524", "html-200", "error-200",
    "invalid-json", "wrong-json", "empty-body", "huge-error", "echo-token", "redirect", "slow",
)  # fmt: skip


@pytest.mark.parametrize("kind", PASSING)
async def test_bad_polls_do_not_fail_a_run(
    serve: Serve, tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox = serve(f"status-{kind}*1", f"result-{kind}*1", speed=20 if kind == "refused" else 5)
    with caplog.at_level(logging.DEBUG):
        async with hurried(sandbox.url, tmp_path) as client:
            await client.run(an_edit())
    assert sandbox.counters.submits_accepted == 1
    assert sandbox.counters.faults >= 2
    assert sandbox.counters.redirects_followed == 0
    assert sandbox.counters.tokens_leaked == 0
    assert TOKEN not in caplog.text


async def test_ten_bad_polls_become_an_event_and_no_failure(serve: Serve, tmp_path: Path) -> None:
    sandbox = serve("poll-html-503*10")
    events: list[Event] = []
    async with hurried(sandbox.url, tmp_path) as client:
        await client.run(an_edit()).wait(events.append)
    troubles = [event for event in events if isinstance(event, Retrying)]
    assert max(event.failures for event in troubles) == 10
    assert sandbox.counters.submits_accepted == 1


async def test_retry_after_is_honoured_between_polls(serve: Serve, tmp_path: Path) -> None:
    sandbox = serve("status-429*1")
    began = asyncio.get_running_loop().time()
    async with hurried(sandbox.url, tmp_path) as client:
        await client.run(an_edit())
    assert asyncio.get_running_loop().time() - began >= 1


async def test_a_run_unknown_just_after_its_submit_is_asked_for_again(serve: Serve, tmp_path: Path) -> None:
    sandbox = serve("poll-404*3")
    async with hurried(sandbox.url, tmp_path) as client:
        await client.run(an_edit())
    assert sandbox.counters.submits_accepted == 1


async def test_a_token_that_stops_working_ends_the_waiting_and_tells_the_id(serve: Serve, tmp_path: Path) -> None:
    sandbox = serve("poll-unauthorised@1", "never-ends")
    async with hurried(sandbox.url, tmp_path) as client:
        with pytest.raises(AuthenticationError) as caught:
            await client.run(an_edit())
    assert caught.value.charged is Charged.UNKNOWN
    assert caught.value.request_id


@pytest.mark.parametrize(
    "fault",
    [
        "result-not-ready", "unknown-word", "other-words", "upper-case", "completed-result", "image-object", "images",
        "images-objects", "output-string", "output-list", "foreign-links", "no-links", "created-201", "text-dates",
    ],
)  # fmt: skip
async def test_every_way_of_saying_it_is_understood(serve: Serve, tmp_path: Path, fault: str) -> None:
    sandbox = serve(fault)
    async with hurried(sandbox.url, tmp_path) as client:
        assert (await client.run(an_edit())).path.exists()
    assert sandbox.counters.submits_accepted == 1


async def test_an_unknown_word_is_logged_once(serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with hurried(serve("unknown-word", run_time=(0.5, 0.5), speed=1).url, tmp_path) as client:
        await client.run(an_edit())
    assert sum("unknown status word" in record.message for record in caplog.records) == 1


# ---------------------------------------------------------------- ends without a picture


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        ("failed-text", RunFailed, "model_trouble"),
        ("failed-object", RunFailed, "model_trouble"),
        ("failed-bare", RunFailed, "run_failed"),
        ("failed-word", RunFailed, "model_trouble"),
        ("failed-echo-token", RunFailed, "model_trouble"),
        ("throttled", RunFailed, "model_busy"),
        ("moderation-text", ModerationRefused, "moderation"),
        ("moderation-object", ModerationRefused, "moderation"),
        ("empty-success", RunFailed, "no_image"),
        ("empty-output", RunFailed, "no_image"),
        ("output-null", RunFailed, "no_image"),
        ("canceled", RunCancelled, "cancelled"),
    ],
)
async def test_an_end_without_a_picture_has_its_own_error(  # noqa: PLR0917
    serve: Serve, tmp_path: Path, fault: str, kind: type[WanError], code: str, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox = serve(fault)
    with caplog.at_level(logging.DEBUG):
        async with hurried(sandbox.url, tmp_path) as client:
            with pytest.raises(kind) as caught:
                await client.run(an_edit())
    problem = caught.value
    assert problem.code == code
    assert problem.request_id
    if fault not in {"failed-bare", "empty-success", "empty-output", "output-null", "canceled"}:
        assert problem.api_message
    assert TOKEN not in repr(vars(problem)) + caplog.text
    assert sandbox.counters.submits_accepted == 1
    assert names(tmp_path) == []


async def test_many_runs_over_a_bad_line_are_each_paid_once(serve: Serve, tmp_path: Path) -> None:
    # Three refused submits, even if all strike one run, are fewer than it tries: drawn by chance they need not be.
    faults = ("poll-html-502:0.2", "poll-reset:0.1", "poll-429-bare:0.1", "output-500:0.2", "submit-429-bare*3")
    sandbox = serve(*faults, workers=8)
    async with hurried(sandbox.url, tmp_path, timeouts=Timeouts()) as client:
        results = await asyncio.gather(*(client.run(an_edit(seed=seed)) for seed in range(24)))
    assert len({result.request_id for result in results}) == 24
    assert sandbox.counters.submits_accepted == 24
