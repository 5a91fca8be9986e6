"""The page that describes this service and its costs to agents: ``/llms.txt`` and ``/agents.md``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gradio.route_utils import get_root_url
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from studio.runs.caller_keys import KEY_MIN
from studio.runs.engines import SANDBOX
from studio.settings import on_a_space
from studio.views.render import render_text

from .agent_tools import WAIT_SECONDS
from .calls import STATES
from .endpoints import ARGUMENTS
from .limits import price_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from studio.runs.jobs import Jobs
    from studio.settings import PageSettings

LLMS_PATH, AGENTS_PATH = "/llms.txt", "/agents.md"
# How long a reader may wait for the catalogue's price.
PRICE_SECONDS = 2.0


class AgentGuide:
    """The page for agents.

    Args:
        jobs: The server's jobs.
        settings: How the page works.
        root_path: Returns the page's path below its host, where Gradio has been given one.
    """

    def __init__(self, jobs: Jobs, settings: PageSettings, root_path: Callable[[], str]) -> None:
        self._jobs = jobs
        self._settings = settings
        self._root_path = root_path

    def routes(self) -> list[Route]:
        """Return the routes. On a Space, ``/agents.md`` is Hugging Face's own."""
        paths = [LLMS_PATH] if on_a_space() else [LLMS_PATH, AGENTS_PATH]
        return [Route(path, self._answer) for path in paths]

    async def _answer(self, request: Request) -> Response:
        limits = self._jobs.limits.settings
        preview = self._jobs.engines.name() == SANDBOX
        text = render_text(
            "agents",
            root=get_root_url(request, request.url.path, self._root_path()),
            preview=preview,
            price=None if preview else await self._price(),
            hourly=limits.visitor_hourly,
            daily=limits.visitor_daily,
            key_min=KEY_MIN,
            password=bool(self._settings.auth),
            tools=self._settings.mcp,
            wait=WAIT_SECONDS,
            arguments={name: words for name, words in ARGUMENTS.items() if name != "run"},
            states=STATES,
            keep_hours=f"{self._settings.keep_hours:g}",
        )
        return PlainTextResponse(text)

    async def _price(self) -> float | None:
        try:
            return price_of(await asyncio.wait_for(self._jobs.engines.model(), PRICE_SECONDS))
        except asyncio.TimeoutError:
            return None
