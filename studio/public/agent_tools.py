"""The calls as tools for agents, by the Model Context Protocol.

They are described and answered here, because those that Gradio derives from the endpoints describe pictures as web
addresses alone, repeat the arguments in their errors, have no structured answer that a client can check, and name a run
only to clients that ask for progress. `studio.gradio_compat` makes Gradio serve these instead.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import io
import json
import logging
import secrets
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import gradio as gr
from gradio.route_utils import get_root_url
from gradio_client.utils import encode_file_path
from PIL import Image
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response

from studio import uploads
from studio.i18n.texts import texts_for
from studio.runs.caller_keys import KEY_MAX, KEY_MIN
from wan_client import CancelOutcome, ImageError, InvalidRequest, WanError, __version__
from wan_client.provenance import PREVIEW_TEXTS
from wan_client.schema import (
    DEFAULT_IMAGE_SIZE,
    DEFAULT_NEGATIVE_PROMPT,
    DEFAULT_PROMPT_EXTEND,
    DEFAULT_SEED,
    IMAGES_MAX,
    NEGATIVE_PROMPT_MAX,
    PROMPT_MAX,
    SEED_MAX,
    SEED_MIN,
)

from .calls import STATES, WAIT_MAX, Answer, Caller, CallFailed, Calls, check_wait
from .endpoints import ARGUMENTS, CANCEL, EDIT, RESULT, SIZES, STATUS
from .visitors import MCP_PATH, Visitor, name_in

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mcp import types
    from mcp.server import Server
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from studio.runs.jobs import Jobs

log = logging.getLogger(__name__)

# Less than the minute or so after which clients give up on a call, without knowing its run.
WAIT_SECONDS: Final = 45
# Encoded as base64, a picture of this size is 200 kB long.
PREVIEW_BYTES: Final = 150_000
PREVIEW_SIDE: Final = 1024
QUALITIES: Final = (85, 70, 50)
SESSION_ID: Final = "mcp-session-id"
# The messages that the middleware reads are short; calls with pictures are longer and are passed on unread.
MESSAGE_MAX: Final = 10_000
FILE = "/gradio_api/file="

_NAME: Final = {"run": {"type": "string", "description": ARGUMENTS["run"]}}
_WAIT: Final = {
    "type": "number",
    "minimum": 0,
    "maximum": WAIT_MAX,
    "default": WAIT_SECONDS,
    "description": f"{ARGUMENTS['wait_seconds']} When it is over, the answer is the run's name.",
}
_PICTURE = (
    "As a data: URI (data:image/png;base64,…; PNG, JPEG, WebP and others), or by the address of an upload or an "
    "earlier result of this page."
)
_OPTIONAL_PICTURE: Final = {"type": ["string", "null"], "default": None}
_EDIT_INPUT: Final[Mapping[str, Mapping[str, Any]]] = {
    "prompt": {"type": "string", "minLength": 1, "maxLength": PROMPT_MAX},
    "image_1": {"type": "string"},
    **{f"image_{number}": _OPTIONAL_PICTURE for number in range(2, IMAGES_MAX + 1)},
    "negative_prompt": {"type": "string", "maxLength": NEGATIVE_PROMPT_MAX, "default": DEFAULT_NEGATIVE_PROMPT},
    "image_size": {"type": "string", "enum": list(SIZES), "default": DEFAULT_IMAGE_SIZE.ratio},
    "seed": {"type": "integer", "minimum": SEED_MIN, "maximum": SEED_MAX, "default": DEFAULT_SEED},
    "prompt_extend": {"type": "boolean", "default": DEFAULT_PROMPT_EXTEND},
    "idempotency_key": {"type": ["string", "null"], "minLength": KEY_MIN, "maxLength": KEY_MAX, "default": None},
}


def _described(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    words = f"{ARGUMENTS[name]} {_PICTURE}" if name.startswith("image_") and name != "image_size" else ARGUMENTS[name]
    return {**schema, "description": words}


def _object(properties: Mapping[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


_INPUTS: Final = {
    "edit": _object(
        {**{name: _described(name, schema) for name, schema in _EDIT_INPUT.items()}, "wait_seconds": _WAIT},
        "prompt",
        "image_1",
    ),
    "result": _object({**_NAME, "wait_seconds": _WAIT}, "run"),
    "status": _object(_NAME, "run"),
    "cancel": _object(_NAME, "run"),
}
_DESCRIPTIONS: Final = {
    "edit": EDIT.format(result='the tool "result"'),
    "result": RESULT,
    "status": STATUS,
    "cancel": CANCEL,
}
_TITLES: Final = {
    "edit": "Edit pictures (may cost money)",
    "result": "Fetch a run's picture",
    "status": "Look where a run stands",
    "cancel": "Take a run out of the queue",
}
# What a client may do without asking a person: an edit may cost money each time.
_HINTS: Final[Mapping[str, Mapping[str, bool]]] = {
    "edit": {"readOnlyHint": False, "destructiveHint": False, "idempotentHint": False, "openWorldHint": True},
    "result": {"readOnlyHint": True, "idempotentHint": True, "openWorldHint": True},
    "status": {"readOnlyHint": True, "idempotentHint": True, "openWorldHint": True},
    "cancel": {"readOnlyHint": False, "destructiveHint": True, "idempotentHint": True, "openWorldHint": True},
}
_FACTS: Final = {
    "run": {"type": "string", "description": "The run's name, for result, status and cancel."},
    "request_id": {"type": ["string", "null"], "description": "The API's id of the run."},
    "state": {"type": "string", "enum": list(STATES)},
    "message": {"type": "string", "description": "The same in words."},
    "engine": {"type": "string", "description": "Who draws: runcomfy or sandbox."},
    "local_preview": {"type": "boolean", "description": "Whether the picture is a local preview, not the model's."},
    "seed": {"type": "integer"},
    "width": {"type": ["integer", "null"]},
    "height": {"type": ["integer", "null"]},
    "seconds": {"type": ["number", "null"]},
    "cost_usd": {"type": ["number", "null"], "description": "What the API says the run cost."},
    "error": {"type": ["string", "null"], "description": "The code of what went wrong."},
    "charged": {"type": ["string", "null"], "description": "Whether the run was charged: yes, no or unknown."},
    "reused": {"type": "boolean", "description": "Whether an earlier call has started it under the same key."},
    "cancel_outcome": {"type": "string", "enum": [outcome.value for outcome in CancelOutcome]},
    "picture_url": {"type": "string", "description": "Where the whole picture is, as a PNG file."},
}
_ALWAYS: Final = ("run", "request_id", "state", "message", "engine", "local_preview", "seed")
_OUTPUT: Final = {"type": "object", "properties": _FACTS, "required": list(_ALWAYS)}


class AgentTools:
    """The tools of a page.

    Attributes:
        root_path: The page's path below its host, where Gradio has been given one.

    Args:
        jobs: The server's jobs.
    """

    def __init__(self, jobs: Jobs) -> None:
        self.root_path = ""
        self._calls = Calls(jobs)
        self._at_work: dict[tuple[str, str], str] = {}

    def server(self, name: str) -> Server[Any, Request]:
        """Build a server of the protocol that has these tools.

        Args:
            name: What the server is called.
        """
        from mcp import types  # noqa: PLC0415  # an extra
        from mcp.server import Server  # noqa: PLC0415

        server: Server[Any, Request] = Server(name, version=__version__)

        @server.list_tools()  # type: ignore[no-untyped-call,untyped-decorator]
        async def _tools() -> list[types.Tool]:
            return [
                types.Tool(
                    name=tool,
                    title=_TITLES[tool],
                    description=_DESCRIPTIONS[tool],
                    inputSchema=schema,
                    outputSchema=_OUTPUT,
                    annotations=types.ToolAnnotations(title=_TITLES[tool], **_HINTS[tool]),
                )
                for tool, schema in _INPUTS.items()
            ]

        # The protocol's own check of the arguments would repeat a whole picture in its error.
        @server.call_tool(validate_input=False)  # type: ignore[untyped-decorator]
        async def _call(tool: str, arguments: dict[str, Any]) -> types.CallToolResult:
            return await self._answer(server, tool, arguments)

        return server

    def described(self) -> list[dict[str, Any]]:
        """Return the tools as Gradio lists them at ``/gradio_api/mcp/schema``."""
        return [
            {
                "name": tool,
                "description": _DESCRIPTIONS[tool],
                "inputSchema": schema,
                "meta": {"file_data_present": True, "mcp_type": "tool", "endpoint_name": tool},
            }
            for tool, schema in _INPUTS.items()
        ]

    async def withdraw(self, session: str, request_id: object) -> None:
        """Take the run of a cancelled call out of the queue; clients cancel a call when they give up."""
        if run := self._at_work.get((session, str(request_id))):
            await self._calls.withdraw(run)

    async def _answer(self, server: Server[Any, Request], tool: str, arguments: dict[str, Any]) -> types.CallToolResult:
        """Call a tool. Any error is answered with a sentence that does not repeat the arguments."""
        request = _request(server)
        caller = Caller(Visitor(name=name_in(request.scope)), texts_for(gr.Request(request)))
        try:
            checked = _checked_arguments(tool, arguments)
            if tool == "edit":
                return await self._edit(server, caller, checked)
            if tool == "result":
                return await self._watched(server, caller, checked["run"], check_wait(checked["wait_seconds"]))
            call = self._calls.status if tool == "status" else self._calls.cancel
            return await _tool_result(caller, await call(caller, checked["run"]), self._root(request))
        except WanError as problem:
            return _refusal(str(self._calls.failed(caller, problem)))
        except CallFailed as failed:
            return _refusal(str(failed))
        except Exception:
            log.exception("the tool %s", tool)
            return _refusal(str(self._calls.failed(caller, WanError("unexpected"))))

    async def _edit(self, server: Server[Any, Request], caller: Caller, given: dict[str, Any]) -> types.CallToolResult:
        wait = check_wait(given.pop("wait_seconds"))
        numbers = range(1, IMAGES_MAX + 1)
        pictures = [await asyncio.to_thread(_picture_path, given.pop(f"image_{number}"), number) for number in numbers]
        started = await self._calls.start(caller, pictures=pictures, **given)
        context = server.request_context
        call = _request(server).headers.get(SESSION_ID, ""), str(context.request_id)
        try:
            if call[0] and not started.reused:
                self._at_work[call] = started.run
            return await self._watched(server, caller, started.run, wait, reused=started.reused)
        except CallFailed as failed:
            raise started.described(caller, failed) from None
        finally:
            self._at_work.pop(call, None)

    async def _watched(
        self, server: Server[Any, Request], caller: Caller, run: Any, wait: float | None, *, reused: bool | None = None
    ) -> types.CallToolResult:
        """Wait for a run and report its progress to a client that asked for that."""
        context = server.request_context
        token = context.meta.progressToken if context.meta else None
        answer = None
        async with aclosing(self._calls.watch(caller, run, wait)) as answers:
            steps = 0
            async for answer in answers:
                if token is not None and answer.outcome is None:
                    words = caller.texts("api.progress", run=answer.facts["run"], words=answer.facts["message"])
                    steps += 1
                    await context.session.send_progress_notification(
                        token, steps, message=words, related_request_id=str(context.request_id)
                    )
        if answer is None:
            raise RuntimeError("a run is watched until something is known of it")
        if reused is not None:
            answer = Answer({**answer.facts, "reused": reused}, answer.outcome)
        return await _tool_result(caller, answer, self._root(_request(server)))

    def _root(self, request: Request) -> str:
        """Return the page's address as the caller knows it."""
        return get_root_url(request, MCP_PATH, self.root_path)


