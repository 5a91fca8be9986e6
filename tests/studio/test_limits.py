"""What strangers may spend: in this process, and on a real Redis server."""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
from typing import TYPE_CHECKING, Any

import pytest
from redis.asyncio import Redis

from studio.i18n.texts import Texts, translations
from studio.public.limit_store import MemoryStore
from studio.public.limits import HOUR, LimitReached, Limits, LimitStatus, Permit, price_of
from studio.public.visitors import Visitor
from studio.settings import LimitSettings
from tests.conftest import free_port
from tests.studio.conftest import redis_server
from wan_client import Charged, ModelEntry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

ANN, BEN = Visitor(name="address 192.0.2.1"), Visitor(name="address 192.0.2.2")
NOON = 1_800_014_400.0 + 600  # ten minutes past twelve, UTC
LEASE = 60


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
        async with Redis.from_url(uri) as client:
            await client.flushdb()
    yield make
    for limits in made:
        await limits.close()


async def take(limits: Limits, visitor: Visitor, *, runs: int = 1, price: float | None = None) -> list[Permit]:
    """Permits for so many new runs."""
    return await limits.take(visitor, [secrets.token_hex(8) for _ in range(runs)], price=price)


async def refusal(limits: Limits, visitor: Visitor = ANN, **wanted: Any) -> LimitReached:
    with pytest.raises(LimitReached) as caught:
        await take(limits, visitor, **wanted)
    return caught.value


async def counted(limits: Limits, key: str) -> int:
    """How far a count has come."""
    (used,) = await limits._store.read([key], [], now=limits._clock())
    return used


async def test_without_limits_nothing_is_counted_or_told(limited: Callable[..., Limits]) -> None:
    limits = limited()
    for _ in range(50):
        await take(limits, ANN)
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
        await take(limits, ANN, price=0.03)
    problem = await refusal(limits, price=0.03)
    assert problem.code == f"limit_{code}"
    assert problem.charged is Charged.NO
    assert problem.status.left == 0
    if alone:
        assert await take(limits, BEN, price=0.03)
    else:
        assert (await refusal(limits, BEN, price=0.03)).code == f"limit_{code}"


async def test_all_variations_are_let_through_or_none(limited: Callable[..., Limits]) -> None:
    limits = limited(visitor_hourly=5, visitor_at_once=9, at_once=4, budget=1.0)
    await take(limits, ANN, runs=2, price=0.1)
    assert (await refusal(limits, runs=3, price=0.1)).code == "limit_at_once"
    assert (await refusal(limits, runs=4, price=0.1)).code == "limit_visitor_hourly"
    assert (await refusal(limits, runs=9, price=0.1)).code == "limit_budget"
    # What was refused counts for nothing.
    assert await limits.status(ANN, price=0.1) == LimitStatus(
        "visitor_hourly", 3, {"limit": 5, "left": 3, "minutes": 50, "time": "13:00"}
    )
    assert len(await take(limits, ANN, runs=2, price=0.1)) == 2


async def test_hours_and_days_begin_with_the_clocks(limited: Callable[..., Limits], clock: Clock) -> None:
    limits = limited(visitor_hourly=1, visitor_daily=2)
    await take(limits, ANN)
    problem = await refusal(limits)
    assert problem.values == {"limit": 1, "left": 0, "minutes": 50, "time": "13:00"}
    clock.now += problem.values["minutes"] * 60  # type: ignore[operator]
    await take(limits, ANN)
    problem = await refusal(limits)
    assert problem.code == "limit_visitor_daily"
    assert problem.values["time"] == "00:00"
    clock.now += 11 * HOUR
    await take(limits, ANN)


