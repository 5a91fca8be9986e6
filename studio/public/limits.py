"""What strangers may spend of the owner's money: runs by the hour and by the day, runs at once, dollars a day.

Hours and days are the clock's (UTC), so that a visitor can be told when there is more. Every count is one number in a
store of the `limits` library, raised before a run and never above its limit. A run at work holds a place of its own,
which the store itself takes back should this server die.
"""

from __future__ import annotations

import logging
import math
import random
import time
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final

from limits.aio.storage import MemoryStorage, RedisStorage
from limits.errors import StorageError

from wan_client import Charged, WanError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping

    from limits.aio.storage import Storage
    from redis.asyncio import ConnectionPool

    from studio.i18n.texts import Texts
    from studio.settings import LimitSettings
    from wan_client import ModelEntry

    from .visitors import Visitor

log = logging.getLogger(__name__)

HOUR, DAY = 3600, 86_400
# Money is counted in whole numbers, of a millionth of a dollar.
MICRO: Final = 1_000_000
BUDGET: Final = "budget"
EVERYBODY: Final = "everybody"
KEY_PREFIX = "wan"
PRICED_BY_PICTURE = frozenset({"output", "image"})
# How long the store may keep a caller waiting, in seconds.
STORE_SECONDS = 2.0


@dataclass(frozen=True)
class LimitStatus:
    """How much a visitor may still do, by the limit that leaves least.

    Attributes:
        code: Which limit, such as ``visitor_hourly``. `LimitReached` tells it as ``limit_visitor_hourly``.
        left: How many more runs it allows now.
        values: What its sentences name.
    """

    code: str
    left: int
    values: Mapping[str, object] = field(default_factory=dict)

    def sentence(self, texts: Texts) -> str:
        """What is left, and where that is nothing, when there is more."""
        if self.left:
            return texts(f"limits.{self.code}", **self.values)
        return " ".join(texts(f"error.limit_{self.code}{part}", **self.values) for part in ("", ".hint"))


class LimitReached(WanError):
    """A limit of this page stands against the run. Nothing was sent.

    Attributes:
        status: What the limit leaves.
        own_token: Whether it stands against a run that the visitor pays for.
    """

    own_token = False

    def __init__(self, status: LimitStatus) -> None:
        super().__init__(f"limit_{status.code}", **status.values)  # type: ignore[arg-type]  # values are the sentence's
        self.status = status


def price_of(model: ModelEntry) -> float | None:
    """What one run costs by the catalogue, in US dollars; None where it does not say."""
    price = model.price_usd
    by_picture = model.price_unit in PRICED_BY_PICTURE
    return price if by_picture and price is not None and math.isfinite(price) and price > 0 else None


