"""Many runs at once in one process: lag, CPU, memory and connections.

python -m benchmarks.many [--seconds 10.3] [--at-once 1 50 200]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import subprocess
import sys
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from . import clients, server
from .pace import measure

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

# What each needs to be installed.
NAMES = {"wan_client": "", "fal-client": "fal_client", "replicate": "replicate", "every 1 s": ""}


def client_of(name: str, url: str, seconds: float) -> AbstractAsyncContextManager[clients.Edit]:
    """Return the client of a name."""
    if name == "wan_client":
        return clients.ours(url, [seconds * (1 + (n % 5 - 2) * 0.005) for n in range(30)], 0.02)
    if name == "fal-client":
        return clients.fal(url)
    return clients.replicate(url) if name == "replicate" else clients.naive(url, 1.0)


def sockets() -> int:
    """Count the sockets that this process has open (on Linux)."""
    found = 0
    for link in Path("/proc/self/fd").iterdir() if sys.platform == "linux" else ():
        with suppress(OSError):  # the folder's own has closed by now
            found += "socket:" in str(link.readlink())
    return found


async def watch(most: list[int]) -> None:
    """Keep the highest number of sockets."""
    while True:
        most[0] = max(most[0], sockets())
        await asyncio.sleep(0.25)


async def run(name: str, url: str, seconds: float, number: int) -> None:
    """Run the jobs of one client and print a line."""
    most = [0]
    watching = asyncio.create_task(watch(most))
    before = time.process_time()
    lag, requests = await measure(url, client_of(name, url, seconds), [seconds] * number)
    cpu = time.process_time() - before
    watching.cancel()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{name:14}{number:6}{lag:9.3f}{requests:10.1f}{cpu:9.2f}{memory:9}{most[0]:8}", flush=True)


def main() -> None:
    """Run the comparison, or one client of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.3)
    parser.add_argument("--at-once", type=int, nargs="+", default=[1, 50, 200])
    parser.add_argument("--only", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        name, url = arguments.only.split("|")
        asyncio.run(run(name, url, arguments.seconds, arguments.at_once[0]))
        return
    names = [name for name, package in NAMES.items() if not package or find_spec(package)]
    print(f"not installed: {', '.join(NAMES.keys() - names) or 'none'}")
    print(f"{'':14}{'runs':>6}{'lag s':>9}{'requests':>10}{'CPU s':>9}{'MB':>9}{'sockets':>8}", flush=True)
    with server.running() as url:
        for number in arguments.at_once:
            for name in names:
                # A process of its own, so that memory and CPU are its own.
                command = [sys.executable, "-m", "benchmarks.many", "--only", f"{name}|{url}"]
                options = ["--seconds", str(arguments.seconds), "--at-once", str(number)]
                subprocess.run([*command, *options], check=True, env=os.environ)


if __name__ == "__main__":
    main()