class AgentSessions:
    """Middleware that gives each MCP client a session id, so that a cancel notice can end only that client's calls.

    Gradio serves the protocol without sessions, so that any replica can answer any message; a notice comes by a
    connection of its own and names only the number of the call, which is not unique among clients.

    Args:
        app: The protocol's server.
        tools: The tools.
    """

    def __init__(self, app: ASGIApp, tools: AgentTools) -> None:
        self._app = app
        self._tools = tools

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a message on, and act on a cancel notice."""
        request = Request(scope, receive)
        method, accepted = request.method, request.headers.get("accept", "")
        if method == "DELETE" or (method == "GET" and "text/event-stream" in accepted):
            # There is no session to end, and this server sends no messages of its own.
            await Response(status_code=405, headers={"Allow": "POST"})(scope, receive, send)
            return
        length = request.headers.get("content-length", "")
        if method != "POST" or not length.isdecimal() or int(length) > MESSAGE_MAX:
            await self._app(scope, receive, send)
            return
        body = await request.body()
        message = _message(body)
        if message.get("method") == "notifications/cancelled":
            asked = message.get("params")
            call = asked.get("requestId") if isinstance(asked, dict) else None
            await self._tools.withdraw(request.headers.get(SESSION_ID, ""), call)
        session_id = secrets.token_urlsafe(16) if message.get("method") == "initialize" else ""
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send_with_session_id(message: Message) -> None:
            if session_id and message["type"] == "http.response.start":
                MutableHeaders(scope=message)[SESSION_ID] = session_id
            await send(message)

        await self._app(scope, replay, send_with_session_id)


def _message(body: bytes) -> dict[str, Any]:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}


def _request(server: Server[Any, Request]) -> Request:
    """Return the HTTP request that brought the call."""
    request = server.request_context.request
    if request is None:
        raise RuntimeError("calls come by HTTP")
    return request


def _checked_arguments(tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return all arguments of a call, with the defaults of those that it leaves out.

    Raises:
        WanError: There is no such tool.
        InvalidRequest: An argument is missing or unknown.
    """
    schema = _INPUTS.get(tool)
    if schema is None:
        raise WanError("tool_unknown", choices=", ".join(_INPUTS))
    known = schema["properties"]
    if unknown := next((name for name in arguments if name not in known), None):
        raise InvalidRequest("argument_unknown", field=unknown[:40], choices=", ".join(known))
    if missing := next((name for name in schema["required"] if name not in arguments), None):
        raise InvalidRequest("argument_missing", field=missing)
    return {name: arguments.get(name, part.get("default")) for name, part in known.items()}


