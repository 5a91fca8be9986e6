"""When to poll again, and how long a run will take, from the durations of earlier runs.

A poll costs a request, a late poll costs waiting. With a chance `hazard` per second that a run ends just now, polls
that are sqrt(2 × price / hazard) apart cost least in all (Barlow, Hunter and Proschan, 1963): few while the end is
unlikely, many around the usual end, fewer again when a run is late.
"""

from __future__ import annotations

import math
import random
from collections import deque
from contextlib import contextmanager
from statistics import NormalDist, fmean, pstdev, quantiles
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

REMEMBERED = 50
DURATIONS_MIN = 3
QUEUE_SECONDS = (0.5, 3.0)
LEARNING_SECONDS = (0.25, 3.0)
RUN_SECONDS = (0.05, 10.0)
RETRY_SECONDS = (0.5, 8.0)
# Without past durations, this is the highest rate of all runs that are polled together.
POLLS_PER_SECOND = 12.0

# How many seconds of lateness one request saved is worth.
REQUEST_PRICE = 0.02
SHARE_OF_ELAPSED = 0.05
# Runs may end at any time, whatever past durations say.
HAZARD_FLOOR = 0.03
# The least spread assumed: polls measure durations inexactly, and a few samples hide how runs vary.
SPREAD_MIN = 0.03
# In standard deviations: one run in a hundred is later.
LATE_DEVIATIONS = 2.33


class PollSchedule:
    """Learns how long runs take here, and says when the next poll is worth its request.

    Args:
        seed: Of the jitter, so that a test can repeat a schedule.
        speed: How many times faster than usual everything goes, for a server with short runs.
        price: How many seconds of lateness one request saved is worth.
        recall: Where past durations of a size are kept; asked once for each size.
        keep: Where a new duration of a size goes.
    """

    def __init__(
        self,
        seed: int | None = None,
        *,
        speed: float = 1.0,
        price: float = REQUEST_PRICE,
        recall: Callable[[str], Sequence[float]] = lambda size: (),
        keep: Callable[[str, float], None] = lambda size, seconds: None,
    ) -> None:
        self._polled = 0
        self._durations: dict[str, deque[float]] = {}
        self._fits: dict[str, NormalDist | None] = {}
        self._random = random.Random(seed)  # noqa: S311  # jitter, no secret
        self._speed = speed
        self._price = price
        self._recall = recall
        self._keep = keep

    @contextmanager
    def polling(self) -> Iterator[None]:
        """Count a run among those that are polled."""
        self._polled += 1
        try:
            yield
        finally:
            self._polled -= 1

    def learn(self, seconds: float, size: str = "") -> None:
        """Remember how long a run of a size ran."""
        self._past(size).append(seconds)
        self._fits.pop(size, None)
        self._keep(size, seconds)

    def usual(self, size: str = "") -> tuple[float, float] | None:
        """Return the quartiles of the past durations of a size, in seconds; None before there are any."""
        past = self._past(size)
        if len(past) < 2:
            return (past[0], past[0]) if past else None
        low, _, high = quantiles(past, n=4, method="inclusive")
        return low, high

    def queued_delay(self, elapsed: float) -> float:
        """Return the seconds until the next poll of a queued run."""
        return self._jittered(self._shared(_clamp(elapsed * 0.1, *QUEUE_SECONDS)))

    def running_delay(self, elapsed: float, size: str = "") -> float:
        """Return the seconds until the next poll of a run that has been running for `elapsed` seconds."""
        usual = self._fitted(size)
        if usual is None:
            return self._jittered(self._shared(_clamp(elapsed * SHARE_OF_ELAPSED, *LEARNING_SECONDS)))
        wait, most = RUN_SECONDS
        # The hazard rises towards the usual end, so it is taken at the time of the next poll.
        while wait < most and wait**2 * hazard(usual, elapsed + wait) < 2 * self._price:
            wait *= 1.15
        return self._jittered(wait)

    def retry_delay(self, failures: int, retry_after: float | None) -> float:
        """Return the seconds until the next try after so many failures in a row, at least what the server asked for."""
        wait = self._jittered(_clamp(RETRY_SECONDS[0] * 2.0 ** min(failures - 1, 10), *RETRY_SECONDS))
        return max(wait, retry_after or 0.0)

    def _shared(self, seconds: float) -> float:
        return max(seconds, self._polled / POLLS_PER_SECOND)

    def _fitted(self, size: str) -> NormalDist | None:
        """Fit a normal distribution to the logarithms of past durations; None if there are too few."""
        if size not in self._fits:
            logs = [math.log(max(seconds, 0.01)) for seconds in self._past(size)]
            # The fewer the runs, the less is known about their spread.
            spread = math.hypot(pstdev(logs) * (1 + 1 / len(logs)), SPREAD_MIN) if len(logs) >= DURATIONS_MIN else 0.0
            self._fits[size] = NormalDist(fmean(logs), spread) if spread else None
        return self._fits[size]

    def _past(self, size: str) -> deque[float]:
        if size not in self._durations:
            self._durations[size] = deque(self._recall(size), maxlen=REMEMBERED)
        return self._durations[size]

    def _jittered(self, seconds: float) -> float:
        return seconds * self._random.uniform(0.9, 1.1) / self._speed


def hazard(usual: NormalDist, elapsed: float) -> float:
    """Return the chance per second that a run ends now, if it has not yet; `usual` is of the durations' logarithms."""
    late = math.exp(usual.mean + LATE_DEVIATIONS * usual.stdev)
    place = min(max(elapsed, 0.01), late)
    z = (math.log(place) - usual.mean) / usual.stdev
    chance = usual.pdf(math.log(place)) / (place * 0.5 * math.erfc(z / math.sqrt(2)))
    # A run later than nearly all past ones is beyond the fit: it may well be late for as long again.
    return 1 / (1 / max(chance, 1e-9) + max(0.0, elapsed - late)) + HAZARD_FLOOR / max(elapsed, 1.0)


def _clamp(value: float, low: float, high: float) -> float:
    return max(low, min(high, value))
