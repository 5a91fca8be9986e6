"""Many visitors, many waiting runs: the page still answers, and past its limits it answers with a sentence."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from benchmarks.visitors import crowd
from studio.i18n.texts import Texts
from tests.conftest import running_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import App

pytestmark = pytest.mark.slow

VISITORS, WAITING, TOO_MANY = 60, 30, 3


@pytest.fixture
def limited_app() -> Iterator[App]:
    with running_app(WAN_BACKEND="sandbox", WAN_LIMIT_AT_ONCE=str(WAITING)) as app:
        app.play(run_time=(600, 600), workers=WAITING)
        yield app


async def test_the_page_answers_many_and_refuses_too_many_politely(limited_app: App) -> None:
    async with crowd(limited_app.url, VISITORS) as (everybody, visitors):
        picture = await visitors[0].upload()
        asking = visitors[: WAITING + TOO_MANY]
        for visitor in asking:
            visitor.run(picture)
        await asyncio.wait_for(asyncio.gather(*(visitor.updated.wait() for visitor in asking)), 120)
        sentence = Texts("en")("error.limit_at_once", limit=WAITING, left=0)
        assert sum(sentence in str(visitor.heard["status"]) for visitor in asking) == TOO_MANY
        assert (await everybody.call("page", "GET", "/")).is_success
        await visitors[-1].type()
        assert set(everybody.answers) == {200}
