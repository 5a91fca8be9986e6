"""The endpoints for programs: ``/edit`` and ``/result``."""

# Gradio reads the signatures below as they are evaluated, so this file's annotations are not strings.

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import gradio as gr

from studio import uploads
from studio.browser.store import Entry
from studio.i18n.texts import Texts, texts_for
from studio.prompt.form import Form
from studio.runs import results
from studio.runs.engines import SANDBOX
from studio.runs.jobs import Job, Jobs, watch_changes
from studio.runs.results import Outcome
from studio.views.run import event_words
from wan_client import Backend, ImageError, ImageSize, WanError
from wan_client.schema import (
    DEFAULT_IMAGE_SIZE,
    DEFAULT_NEGATIVE_PROMPT,
    DEFAULT_PROMPT_EXTEND,
    DEFAULT_SEED,
    NEGATIVE_PROMPT_MAX,
    PROMPT_MAX,
    SEED_MAX,
)

from .visitors import own_headers, visitor_of

SIZES = (*(size.ratio for size in ImageSize), *(size.value for size in ImageSize))
Facts = dict[str, Any]
News = AsyncGenerator[tuple[gr.FileData | None, Facts], None]

if TYPE_CHECKING:
    Size = str
else:
    Size = Literal[SIZES]

# What callers read about the endpoints. Gradio takes it apart at “Args” and “Returns”, a line an argument.
EDIT = f"""Edit one to three pictures by instruction with Wan 2.6 image-to-image, and return one new picture.

The prompt calls the pictures "image 1", "image 2" and "image 3". A run takes 20 seconds to 4 minutes on the hosted
model, and may be paid for by the owner of this page: each call makes, and pays for, another picture. So when a call
was cut off, do not repeat it: its messages name the run, and /result fetches the picture of that run at no cost. An
error says what happened, whether it was charged, and what to do. Where this page has no token, the picture is a
labelled local preview, not the model's work; "local_preview" says so.

Args:
    prompt: The instruction, 1 to {PROMPT_MAX:,} characters, such as "give image 1 the colours of image 2".
    image_1: The picture to edit.
    image_2: A second picture, if the prompt names one.
    image_3: A third picture, if the prompt names one. Needs image_2.
    negative_prompt: What to keep out of the result, at most {NEGATIVE_PROMPT_MAX} characters. May be empty.
    image_size: The size of the result, by its ratio or by the API's own string.
    seed: A whole number from 0 to {SEED_MAX:,}. The same seed gives more consistent results.
    prompt_extend: Whether the model may enrich the prompt before it draws.

Returns:
    the picture, a PNG file
    the facts: run (its name for /result), request_id, engine, local_preview, width, height, seed, seconds, cost_usd
"""
RESULT = """Fetch the result of an earlier /edit call by the run's name, at no cost. Waits if the run is still at work.

Args:
    run: The run's name, as the messages, the facts or an error of /edit gave it.

Returns:
    the picture, a PNG file
    the facts, as /edit returns them
"""


