"""The endpoints for programs: ``/edit``, ``/result``, ``/status`` and ``/cancel``."""

# Gradio reads the signatures below as they are evaluated, so this file's annotations are not strings.

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Any, Literal

import gradio as gr

from studio import uploads
from studio.i18n.texts import texts_for
from studio.runs.jobs import Jobs
from wan_client import ImageError, ImageSize, WanError
from wan_client.schema import (
    DEFAULT_IMAGE_SIZE,
    DEFAULT_NEGATIVE_PROMPT,
    DEFAULT_PROMPT_EXTEND,
    DEFAULT_SEED,
    NEGATIVE_PROMPT_MAX,
    PROMPT_MAX,
    SEED_MAX,
    SEED_MIN,
)

from .calls import WAIT_MAX, Answer, Caller, CallFailed, Calls, Started, check_wait
from .visitors import visitor_of

SIZES = (*(size.ratio for size in ImageSize), *(size.value for size in ImageSize))
Facts = dict[str, Any]
Outputs = tuple[gr.FileData | None, Facts]
OutputStream = AsyncGenerator[Outputs, None]

if TYPE_CHECKING:
    Size = str
else:
    Size = Literal[SIZES]

# What callers read about each argument, by the endpoints and as tools.
ARGUMENTS = {
    "prompt": f'The instruction, 1 to {PROMPT_MAX:,} characters, such as "give image 1 the colours of image 2".',
    "image_1": "The picture to edit.",
    "image_2": "A second picture, if the prompt names one.",
    "image_3": "A third picture, if the prompt names one. Needs image_2.",
    "negative_prompt": f"What to keep out of the result, at most {NEGATIVE_PROMPT_MAX} characters. May be empty.",
    "image_size": "The size of the result, by its ratio or by the API's own string.",
    "seed": f"A whole number from 0 to {SEED_MAX:,}. The same seed gives more consistent results.",
    "prompt_extend": "Whether the model may enrich the prompt before it draws.",
    "idempotency_key": "A key of your own that nobody can guess, such as a UUID, a new one for each edit: called again "
    "with it within a day, this returns the same run and sends nothing.",
    "wait_seconds": f"For how long to wait for the picture, up to {WAIT_MAX} seconds; 0 answers with the run's name at "
    "once.",
    "run": "The run's name, as an edit's messages, facts or error gave it.",
}
BOUNDS = {"seed": {"minimum": SEED_MIN, "maximum": SEED_MAX}}
RETURNS = {
    "picture": "The picture, a PNG file; nothing as long as there is none.",
    "facts": "The facts: run, request_id, state, message, engine, local_preview, size, seed, seconds, cost_usd.",
}
EDIT = """Edit one to three pictures by instruction with Wan 2.6 image-to-image, and return one new picture.

The prompt calls the pictures "image 1", "image 2" and "image 3". A run takes 20 seconds to 4 minutes on the hosted
model, and may be paid for by the owner of this page: each call makes, and pays for, another picture, unless it carries
the idempotency_key of an earlier one. So when a call was cut off, do not repeat it without its key: its messages name
the run, and {result} fetches the picture of that run at no cost. Hanging up does not cancel a run. An error says what
happened, whether it was charged, and what to do. Where this page has no token, the picture is a labelled local preview,
not the model's work; "local_preview" says so."""
RESULT = "Fetch the result of an earlier edit by the run's name, at no cost. Waits if the run is still at work."
STATUS = "Tell where a run stands, at once and at no cost."
CANCEL = "Take a run out of the queue. One that is at work already goes on, may be charged, and can be fetched."