async def test_an_ended_run_makes_room_for_another_and_still_counts(limited: Callable[..., Limits]) -> None:
    limits = limited(visitor_at_once=1, at_once=1, visitor_hourly=2)
    for _ in range(2):
        [permit] = await take(limits, ANN)
        assert (await refusal(limits)).code in {"limit_visitor_at_once", "limit_visitor_hourly"}
        await permit.end(reached=True, charged=Charged.YES)
    assert (await refusal(limits)).code == "limit_visitor_hourly"


async def test_a_run_that_never_reached_the_api_counts_for_nothing(limited: Callable[..., Limits]) -> None:
    limits = limited(visitor_hourly=1, visitor_daily=1, hourly=1, daily=1, at_once=1, budget=0.03)
    for _ in range(3):
        [permit] = await take(limits, ANN, price=0.03)
        await permit.end(reached=False, charged=Charged.NO)
        await permit.end(reached=False, charged=Charged.NO)
    await take(limits, ANN, price=0.03)
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
    [permit] = await take(limits, ANN, price=0.1)
    await permit.end(reached=True, charged=charged, cost=cost)
    status = await limits.status(ANN, price=0.1)
    assert status
    assert (status.code, status.left) == ("budget", left)
    # The API has seen the run, so it counts as one.
    assert await counted(limits, f"visitor_hourly/{ANN.name}/{int(NOON // HOUR)}") == 1


async def test_a_budget_without_a_price_starts_nothing_and_invents_none(limited: Callable[..., Limits]) -> None:
    assert (await refusal(limited(budget=10.0))).code == "limit_price_unknown"
    status = await limited(budget=10.0).status(ANN)
    assert status
    assert status.code == "price_unknown"
    told_by_owner = limited(budget=10.0, price=0.04)
    await take(told_by_owner, ANN)
    status = await told_by_owner.status(ANN)
    assert status
    assert status.left == 249
    await take(limited(hourly=10), ANN)


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
            permits = await take(limits, visitor, runs=number % 3 + 1, price=0.1)
        except LimitReached:
            return 0
        return len(permits)

    taken = await asyncio.gather(*(run(visitor, number) for number, visitor in enumerate(visitors)))
    assert sum(taken) <= 7
    # What none of them got is free.
    for number in range(7 - sum(taken)):
        await take(limits, Visitor(name=f"address 198.51.100.{number}"), price=0.1)
    with pytest.raises(LimitReached):
        await take(limits, Visitor(name="address 198.51.100.99"), price=0.1)
    assert await counted(limits, f"hourly/everybody/{int(NOON // HOUR)}") == 7


async def test_a_cancelled_request_is_never_counted_as_less_than_nothing(limited: Callable[..., Limits]) -> None:
    limits = limited(visitor_hourly=50, at_once=50)
    for turns in range(12):
        task = asyncio.create_task(take(limits, ANN, runs=3))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        [came_of_it] = await asyncio.gather(task, return_exceptions=True)
        for permit in came_of_it if isinstance(came_of_it, list) else []:
            await permit.end(reached=False, charged=Charged.NO)
    used = await counted(limits, f"visitor_hourly/{ANN.name}/{int(NOON // HOUR)}")
    # Redis may have counted when the answer was cut off: that is lost to the visitor, never to the owner.
    assert used == 0 if limits.settings.storage_uri is None else used >= 0


async def test_a_place_whose_server_died_is_free_after_its_lease(limited: Callable[..., Limits], clock: Clock) -> None:
    limits = limited(at_once=2, visitor_at_once=2)
    await take(limits, ANN, runs=2)
    clock.now += LEASE - 1
    assert (await refusal(limits)).code == "limit_visitor_at_once"
    clock.now += 1
    assert await limits.status(ANN) is None
    assert len(await take(limits, ANN, runs=2)) == 2


async def test_a_place_is_kept_for_as_long_as_it_is_renewed(limited: Callable[..., Limits], clock: Clock) -> None:
    limits = limited(at_once=1)
    [permit] = await take(limits, ANN)
    for _ in range(5):
        clock.now += LEASE - 1
        await permit.renew()
    assert (await refusal(limits, BEN)).code == "limit_at_once"
    await permit.end(reached=True, charged=Charged.YES)
    await take(limits, BEN)


