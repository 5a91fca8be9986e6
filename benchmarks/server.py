"""Jobs of given lengths behind the protocols of three clients, in a process of its own.

Every protocol reaches the same jobs: the prompt is the job's length in seconds, a twentieth of it is spent queued.
``/ended/{job}`` answers when a job ended (wall clock) and how many requests were made for it.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING

import uvicorn
from PIL import Image
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

QUEUED_SHARE = 0.05
START_SECONDS = 30.0


class Jobs:
    """When each job starts and ends, and what was asked about it."""

    def __init__(self) -> None:
        self._times: dict[str, tuple[float, float]] = {}
        self._requests: dict[str, int] = {}
        buffer = BytesIO()
        Image.new("RGB", (400, 400), "teal").save(buffer, "PNG")
        self._picture = buffer.getvalue()

    async def _new(self, request: Request) -> str:
        body = await request.json()
        seconds = float(body.get("input", body)["prompt"])
        job, now = f"job{len(self._times)}", time.time()
        self._times[job] = now + seconds * QUEUED_SHARE, now + seconds
        self._requests[job] = 1
        return job

    def _state(self, request: Request) -> tuple[str, int, str]:
        """Return the job, its state as 0 (queued), 1 (running) or 2 (ended), and its picture's address."""
        job = request.path_params["job"]
        self._requests[job] += 1
        return (
            job,
            sum(time.time() >= moment for moment in self._times[job]),
            f"{request.base_url}picture/{job}_output.png",
        )

    async def wan_submit(self, request: Request) -> Response:
        """Accept a job as the Model API does."""
        return JSONResponse({"request_id": await self._new(request)})

    async def wan_status(self, request: Request) -> Response:
        """Return a job's state as the Model API does."""
        job, state, _ = self._state(request)
        word = ("in_queue", "in_progress", "completed")[state]
        return JSONResponse({"request_id": job, "status": word, "queue_position": 1})

    async def wan_result(self, request: Request) -> Response:
        """Return a job's result as the Model API does."""
        job, state, url = self._state(request)
        word = ("in_queue", "in_progress", "succeeded")[state]
        return JSONResponse(
            {"request_id": job, "status": word, "output": {"image": url} if word == "succeeded" else None}
        )

    async def fal_submit(self, request: Request) -> Response:
        """Accept a job as fal's queue does."""
        job = await self._new(request)
        there = f"{request.base_url}bench/edit/requests/{job}"
        links = {"response_url": there, "status_url": f"{there}/status", "cancel_url": f"{there}/cancel"}
        return JSONResponse({"request_id": job, "status": "IN_QUEUE", "queue_position": 0, **links})

    async def fal_status(self, request: Request) -> Response:
        """Return a job's state as fal's queue does."""
        job, state, _ = self._state(request)
        word = ("IN_QUEUE", "IN_PROGRESS", "COMPLETED")[state]
        return JSONResponse({"request_id": job, "status": word, "queue_position": 0, "logs": [], "metrics": {}})

    async def fal_result(self, request: Request) -> Response:
        """Return a job's result as fal's queue does."""
        return JSONResponse({"images": [{"url": self._state(request)[2]}]})

    async def replicate_submit(self, request: Request) -> Response:
        """Accept a job as Replicate does."""
        return self._prediction(request, await self._new(request), 0, "")

    async def replicate_get(self, request: Request) -> Response:
        """Return a job's state and result as Replicate does."""
        return self._prediction(request, *self._state(request))

    @staticmethod
    def _prediction(request: Request, job: str, state: int, url: str) -> Response:
        there = f"{request.base_url}v1/predictions/{job}"
        return JSONResponse(
            {
                "id": job, "model": "bench/edit", "version": "1", "input": {}, "logs": "", "error": None, "metrics": {},
                "status": ("starting", "processing", "succeeded")[state], "output": url if state == 2 else None,
                "created_at": None, "started_at": None, "completed_at": None,
                "urls": {"get": there, "cancel": f"{there}/cancel"},
            }
        )  # fmt: skip

    async def picture(self, request: Request) -> Response:
        """Serve a job's picture."""
        self._requests[request.path_params["job"]] += 1
        return Response(self._picture, media_type="image/png")

    async def ended(self, request: Request) -> Response:
        """Return when a job ended, and how many requests were made for it."""
        job = request.path_params["job"]
        return JSONResponse({"ended": self._times[job][1], "requests": self._requests[job]})


def app() -> Starlette:
    """Return an application that serves the three protocols over one set of jobs."""
    jobs = Jobs()
    return Starlette(
        routes=[
            Route("/v1/models/wan-ai/wan-2-6/image-to-image", jobs.wan_submit, methods=["POST"]),
            Route("/v1/requests/{job}/status", jobs.wan_status),
            Route("/v1/requests/{job}/result", jobs.wan_result),
            Route("/bench/edit", jobs.fal_submit, methods=["POST"]),
            Route("/bench/edit/requests/{job}/status", jobs.fal_status),
            Route("/bench/edit/requests/{job}", jobs.fal_result),
            Route("/v1/models/bench/edit/predictions", jobs.replicate_submit, methods=["POST"]),
            Route("/v1/predictions/{job}", jobs.replicate_get),
            Route("/picture/{job}_output.png", jobs.picture),
            Route("/ended/{job}", jobs.ended),
        ]
    )


@contextmanager
def running() -> Iterator[str]:
    """Run the server and yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with subprocess.Popen([sys.executable, "-m", "benchmarks.server", str(port)]) as process:
        try:
            _wait_until_up(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _wait_until_up(port: int) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:  # trying again is what the loop is for
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return


if __name__ == "__main__":
    uvicorn.run(app(), port=int(sys.argv[1]), log_level="error", backlog=2048)