def _picture_path(given: object, number: int) -> str | None:
    """Return the path of a picture that a call carries, or names by a URL of this page.

    Raises:
        ImageError: It does neither.
        OSError: The picture can't be written.
    """
    if given is None and number > 1:
        return None
    problem = ImageError("image_no_uri", field="images", number=number)
    if not isinstance(given, str):
        raise problem
    if given.startswith("data:"):
        head, comma, data = given.partition(",")
        if not comma or not head.endswith(";base64"):
            raise problem
        try:
            picture = base64.b64decode("".join(data.split()), validate=True)
        except (binascii.Error, ValueError):
            raise problem from None
        return uploads.store_upload(picture, f"image-{number}")
    path = unquote(given.partition(FILE)[2]) or given
    if uploads.is_upload(path):
        return path
    raise problem


async def _tool_result(caller: Caller, answer: Answer, root: str) -> types.CallToolResult:
    """Return an answer as a tool's result: a small copy of the picture, the words, and the facts."""
    from mcp import types  # noqa: PLC0415  # an extra

    facts, content = dict(answer.facts), list[types.ContentBlock]()
    words = facts["message"]
    if answer.outcome:
        path = answer.outcome.path
        picture = await asyncio.to_thread(_preview, path, is_preview=facts["local_preview"])
        facts["picture_url"] = f"{root}{FILE}{encode_file_path(path)}"
        content.append(types.ImageContent(type="image", data=base64.b64encode(picture).decode(), mimeType="image/jpeg"))
        words = f"{words} {facts['picture_url']}"
    elif facts["error"] is None:
        words = f"{words}. {caller.texts('api.fetch', call='result', run=facts['run'])}"
    if facts.get("reused"):
        words = f"{caller.texts('api.reused')} {words}"
    content += [types.TextContent(type="text", text=text) for text in (words, json.dumps(facts, ensure_ascii=False))]
    return types.CallToolResult(content=content, structuredContent=facts)


def _refusal(words: str) -> types.CallToolResult:
    from mcp import types  # noqa: PLC0415  # an extra

    return types.CallToolResult(content=[types.TextContent(type="text", text=words)], isError=True)


def _preview(path: Path, *, is_preview: bool) -> bytes:
    """Return a small copy of a picture, as JPEG. A local preview stays marked as one."""
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    picture.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    mark = {"comment": PREVIEW_TEXTS[1][1]} if is_preview else {}
    while True:
        for quality in QUALITIES:
            buffer = io.BytesIO()
            picture.save(buffer, "JPEG", quality=quality, **mark)
            if buffer.tell() <= PREVIEW_BYTES:
                return buffer.getvalue()
        picture = picture.reduce(2)
