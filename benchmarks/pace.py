"""How late, and with how many requests: this client and others on the same jobs, one line each.

    python -m benchmarks.pace [--jobs 12] [--scale 20]

Two kinds of jobs: all of one length, and drawn from a spread of 20 s to 4 min. Both are divided by the scale; the other
clients keep their own intervals, and this client is run at several prices of a request, so that for each of the others
there is one at no more lag. ``ratio`` is this client's requests against the other's there: the best of several prices,
each measured on a few jobs, so that it varies from run to run and flatters a little, and on a busy machine means
nothing. ``benchmarks.optimum`` compares schedules by simulation, and with the best there can be.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from statistics import fmean
from typing import TYPE_CHECKING

import httpx

from . import clients, server

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

PRICES = (0.0005, 0.002, 0.005, 0.01, 0.02, 0.04, 0.08)
WARM_UP = 30


async def measure(
    url: str, client: AbstractAsyncContextManager[clients.Edit], jobs: list[float]
) -> tuple[float, float]:
    """Return the mean lag in seconds and the mean number of requests of jobs that start a little apart."""
    returned: dict[str, float] = {}

    async with client as edit:

        async def one(number: int, seconds: float) -> None:
            await asyncio.sleep(number * 0.037)
            job = await edit(seconds)
            returned[job] = time.time()

        await asyncio.gather(*(one(number, seconds) for number, seconds in enumerate(jobs)))
    async with httpx.AsyncClient(base_url=url) as asking:
        ends = {job: (await asking.get(f"/ended/{job}")).json() for job in returned}
    lags = [moment - ends[job]["ended"] for job, moment in returned.items()]
    return fmean(lags), fmean(end["requests"] for end in ends.values())


async def compare(url: str, title: str, earlier: list[float], jobs: list[float]) -> None:
    """Run every client on the same jobs and print its lag and its requests."""
    past: list[float] = []
    await measure(url, clients.ours(url, (), PRICES[0], past.append), earlier)
    print(
        f"\n{title}: {len(jobs)} jobs, {fmean(jobs):.1f} s on average\n{'':28}{'lag s':>8}{'requests':>10}{'ratio':>8}"
    )
    own = {}
    for price in PRICES:
        own[price] = await measure(url, clients.ours(url, past, price), jobs)
        print(f"{f'wan_client, price {price:g}':28}{own[price][0]:8.3f}{own[price][1]:10.1f}")
    others = {
        "fal-client (0.1 s)": clients.fal(url),
        "replicate (0.5 s)": clients.replicate(url),
        "every 0.25 s": clients.naive(url, 0.25),
        "every 1 s": clients.naive(url, 1.0),
    }
    for name, client in others.items():
        lag, requests = await measure(url, client, jobs)
        fitting = [mine for late, mine in own.values() if late <= lag]
        ratio = f"{min(fitting) / requests:8.2f}" if fitting else "       –"
        print(f"{name:28}{lag:8.3f}{requests:10.1f}{ratio}")


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=12)
    parser.add_argument("--scale", type=float, default=20.0)
    arguments = parser.parse_args()
    number, scale = arguments.jobs, arguments.scale
    with server.running() as url:
        # A length that is no multiple of anybody's interval.
        length = 87.3 / scale
        asyncio.run(compare(url, "one length", [length] * WARM_UP, [length] * number))
        lengths = clients.spread(number, 2, scale)
        asyncio.run(compare(url, "spread", clients.spread(WARM_UP, 1, scale), lengths))


if __name__ == "__main__":
    main()
