"""What strangers may spend: in this process, and on a real Redis server."""

from __future__ import annotations

import asyncio
import logging
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from studio.i18n.texts import Texts, translations
from studio.public.limits import HOUR, LimitReached, Limits, LimitStatus, Permit, price_of
from studio.public.visitors import Visitor
from studio.settings import LimitSettings
from tests import programs
from tests.conftest import free_port
from wan_client import Charged, ModelEntry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

ANN, BEN = Visitor(name="address 192.0.2.1"), Visitor(name="address 192.0.2.2")
NOON = 1_800_014_400.0 + 600  # ten minutes past twelve, UTC
LEASE = 60


@contextmanager
def redis_server(port: int) -> Iterator[str]:
    """A Redis server with nothing kept on disk."""
    command = [programs.redis_server(), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < deadline, "Redis did not start"
                time.sleep(0.02)
        yield f"async+redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def redis() -> Iterator[str]:
    with redis_server(free_port()) as uri:
        yield uri


class Clock:
    """A time that the test moves."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "redis"])
async def limited(request: pytest.FixtureRequest, clock: Clock) -> AsyncIterator[Callable[..., Limits]]:
    """Makes the limits of one page after another, over one empty store of each kind."""
    made = []
    uri = request.getfixturevalue("redis") if request.param == "redis" else None

    def make(*, lease: int = LEASE, **allowed: Any) -> Limits:
        limits = Limits(LimitSettings(storage_uri=uri, **allowed), lease=lease, clock=clock)
        made.append(limits)
        return limits

    if uri:
        empty = make()
        await empty._store.reset()
    yield make
    for limits in made:
        await limits.close()


async def refusal(limits: Limits, visitor: Visitor = ANN, **wanted: Any) -> LimitReached:
    with pytest.raises(LimitReached) as caught:
        await limits.take(visitor, **wanted)
    return caught.value


async def taken_in_time(limits: Limits, visitor: Visitor, **wanted: Any) -> list[Permit]:
    """Permits that are to be had sooner or later."""
    deadline = time.monotonic() + 10
    while True:
        try:
            return await limits.take(visitor, **wanted)
        except LimitReached:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)


async def test_without_limits_nothing_is_counted_or_told(limited: Callable[..., Limits]) -> None:
    limits = limited()
    for _ in range(50):
        await limits.take(ANN)
    assert await limits.status(ANN) is None


@pytest.mark.parametrize(
    ("allowed", "code", "alone"),
    [
        ({"visitor_hourly": 3}, "visitor_hourly", True),
        ({"visitor_daily": 3}, "visitor_daily", True),
        ({"visitor_at_once": 3}, "visitor_at_once", True),
        ({"hourly": 3}, "hourly", False),
        ({"daily": 3}, "daily", False),
        ({"at_once": 3}, "at_once", False),
        ({"budget": 0.1}, "budget", False),
    ],
)
async def test_each_limit_lets_through_what_it_says_and_no_more(
    limited: Callable[..., Limits], allowed: dict[str, Any], code: str, alone: bool
) -> None:
    limits = limited(**allowed)
    for _ in range(3):
        await limits.take(ANN, price=0.03)
    problem = await refusal(limits, price=0.03)
    assert problem.code == f"limit_{code}"
    assert problem.charged is Charged.NO
    assert problem.status.left == 0
    if alone:
        assert await limits.take(BEN, price=0.03)
    else:
        assert (await refusal(limits, BEN, price=0.03)).code == f"limit_{code}"


async def test_all_variations_are_let_through_or_none(limited: Callable[..., Limits]) -> None:
    limits = limited(visitor_hourly=5, visitor_at_once=9, at_once=4, budget=1.0)
    await limits.take(ANN, runs=2, price=0.1)
    assert (await refusal(limits, runs=3, price=0.1)).code == "limit_at_once"
    assert (await refusal(limits, runs=4, price=0.1)).code == "limit_visitor_hourly"
    assert (await refusal(limits, runs=9, price=0.1)).code == "limit_budget"
    # What was refused counts for nothing.
    assert await limits.status(ANN, price=0.1) == LimitStatus(
        "visitor_hourly", 3, {"limit": 5, "left": 3, "minutes": 50, "time": "13:00"}
    )
    assert len(await limits.take(ANN, runs=2, price=0.1)) == 2


async def test_hours_and_days_begin_with_the_clocks(limited: Callable[..., Limits], clock: Clock) -> None:
    limits = limited(visitor_hourly=1, visitor_daily=2)
    await limits.take(ANN)
    problem = await refusal(limits)
    assert problem.values == {"limit": 1, "left": 0, "minutes": 50, "time": "13:00"}
    clock.now += problem.values["minutes"] * 60  # type: ignore[operator]
    await limits.take(ANN)
    problem = await refusal(limits)
    assert problem.code == "limit_visitor_daily"
    assert problem.values["time"] == "00:00"
    clock.now += 11 * HOUR
    await limits.take(ANN)


async def test_an_ended_run_makes_room_for_another_and_still_counts(limited: Callable[..., Limits]) -> None:
    limits = limited(visitor_at_once=1, at_once=1, visitor_hourly=2)
    for _ in range(2):
        [permit] = await limits.take(ANN)
        assert (await refusal(limits)).code in {"limit_visitor_at_once", "limit_visitor_hourly"}
        await permit.end(reached=True, charged=Charged.YES)
    assert (await refusal(limits)).code == "limit_visitor_hourly"


async def test_a_run_that_never_reached_the_api_counts_for_nothing(limited: Callable[..., Limits]) -> None:
    limits = limited(visitor_hourly=1, visitor_daily=1, hourly=1, daily=1, at_once=1, budget=0.03)
    for _ in range(3):
        [permit] = await limits.take(ANN, price=0.03)
        await permit.end(reached=False, charged=Charged.NO)
        await permit.end(reached=False, charged=Charged.NO)
    await limits.take(ANN, price=0.03)
    assert (await refusal(limits, BEN, price=0.03)).code == "limit_budget"


@pytest.mark.parametrize(
    ("charged", "cost", "left"),
    [
        (Charged.NO, None, 10),
        (Charged.YES, None, 9),
        (Charged.UNKNOWN, None, 9),
        (Charged.YES, 0.05, 9),
        (Charged.YES, 0.25, 7),
        (Charged.YES, 0.0, 10),
        (Charged.YES, float("nan"), 9),
        (Charged.YES, -5.0, 9),
    ],
)
async def test_the_budget_goes_by_the_real_cost_where_it_is_told(
    limited: Callable[..., Limits], charged: Charged, cost: float | None, left: int
) -> None:
    limits = limited(budget=1.0, visitor_hourly=100)
    [permit] = await limits.take(ANN, price=0.1)
    await permit.end(reached=True, charged=charged, cost=cost)
    status = await limits.status(ANN, price=0.1)
    assert status
    assert (status.code, status.left) == ("budget", left)
    # The API has seen the run, so it counts as one.
    assert await limits._store.get(f"visitor_hourly/{ANN.name}/{int(NOON // HOUR)}") == 1


async def test_a_budget_without_a_price_starts_nothing_and_invents_none(limited: Callable[..., Limits]) -> None:
    assert (await refusal(limited(budget=10.0))).code == "limit_price_unknown"
    status = await limited(budget=10.0).status(ANN)
    assert status
    assert status.code == "price_unknown"
    told_by_owner = limited(budget=10.0, price=0.04)
    await told_by_owner.take(ANN)
    status = await told_by_owner.status(ANN)
    assert status
    assert status.left == 249
    await limited(hourly=10).take(ANN)


def test_the_price_is_the_catalogues_for_a_picture() -> None:
    assert price_of(ModelEntry(0.03, "output")) == 0.03
    assert price_of(ModelEntry(0.03, "image")) == 0.03
    for entry in (ModelEntry(0.03, "second"), ModelEntry(None, "image"), ModelEntry(0.0, "image")):
        assert price_of(entry) is None
    assert price_of(ModelEntry(float("nan"), "image")) is None
    assert price_of(ModelEntry(-1.0, "image")) is None


async def test_many_at_once_do_not_go_beyond_a_limit(limited: Callable[..., Limits]) -> None:
    limits = limited(hourly=30, at_once=7, visitor_at_once=3, budget=100.0)
    visitors = [Visitor(name=f"address 192.0.2.{number % 10}") for number in range(60)]

    async def run(visitor: Visitor, number: int) -> int:
        try:
            permits = await limits.take(visitor, runs=number % 3 + 1, price=0.1)
        except LimitReached:
            return 0
        return len(permits)

    taken = await asyncio.gather(*(run(visitor, number) for number, visitor in enumerate(visitors)))
    assert sum(taken) <= 7
    # At the same moment they may refuse each other the last places; what none of them got is free again.
    for number in range(7 - sum(taken)):
        await limits.take(Visitor(name=f"address 198.51.100.{number}"), price=0.1)
    with pytest.raises(LimitReached):
        await limits.take(Visitor(name="address 198.51.100.99"), price=0.1)
    assert await limits._store.get(f"hourly/everybody/{int(NOON // HOUR)}") == 7


async def test_a_cancelled_request_is_never_counted_as_less_than_nothing(limited: Callable[..., Limits]) -> None:
    limits = limited(visitor_hourly=50, at_once=50)
    for turns in range(12):
        task = asyncio.create_task(limits.take(ANN, runs=3))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        [came_of_it] = await asyncio.gather(task, return_exceptions=True)
        for permit in came_of_it if isinstance(came_of_it, list) else []:
            await permit.end(reached=False, charged=Charged.NO)
    used = await limits._store.get(f"visitor_hourly/{ANN.name}/{int(NOON // HOUR)}")
    # Redis may have counted when the answer was cut off: that is lost to the visitor, never to the owner.
    assert used == 0 if limits.settings.storage_uri is None else used >= 0


async def test_a_place_whose_server_died_is_free_after_its_lease(limited: Callable[..., Limits]) -> None:
    died = limited(lease=1, at_once=2, visitor_at_once=2)
    await died.take(ANN, runs=2)
    limits = died if died.settings.storage_uri is None else limited(at_once=2, visitor_at_once=2)
    assert (await refusal(limits)).code == "limit_visitor_at_once"
    assert len(await taken_in_time(limits, ANN, runs=2)) == 2


async def test_a_run_beyond_its_lease_does_not_free_anothers_place(limited: Callable[..., Limits]) -> None:
    limits = limited(lease=1, at_once=1)
    [late] = await limits.take(ANN)
    place = late._places[0]
    await taken_in_time(limits, BEN)
    await late.end(reached=True, charged=Charged.YES)
    assert await limits._store.get(place) == 1


async def test_the_tightest_limit_is_told_before_it_is_hit(limited: Callable[..., Limits]) -> None:
    limits = limited(visitor_hourly=10, visitor_daily=30, visitor_at_once=2, hourly=100, budget=10.0)
    texts = Texts("en")

    async def told() -> str:
        status = await limits.status(ANN, price=0.03)
        return status.sentence(texts) if status else ""

    assert await told() == "You have 10 of 10 runs left this hour."
    [first, _] = await limits.take(ANN, runs=2, price=0.03)
    assert "At most 2 of your runs can be at work at once; 0 more can start now." in await told()
    await first.end(reached=True, charged=Charged.YES)
    assert await told() == "You have 8 of 10 runs left this hour."


def test_every_limit_has_its_sentences_in_every_language() -> None:
    values = {"limit": 10, "left": 3, "minutes": 5, "time": "00:00"}
    windows = ["visitor_hourly", "visitor_daily", "hourly", "daily", "budget"]
    others = ["visitor_at_once", "at_once", "price_unknown", "unavailable"]
    for language in translations():
        texts = Texts(language)
        for code in windows:
            assert "3" in LimitStatus(code, 3, values).sentence(texts)
        for code in windows + others:
            reached = LimitReached(LimitStatus(code, 0, values))
            assert texts.charged(reached, sandbox=False) in texts.sentences(reached, sandbox=False)
            assert "{" not in LimitStatus(code, 0, values).sentence(texts)


async def test_replicas_together_do_not_go_beyond_a_limit(redis: str) -> None:
    allowed = LimitSettings(hourly=40, at_once=25, budget=3.0, storage_uri=redis)
    now = NOON + 10 * 24 * HOUR

    async def replica(number: int) -> int:
        limits = Limits(allowed, lease=LEASE, clock=lambda: now)

        async def run(run: int) -> int:
            try:
                return len(await limits.take(Visitor(name=f"{number} {run}"), runs=run % 2 + 1, price=0.1))
            except LimitReached:
                return 0

        try:
            return sum(await asyncio.gather(*(run(run_number) for run_number in range(40))))
        finally:
            await limits.close()

    # Each with a thread, an event loop and connections of its own: to Redis, that is what a replica is.
    taken = await asyncio.gather(*(asyncio.to_thread(asyncio.run, replica(number)) for number in range(3)))
    limits = Limits(allowed, lease=LEASE, clock=lambda: now)
    counted = await limits._store.get(f"hourly/everybody/{int(now // HOUR)}")
    spent = await limits._store.get(f"budget/everybody/{int(now // (24 * HOUR))}")
    await limits.close()
    assert 20 <= sum(taken) <= 25
    assert counted == sum(taken)
    assert spent == sum(taken) * 100_000


async def test_without_its_store_the_page_starts_nothing_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    with redis_server(port) as uri:
        limits = Limits(LimitSettings(hourly=9, at_once=9, storage_uri=uri), lease=60)
        [permit] = await limits.take(ANN)
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            problem = await refusal(limits)
            assert problem.code == "limit_unavailable"
            assert problem.charged is Charged.NO
        status = await limits.status(ANN)
        await permit.end(reached=False, charged=Charged.NO)
    assert status
    assert "can't count its runs" in status.sentence(Texts("en"))
    assert len(caplog.records) == 1
    assert caplog.records[0].levelname == "ERROR"
    with redis_server(port):
        assert await limits.take(ANN)
    await limits.close()


async def test_a_store_that_does_not_answer_keeps_nobody_waiting_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.public.limits.STORE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"async+redis://:secret@127.0.0.1:{silent.getsockname()[1]}/0"
        limits = Limits(LimitSettings(hourly=9, storage_uri=uri), lease=60)
        assert "secret" not in repr(limits.settings)
        problem = await asyncio.wait_for(refusal(limits), 10)
        await limits.close()
    assert problem.code == "limit_unavailable"
