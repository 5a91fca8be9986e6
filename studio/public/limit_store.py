"""The store of limits and of claims to keys: in this process, or in Redis for all replicas.

A count is a number that is forgotten after a while. A place is held by the name of a run until it is released, or until
its lease ends. A claim is a text that the first caller sets under a name and all others get, for as long as it is
remembered. Each decision is made in one step, however many counts and places it concerns.
"""

from __future__ import annotations

import asyncio
import json
import os
from abc import ABC, abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from filelock import FileLock

from studio import uploads
from wan_client.files import part_beside

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

KEY_PREFIX = "wan:"
# How long a caller may wait for Redis, or for another process that claims a key, in seconds.
STORE_SECONDS = 2.0
PURGE_SECONDS = 60.0

# Checks everything first, and changes nothing unless all of it fits.
_TAKE = """
local asked = cjson.decode(ARGV[1])
for number, key in ipairs(KEYS) do
  local count = asked.counts[number]
  if count then
    local used = tonumber(redis.call('GET', key) or '0')
    if used + count.amount > count.limit then return {number, used} end
  else
    redis.call('ZREMRANGEBYSCORE', key, '-inf', asked.now)
    local others = redis.call('ZCARD', key)
    for _, holder in ipairs(asked.holders) do
      if redis.call('ZSCORE', key, holder) then others = others - 1 end
    end
    if others + #asked.holders > asked.limits[number - #asked.counts] then return {number, others} end
  end
end
for number, key in ipairs(KEYS) do
  local count = asked.counts[number]
  if count then
    redis.call('INCRBY', key, count.amount)
    redis.call('EXPIRE', key, count.seconds)
  else
    for _, holder in ipairs(asked.holders) do redis.call('ZADD', key, asked.now + asked.lease, holder) end
    redis.call('EXPIRE', key, asked.lease)
  end
end
return {0, 0}
"""
# An expired count is not created anew: a negative amount would make it negative.
_ADD = "if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('INCRBY', KEYS[1], ARGV[1]) end"
_CLAIM = """
local held = redis.call('GET', KEYS[1])
if held then return held end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return false
"""
_UNCLAIM = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"


class StoreUnavailable(Exception):
    """The store can't be reached."""


@dataclass(frozen=True)
class Count:
    """An amount to add to a count.

    Attributes:
        key: The count's name.
        amount: How much is added.
        limit: The most that the count may reach.
        seconds: For how long it is remembered after the latest change.
    """

    key: str
    amount: int
    limit: int
    seconds: int


@dataclass(frozen=True)
class Places:
    """A set of places that runs may hold at once.

    Attributes:
        key: The name of the set of places.
        limit: How many there are.
    """

    key: str
    limit: int


class Refusal(NamedTuple):
    """The count or place that refuses a request.

    Attributes:
        place: Its index among the counts and, after them, the places.
        used: How much of it is used by others.
    """

    place: int
    used: int


class Store(ABC):
    """Keeps counts, places and claims."""

    @abstractmethod
    async def take(
        self, counts: Sequence[Count], places: Sequence[Places], holders: Sequence[str], *, now: float, lease: int
    ) -> Refusal | None:
        """Count everything and give each holder one of each of the places, or change nothing.

        A holder that has a place already needs no other.
        """

    @abstractmethod
    async def hold(self, places: Sequence[str], holder: str, *, now: float, lease: int) -> None:
        """Hold places for the length of a lease from now on, even beyond their limit."""

    @abstractmethod
    async def release(self, places: Sequence[str], holder: str) -> None:
        """Release places."""

    @abstractmethod
    async def add(self, key: str, amount: int) -> None:
        """Add to a count, if it has not expired."""

    @abstractmethod
    async def read(self, counts: Sequence[str], places: Sequence[str], *, now: float) -> list[int]:
        """Return the value of each count, then how many of each of the places are held."""

    @abstractmethod
    async def claim(self, name: str, text: str, *, now: float, seconds: int) -> str | None:
        """Set a text, unless there is one that has not expired.

        Args:
            name: What it is claimed under: letters and digits.
            text: The text.
            now: The time, in seconds since 1970.
            seconds: For how long it is remembered.

        Returns:
            The text that was there; None where this one was set.
        """

    @abstractmethod
    async def unclaim(self, name: str, text: str) -> None:
        """Delete the text of that name, if it is this one."""

    @abstractmethod
    async def check(self) -> None:
        """Check that the store can be reached."""

    @abstractmethod
    async def close(self) -> None:
        """Close the connections."""


