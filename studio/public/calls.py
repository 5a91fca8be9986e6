"""The calls of programs and agents: an edit, its state, its picture, its cancellation.

`endpoints` offers them by Gradio's API, `agent_tools` by the Model Context Protocol. A call that ends early leaves its
run alone: a run belongs to the server, and its name leads to its picture.
"""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from studio.prompt.form import Form
from studio.runs import results
from studio.runs.caller_keys import check_key
from studio.runs.engines import SANDBOX
from studio.runs.job import watch_changes
from studio.views.run import event_words
from wan_client import (
    Backend,
    CancelOutcome,
    Charged,
    Downloading,
    Finished,
    InvalidRequest,
    Queued,
    Retrying,
    RunCancelled,
    Running,
    Submitted,
    Uploading,
    WanError,
)
from wan_client.schema import check_seed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from studio.browser.store import Entry
    from studio.i18n.texts import Texts
    from studio.runs.job import Job
    from studio.runs.jobs import Jobs
    from studio.runs.results import Outcome

    from .visitors import Visitor

WAIT_MAX: Final = 3600
# How often a wait checks whether it is over, and how long a status waits for the API's first answer.
TICK_SECONDS = 0.5
FIRST_LOOK_SECONDS = 10.0

SLOTS: Final = ("image_1", "image_2", "image_3")
STATES: Final = (
    "preparing", "sending", "queued", "running", "downloading", "succeeded", "failed", "cancelled", "unknown",
)  # fmt: skip
_STATE_OF: Final = {
    Uploading: "sending",
    Submitted: "queued",
    Queued: "queued",
    Running: "running",
    Retrying: "running",
    Downloading: "downloading",
    Finished: "downloading",
}


class CallFailed(Exception):
    """A call failed. The text is a sentence for the caller: what happened, what it cost, what to do."""


@dataclass(frozen=True)
class Answer:
    """What is known of a run.

    Attributes:
        facts: The facts, ready for JSON.
        outcome: The finished run, once it is.
    """

    facts: dict[str, Any]
    outcome: Outcome | None = None


@dataclass(frozen=True)
class Started:
    """A run that a call has started or found."""

    run: str
    reused: bool

    def described(self, caller: Caller, failed: CallFailed) -> CallFailed:
        """Return the error of the run, with a note if an earlier call started the run."""
        return CallFailed(f"{caller.texts('api.reused')} {failed}") if self.reused else failed


@dataclass(frozen=True)
class Caller:
    """Who calls, and in which language the answers are.

    Attributes:
        visitor: What the runs are counted under.
        texts: The texts.
        prefix: What stands before a call's name where it is offered, such as a slash.
    """

    visitor: Visitor
    texts: Texts
    prefix: str = ""