async def test_a_run_beyond_its_lease_does_not_free_anothers_place(
    limited: Callable[..., Limits], clock: Clock
) -> None:
    limits = limited(at_once=1)
    [late] = await take(limits, ANN)
    clock.now += LEASE
    await take(limits, BEN)
    await late.end(reached=True, charged=Charged.YES)
    assert (await refusal(limits)).code == "limit_at_once"


async def test_the_server_that_takes_a_run_up_holds_its_place_and_frees_it(limited: Callable[..., Limits]) -> None:
    limits = limited(at_once=2, visitor_at_once=2, visitor_hourly=2)
    runs = ["first", "second"]
    await limits.take(ANN, runs)
    for run in runs:
        taken_up = await limits.take_up(ANN, run, within_limits=True)
        assert (await refusal(limits)).code == "limit_visitor_hourly"
        await taken_up.end(reached=True, charged=Charged.YES)
    # Each was counted when it was started, and is not counted again.
    status = await limits.status(ANN)
    assert status
    assert (status.code, status.left) == ("visitor_hourly", 0)
    assert len(await take(limited(at_once=2, visitor_at_once=2), BEN, runs=2)) == 2


async def test_a_run_that_lost_its_place_is_taken_up_beyond_the_limit_if_it_is_paid(
    limited: Callable[..., Limits], clock: Clock
) -> None:
    limits = limited(at_once=1)
    await limits.take(ANN, ["paid"])
    clock.now += LEASE
    await take(limits, BEN)
    with pytest.raises(LimitReached):
        await limits.take_up(ANN, "paid", within_limits=True)
    permit = await limits.take_up(ANN, "paid", within_limits=False)
    assert (await refusal(limits, BEN)).code == "limit_at_once"
    await permit.end(reached=True, charged=Charged.YES)


async def test_a_replica_that_was_killed_holds_its_places_for_a_lease_and_the_next_takes_them_over(
    redis: str, clock: Clock
) -> None:
    allowed = LimitSettings(visitor_at_once=4, storage_uri=redis)
    killed, left = Limits(allowed, lease=LEASE, clock=clock), Limits(allowed, lease=LEASE, clock=clock)
    cleo = Visitor(name="address 192.0.2.3")
    runs = ["a", "b", "c", "d"]
    await killed.take(cleo, runs)
    taken_up = [await left.take_up(cleo, run, within_limits=True) for run in runs[:2]]
    assert (await refusal(left, cleo)).code == "limit_visitor_at_once"
    for permit in taken_up:
        await permit.end(reached=True, charged=Charged.YES)
    assert len(await take(left, cleo, runs=2)) == 2
    clock.now += LEASE
    assert len(await take(left, cleo, runs=4)) == 4
    await asyncio.gather(killed.close(), left.close())


@pytest.mark.parametrize("burst", [1, 3])
async def test_in_a_burst_every_refusal_names_what_stands_against_it(
    limited: Callable[..., Limits], burst: int
) -> None:
    limits = limited(visitor_at_once=4, visitor_hourly=1000, hourly=50)

    async def attempt() -> str:
        try:
            await take(limits, ANN, runs=burst)
        except LimitReached as reached:
            return reached.code
        return "taken"

    told = await asyncio.gather(*(attempt() for _ in range(96)), return_exceptions=True)
    assert set(told) == {"taken", "limit_visitor_at_once"}
    assert told.count("taken") == 4 // burst
    # What was refused counts nowhere, not for a moment: others find all that is left.
    assert len(await take(limits, BEN, runs=4)) == 4
    assert await counted(limits, f"hourly/everybody/{int(NOON // HOUR)}") == 4 // burst * burst + 4