@dataclass(frozen=True)
class _Window:
    """A limit within the clock's hour or day.

    Attributes:
        code: Which limit.
        owner: Whom it counts for: a visitor's name, or nobody's for all of them.
        limit: The most that may be counted.
        seconds: How long the hour or day is.
        each: What one run counts.
        now: The time, in seconds since 1970.
    """

    code: str
    owner: str
    limit: int
    seconds: int
    each: int
    now: float

    @property
    def key(self) -> str:
        """Its place in the store: another one in each hour or day."""
        return f"{self.code}/{self.owner}/{int(self.now // self.seconds)}"

    def left(self, used: int) -> LimitStatus:
        """What is left of it."""
        left = max(0, self.limit - used) // self.each
        end = (self.now // self.seconds + 1) * self.seconds
        values = {
            "limit": self.limit,
            "left": left,
            "minutes": math.ceil((end - self.now) / 60),
            "time": f"{datetime.fromtimestamp(end, timezone.utc):%H:%M}",
        }
        return LimitStatus(self.code, left, values)


@dataclass(frozen=True)
class _Places:
    """A limit of what may be at work at once: so many places, each held by one run."""

    code: str
    owner: str
    limit: int

    def in_any_order(self) -> list[str]:
        """Where they are in the store, shuffled: a free one is soon found, and no two look at the same one first."""
        numbers = random.sample(range(self.limit), self.limit)
        return [f"{self.code}/{self.owner}/{number}" for number in numbers]

    def left(self, left: int) -> LimitStatus:
        """What is left of them."""
        return LimitStatus(self.code, left, {"limit": self.limit, "left": left})


class Permit:
    """The right to one run. Whoever takes it ends it, whatever becomes of the run."""

    def __init__(self, limits: Limits, windows: Iterable[_Window], places: Iterable[str]) -> None:
        self._limits = limits
        self._windows = tuple(windows)
        self._places = tuple(places)
        self._since = time.monotonic()
        self._ended = False

    async def end(self, *, reached: bool, charged: Charged, cost: float | None = None) -> None:
        """Free the run's place and settle what it counts. Ending it again changes nothing.

        Args:
            reached: Whether the API has seen the run. One that it has not seen counts for nothing.
            charged: Whether the run was charged. What was certainly not charged goes back into the budget.
            cost: What it cost in US dollars, where the API says so. It takes the place of the catalogue's price.
        """
        if self._ended:
            return
        self._ended = True
        # A place held for too long may be another run's by now.
        if time.monotonic() - self._since < self._limits.lease - STORE_SECONDS:
            await self._limits.vacate(self._places)
        for window in self._windows:
            counts = window.each
            if charged is Charged.NO and (window.code == BUDGET or not reached):
                counts = 0
            elif window.code == BUDGET and cost is not None and 0 <= cost < math.inf:
                counts = _micro(cost)
            if counts != window.each:
                await self._limits.give_back(window, window.each - counts)


class Limits:
    """The limits of one page.

    Args:
        settings: What is allowed.
        lease: After how many seconds the place of a run counts as free, though nobody freed it. Longer than a run.
        clock: The time, in seconds since 1970.
    """

    def __init__(self, settings: LimitSettings, *, lease: int, clock: Callable[[], float] = time.time) -> None:
        self.settings = settings
        self.lease = lease
        self._clock = clock
        self._store, self._pool = _open_store(settings.storage_uri)
        self._in_trouble = False

    async def take(self, visitor: Visitor, *, runs: int = 1, price: float | None = None) -> list[Permit]:
        """Take the right to some runs: to all of them, or to none.

        Args:
            visitor: Who asks.
            runs: How many.
            price: What one costs by the catalogue, in US dollars; None where that is not known.

        Returns:
            A permit for each run.

        Raises:
            LimitReached: A limit stands against it; or the day has a budget and the price is not known; or the store
                is out of reach.
        """
        windows = self._windows(visitor, price)
        held: list[list[str]] = [[] for _ in range(runs)]
        async with self._at_hand(), AsyncExitStack() as undo:
            for window in windows:
                await self._count(window, runs)
                undo.push_async_callback(self.give_back, window, runs * window.each)
            for places in self._places(visitor):
                for number, mine in enumerate(held):
                    mine.append(await self._occupy(places, runs_before=number))
                    undo.push_async_callback(self.vacate, mine[-1:])
            undo.pop_all()
        return [Permit(self, windows, places) for places in held]

    async def status(self, visitor: Visitor, *, price: float | None = None) -> LimitStatus | None:
        """What the tightest limit leaves to the visitor; None where nothing is limited.

        Args:
            visitor: Who asks.
            price: What a run costs by the catalogue, in US dollars; None where that is not known.
        """
        try:
            async with self._at_hand():
                found = [window.left(await self._store.get(window.key)) for window in self._windows(visitor, price)]
                found += [places.left(0) for places in self._places(visitor) if not await self._has_room(places)]
        except LimitReached as reached:
            return reached.status
        return min(found, key=lambda status: status.left, default=None)

    async def count_upload(self, visitor: Visitor) -> None:
        """Count a request with pictures.

        Raises:
            LimitReached: The visitor has sent too many in this hour.
        """
        if self.settings.uploads:
            window = _Window("uploads", visitor.name, self.settings.uploads, HOUR, 1, self._clock())
            async with self._at_hand():
                await self._count(window, 1)

    async def give_back(self, window: _Window, amount: int) -> None:
        """Count less within a window, or more where the amount is negative."""
        with suppress(LimitReached):
            async with self._at_hand():
                await self._store.incr(window.key, window.seconds, -amount)

    async def vacate(self, places: Iterable[str]) -> None:
        """Free places. One that can't be freed frees itself after its lease."""
        with suppress(LimitReached):
            async with self._at_hand():
                for place in places:
                    await self._store.clear(place)

    async def close(self) -> None:
        """Close the connections to the store."""
        if self._pool:
            await self._pool.aclose()

    def _windows(self, visitor: Visitor, price: float | None) -> list[_Window]:
        """The limits of hours and days, those first that last longest."""
        allowed, now = self.settings, self._clock()
        each = 1
        if allowed.budget:
            known = price or allowed.price
            if known is None:
                raise LimitReached(LimitStatus("price_unknown", 0))
            each = max(1, _micro(known))
        windows = (
            _Window("visitor_daily", visitor.name, allowed.visitor_daily, DAY, 1, now),
            _Window(BUDGET, EVERYBODY, math.ceil(allowed.budget * MICRO), DAY, each, now),
            _Window("daily", EVERYBODY, allowed.daily, DAY, 1, now),
            _Window("visitor_hourly", visitor.name, allowed.visitor_hourly, HOUR, 1, now),
            _Window("hourly", EVERYBODY, allowed.hourly, HOUR, 1, now),
        )
        return [window for window in windows if window.limit]

    def _places(self, visitor: Visitor) -> list[_Places]:
        places = (
            _Places("visitor_at_once", visitor.name, self.settings.visitor_at_once),
            _Places("at_once", EVERYBODY, self.settings.at_once),
        )
        return [kind for kind in places if kind.limit]

    async def _count(self, window: _Window, runs: int) -> None:
        """Count some runs within a window, all or none."""
        amount = runs * window.each
        used = await self._store.get(window.key)
        # Asking first keeps a request that is too large from standing in the way of a small one, if only for a moment.
        if used + amount <= window.limit:
            used = await self._store.incr(window.key, window.seconds, amount) - amount
            if used + amount <= window.limit:
                return
            await self._store.incr(window.key, window.seconds, -amount)
        raise LimitReached(window.left(used))

    async def _occupy(self, places: _Places, *, runs_before: int) -> str:
        """Hold a free place: one where nobody counted before."""
        for place in places.in_any_order():
            if await self._store.incr(place, self.lease) == 1:
                return place
        raise LimitReached(places.left(runs_before))

    async def _has_room(self, places: _Places) -> bool:
        for place in places.in_any_order():
            if not await self._store.get(place):
                return True
        return False

    @asynccontextmanager
    async def _at_hand(self) -> AsyncIterator[None]:
        """Tell trouble with the store as a limit: what can't be counted is not begun."""
        try:
            yield
        except StorageError as problem:
            if not self._in_trouble:
                log.error("the runs can't be counted: %s", type(problem.__cause__).__name__)
            self._in_trouble = True
            raise LimitReached(LimitStatus("unavailable", 0)) from None
        self._in_trouble = False


def _micro(dollars: float) -> int:
    return round(dollars * MICRO)


def _open_store(uri: str | None) -> tuple[Storage, ConnectionPool | None]:
    """The store of all counts, and the connections to it that want closing."""
    if uri is None:
        return MemoryStorage(), None
    from redis.asyncio import ConnectionPool  # noqa: PLC0415  # an optional extra

    pool = ConnectionPool.from_url(
        uri.removeprefix("async+"),
        socket_timeout=STORE_SECONDS,
        socket_connect_timeout=STORE_SECONDS,
        retry=None,  # a count that is sent twice counts twice
    )
    store = RedisStorage(
        uri,
        wrap_exceptions=True,
        implementation="redispy",
        key_prefix=KEY_PREFIX,
        connection_pool=pool,  # type: ignore[arg-type]  # as its documentation has it
    )
    return store, pool
