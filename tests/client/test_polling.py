"""When to ask again: by simulation, with seeds."""

from __future__ import annotations

import random
from contextlib import ExitStack
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING

import pytest

from wan_client.state.polling import POLLS_PER_SECOND, RUN_SECONDS, PollSchedule

if TYPE_CHECKING:
    from collections.abc import Callable


def lengths(number: int, seed: int, spread: float) -> list[float]:
    chance = random.Random(seed)
    return [80 * chance.lognormvariate(0, spread) for _ in range(number)]


def look_until(schedule: PollSchedule, end: float) -> list[float]:
    """When a run of a length is looked at, up to the look that sees its end."""
    looks = [0.0]
    while looks[-1] < end:
        looks.append(looks[-1] + schedule.running_delay(looks[-1], "1:1"))
    return looks[1:]


def cost(schedule: PollSchedule, ends: list[float]) -> tuple[float, float]:
    seen = [look_until(schedule, end) for end in ends]
    return fmean(looks[-1] - end for looks, end in zip(seen, ends, strict=True)), fmean(map(len, seen))


def test_looks_are_sparse_early_and_dense_around_the_usual_end() -> None:
    schedule = PollSchedule(1, recall=lambda size: lengths(50, 1, 0.1))
    looks = look_until(schedule, 80)
    gaps = [after - before for before, after in pairwise(looks)]
    assert max(gaps) > 2
    assert max(gaps[-4:]) < 1.2
    assert sum(look < 55 for look in looks) < len(looks) / 2


@pytest.mark.slow
@pytest.mark.parametrize(("spread", "share"), [(0.05, 0.35), (0.1, 0.5), (0.55, 1.0)])
def test_at_the_lag_of_a_fixed_interval_it_takes_fewer_requests(spread: float, share: float) -> None:
    """How many fewer depends on how well an end can be estimated."""
    ends = lengths(100, 2, spread)
    lag, requests = cost(PollSchedule(1, recall=lambda size: lengths(50, 1, spread)), ends)
    assert requests <= share * fmean(ends) / (2 * lag)


def test_a_run_that_is_late_is_asked_for_less_and_less() -> None:
    schedule = PollSchedule(1, recall=lambda size: [80.0] * 50)
    looks = look_until(schedule, 900)
    late = [after - before for before, after in pairwise(looks) if before > 120]
    assert fmean(late[-5:]) > fmean(late[:5])
    assert max(late) > 4


def test_an_end_that_nobody_expected_is_not_missed_for_long() -> None:
    schedule = PollSchedule(1, recall=lambda size: [200.0] * 50)
    assert look_until(schedule, 5)[-1] - 5 < RUN_SECONDS[1]


def test_without_a_past_it_looks_often_at_first() -> None:
    looks = look_until(PollSchedule(1), 80)
    assert looks[0] < 0.5
    assert len(looks) < 90


def test_sizes_are_learned_apart_and_kept() -> None:
    kept: list[tuple[str, float]] = []
    schedule = PollSchedule(1, keep=lambda size, seconds: kept.append((size, seconds)))
    assert schedule.usual("1:1") is None
    for seconds in (60, 70, 80, 90):
        schedule.learn(seconds, "1:1")
    schedule.learn(200, "21:9")
    assert schedule.usual("1:1") == (67.5, 82.5)
    assert schedule.usual("21:9") == (200, 200)
    assert schedule.usual("16:9") is None
    assert kept[-1] == ("21:9", 200)


def test_it_is_jittered_repeatable_and_never_sooner_than_told() -> None:
    assert [PollSchedule(7).queued_delay(9) for _ in range(2)] == [PollSchedule(7).queued_delay(9) for _ in range(2)]
    schedule = PollSchedule(7)
    assert len({schedule.queued_delay(9) for _ in range(5)}) == 5
    assert schedule.retry_delay(1, 30) >= 30
    assert schedule.retry_delay(1000, None) <= 10
    assert schedule.retry_delay(1, None) < 1


@pytest.mark.parametrize("delay", [PollSchedule.queued_delay, PollSchedule.running_delay])
def test_many_runs_together_ask_no_more_often_than_so_while_nothing_is_known(
    delay: Callable[[PollSchedule, float], float],
) -> None:
    schedule = PollSchedule(1)
    alone = delay(schedule, 60.0)
    with ExitStack() as runs:
        for _ in range(200):
            runs.enter_context(schedule.polling())
        together = [delay(schedule, 60.0) for _ in range(50)]
        assert 200 / fmean(together) == pytest.approx(POLLS_PER_SECOND, rel=0.1)
    assert delay(schedule, 60.0) == pytest.approx(alone, rel=0.25)


def test_many_runs_of_a_known_length_are_asked_for_as_if_alone() -> None:
    schedule = PollSchedule(1, recall=lambda size: [80.0] * 50)
    with ExitStack() as runs:
        for _ in range(200):
            runs.enter_context(schedule.polling())
        assert schedule.running_delay(79.0, "1:1") < 1