async def test_redis_that_is_full_or_away_at_the_end_leaks_no_place_for_longer_than_a_lease(clock: Clock) -> None:
    port = free_port()
    with redis_server(port) as uri:
        allowed = LimitSettings(visitor_at_once=2, storage_uri=uri)
        limits = Limits(allowed, lease=LEASE, clock=clock)
        first, second = await take(limits, ANN, runs=2)
        async with Redis.from_url(uri) as client:
            await client.config_set("maxmemory", 1)
            await second.renew()
            await first.end(reached=True, charged=Charged.YES)
            await client.config_set("maxmemory", "1gb")
        assert len(await take(limits, ANN)) == 1
    await second.end(reached=True, charged=Charged.YES)
    await second.renew()
    with redis_server(port):
        assert len(await take(limits, ANN, runs=2)) == 2
    await limits.close()


async def test_counts_of_earlier_days_are_dropped_from_memory(clock: Clock) -> None:
    limits = Limits(LimitSettings(visitor_daily=2, visitor_at_once=2), lease=LEASE, clock=clock)
    for number in range(100):
        await take(limits, Visitor(name=f"address 192.0.2.{number}"))
    clock.now += 2 * 24 * HOUR
    await take(limits, ANN)
    store = limits._store
    assert isinstance(store, MemoryStore)
    assert (len(store._counts), len(store._places)) == (1, 1)


async def test_the_tightest_limit_is_told_before_it_is_hit(limited: Callable[..., Limits]) -> None:
    limits = limited(visitor_hourly=10, visitor_daily=30, visitor_at_once=2, hourly=100, budget=10.0)
    texts = Texts("en")

    async def told() -> str:
        status = await limits.status(ANN, price=0.03)
        return status.sentence(texts) if status else ""

    assert await told() == "You have 10 of 10 runs left this hour."
    [first, _] = await take(limits, ANN, runs=2, price=0.03)
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
                return len(await take(limits, Visitor(name=f"{number} {run}"), runs=run % 2 + 1, price=0.1))
            except LimitReached:
                return 0

        try:
            return sum(await asyncio.gather(*(run(run_number) for run_number in range(40))))
        finally:
            await limits.close()

    # Each with a thread, an event loop and connections of its own: to Redis, that is what a replica is.
    taken = await asyncio.gather(*(asyncio.to_thread(asyncio.run, replica(number)) for number in range(3)))
    limits = Limits(allowed, lease=LEASE, clock=lambda: now)
    started = await counted(limits, f"hourly/everybody/{int(now // HOUR)}")
    spent = await counted(limits, f"budget/everybody/{int(now // (24 * HOUR))}")
    await limits.close()
    assert 20 <= sum(taken) <= 25
    assert started == sum(taken)
    assert spent == sum(taken) * 100_000


async def test_without_its_store_the_page_starts_nothing_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    with redis_server(port) as uri:
        limits = Limits(LimitSettings(hourly=9, at_once=9, storage_uri=uri), lease=60)
        [permit] = await take(limits, ANN)
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
    with redis_server(port), caplog.at_level(logging.INFO):
        assert await take(limits, ANN)
        assert await take(limits, ANN)
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"], "its return is logged, once"
    await limits.close()


async def test_a_store_that_does_not_answer_keeps_nobody_waiting_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.public.limit_store.STORE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"redis://:secret@127.0.0.1:{silent.getsockname()[1]}/0"
        limits = Limits(LimitSettings(hourly=9, storage_uri=uri), lease=60)
        assert "secret" not in repr(limits.settings)
        problem = await asyncio.wait_for(refusal(limits), 10)
        await limits.close()
    assert problem.code == "limit_unavailable"


async def test_the_end_of_a_run_is_counted_once_on_all_replicas(limited: Callable[..., Limits]) -> None:
    limits = limited(at_once=9)
    [permit] = await take(limits, ANN)
    [other] = await take(limits, ANN)
    assert await permit.count_end()
    assert not await permit.count_end()
    assert await other.count_end()
