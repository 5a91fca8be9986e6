"""Hundreds of visitors with the page open, and many runs waiting: how the page answers, and what it takes.

python -m benchmarks.load [--visitors 500] [--waiting 200] [--too-many 20]
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from statistics import median, quantiles
from typing import TYPE_CHECKING

from . import processes
from .visitors import Visitor, crowd

if TYPE_CHECKING:
    from .processes import Server
    from .visitors import Crowd

CALLS = 60


async def measure(server: Server, number: int, waiting: int, too_many: int) -> None:
    """Open the page for all visitors, start runs for some, and ask for the page meanwhile."""
    print(f"{'memory before':28}{server.memory:10.1f} MB")
    used = server.cpu
    async with crowd(server.url, number) as (everybody, visitors):
        print(f"{'memory with visitors':28}{server.memory:10.1f} MB")
        print(f"{'CPU per visit':28}{1000 * (server.cpu - used) / number:10.1f} ms")
        report(everybody, "as they came")
        picture = await visitors[0].upload()
        for visitor in visitors[: waiting + too_many]:
            visitor.run(picture)
        await asyncio.gather(*(visitor.updated.wait() for visitor in visitors[: waiting + too_many]))
        await asyncio.sleep(10)
        report(everybody, "as the runs started")
        used = server.cpu
        await asyncio.sleep(20)
        print(f"{'CPU while they wait':28}{100 * (server.cpu - used) / 20:10.1f} % of a core")
        fresh = Visitor(everybody)
        await fresh.open()
        for _ in range(CALLS):
            await everybody.call("page", "GET", "/")
            await fresh.upload()
            await fresh.type()
        report(everybody, "while they wait")
        refused = sum("run-failed" in str(visitor.heard.get("status")) for visitor in visitors)
        print(f"{'refused with a sentence':28}{refused:10}")
        print(f"{'answers of 5xx':28}{everybody.errors:10}")
        print(f"{'memory while they wait':28}{server.memory:10.1f} MB")
        await fresh.close()
    await asyncio.sleep(5)
    print(f"{'memory once all have left':28}{server.memory:10.1f} MB")


def report(everybody: Crowd, when: str) -> None:
    """Print how long the calls took since the last report."""
    for kind in ("page", "upload", "event", "first update"):
        if len(taken := everybody.seconds.pop(kind, [])) > 1:
            name = f"{kind}, {when}"
            print(f"{name:28}{1000 * median(taken):10.0f} ms p50{1000 * quantiles(taken, n=20)[-1]:8.0f} ms p95")


def main() -> None:
    """Run the measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=int, default=500)
    parser.add_argument("--waiting", type=int, default=200)
    parser.add_argument("--too-many", type=int, default=20)
    arguments = parser.parse_args()
    limits = {"WAN_LIMIT_AT_ONCE": str(arguments.waiting)}
    with (
        tempfile.TemporaryDirectory() as folder,
        processes.sandbox("--run-time", "3600", "--workers", "500") as api,
        processes.page(folder, api.url, limits) as server,
    ):
        asyncio.run(measure(server, arguments.visitors, arguments.waiting, arguments.too_many))


if __name__ == "__main__":
    main()
