"""Drawing in processes of their own, so that no call waits for a picture.

Each process runs this module and takes one order a line on its standard input. It is neither forked nor a
``multiprocessing`` child: the program that a sandbox is embedded in is never imported or run a second time, and the
process ends by itself when the sandbox does, because its input ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wan_sandbox.server.validation import SubmitInputs

TIME_LIMIT: Final = 120.0
MODULE: Final = "wan_sandbox.queue.drawing"


class DrawingError(Exception):
    """A picture could not be drawn."""


def order_of(inputs: SubmitInputs, references: Sequence[Path], target: Path, *, drift: bool = False) -> dict[str, Any]:
    """Return the order for a job: the arguments of `carry_out`."""
    order = asdict(inputs) | {"references": [str(path) for path in references], "size": inputs.size}
    del order["image_urls"], order["image_size"]
    return order | {"target": str(target), "drift": drift}


class DrawingPool:
    """A pool of drawing processes, which are started when they are first needed."""

    def __init__(self, most: int) -> None:
        self._free = asyncio.Semaphore(most)
        self._idle: list[subprocess.Popen[str]] = []
        self._all: set[subprocess.Popen[str]] = set()

    def prepare(self) -> None:
        """Start a process ahead of the first picture, so that it comes up while a job waits."""
        if not self._all:
            self._idle.append(self._start())

    async def draw(self, order: dict[str, Any]) -> dict[str, Any]:
        """Write the picture to the order's target and return its plan.

        Raises:
            DrawingError: It could not be drawn.
        """
        async with self._free:
            process = self._idle.pop() if self._idle else self._start()
            try:
                line = await asyncio.wait_for(asyncio.to_thread(_ask, process, order), TIME_LIMIT)
                answer = json.loads(line)
            except BaseException as error:
                self._end(process)
                if isinstance(error, (OSError, ValueError, asyncio.TimeoutError)):
                    raise DrawingError("the drawing process ended") from error
                raise
            self._idle.append(process)
        if "error" in answer:
            raise DrawingError(answer["error"])
        plan: dict[str, Any] = answer["plan"]
        return plan

    def close(self) -> None:
        """End the processes."""
        for process in list(self._all):
            self._end(process)

    def _start(self) -> subprocess.Popen[str]:
        # The child finds this very package, wherever the caller found it.
        home = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            # Ctrl-C in a terminal goes to the whole group; the sandbox decides when drawing ends.
            start_new_session=True,
        )
        self._all.add(process)
        return process

    def _end(self, process: subprocess.Popen[str]) -> None:
        self._all.discard(process)
        process.kill()
        process.wait()
        # A thread may still be reading: it holds the pipe's lock, and closes nothing until it has its end of file.
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue


def _ask(process: subprocess.Popen[str], order: dict[str, Any]) -> str:
    if process.stdin is None or process.stdout is None:
        raise OSError("no pipes")
    process.stdin.write(json.dumps(order) + "\n")
    process.stdin.flush()
    return process.stdout.readline()


def carry_out(references: Sequence[str], size: Sequence[int], target: str, **inputs: Any) -> dict[str, Any]:
    """Draw one picture in this process and write it to the target; return its plan."""
    from PIL import Image, ImageOps  # noqa: PLC0415

    from wan_sandbox.preview import render  # noqa: PLC0415

    images = []
    for path in references:
        with Image.open(path) as image:
            try:
                upright = ImageOps.exif_transpose(image)
            except Exception:  # noqa: BLE001  # a broken EXIF block makes its parser raise anything at all
                upright = image
            images.append(upright.convert("RGB"))
    preview = render(images, size=(size[0], size[1]), **inputs)
    Path(target).write_bytes(preview.png)
    plan: dict[str, Any] = preview.to_json()
    return plan


def serve(orders: TextIO, answers: TextIO) -> None:
    """Carry out orders until there are no more."""
    for line in orders:
        try:
            answer: dict[str, Any] = {"plan": carry_out(**json.loads(line))}
        except Exception as error:  # noqa: BLE001 - one order that fails must not end the process
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    # What a library prints must not be taken for an answer.
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    serve(os.fdopen(sys.stdin.fileno(), encoding="utf-8", closefd=False), channel)
