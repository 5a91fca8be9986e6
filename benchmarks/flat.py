"""Memory and disk over thousands of runs in one process, without a browser.

python -m benchmarks.flat [--runs 3000] [--at-once 20]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from . import processes
from .visitors import picture

if TYPE_CHECKING:
    from studio.runs.jobs import Jobs

STEP = 250


async def measure(jobs: Jobs, folder: Path, runs: int, at_once: int) -> None:
    """Do the runs, and print a line after every few hundred."""
    from gradio.utils import get_upload_folder  # noqa: PLC0415  # reads the environment once it is set

    from studio import uploads  # noqa: PLC0415
    from studio.prompt.form import Form  # noqa: PLC0415
    from studio.public.visitors import Visitor  # noqa: PLC0415

    upload = Path(get_upload_folder()) / "upload" / "picture.jpg"
    upload.parent.mkdir(parents=True)
    upload.write_bytes(picture())
    gate, failed = asyncio.Semaphore(at_once), 0

    async def run(number: int) -> None:
        nonlocal failed
        async with gate:
            form = Form(prompt=f"Turn image 1 into sketch {number}.", image_1=str(upload), seed=number)
            (job,) = await jobs.start([form], Visitor(f"page {number}", "somebody"))
            await job.work
            failed += job.outcome is None

    print(
        f"{'runs':>6}{'memory MB':>11}{'tasks':>7}{'objects':>10}{'disk MB':>9}{'files':>7}{'failed':>8}{'CPU ms':>8}"
    )
    for done in range(0, runs, STEP):
        used = time.process_time()
        await asyncio.gather(*map(run, range(done, done + STEP)))
        used = time.process_time() - used
        gc.collect()
        files, size = await asyncio.to_thread(disk, folder)
        print(
            f"{done + STEP:6}{memory():11.1f}{len(asyncio.all_tasks()):7}{len(gc.get_objects()):10}"
            f"{size:9.1f}{files:7}{failed:8}{1000 * used / STEP:8.1f}",
            flush=True,
        )
    uploads.clean(0)
    print(f"after the cleaning: {(await asyncio.to_thread(disk, folder))[0]} files")
    await jobs.close()


def disk(folder: Path) -> tuple[int, float]:
    """Return the number of files and their size in MB."""
    files = [file.stat() for file in folder.rglob("*") if file.is_file()]
    return len(files), sum(file.st_size / file.st_nlink for file in files) / 1e6


def memory() -> float:
    """Return this process's resident memory, in MB."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def main() -> None:
    """Run the measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3000)
    parser.add_argument("--at-once", type=int, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, processes.sandbox("--run-time", "0", "--workers", "20") as api:
        os.environ |= {"GRADIO_TEMP_DIR": f"{folder}/files", "XDG_STATE_HOME": f"{folder}/state"}

        async def start() -> None:
            from studio.runs.jobs import Jobs  # noqa: PLC0415
            from studio.settings import PageSettings  # noqa: PLC0415

            settings = PageSettings.load({"WAN_BACKEND": "sandbox", "RUNCOMFY_API_BASE": api.url})
            await measure(Jobs(settings), Path(folder) / "files", arguments.runs, arguments.at_once)

        asyncio.run(start())


if __name__ == "__main__":
    main()
