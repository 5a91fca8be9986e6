"""When to ask again, and how long it will take: pure functions of what earlier runs took."""

from __future__ import annotations

import random
from collections import deque
from statistics import quantiles

REMEMBERED = 50
QUEUE_SECONDS = (0.5, 3.0)
RUN_SECONDS = (0.25, 2.0)
EARLY_SECONDS = 5.0
SHARE_OF_ELAPSED = 0.04
RETRY_SECONDS = (0.5, 8.0)


class Pace:
    """Learns how long runs take here, and says when the next look is worth its request.

    Args:
        seed: Of the jitter, so that a test can repeat a schedule.
    """

    def __init__(self, seed: int | None = None) -> None:
        self._durations: deque[float] = deque(maxlen=REMEMBERED)
        self._random = random.Random(seed)  # noqa: S311  # jitter, no secret

    def learn(self, seconds: float) -> None:
        """Remember how long a run ran."""
        self._durations.append(seconds)

    def usual(self) -> tuple[float, float] | None:
        """The quartiles of the past durations in seconds; None before there are any."""
        if len(self._durations) < 2:
            return (self._durations[0], self._durations[0]) if self._durations else None
        low, _, high = quantiles(self._durations, n=4, method="inclusive")
        return low, high

    def while_queued(self, elapsed: float) -> float:
        """Seconds until the next look at a queued run."""
        return self._jittered(_clamp(elapsed * 0.1, *QUEUE_SECONDS))

    def while_running(self, elapsed: float) -> float:
        """Seconds until the next look at a run that has been running for `elapsed` seconds."""
        first = min(self._durations, default=0.0)
        if elapsed < first:
            # Failures come early too, so the first looks are spaced out rather than left out.
            return self._jittered(_clamp(first - elapsed, RUN_SECONDS[0], EARLY_SECONDS))
        return self._jittered(_clamp(elapsed * SHARE_OF_ELAPSED, *RUN_SECONDS))

    def after_trouble(self, failures: int, retry_after: float | None) -> float:
        """Seconds until the next try after so many failures in a row; never under what the server asked for."""
        wait = self._jittered(_clamp(RETRY_SECONDS[0] * 2.0 ** min(failures - 1, 10), *RETRY_SECONDS))
        return max(wait, retry_after or 0.0)

    def _jittered(self, seconds: float) -> float:
        return seconds * self._random.uniform(0.9, 1.1)


def _clamp(value: float, low: float, high: float) -> float:
    return max(low, min(high, value))
