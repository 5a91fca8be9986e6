"""Visitors without a browser: they open the page, keep it open, and run, by the calls that the page's script makes."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections import Counter
from contextlib import asynccontextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

import httpx
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

API = "/gradio_api"
# Of the line that says where a run stands: one that was prepared and uploaded is at the API.
STAGES_UNTIL_SENT = 2
EMPTY = '{"runs": [], "draft": null}'


class Crowd:
    """What visitors have in common: the connections, and what was answered.

    Attributes:
        answers: How many answers came with each status code.
        seconds: How long each kind of call took.
    """

    def __init__(self, url: str) -> None:
        self.answers: Counter[int] = Counter()
        self.seconds: dict[str, list[float]] = {}
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
        timeout = httpx.Timeout(120)
        self.client = httpx.AsyncClient(base_url=url, limits=limits, timeout=timeout, trust_env=False)
        self.picture = picture()

    async def __aenter__(self) -> Crowd:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()

    @property
    def errors(self) -> int:
        """The number of answers that were the server's own errors."""
        return sum(number for code, number in self.answers.items() if code >= 500)

    async def call(self, kind: str, method: str, path: str, **options: Any) -> httpx.Response:
        """Time and count one call."""
        begun = time.monotonic()
        response = await self.client.request(method, path, **options)
        self.seconds.setdefault(kind, []).append(time.monotonic() - begun)
        self.answers[response.status_code] += 1
        return response


class Visitor:
    """One visitor with the page open.

    Attributes:
        config: The page's configuration as Gradio writes it into the page.
        heard: What the parts of the page received last, by their `elem_id`, by events that queue.
        updated: Set once there is any of it.
        sent: Set once its run is at the API; on a page without such a line, once there is any message.
        messages: How many messages there were.
    """

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._session = secrets.token_hex(6)
        self._tasks: list[asyncio.Task[None]] = []
        self.config: dict[str, Any] = {}
        self.heard: dict[str, Any] = {}
        self.updated = asyncio.Event()
        self.sent = asyncio.Event()
        self.messages = 0

    async def open(self) -> None:
        """Open the page: its HTML, the call that says that it is open, and what happens on load."""
        page = (await self._crowd.call("page", "GET", "/")).text
        self.config = json.JSONDecoder().raw_decode(page.split("window.gradio_config = ", 1)[1])[0]
        self._tasks.append(asyncio.create_task(self._stay()))
        for event in self.events("load"):
            await (self.queued if event["queue"] else self.at_once)(event, {})
        self.updated.clear()
        self.sent.clear()
        self.heard.clear()

    async def close(self) -> None:
        """Close the page."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def upload(self) -> str:
        """Upload a picture; return what a slot is then given."""
        files = {"files": ("picture.jpg", self._crowd.picture, "image/jpeg")}
        response = await self._crowd.call("upload", "POST", f"{API}/upload", files=files)
        response.raise_for_status()
        path: str = response.json()[0]
        return path

    async def type(self) -> None:
        """Change the prompt: what happens at each pause while typing."""
        await self.at_once(self._event("prompt", "change"), {"prompt": "Turn image 1 into a sketch."})

    def run(self, picture: str) -> asyncio.Task[None]:
        """Press Generate, and listen until the run has ended."""
        filled = {"slot-1": picture, "prompt": "Turn image 1 into a pencil sketch."}
        task = asyncio.create_task(self.queued(self._event("generate", "click"), filled))
        self._tasks.append(task)
        return task

    def events(self, name: str, component: int | None = None) -> list[dict[str, Any]]:
        """Return the events of that name that the server handles, in the page's order."""
        return [
            event
            for event in self.config["dependencies"]
            for target, kind in event["targets"]
            if kind == name and component in {None, target} and event["backend_fn"]
        ]

    async def at_once(self, event: dict[str, Any], filled: dict[str, Any]) -> None:
        """Send an event that does not queue."""
        body = self._body(event, filled)
        await self._crowd.call("event", "POST", f"{API}/run/predict", json=body)

    async def queued(self, event: dict[str, Any], filled: dict[str, Any]) -> None:
        """Send an event that queues, and wait until it has ended."""
        joined = await self._crowd.call("join", "POST", f"{API}/queue/join", json=self._body(event, filled))
        if not joined.is_success:
            self.heard["refused"] = joined.text
            self.updated.set()
            return
        begun: float | None = time.monotonic()
        query = {"session_hash": self._session}
        async with self._crowd.client.stream("GET", f"{API}/queue/data", params=query) as stream:
            self._crowd.answers[stream.status_code] += 1
            async for line in stream.aiter_lines():
                if not line.startswith("data:"):
                    continue
                message = json.loads(line[5:])
                if message["msg"] in {"process_generating", "process_completed"}:
                    if begun is not None:
                        self._crowd.seconds.setdefault("first update", []).append(time.monotonic() - begun)
                        begun = None
                    self._hear(event, message)
                if message["msg"] == "close_stream":
                    return

    def _hear(self, event: dict[str, Any], message: dict[str, Any]) -> None:
        """Keep the received values; a difference to an earlier value is kept as it is."""
        self.messages += 1
        self.updated.set()
        names = {part["id"]: part["props"].get("elem_id") for part in self.config["components"]}
        values = message["output"].get("data") or []
        for part, value in zip(event["outputs"], values, strict=False):
            if value and value != {"__type__": "update"}:
                self.heard[names[part]] = value
        status = self.heard.get("status")
        if status is None or str(status).count('class="done"') >= STAGES_UNTIL_SENT:
            self.sent.set()

    async def _stay(self) -> None:
        async with self._crowd.client.stream("GET", f"{API}/heartbeat/{self._session}", timeout=None) as stream:
            self._crowd.answers[stream.status_code] += 1
            async for _ in stream.aiter_raw():
                pass

    def _event(self, elem_id: str, name: str) -> dict[str, Any]:
        part = next(part for part in self.config["components"] if part["props"].get("elem_id") == elem_id)
        # The page's own come before the rest: one with `js` alone has no function.
        return next(event for event in self.events(name, part["id"]) if event["backend_fn"])

    def _body(self, event: dict[str, Any], filled: dict[str, Any]) -> dict[str, Any]:
        parts = {part["id"]: part for part in self.config["components"]}
        data = [_value(parts[part], filled) for part in event["inputs"]]
        if event["js"] and data:
            data[0] = EMPTY
        trigger = next((target for target, _ in event["targets"]), None)
        return {
            "data": data,
            "event_data": None,
            "fn_index": event["id"],
            "trigger_id": trigger,
            "session_hash": self._session,
        }


@asynccontextmanager
async def crowd(url: str, number: int, at_once: int = 8) -> AsyncIterator[tuple[Crowd, list[Visitor]]]:
    """Open the page for a number of visitors, a few at a time."""
    gate = asyncio.Semaphore(at_once)
    async with Crowd(url) as everybody:
        visitors = [Visitor(everybody) for _ in range(number)]

        async def come(visitor: Visitor) -> None:
            async with gate:
                await visitor.open()

        try:
            await asyncio.gather(*map(come, visitors))
            yield everybody, visitors
        finally:
            await asyncio.gather(*(visitor.close() for visitor in visitors))


def _value(part: dict[str, Any], filled: dict[str, Any]) -> Any:
    if part["type"] == "state":
        return None
    return filled.get(part["props"].get("elem_id"), part["props"].get("value"))


def picture() -> bytes:
    """Return a small photograph as a file."""
    buffer = BytesIO()
    Image.effect_noise((640, 480), 40).convert("RGB").save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
