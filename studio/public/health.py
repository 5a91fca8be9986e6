"""Probes: whether this server answers, and whether it takes runs."""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse
from starlette.routing import Route

from wan_client import Backend, WanError, __version__

from .limits import LimitReached

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from studio.runs.jobs import Jobs
    from studio.settings import PageSettings

LIVE_PATH, READY_PATH = "/livez", "/readyz"
# The path of an earlier version, for probes that still use it.
OLD_PATH = "/healthz"
PATHS = frozenset({LIVE_PATH, READY_PATH, OLD_PATH})
# Anybody may send probes, so the store and the disk are checked no more often than this.
CHECK_SECONDS = 1.0
OK, STOPPING, UNAVAILABLE, FULL = "ok", "stopping", "unavailable", "full"


class Health:
    """Answers probes.

    Args:
        jobs: The server's jobs.
        settings: The page's settings.
    """

    def __init__(self, jobs: Jobs, settings: PageSettings) -> None:
        self._jobs = jobs
        self._settings = settings
        self._checking = asyncio.Lock()
        self._checked: tuple[float, dict[str, str]] | None = None

    def routes(self) -> list[Route]:
        """Return the routes of the probes."""
        return [Route(LIVE_PATH, self._live), *(Route(path, self._ready) for path in (READY_PATH, OLD_PATH))]

    async def _live(self, _request: Request) -> Response:
        """Answer that the server runs. Store and disk are not checked: a restart would help neither."""
        return JSONResponse({"status": OK})

    async def _ready(self, _request: Request) -> Response:
        """Answer whether new runs are taken; behind a password, nothing else."""
        checks = await self._checks()
        wrong = STOPPING if self._jobs.stopping else next((found for found in checks.values() if found != OK), None)
        facts: dict[str, Any] = {"status": wrong or OK}
        if not self._settings.auth:
            sandbox = self._settings.engine.backend is Backend.SANDBOX
            facts |= {**checks, "engine": "sandbox" if sandbox else "hosted", "version": __version__}
            # Does not affect readiness: another replica would reach the API no better.
            facts["api"] = self._jobs.engines.api_state
        return JSONResponse(facts, HTTPStatus.SERVICE_UNAVAILABLE if wrong else HTTPStatus.OK)

    async def _checks(self) -> dict[str, str]:
        async with self._checking:
            if self._checked is None or time.monotonic() - self._checked[0] > CHECK_SECONDS:
                found = {"store": await self._store(), "disk": await asyncio.to_thread(self._disk)}
                self._checked = time.monotonic(), found
            return self._checked[1]

    async def _store(self) -> str:
        try:
            await self._jobs.limits.check()
        except LimitReached:
            return UNAVAILABLE
        return OK

    def _disk(self) -> str:
        try:
            self._jobs.disk_space.check()
        except WanError:
            return FULL
        except OSError:
            return UNAVAILABLE
        return OK
