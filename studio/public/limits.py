"""What strangers may spend of the owner's money: runs by the hour and by the day, runs at once, dollars a day.

Hours and days are the clock's (UTC), so that a visitor can be shown when there is more. All that a run counts is
decided in one step, before it begins: a refused run counts nowhere. A run at work holds a place under its own name,
on a lease that is renewed while a server watches the run: no place outlives its run by more than a lease.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Protocol

from studio import uploads
from wan_client import Charged, WanError

from .limit_store import Count, Places, StoreUnavailable, open_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence

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
UNAVAILABLE: Final = "unavailable"
PRICED_BY_PICTURE = frozenset({"output", "image"})
LEASE_SECONDS = 60
# Tokens that a visitor may try in an hour. Each costs the API two requests.
TOKENS_HOURLY = 20


@dataclass(frozen=True)
class LimitStatus:
    """How much a visitor may still do, by the limit that leaves least.

    Attributes:
        code: Which limit, such as ``visitor_hourly``. `LimitReached` carries it as ``limit_visitor_hourly``.
        left: How many more runs it allows now.
        values: What its sentences name.
    """

    code: str
    left: int
    values: Mapping[str, object] = field(default_factory=dict)

    def sentence(self, texts: Texts) -> str:
        """Return what is left, and where that is nothing, when there will be more."""
        if self.left:
            return texts(f"limits.{self.code}", **self.values)
        return " ".join(texts(f"error.limit_{self.code}{part}", **self.values) for part in ("", ".hint"))


class LimitReached(WanError):
    """A limit of this page refuses the run. Nothing was sent.

    Attributes:
        status: What the limit leaves.
        own_token: Whether it refuses a run that the visitor pays for.
    """

    own_token = False

    def __init__(self, status: LimitStatus) -> None:
        super().__init__(f"limit_{status.code}", **status.values)  # type: ignore[arg-type]  # values are the sentence's
        self.status = status


def price_of(model: ModelEntry) -> float | None:
    """Return what one run costs by the catalogue, in US dollars; None where it does not say."""
    price = model.price_usd
    by_picture = model.price_unit in PRICED_BY_PICTURE
    return price if by_picture and price is not None and math.isfinite(price) and price > 0 else None


@dataclass(frozen=True)
class _Window:
    """A limit within the clock's hour or day.

    Attributes:
        code: Which limit.
        owner: Whom it counts for: a visitor's name, or `EVERYBODY`.
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
        """Its key in the store: another one in each hour or day."""
        return f"{self.code}/{self.owner}/{int(self.now // self.seconds)}"

    def left(self, used: int) -> LimitStatus:
        """Return what is left of it."""
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
class _AtOnce:
    """A limit of runs that may be at work at once."""

    code: str
    owner: str
    limit: int

    @property
    def key(self) -> str:
        """The name of its places in the store."""
        return f"places/{self.code}/{self.owner}"

    def left(self, used: int) -> LimitStatus:
        """Return what is left of it."""
        left = max(0, self.limit - used)
        return LimitStatus(self.code, left, {"limit": self.limit, "left": left})


class Claim(Protocol):
    """The claim of a caller's own key.

    Attributes:
        name: The name that it is claimed under.
        text: What the next caller with the same key gets.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def text(self) -> str: ...  # noqa: D102


@dataclass(frozen=True)
class Usage:
    """How far the limits of all visitors together are used; None where there is no such limit.

    Attributes:
        budget_left: What the day's budget has left, in US dollars.
        places: How many runs are at work.
    """

    budget_left: float | None = None
    places: int | None = None


class Permit:
    """The right to one run. The caller that takes it must end it, however the run ends.

    Attributes:
        claim: The claim that the run was started under. It is released if the API has not seen the run.
    """

    def __init__(self, limits: Limits, windows: Iterable[_Window], places: Iterable[str], holder: str) -> None:
        self._limits = limits
        self._windows = tuple(windows)
        self._places = tuple(places)
        self._holder = holder
        self._ended = False
        self.claim: Claim | None = None

    async def renew(self) -> None:
        """Hold the run's place for another lease."""
        await self._limits.hold_places(self._places, self._holder)

    async def renew_until_cancelled(self) -> None:
        """Renew the lease regularly, until cancelled."""
        while True:
            await asyncio.sleep(self._limits.lease / 3)
            await self.renew()

    async def count_end(self) -> bool:
        """Count the run's end, and return whether no replica has counted it before."""
        return await self._limits.count_end(self._holder)

    async def end(self, *, reached: bool, charged: Charged, cost: float | None = None) -> None:
        """Free the run's place and settle what it counts. Ending it again changes nothing.

        Args:
            reached: Whether the API has seen the run. One that it has not seen counts for nothing.
            charged: Whether the run was charged. What was certainly not charged goes back into the budget.
            cost: What it cost in US dollars, where the API says so. It replaces the catalogue's price in the budget.
        """
        if self._ended:
            return
        self._ended = True
        if self.claim and not reached:
            await self._limits.unclaim(self.claim)
            self.claim = None
        await self._limits.release_places(self._places, self._holder)
        for window in self._windows:
            counts = window.each
            if charged is Charged.NO and (window.code == BUDGET or not reached):
                counts = 0
            elif window.code == BUDGET and cost is not None and 0 <= cost < math.inf:
                counts = _micro(cost)
            if counts != window.each:
                await self._limits.add(window, counts - window.each)