class MemoryStore(Store):
    """Counts in this process. The methods that count never await, so each is one step.

    Claims lie on the disk, which several processes may share, so that neither another process nor a restart pays again
    for what was paid under a claim.
    """

    def __init__(self) -> None:
        self._counts: dict[str, tuple[int, float]] = {}
        self._places: dict[str, dict[str, float]] = {}
        self._purged = 0.0

    async def take(
        self, counts: Sequence[Count], places: Sequence[Places], holders: Sequence[str], *, now: float, lease: int
    ) -> Refusal | None:
        """Count and hold, or change nothing."""
        self._purge(now)
        for index, count in enumerate(counts):
            if (used := self._used(count.key, now)) + count.amount > count.limit:
                return Refusal(index, used)
        for index, place in enumerate(places, len(counts)):
            others = self._holders(place.key, now) - set(holders)
            if len(others) + len(holders) > place.limit:
                return Refusal(index, len(others))
        for count in counts:
            self._counts[count.key] = self._used(count.key, now) + count.amount, now + count.seconds
        for holder in holders:
            await self.hold([place.key for place in places], holder, now=now, lease=lease)
        return None

    async def hold(self, places: Sequence[str], holder: str, *, now: float, lease: int) -> None:
        """Hold places until the end of a lease."""
        for key in places:
            self._places.setdefault(key, {})[holder] = now + lease

    async def release(self, places: Sequence[str], holder: str) -> None:
        """Release places."""
        for key in places:
            self._places.get(key, {}).pop(holder, None)

    async def add(self, key: str, amount: int) -> None:
        """Add to a count."""
        if key in self._counts:
            used, until = self._counts[key]
            self._counts[key] = used + amount, until

    async def read(self, counts: Sequence[str], places: Sequence[str], *, now: float) -> list[int]:
        """Return all numbers."""
        return [self._used(key, now) for key in counts] + [len(self._holders(key, now)) for key in places]

    async def claim(self, name: str, text: str, *, now: float, seconds: int) -> str | None:
        """Set a text, or return the one that is there."""
        with _disk_errors():
            return await asyncio.to_thread(self._claim, uploads.claims_folder() / name, text, now, now + seconds)

    async def unclaim(self, name: str, text: str) -> None:
        """Delete a text."""
        with _disk_errors():
            await asyncio.to_thread(self._unclaim, uploads.claims_folder() / name, text)

    def _claim(self, file: Path, text: str, now: float, until: float) -> str | None:
        with _claims_lock(file.parent):
            held = _read_claim(file)
            if held and held[0] > now:
                return held[1]
            with part_beside(file) as part:
                with part.open("w", encoding="utf-8") as opened:
                    opened.write(f"{until} {text}")
                    opened.flush()
                    os.fsync(opened.fileno())
                part.replace(file)
        return None

    def _unclaim(self, file: Path, text: str) -> None:
        with _claims_lock(file.parent):
            held = _read_claim(file)
            if held and held[1] == text:
                file.unlink(missing_ok=True)

    async def check(self) -> None:
        """Do nothing: counts are in this process."""

    async def close(self) -> None:
        """Do nothing: there are no connections."""

    def _used(self, key: str, now: float) -> int:
        used, until = self._counts.get(key, (0, now))
        return used if until > now else 0

    def _holders(self, key: str, now: float) -> set[str]:
        return {holder for holder, until in self._places.get(key, {}).items() if until > now}

    def _purge(self, now: float) -> None:
        """Drop what has expired, at most once a minute: each visitor leaves a few entries behind a day."""
        if now - self._purged < PURGE_SECONDS:
            return
        self._purged = now
        self._counts = {key: count for key, count in self._counts.items() if count[1] > now}
        live = {
            key: {holder: until for holder, until in held.items() if until > now} for key, held in self._places.items()
        }
        self._places = {key: held for key, held in live.items() if held}