class Calls:
    """The calls of programs and agents.

    Args:
        jobs: The server's jobs.
    """

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs

    async def start(
        self,
        caller: Caller,
        *,
        prompt: Any,
        pictures: Sequence[str | None],
        negative_prompt: Any,
        image_size: Any,
        seed: Any,
        prompt_extend: Any,
        idempotency_key: Any = None,
    ) -> Started:
        """Start an edit, or find the one that was started under the same key.

        Args:
            caller: Who calls.
            prompt: The instruction.
            pictures: The paths of the uploaded pictures.
            negative_prompt: What to keep out of the result.
            image_size: The size of the result.
            seed: The seed.
            prompt_extend: Whether the model may enrich the prompt.
            idempotency_key: The caller's own key for this request; none starts a run with each call.

        Raises:
            CallFailed: It can't be started, or it is unknown whether it was.
        """
        # Without a session: Gradio gives all programs the same one, and a program may start the same edit twice.
        visitor = replace(caller.visitor, session=None)
        try:
            # Checked here: the page's form takes an empty seed for the default, but a program's null is an error.
            form = Form(
                prompt,
                negative_prompt=negative_prompt,
                image_size=_text(image_size, "image_size"),
                seed=check_seed(seed),
                prompt_extend=prompt_extend,
                **dict(zip(SLOTS, pictures, strict=True)),
            )
            if idempotency_key is None:
                (job,) = await self.jobs.start(form.variations(1), visitor)
                return Started(job.key, reused=False)
            return Started(*await self.jobs.start_once(form, visitor, check_key(idempotency_key)))
        except WanError as problem:
            raise self.failed(caller, problem) from None

    async def watch(self, caller: Caller, run: Any, wait: float | None = None) -> AsyncGenerator[Answer]:
        """Yield what is known of a run at each change, until it has ended or the wait is over.

        Args:
            caller: Who calls.
            run: The run's name.
            wait: For how many seconds to wait; None waits for the end.

        Raises:
            CallFailed: There is no such run, or it failed.
        """
        entry = await self._known(caller, run)
        if outcome := await asyncio.to_thread(results.load, entry.key):
            yield _finished(caller, entry, outcome)
            return
        until = math.inf if wait is None else time.monotonic() + wait
        job = await self._job(caller, entry)
        latest: dict[str, Any] = {}
        async for _ in watch_changes([job], every=None if wait is None else TICK_SECONDS):
            if job.ended:
                break
            answer = self._at_work(caller, job)
            over = time.monotonic() >= until
            if answer.facts != latest or over:
                latest = answer.facts
                yield answer
            if over:
                return
        if job.outcome is None:
            raise self._failed_run(caller, job)
        yield _finished(caller, job.entry, job.outcome)

    async def status(self, caller: Caller, run: Any) -> Answer:
        """Return what is known of a run now.

        Raises:
            CallFailed: There is no such run.
        """
        entry = await self._known(caller, run)
        if outcome := await asyncio.to_thread(results.load, entry.key):
            return _finished(caller, entry, outcome)
        job = await self._job(caller, entry)
        until = time.monotonic() + FIRST_LOOK_SECONDS
        async with aclosing(watch_changes([job], every=TICK_SECONDS)) as changes:  # type: ignore[type-var]
            async for _ in changes:
                if job.event or job.asked or time.monotonic() >= until:
                    break
        return self._at_work(caller, job)

    async def cancel(self, caller: Caller, run: Any) -> Answer:
        """Take a run out of the queue, and return the actual outcome.

        Raises:
            CallFailed: There is no such run.
        """
        entry = await self._known(caller, run)
        outcome = await asyncio.to_thread(results.load, entry.key)
        if outcome:
            answer, achieved = _finished(caller, entry, outcome), None
        else:
            job = await self._job(caller, entry)
            achieved = await job.cancel()
            answer = self._at_work(caller, job)
        if achieved is None:
            words, achieved = caller.texts("cancel.finished"), CancelOutcome.NOT_CANCELLABLE
        else:
            words = caller.texts(f"cancel.{achieved.value}")
        state = "cancelled" if achieved is CancelOutcome.CANCELLED else answer.facts["state"]
        facts = {**answer.facts, "state": state, "message": words, "cancel_outcome": achieved.value}
        return Answer(facts, answer.outcome)

    async def withdraw(self, run: str) -> None:
        """Take the run of a cancelled call out of the queue. A run that is at work already goes on."""
        job = self.jobs.find(run)
        if job and not self.jobs.stopping:
            await job.cancel()

    def failed(self, caller: Caller, problem: WanError, *, run: str | None = None) -> CallFailed:
        """Return the error of a call.

        Args:
            caller: Who called.
            problem: What happened. The error also says whether it was charged, what to do, and the API's id of the run.
            run: The run's name, where its picture may still be fetched.
        """
        parts = [caller.texts.sentences(problem, sandbox=self.jobs.engines.name() == SANDBOX)]
        if run:
            parts.append(caller.texts("api.fetch", call=f"{caller.prefix}result", run=run))
        if problem.request_id:
            parts.append(f"({caller.texts('run.id')} {problem.request_id})")
        return CallFailed(" ".join(parts))

    async def _known(self, caller: Caller, run: Any) -> Entry:
        entry = await asyncio.to_thread(self.jobs.known, run) if isinstance(run, str) else None
        if entry is None:
            ended = await asyncio.to_thread(results.load_problem, run) if isinstance(run, str) else None
            raise self.failed(caller, ended or WanError("run_unknown"))
        return entry

    async def _job(self, caller: Caller, entry: Entry) -> Job:
        try:
            return await self.jobs.resume(entry, caller.visitor)
        except WanError as problem:
            if problem.code == "submit_interrupted" and time.time() - entry.at < self.jobs.sending_seconds:
                problem.code = "submit_elsewhere"
            raise self.failed(caller, problem, run=entry.key) from None

    def _failed_run(self, caller: Caller, job: Job) -> CallFailed:
        problem = job.problem or WanError("unexpected", request_id=job.request_id)
        return self.failed(caller, problem, run=job.key if job.can_be_fetched else None)

    def _at_work(self, caller: Caller, job: Job) -> Answer:
        """Return what is known of a run without a picture."""
        if job.outcome and job.ended:
            return _finished(caller, job.entry, job.outcome)
        facts = _facts(job.entry)
        problem = job.problem
        if problem is None:
            state = _STATE_OF.get(type(job.event), "preparing")
            return Answer({**facts, "state": state, "message": event_words(caller.texts, job.event)})
        state = "cancelled" if isinstance(problem, RunCancelled) else "failed"
        if job.can_be_fetched or (problem.charged is Charged.UNKNOWN and not problem.request_id):
            state = "unknown"
        charged = Charged.NO if job.sandbox else problem.charged
        message = str(self._failed_run(caller, job))
        return Answer({**facts, "state": state, "message": message, "error": problem.code, "charged": charged.value})


def check_wait(wait: object) -> float | None:
    """Return for how many seconds a call waits; None for as long as it takes.

    Raises:
        InvalidRequest: It is no such number.
    """
    if wait is None:
        return None
    number = isinstance(wait, int | float) and not isinstance(wait, bool)
    if not number or not 0 <= wait <= WAIT_MAX:  # type: ignore[operator]
        raise InvalidRequest("wait_unusable", field="wait_seconds", limit=WAIT_MAX)
    return float(wait)  # type: ignore[arg-type]


def _text(value: object, field: str) -> str:
    if not isinstance(value, str):
        raise InvalidRequest("text_expected", field=field, given=type(value).__name__)
    return value


def _facts(entry: Entry) -> dict[str, Any]:
    """Return the facts of an answer, with those empty that are not known before the run has ended."""
    sandbox = entry.engine == SANDBOX
    return {
        "run": entry.key,
        "request_id": entry.request_id or None,
        "state": "",
        "message": "",
        "engine": (Backend.SANDBOX if sandbox else Backend.RUNCOMFY).value,
        "local_preview": sandbox,
        "seed": int(entry.form.seed or 0),
        "width": None,
        "height": None,
        "seconds": None,
        "cost_usd": None,
        "error": None,
        "charged": None,
    }


def _finished(caller: Caller, entry: Entry, outcome: Outcome) -> Answer:
    facts = _facts(entry)
    sandbox = entry.engine == SANDBOX
    known = {
        "state": "succeeded",
        "message": caller.texts("event.finished"),
        "local_preview": sandbox or "local_preview" in outcome.extra,
        "width": outcome.width,
        "height": outcome.height,
        "seconds": round(outcome.seconds, 1),
        "cost_usd": 0.0 if sandbox else outcome.cost,
        "charged": (Charged.NO if sandbox else Charged.YES).value,
    }
    return Answer({**facts, **known}, outcome)
