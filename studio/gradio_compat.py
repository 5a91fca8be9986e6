"""What this page changes in Gradio, and why.

Written against Gradio 6.31. Each class names the tests that fail without it.
"""

from __future__ import annotations

import secrets
from asyncio import Queue as AsyncQueue
from collections import OrderedDict
from contextlib import contextmanager, nullcontext, suppress
from copy import copy
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradio import blocks, route_utils, routes, state_holder, utils
from gradio.components import State
from starlette.responses import JSONResponse

from .uploads import UPLOAD_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradio.queueing import Queue
    from starlette.datastructures import FormData

    from .public.agent_tools import AgentTools

# Limits on answers that wait to be fetched: of one page or program, and of all together.
SESSION_BYTES_MAX = 4_000_000
ANSWERS_BYTES_MAX = 100_000_000
SESSIONS_MAX = 2000
# What each message counts beside its texts, so that millions of small ones are bounded too.
MESSAGE_BYTES = 500
# How often a page's queue looks for new events and for new progress. Gradio's own 1 ms and 10 ms take a twentieth of a
# processor of a page that nobody uses.
QUEUE_SECONDS = 0.01
PROGRESS_SECONDS = 0.1


class LeanSession(state_holder.SessionState):
    """A session without a copy of all that was entered and shown.

    Gradio keeps such a copy for its deep links, which are closed here: 0.2 MB a session, or as much as a caller sends.
    Test: `tests/studio/test_memory.py`.
    """

    def __init__(self, page: blocks.Blocks) -> None:
        self.blocks_config = copy(page.default_config)
        self.config_values: dict[int, Any] = {}
        self.state_data: dict[int, Any] = {}
        self._state_ttl: dict[int, Any] = {}
        self.is_closed = False
        self.STATE_TTL_WHEN_CLOSED = 3600

    def __setitem__(self, key: int, value: Any) -> None:
        block = self.blocks_config.blocks.get(key)
        if isinstance(block, State):
            self._state_ttl[key] = block.time_to_live, datetime.now()  # noqa: DTZ005  # Gradio's own clock
            self.state_data[key] = value
        else:
            self.blocks_config.blocks[key] = value

    def _update_config(self, key: int) -> None:
        """Store nothing."""

    def _update_value_in_config(self, key: int, value: Any) -> None:
        """Store nothing."""


class WaitingAnswers(OrderedDict[str, "AsyncQueue[Any]"]):
    """The answers that wait for each session, bounded in bytes; those of the longest idle session are dropped first.

    Gradio bounds the sessions in number alone, and keeps the answers of callers that never read them.
    Test: `tests/studio/test_memory.py`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def __setitem__(self, session: str, _queue: AsyncQueue[Any]) -> None:
        super().__setitem__(session, _Answers(self, session))
        while len(self) > SESSIONS_MAX:
            self.drop(next(iter(self)))

    def __missing__(self, session: str) -> AsyncQueue[Any]:
        # The event of a session that is gone goes on, and its answers are discarded.
        return _Discarded()

    def __delitem__(self, session: str) -> None:
        self.drop(session)

    def drop(self, session: str) -> None:
        """Drop the waiting answers of a session."""
        answers = super().pop(session, None)
        if isinstance(answers, _Answers):
            self.bytes -= answers.bytes
            answers.bytes = 0

    def enforce_limits(self, session: str, answers: _Answers) -> None:
        """Drop answers beyond the limits, after one was added."""
        if answers.bytes > SESSION_BYTES_MAX:
            self.drop(session)
        elif self.get(session) is answers:
            self.move_to_end(session)
        while self.bytes > ANSWERS_BYTES_MAX and self:
            self.drop(next(iter(self)))


class _Answers(AsyncQueue[Any]):
    def __init__(self, all_answers: WaitingAnswers, session: str) -> None:
        super().__init__()
        self.bytes = 0
        self._all = all_answers
        self._session = session

    def _put(self, item: Any) -> None:
        if self._all.get(self._session) is self:
            super()._put(item)
            self._count(_size(item))
            self._all.enforce_limits(self._session, self)

    def _get(self) -> Any:
        item = super()._get()
        if self._all.get(self._session) is self:
            self._count(-_size(item))
        return item

    def _count(self, size: int) -> None:
        self.bytes += size
        self._all.bytes += size


class _Discarded(AsyncQueue[Any]):
    def _put(self, item: Any) -> None:
        """Store nothing."""


class _EventIds(OrderedDict[str, "set[str]"]):
    """Bounded map of each session's events: Gradio keeps those of callers that never read their answers."""

    def __setitem__(self, session: str, events: set[str]) -> None:
        super().__setitem__(session, events)
        while len(self) > 2 * SESSIONS_MAX:
            self.popitem(last=False)

    def __missing__(self, session: str) -> set[str]:
        return set()