class Limits:
    """The limits of one page.

    Args:
        settings: What is allowed.
        lease: For how many seconds a run holds its place without being renewed.
        clock: The time, in seconds since 1970.
        ends: The limits that count the ends of runs on all replicas, where these limits are one process's own.
    """

    def __init__(
        self,
        settings: LimitSettings,
        *,
        lease: int = LEASE_SECONDS,
        clock: Callable[[], float] = time.time,
        ends: Limits | None = None,
    ) -> None:
        self.settings = settings
        self.lease = lease
        self._clock = clock
        self._store = open_store(settings.storage_uri)
        self._ends = ends or self
        self._is_store_down = False

    async def take(self, visitor: Visitor, runs: Sequence[str], *, price: float | None = None) -> list[Permit]:
        """Take the right to some runs: to all of them, or to none.

        Args:
            visitor: Who asks.
            runs: The runs' keys.
            price: What one costs by the catalogue, in US dollars; None where that is not known.

        Returns:
            A permit for each run.

        Raises:
            LimitReached: A limit is reached; or the day has a budget and the price is not known; or the store can't be
                reached.
        """
        return await self._take(self._windows(visitor, price), self._places(visitor), runs)

    async def take_up(self, visitor: Visitor, run: str, *, within_limits: bool) -> Permit:
        """Hold the place of a run that is at work already: after a restart, or on another replica.

        It was counted when it was started, so it is not counted again.

        Args:
            visitor: Who asks.
            run: The run's key.
            within_limits: Whether it needs a free place, if it holds none any more.

        Raises:
            LimitReached: There is no free place, or the store can't be reached.
        """
        places = self._places(visitor)
        if within_limits:
            (permit,) = await self._take([], places, [run])
        else:
            permit = Permit(self, [], [kind.key for kind in places], _holder(run))
            await permit.renew()
        return permit

    async def status(self, visitor: Visitor, *, price: float | None = None) -> LimitStatus | None:
        """Return what the tightest limit leaves to the visitor; None where nothing is limited.

        Args:
            visitor: Who asks.
            price: What a run costs by the catalogue, in US dollars; None where that is not known.
        """
        try:
            windows, places = self._windows(visitor, price), self._places(visitor)
            kinds: list[_Window | _AtOnce] = [*windows, *places]
            if not kinds:
                return None
            async with self._store_errors_as_limits():
                used = await self._store.read(
                    [window.key for window in windows], [kind.key for kind in places], now=self._clock()
                )
        except LimitReached as reached:
            return reached.status
        found = [kind.left(number) for kind, number in zip(kinds, used, strict=True)]
        # The number of free places changes every second, so it is shown only where there is none.
        shown = [*found[: len(windows)], *(status for status in found[len(windows) :] if not status.left)]
        return min(shown, key=lambda status: status.left, default=None)

    async def count_upload(self, visitor: Visitor) -> None:
        """Count a request with pictures.

        Raises:
            LimitReached: The visitor has sent too many in this hour.
        """
        await self._count_hourly("uploads", visitor, self.settings.uploads)

    async def count_token(self, visitor: Visitor) -> None:
        """Count a token that was entered and that the API has not seen yet.

        Raises:
            LimitReached: The visitor has tried too many in this hour.
        """
        await self._count_hourly("tokens", visitor, TOKENS_HOURLY)

    async def hold_places(self, places: Sequence[str], holder: str) -> None:
        """Hold places for another lease. If the store can't be reached, another run may get the place."""
        if places:
            with suppress(LimitReached):
                async with self._store_errors_as_limits():
                    await self._store.hold(places, holder, now=self._clock(), lease=self.lease)

    async def release_places(self, places: Sequence[str], holder: str) -> None:
        """Release places. If the store can't be reached, they are free after their lease."""
        if places:
            with suppress(LimitReached):
                async with self._store_errors_as_limits():
                    await self._store.release(places, holder)

    async def add(self, window: _Window, amount: int) -> None:
        """Count more within a window, or less where the amount is negative."""
        with suppress(LimitReached):
            async with self._store_errors_as_limits():
                await self._store.add(window.key, amount)

    async def claim(self, claim: Claim) -> str | None:
        """Claim a caller's own key for a day.

        Returns:
            The text of an earlier claim that still holds; None where this one holds from now on.

        Raises:
            LimitReached: The store can't be reached.
        """
        async with self._store_errors_as_limits():
            return await self._store.claim(claim.name, claim.text, now=self._clock(), seconds=uploads.CLAIM_SECONDS)

    async def unclaim(self, claim: Claim) -> None:
        """Release a claim. If the store can't be reached, it holds for its day, and nothing is sent under it."""
        with suppress(LimitReached):
            async with self._store_errors_as_limits():
                await self._store.unclaim(claim.name, claim.text)

    async def count_end(self, holder: str) -> bool:
        """Count a run's end, and return whether that is the first time; True where the store can't be reached."""
        if self._ends is not self:
            return await self._ends.count_end(holder)
        with suppress(LimitReached):
            async with self._store_errors_as_limits():
                once = Count(f"ended/{holder}", 1, 1, DAY)
                return await self._store.take([once], [], [], now=self._clock(), lease=self.lease) is None
        return True

    async def usage(self) -> Usage | None:
        """Return how far the limits of all visitors together are used; None where the store can't be reached."""
        allowed, now = self.settings, self._clock()
        budget = _Window(BUDGET, EVERYBODY, math.ceil(allowed.budget * MICRO), DAY, 1, now)
        places = _AtOnce("at_once", EVERYBODY, allowed.at_once)
        try:
            async with self._store_errors_as_limits():
                await self._store.check()
                spent, held = await self._store.read([budget.key], [places.key], now=now)
        except LimitReached:
            return None
        left = max(0, budget.limit - spent) / MICRO if allowed.budget else None
        return Usage(left, held if allowed.at_once else None)

    async def check(self) -> None:
        """Check that the store can be reached.

        Raises:
            LimitReached: It is not.
        """
        async with self._store_errors_as_limits():
            await self._store.check()

    async def close(self) -> None:
        """Close the connections to the store."""
        await self._store.close()

    async def _take(self, windows: Sequence[_Window], places: Sequence[_AtOnce], runs: Sequence[str]) -> list[Permit]:
        """Count some runs and hold their places, in one step."""
        counts = [Count(window.key, len(runs) * window.each, window.limit, window.seconds) for window in windows]
        holders = [_holder(run) for run in runs]
        async with self._store_errors_as_limits():
            refusal = await self._store.take(
                counts, [Places(kind.key, kind.limit) for kind in places], holders, now=self._clock(), lease=self.lease
            )
        if refusal:
            kinds: list[_Window | _AtOnce] = [*windows, *places]
            raise LimitReached(kinds[refusal.place].left(refusal.used))
        return [Permit(self, windows, [kind.key for kind in places], holder) for holder in holders]

    async def _count_hourly(self, code: str, visitor: Visitor, limit: int) -> None:
        if limit:
            await self._take([_Window(code, visitor.name, limit, HOUR, 1, self._clock())], [], [""])

    def _windows(self, visitor: Visitor, price: float | None) -> list[_Window]:
        """Return the limits of hours and days, the longest first."""
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

    def _places(self, visitor: Visitor) -> list[_AtOnce]:
        places = (
            _AtOnce("visitor_at_once", visitor.name, self.settings.visitor_at_once),
            _AtOnce("at_once", EVERYBODY, self.settings.at_once),
        )
        return [kind for kind in places if kind.limit]

    @asynccontextmanager
    async def _store_errors_as_limits(self) -> AsyncIterator[None]:
        """Raise errors of the store as `LimitReached`: a run that can't be counted is not started."""
        try:
            yield
        except StoreUnavailable as problem:
            if not self._is_store_down:
                log.error("the runs can't be counted: %s", problem)
            self._is_store_down = True
            raise LimitReached(LimitStatus(UNAVAILABLE, 0)) from None
        if self._is_store_down:
            log.warning("the runs are counted again")
        self._is_store_down = False


def _micro(dollars: float) -> int:
    return round(dollars * MICRO)


def _holder(run: str) -> str:
    """Return the name that a run's place is held under: a hash, since the run's key opens its pictures."""
    return sha256(f"place {run}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