class RedisStore(Store):
    """Counts and claims of all replicas, in Redis.

    Args:
        uri: The server's address, such as ``redis://redis:6379``.
    """

    def __init__(self, uri: str) -> None:
        from redis.asyncio import Redis  # noqa: PLC0415  # an optional extra
        from redis.asyncio.retry import Retry  # noqa: PLC0415
        from redis.backoff import NoBackoff  # noqa: PLC0415

        self._redis: Any = Redis.from_url(
            uri,
            socket_timeout=STORE_SECONDS,
            socket_connect_timeout=STORE_SECONDS,
            retry=Retry(NoBackoff(), 0),  # a count that is sent twice counts twice
        )
        self._take = self._redis.register_script(_TAKE)
        self._add = self._redis.register_script(_ADD)
        self._claim = self._redis.register_script(_CLAIM)
        self._unclaim = self._redis.register_script(_UNCLAIM)

    async def take(
        self, counts: Sequence[Count], places: Sequence[Places], holders: Sequence[str], *, now: float, lease: int
    ) -> Refusal | None:
        """Count and hold, or change nothing."""
        asked = {
            "counts": [{"amount": one.amount, "limit": one.limit, "seconds": one.seconds} for one in counts],
            "limits": [place.limit for place in places],
            "holders": list(holders),
            "now": now,
            "lease": lease,
        }
        keys = [*(_key(count.key) for count in counts), *(_key(place.key) for place in places)]
        if not keys:
            return None
        with _redis_errors():
            number, used = await self._take(keys=keys, args=[json.dumps(asked)])
        return Refusal(number - 1, used) if number else None

    async def hold(self, places: Sequence[str], holder: str, *, now: float, lease: int) -> None:
        """Hold places until the end of a lease."""
        with _redis_errors():
            async with self._redis.pipeline(transaction=False) as pipeline:
                for key in places:
                    pipeline.zadd(_key(key), {holder: now + lease})
                    pipeline.expire(_key(key), lease)
                await pipeline.execute()

    async def release(self, places: Sequence[str], holder: str) -> None:
        """Release places: outside a transaction, which a Redis that is full would refuse."""
        with _redis_errors():
            async with self._redis.pipeline(transaction=False) as pipeline:
                for key in places:
                    pipeline.zrem(_key(key), holder)
                await pipeline.execute()

    async def add(self, key: str, amount: int) -> None:
        """Add to a count."""
        with _redis_errors():
            await self._add(keys=[_key(key)], args=[amount])

    async def read(self, counts: Sequence[str], places: Sequence[str], *, now: float) -> list[int]:
        """Return all numbers."""
        with _redis_errors():
            async with self._redis.pipeline(transaction=False) as pipeline:
                for key in counts:
                    pipeline.get(_key(key))
                for key in places:
                    pipeline.zcount(_key(key), f"({now}", "+inf")
                return [int(number or 0) for number in await pipeline.execute()]

    async def claim(self, name: str, text: str, *, now: float, seconds: int) -> str | None:  # noqa: ARG002  # its own clock
        """Set a text, or return the one that is there."""
        with _redis_errors():
            held = await self._claim(keys=[_key(f"claim/{name}")], args=[text, seconds])
        return held.decode() if held else None

    async def unclaim(self, name: str, text: str) -> None:
        """Delete a text."""
        with _redis_errors():
            await self._unclaim(keys=[_key(f"claim/{name}")], args=[text])

    async def check(self) -> None:
        """Ask Redis for an answer."""
        with _redis_errors():
            await self._redis.ping()

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()


def open_store(uri: str | None) -> Store:
    """Return the store at a Redis address, or one in this process where there is none."""
    return RedisStore(uri) if uri else MemoryStore()


def _key(key: str) -> str:
    return KEY_PREFIX + key


@contextmanager
def _redis_errors() -> Iterator[None]:
    """Raise `StoreUnavailable` for any error of Redis or of the connection."""
    from redis.exceptions import RedisError  # noqa: PLC0415

    try:
        yield
    except (RedisError, OSError) as problem:
        raise StoreUnavailable(type(problem).__name__) from problem


def _read_claim(file: Path) -> tuple[float, str] | None:
    """Read when a claim expires, and its text; None where there is none."""
    try:
        until, _, text = file.read_text("utf-8").partition(" ")
    except FileNotFoundError:
        return None
    return float(until), text


def _claims_lock(folder: Path) -> FileLock:
    """Return the lock on the claims of a folder, which is made if missing, for all processes that share it."""
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / uploads.CLAIMS_LOCK, timeout=STORE_SECONDS)


@contextmanager
def _disk_errors() -> Iterator[None]:
    """Raise `StoreUnavailable` where a claim can't be read or written: another caller may hold it."""
    try:
        yield
    except (OSError, ValueError) as problem:
        raise StoreUnavailable(type(problem).__name__) from problem
