"""How few looks could do: by simulation, without a server, so that a busy machine changes nothing.

    python -m benchmarks.optimum [--jobs 300] [--past 50]

For jobs of one length (give or take 3 %) and for the spread of 20 s to 4 min of ``benchmarks.pace``, at full length:
the looks of a job at a fixed interval, those of this client at a price that gives it the same mean lag, and the
*optimum* at that lag: the best of all schedules for somebody who knows the distribution exactly, found by dynamic
programming on a grid of a tenth of the interval. Each column has its mean lag in seconds and its looks.

With 300 jobs: at intervals of 1, 2 and 5 s this client takes 0.16, 0.25 and 0.53 of a fixed interval's looks where all
jobs have one length, and 0.84, 0.81 and 0.83 on the spread. The optimum takes 0.06 to 0.07, and 0.66 to 0.70: on the
spread, half the looks at the same lag are out of reach for any schedule, and this client is a fifth to a quarter above
the optimum. On one length it is far above it: it looks every 10 s at the latest, in case a job ends unusually early.
"""

from __future__ import annotations

import argparse
import random
from functools import partial
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from wan_client.state.polling import PollSchedule

from . import clients

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Seconds; the second is the vendor's own command line's.
INTERVALS = (1.0, 2.0, 5.0)
CELLS_PER_INTERVAL = 10
SAMPLES = 12_000


def one_length(number: int, seed: int) -> list[float]:
    """Return the lengths of nearly equal jobs."""
    chance = random.Random(seed)
    return [chance.gauss(87.3, 87.3 * 0.03) for _ in range(number)]


def looked(gap: Callable[[float], float], end: float) -> tuple[float, int]:
    """Return the lag and the looks of one job, for a rule that says when to look next."""
    now, looks = 0.0, 0
    while now < end:
        now, looks = now + gap(now), looks + 1
    return now - end, looks


def fixed(interval: float, ends: Sequence[float]) -> tuple[float, float]:
    """Return the mean lag and looks of a fixed interval, whatever its beginning."""
    return interval / 2, fmean(ends) / interval + 0.5


def ours(price: float, past: Sequence[float], ends: Sequence[float]) -> tuple[float, float]:
    """Return the mean lag and looks of this client."""
    schedule = PollSchedule(1, price=price, recall=lambda size: past)
    lags, looks = zip(*(looked(schedule.running_delay, end) for end in ends), strict=True)
    return fmean(lags), fmean(looks)


def optimum(price: float, ends: Sequence[float], interval: float) -> tuple[float, float]:
    """Return the mean lag and looks of the best schedule at a price, among those on a grid."""
    cell = interval / CELLS_PER_INTERVAL
    count = int(max(ends) / cell) + 2
    weights = np.bincount(np.ceil(np.array(ends) / cell).astype(int), minlength=count + 1) / len(ends)
    times = np.arange(count + 1) * cell
    ended, moment = np.cumsum(weights), np.cumsum(weights * (times - cell / 2))
    first, window = int(min(ends) / cell), 40 * CELLS_PER_INTERVAL
    least, following = np.zeros(count + 1), np.zeros(count + 1, dtype=int)
    for here in (*range(count - 1, first - 1, -1), 0):
        # Before the first end there is nothing to look for.
        there = np.arange(max(here, first) + 1, count + 1 if here == 0 else min(here + window, count) + 1)
        late = times[there] * (ended[there] - ended[here]) - (moment[there] - moment[here])
        total = price * (1 - ended[here]) + late + least[there]
        best = int(np.argmin(total))
        least[here], following[here] = total[best], there[best]
    here, looks = 0, 0.0
    while here < count:
        looks, here = looks + float(1 - ended[here]), int(following[here])
    return float(least[0]) - price * looks, looks


def at_lag(lag: float, rule: Callable[[float], tuple[float, float]]) -> tuple[float, float]:
    """Return the mean lag and looks of a rule at the highest price that keeps it within a lag."""
    low, high = lag**2 / 300, lag**2 * 3
    found = rule(low)
    for _ in range(12):
        price = (low * high) ** 0.5
        late, looks = rule(price)
        if late <= lag:
            low, found = price, (late, looks)
        else:
            high = price
    return found


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=300)
    parser.add_argument("--past", type=int, default=50)
    arguments = parser.parse_args()
    kinds: dict[str, Callable[[int, int], list[float]]] = {
        "one length": one_length,
        "spread": lambda number, seed: clients.spread(number, seed, 1.0),
    }
    head = f"{'fixed':>16}{'ours':>16}{'optimum':>16}{'ours/fixed':>12}{'optimum/fixed':>15}"
    for title, draw in kinds.items():
        past, known = draw(arguments.past, 1), sorted(draw(SAMPLES, 2))
        # Evenly taken from all, so that few jobs stand for the many.
        step = SAMPLES // arguments.jobs
        ends = known[step // 2 :: step]
        print(f"\n{title:16}{head}", flush=True)
        for interval in INTERVALS:
            lag, looks = fixed(interval, ends)
            mine = at_lag(lag, partial(ours, past=past, ends=ends))
            best = at_lag(lag, partial(optimum, ends=known, interval=interval))
            pairs = "".join(f"{late:8.2f}{number:8.1f}" for late, number in ((lag, looks), mine, best))
            numbers = f"{pairs}{mine[1] / looks:12.2f}{best[1] / looks:15.2f}"
            print(f"{f'every {interval:g} s':16}{numbers}", flush=True)


if __name__ == "__main__":
    main()