def endpoints(jobs: Jobs) -> tuple[Callable[..., Any], ...]:
    """Return the functions behind the endpoints. Callers see their types, so all are annotated."""
    calls = Calls(jobs)

    async def edit(
        prompt: str,
        image_1: gr.FileData,
        image_2: gr.FileData | None = None,
        image_3: gr.FileData | None = None,
        negative_prompt: str = DEFAULT_NEGATIVE_PROMPT,
        image_size: Size = DEFAULT_IMAGE_SIZE.ratio,
        seed: int = DEFAULT_SEED,
        prompt_extend: bool = DEFAULT_PROMPT_EXTEND,
        idempotency_key: str | None = None,
        wait_seconds: float | None = None,
        request: gr.Request = None,  # type: ignore[assignment]  # Gradio fills it in, and knows it by its type
    ) -> OutputStream:
        caller = _caller(request)
        with _sentences(calls, caller):
            wait = check_wait(wait_seconds)
            pictures = [_path(image, number) for number, image in enumerate((image_1, image_2, image_3), 1)]
            started = await calls.start(
                caller,
                prompt=prompt,
                pictures=pictures,
                negative_prompt=negative_prompt,
                image_size=image_size,
                seed=seed,
                prompt_extend=prompt_extend,
                idempotency_key=idempotency_key,
            )
            async with aclosing(_edited(calls, caller, started, wait)) as outputs:
                async for shown in outputs:
                    yield shown

    async def result(
        run: str,
        wait_seconds: float | None = None,
        request: gr.Request = None,  # type: ignore[assignment]
    ) -> OutputStream:
        caller = _caller(request)
        with _sentences(calls, caller):
            async with aclosing(_watched(calls, caller, run, check_wait(wait_seconds))) as outputs:
                async for shown in outputs:
                    yield shown

    async def status(
        run: str,
        request: gr.Request = None,  # type: ignore[assignment]
    ) -> Facts:
        caller = _caller(request)
        with _sentences(calls, caller):
            return (await calls.status(caller, run)).facts

    async def cancel(
        run: str,
        request: gr.Request = None,  # type: ignore[assignment]
    ) -> Facts:
        caller = _caller(request)
        with _sentences(calls, caller):
            return (await calls.cancel(caller, run)).facts

    described = ((edit, EDIT.format(result="/result")), (result, RESULT), (status, STATUS), (cancel, CANCEL))
    for endpoint, description in described:
        endpoint.__doc__ = description
    for generator in (edit, result):
        # Gradio reads the type of a generator's last value from its return annotation.
        generator.__annotations__["return"] = tuple[gr.FileData, Facts]
    return tuple(endpoint for endpoint, _ in described)


def publish(page: gr.Blocks, jobs: Jobs) -> None:
    """Publish the endpoints on a page that is being built, with descriptions of their inputs and outputs.

    Gradio would name these “1st”, “2nd” and so on.
    """
    for endpoint in endpoints(jobs):
        gr.events.api(endpoint, api_name=endpoint.__name__, concurrency_limit=None)
        block: Any = list(page.fns.values())[-1]
        names = [parameter for parameter in endpoint.__annotations__ if parameter not in {"request", "return"}]
        for component, argument in zip(block.inputs, names, strict=True):
            component.label = ARGUMENTS[argument]
            component._api_info = {**component._api_info, **BOUNDS.get(argument, {})}
        words = RETURNS.values() if len(block.outputs) == len(RETURNS) else [RETURNS["facts"]]
        for component, returned in zip(block.outputs, words, strict=True):
            component.label = returned


async def _edited(calls: Calls, caller: Caller, started: Started, wait: float | None) -> OutputStream:
    """Yield the progress of a run that a call has started or found, and at last its picture."""
    try:
        async with aclosing(_watched(calls, caller, started.run, wait)) as outputs:
            async for picture, facts in outputs:
                yield picture, {**facts, "reused": started.reused}
    except CallFailed as failed:
        raise started.described(caller, failed) from None
    except asyncio.CancelledError:
        # The caller cancelled the call. A caller that only disconnects closes this generator instead.
        if not started.reused:
            await asyncio.shield(calls.withdraw(started.run))
        raise


async def _watched(calls: Calls, caller: Caller, run: Any, wait: float | None) -> OutputStream:
    """Yield a run's progress, and at last its picture."""
    progress = gr.Progress()
    async with aclosing(calls.watch(caller, run, wait)) as answers:
        steps = 0
        async for answer in answers:
            if answer.outcome is None:
                # The number of steps is not known, so they are counted.
                steps += 1
                facts = answer.facts
                progress((steps, None), desc=caller.texts("api.progress", run=facts["run"], words=facts["message"]))
            yield _picture(answer), answer.facts


def _picture(answer: Answer) -> gr.FileData | None:
    if answer.outcome is None:
        return None
    path = answer.outcome.path
    return gr.FileData(path=str(path), orig_name=path.name, mime_type="image/png")


def _caller(request: gr.Request) -> Caller:
    return Caller(visitor_of(request), texts_for(request), prefix="/")


@contextmanager
def _sentences(calls: Calls, caller: Caller) -> Iterator[None]:
    """Raise a call's errors as Gradio shows them to callers."""
    try:
        yield
    except WanError as problem:
        raise gr.Error(str(calls.failed(caller, problem)), print_exception=False) from None
    except CallFailed as failed:
        raise gr.Error(str(failed), print_exception=False) from None


def _path(image: Any, number: int) -> str | None:
    """Return the uploaded file's path, from whatever a caller sent in its place.

    Raises:
        ImageError: It is anything else.
    """
    if image is None:
        return None
    path = image.get("path") if isinstance(image, dict) else getattr(image, "path", image)
    if isinstance(path, str) and uploads.is_upload(path):
        return path
    raise ImageError("image_not_uploaded", field="images", number=number)
