"""What is known of the model's price, and who waits for it."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from studio.runs import engines
from studio.runs.engines import Engines
from studio.settings import PageSettings
from wan_client import Backend, ModelEntry, Settings
from wan_sandbox import Sandbox
from wan_sandbox import Settings as SandboxSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.slow


def _wait_for_a_call(sandbox: Sandbox) -> None:
    while not sandbox.counters.model_calls:
        threading.Event().wait(0.01)


class Clock:
    """The monotonic clock, in a test's hands."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(engines, "time", clock)
    return clock


@asynccontextmanager
async def over(sandbox: Sandbox) -> AsyncIterator[Engines]:
    found = Engines(PageSettings(Settings(Backend.RUNCOMFY, sandbox.url, "a-token"), hosted_base=sandbox.url))
    yield found
    await found.close()


def playing(**settings: Any) -> Sandbox:
    return Sandbox(SandboxSettings(picture="blank", price=0.03, **settings))


async def test_many_who_wait_are_one_request(clock: Clock) -> None:
    with playing(faults=("model-slow*1",)) as sandbox:
        async with over(sandbox) as found:
            assert found.known_model() == ModelEntry()
            models = await asyncio.gather(*(found.model() for _ in range(5)))
            assert all(model.price_usd for model in models)
            assert found.known_model() == models[0]
            assert found.api_state == "ok"
        assert sandbox.counters.model_calls == 1


@pytest.mark.parametrize("token", ["", "a-visitors-token"])
async def test_a_failure_is_remembered_for_a_while(clock: Clock, token: str) -> None:
    with playing(faults=("model-500*1",)) as sandbox:
        async with over(sandbox) as found:
            for _ in range(3):
                assert await found.model(token) == ModelEntry()
            assert sandbox.counters.model_calls == 1
            clock.now += engines.FAILED_SECONDS + 1
            assert (await found.model(token)).price_usd


async def test_a_catalogue_that_never_answers_holds_up_nobody_who_does_not_ask_for_it(clock: Clock) -> None:
    with playing(faults=("model-hang",)) as sandbox:
        async with over(sandbox) as found:
            waiting = [asyncio.create_task(found.model()) for _ in range(3)]
            await asyncio.to_thread(_wait_for_a_call, sandbox)
            assert found.known_model() == ModelEntry()
            assert found.is_asking()
            assert sandbox.counters.model_calls == 1
            for task in waiting:
                task.cancel()


async def test_a_price_is_read_again_when_it_is_older_than_it_may_be(clock: Clock) -> None:
    with playing() as sandbox:
        async with over(sandbox) as found:
            await found.model()
            clock.now += engines.FRESH_SECONDS + 1
            await found.model()
            assert sandbox.counters.model_calls == 1
            await found.model(age=engines.FRESH_SECONDS)
            assert sandbox.counters.model_calls == 2


async def test_an_older_price_stands_in_for_one_that_can_not_be_read_and_not_for_ever(clock: Clock) -> None:
    with playing(faults=("model-500@1",)) as sandbox:
        async with over(sandbox) as found:
            price = (await found.model()).price_usd
            clock.now += engines.FRESH_SECONDS + 1
            assert (await found.model(age=engines.FRESH_SECONDS)).price_usd == price
            clock.now += engines.PRICE_SECONDS
            assert await found.model() == ModelEntry()
