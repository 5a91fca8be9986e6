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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wan_sandbox.server.validation import SubmitInputs

TIME_LIMIT: Final = 120.0
MODULE: Final = "wan_sandbox.queue.drawing"


class DrawingError(Exception):
    """A picture could not be drawn."""


@dataclass(frozen=True, slots=True)
class Order:
    """The picture to draw: its references, its request and the file to write."""

    references: tuple[str, ...]
    prompt: str
    negative_prompt: str
    width: int
    height: int
    seed: int
    prompt_extend: bool
    target: str
    drift: bool = False

    @classmethod
    def of(cls, inputs: SubmitInputs, references: Sequence[Path], target: Path, *, drift: bool = False) -> Order:
        """Return the order for a job."""
        width, height = inputs.size
        return cls(
            references=tuple(str(path) for path in references),
            prompt=inputs.prompt,
            negative_prompt=inputs.negative_prompt,
            width=width,
            height=height,
            seed=inputs.seed,
            prompt_extend=inputs.prompt_extend,
            target=str(target),
            drift=drift,
        )


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

    async def draw(self, order: Order) -> dict[str, Any]:
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


def _ask(process: subprocess.Popen[str], order: Order) -> str:
    if process.stdin is None or process.stdout is None:
        raise OSError("no pipes")
    process.stdin.write(json.dumps(asdict(order)) + "\n")
    process.stdin.flush()
    return process.stdout.readline()


def carry_out(order: Order) -> dict[str, Any]:
    """Draw one picture in this process; return its plan."""
    from PIL import Image, ImageOps  # noqa: PLC0415

    from wan_sandbox.preview import render  # noqa: PLC0415

    references = []
    for path in order.references:
        with Image.open(path) as image:
            try:
                upright = ImageOps.exif_transpose(image)
            except Exception:  # noqa: BLE001  # a broken EXIF block makes its parser raise anything at all
                upright = image
            references.append(upright.convert("RGB"))
    preview = render(
        references,
        prompt=order.prompt,
        negative_prompt=order.negative_prompt,
        size=(order.width, order.height),
        seed=order.seed,
        prompt_extend=order.prompt_extend,
        drift=order.drift,
    )
    Path(order.target).write_bytes(preview.png)
    plan: dict[str, Any] = preview.to_json()
    return plan


def serve(orders: TextIO, answers: TextIO) -> None:
    """Carry out orders until there are no more."""
    for line in orders:
        try:
            sent = json.loads(line)
            answer: dict[str, Any] = {"plan": carry_out(Order(**sent))}
        except Exception as error:  # noqa: BLE001 - one order that fails must not end the process
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    # What a library prints must not be taken for an answer.
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    serve(os.fdopen(sys.stdin.fileno(), encoding="utf-8", closefd=False), channel)