class UploadParser(route_utils.GradioMultiPartParser):
    """Reads uploads into folders of their own, and deletes incomplete ones.

    Gradio names an upload's folder by its content, so that two visitors share one file, and leaves the parts of an
    upload that was cut off. Test: `tests/studio/test_upload_files.py`.
    """

    async def parse(self) -> FormData:
        """Read an upload."""
        try:
            form = await super().parse()
        except BaseException:
            for file in self._files_to_close_on_error:
                _delete(file)
            raise
        for _, value in form.multi_items():
            if isinstance(value, route_utils.GradioUploadFile):
                value.sha = _FolderName()  # type: ignore[assignment]
        return form


def _delete(file: Any) -> None:
    with suppress(OSError):
        file.close()
        Path(file.name).unlink(missing_ok=True)


class _FolderName:
    """A random name in place of a file's hash, by which Gradio names the upload's folder."""

    def hexdigest(self) -> str:
        return UPLOAD_PREFIX + secrets.token_hex(16)


def install() -> None:
    """Replace the parts of Gradio's modules. Calling it again changes nothing."""
    for module in (blocks, route_utils, state_holder):
        module.SessionState = LeanSession  # type: ignore[attr-defined]
    for place in (route_utils, routes):
        place.GradioMultiPartParser = UploadParser  # type: ignore[attr-defined]
    # It looks for Matplotlib on the disk twice with each event. This page draws no plot.
    utils.MatplotlibBackendMananger = nullcontext  # type: ignore[assignment,misc]


@contextmanager
def without_building_app() -> Iterator[None]:
    """Keep Gradio from building its application while the page is defined, a fifth of the time of a start.

    It would build three and drop them for the one that it serves.
    """
    create_app = routes.App.create_app
    routes.App.create_app = staticmethod(lambda *_given, **_named: None)  # type: ignore[assignment]
    try:
        yield
    finally:
        routes.App.create_app = create_app  # type: ignore[method-assign]


def serve_tools(tools: AgentTools) -> None:
    """Make Gradio serve these tools by the Model Context Protocol, instead of those that it derives from endpoints.

    `studio.public.agent_tools` says why. Test: `tests/studio/test_mcp.py`.
    """
    from gradio import mcp  # noqa: PLC0415  # an extra

    from .public.agent_tools import AgentSessions  # noqa: PLC0415  # needs the uploads, which need this module's classes

    class ToolServer(mcp.GradioMCPServer):
        def __init__(self, page: blocks.Blocks) -> None:
            super().__init__(page)
            self.handle_streamable_http = AgentSessions(self.handle_streamable_http, tools)

        def launch_mcp_on_sse(self, app: Any, subpath: str, root_path: str) -> None:
            tools.root_path = root_path
            super().launch_mcp_on_sse(app, subpath, root_path)

        def create_mcp_server(self) -> Any:
            return tools.server(str(self.blocks.title))

        async def get_complete_schema(self, request: Any) -> JSONResponse:  # noqa: ARG002  # Gradio's own
            return JSONResponse(tools.described())

    mcp.GradioMCPServer = ToolServer  # type: ignore[misc,assignment]


def adapt_queue(queue: Queue) -> None:
    """Bound the answers and events that a page's queue keeps, and let it look for new ones less often.

    Tests: `tests/studio/test_memory.py`, `tests/studio/test_blocks.py`.
    """
    queue.sleep_when_free = max(queue.sleep_when_free, QUEUE_SECONDS)
    queue.progress_update_sleep_when_free = max(queue.progress_update_sleep_when_free, PROGRESS_SECONDS)
    queue.pending_messages_per_session = WaitingAnswers()  # type: ignore[assignment]
    queue.pending_event_ids_session = _EventIds()


def _size(value: Any) -> int:
    """Estimate how many bytes a message holds."""
    size, left = MESSAGE_BYTES, [getattr(value, "output", value)]
    while left:
        part = left.pop()
        if isinstance(part, str):
            size += len(part)
        elif isinstance(part, dict):
            left += part.values()
        elif isinstance(part, list | tuple):
            left += part
    return size