def endpoints(jobs: Jobs) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The functions behind ``/edit`` and ``/result``: typed, because their types are what the callers see."""

    async def edit(
        prompt: str,
        image_1: gr.FileData,
        image_2: gr.FileData = None,  # type: ignore[assignment]  # MCP would not take a picture for “or None”
        image_3: gr.FileData = None,  # type: ignore[assignment]
        negative_prompt: str = DEFAULT_NEGATIVE_PROMPT,
        image_size: Size = DEFAULT_IMAGE_SIZE.ratio,
        seed: int = DEFAULT_SEED,
        prompt_extend: bool = DEFAULT_PROMPT_EXTEND,
        request: gr.Request = None,  # type: ignore[assignment]  # Gradio fills it in, and knows it by its type
    ) -> News:
        async def start() -> Job:
            slots = [_path(image, number) for number, image in enumerate((image_1, image_2, image_3), 1)]
            form = Form(prompt, slots[0], slots[1], slots[2], negative_prompt, image_size, seed, prompt_extend)
            # Gradio passes all of MCP's callers on under one session, and a program may well want two alike.
            (job,) = await jobs.start([form], replace(visitor_of(request), session=None))
            return job

        async with aclosing(_reports(jobs, start, texts_for(request))) as ended:
            async for outputs in ended:
                yield outputs

    async def result(
        run: str,
        request: gr.Request = None,  # type: ignore[assignment]
    ) -> News:
        texts = texts_for(request)
        entry = await asyncio.to_thread(jobs.known, run) if isinstance(run, str) else None
        if entry is None:
            raise _error(texts, WanError("run_unknown"), sandbox=jobs.engines.name() == SANDBOX)
        if known := await asyncio.to_thread(results.load, entry.key):
            yield _finished(entry, known)
            return
        async with aclosing(
            _reports(jobs, lambda: jobs.resume(entry, visitor_of(request)), texts, cancels=False)
        ) as ended:
            async for outputs in ended:
                yield outputs

    for endpoint, description in ((edit, EDIT), (result, RESULT)):
        endpoint.__doc__ = description
        # To Gradio a generator's type is that of what it ends with.
        endpoint.__annotations__["return"] = tuple[gr.FileData, Facts]
    return edit, result


def hand_over_both(page: gr.Blocks) -> None:
    """Have agents get the picture as a picture, and the facts beside it.

    Gradio makes one text of several outputs where an agent does not ask for progress.

    Args:
        page: The page, launched.
    """

    async def outputs(job: Any) -> list[Any]:
        return list(await asyncio.to_thread(job.result))

    if server := page.mcp_server_obj:
        server._execute_tool_without_progress = outputs  # type: ignore[method-assign]
        connect = server._get_or_create_client

        def client() -> Any:
            made = connect()
            made.headers |= own_headers()
            return made

        # Pictures inside a call are uploaded from this server's own address; the agent was counted for them already.
        server._get_or_create_client = client  # type: ignore[method-assign]


async def _reports(jobs: Jobs, start: Callable[[], Awaitable[Job]], texts: Texts, *, cancels: bool = True) -> News:
    """Yield a run's progress, and at last its picture.

    A caller that is cut off leaves the run at work; one that cancels its call cancels the run, if that is its own.
    """
    progress = gr.Progress()
    try:
        job = await start()
    except WanError as problem:
        raise _error(texts, problem, sandbox=jobs.engines.name() == SANDBOX) from None
    reported: Facts = {}
    steps = 0
    try:
        async for _ in watch_changes([job]):
            now = {"run": job.key, "request_id": job.request_id, "message": event_words(texts, job.event)}
            if now != reported and not job.ended:
                reported, steps = now, steps + 1
                # How many steps there are is not known: this counts them, and gives MCP clients the run's name.
                progress((steps, None), desc=texts("api.progress", run=job.key, words=now["message"]))
                yield None, now
    except asyncio.CancelledError:
        if cancels and not jobs.stopping:
            await asyncio.shield(job.cancel())
        raise
    if job.outcome is None:
        cause = job.problem or WanError("unexpected", request_id=job.request_id)
        raise _error(texts, cause, sandbox=job.sandbox, run=job.key if job.can_be_fetched else None)
    yield _finished(job.entry, job.outcome)


def _finished(entry: Entry, known: Outcome) -> tuple[gr.FileData, Facts]:
    sandbox = entry.engine == SANDBOX
    facts = {
        "run": entry.key,
        "request_id": entry.request_id,
        "engine": (Backend.SANDBOX if sandbox else Backend.RUNCOMFY).value,
        "local_preview": sandbox or "local_preview" in known.extra,
        "width": known.width,
        "height": known.height,
        "seed": int(entry.form.seed or 0),
        "seconds": round(known.seconds, 1),
        "cost_usd": 0.0 if sandbox else known.cost,
    }
    return gr.FileData(path=str(known.path), orig_name=known.path.name, mime_type="image/png"), facts


def _error(texts: Texts, problem: WanError, *, sandbox: bool, run: str | None = None) -> gr.Error:
    """What happened, whether it was charged, what to do; the run's id, and how to fetch it where that is possible."""
    reported = [texts.sentences(problem, sandbox=sandbox)]
    if run:
        reported.append(texts("api.fetch", run=run))
    if problem.request_id:
        reported.append(f"({texts('run.id')} {problem.request_id})")
    return gr.Error(" ".join(reported), print_exception=False)


def _path(image: Any, number: int) -> str | None:
    """The uploaded file's path, from whatever a caller wrote in its place.

    Raises:
        ImageError: It is anything else.
    """
    if image is None:
        return None
    path = image.get("path") if isinstance(image, dict) else getattr(image, "path", image)
    if isinstance(path, str) and uploads.is_upload(path):
        return path
    raise ImageError("image_not_uploaded", field="images", number=number)
