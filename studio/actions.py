"""What happens on each event of the page."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator  # noqa: TC003  # Gradio reads a handler's annotations as the page is built
from typing import TYPE_CHECKING, Any

import gradio as gr

from wan_client import Charged, DeadlineExceeded, DownloadFailed, ModelEntry, TransientError, WanError

from . import view
from .form import Form
from .texts import texts_for

if TYPE_CHECKING:
    from .jobs import Job, Jobs
    from .texts import Texts

log = logging.getLogger(__name__)

View = tuple[Any, ...]
Waiting = list[dict[str, str]]

OTHERS_KEPT = 9


class Actions:
    """The page's event handlers, over the server's jobs.

    Args:
        jobs: The server's jobs.
    """

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    async def banner(self, request: gr.Request) -> str:
        """Which engine is at work."""
        model = ModelEntry() if self._jobs.sandbox else await self._jobs.model()
        return view.banner(texts_for(request), self._jobs.settings, model)

    def empty(self, request: gr.Request) -> str:
        """The result's place before there is one."""
        return view.placeholder(texts_for(request))

    def restore(self, pending: str) -> View:
        """After a reload, put back what was entered for the run that goes on."""
        *_, known = _read(pending) or [{}]
        job = self._jobs.find(known.get("key", ""))
        if job is None or job.form is None:
            return (gr.skip(),) * 8
        form = job.form
        return (
            form.prompt,
            form.image_1,
            form.image_2,
            form.image_3,
            form.negative_prompt,
            form.image_size,
            form.seed,
            form.prompt_extend,
        )

    async def generate(
        self,
        pending: str,
        prompt: str,
        image_1: str | None,
        image_2: str | None,
        image_3: str | None,
        negative_prompt: str,
        image_size: str,
        seed: float | None,
        prompt_extend: bool,
        request: gr.Request,
    ) -> AsyncIterator[View]:
        """Start a run of what was entered, and watch it."""
        texts = texts_for(request)
        form = Form(prompt, image_1, image_2, image_3, negative_prompt, image_size, seed, prompt_extend)
        try:
            job = await self._jobs.start(form, request.session_hash)
        except WanError as problem:
            yield self._failed(texts, problem, _read(pending))
            return
        except Exception:
            log.exception("a run could not be started")
            yield self._failed(texts, WanError("unexpected", charged=Charged.NO), _read(pending))
            return
        async for shown in self._watch(texts, job, _read(pending)):
            yield shown

    async def resume(self, pending: str, request: gr.Request) -> AsyncIterator[View]:
        """Watch the latest run that this browser is waiting for, if there is one."""
        texts = texts_for(request)
        *others, known = _read(pending) or [{}]
        if not known:
            yield (gr.skip(),) * 6
            return
        job, request_id = self._jobs.find(known.get("key", "")), known.get("request_id")
        if (job is None or job.problem) and not request_id:
            lost = WanError("submit_interrupted", charged=Charged.UNKNOWN)
            yield self._failed(texts, job.problem if job and job.problem else lost, others)
            return
        if job is None or (job.problem and _resumable(job.problem)):
            try:
                job = await self._jobs.resume(request_id or "")
            except WanError as problem:
                yield self._failed(texts, problem, others)
                return
        async for shown in self._watch(texts, job, others):
            yield shown

    async def cancel(self, pending: str) -> dict[str, Any]:
        """Cancel the run that this browser is waiting for. What it achieved shows in the run's own status."""
        *_, known = _read(pending) or [{}]
        if job := self._jobs.find(known.get("key", "")):
            await job.cancel()
        return gr.update(interactive=False)

    def left(self, request: gr.Request) -> None:
        """A page was closed or reloaded. Its runs go on."""
        if request.session_hash:
            self._jobs.forget_page(request.session_hash)

    async def _watch(self, texts: Texts, job: Job, others: Waiting) -> AsyncIterator[View]:
        """Show a job until it ends. The browser keeps its name, and the others' that it still waits for."""
        others = [known for known in others if known.get("key") != job.key][-OTHERS_KEPT:]
        async for _ in job.news():
            known = json.dumps([*others, _entry(job)])
            can_cancel = gr.update(interactive=job.cancel_outcome is None)
            busy = gr.update(interactive=False, value=texts("button.generating"))
            yield known, view.status(texts, job), gr.skip(), busy, can_cancel, gr.update(visible=False)
        if job.result:
            shown = view.finished(texts, job, job.result), view.result_panel(texts, job, job.result)
            yield json.dumps(others), *shown, *_idle(texts), gr.update(visible=bool(others))
        elif job.problem:
            yield self._failed(texts, job.problem, [*others, _entry(job)] if _resumable(job.problem) else others)

    def _failed(self, texts: Texts, problem: WanError, waiting: Waiting) -> View:
        shown = view.failure(texts, problem, sandbox=self._jobs.sandbox)
        return json.dumps(waiting), shown, gr.skip(), *_idle(texts), gr.update(visible=bool(waiting))


def _idle(texts: Texts) -> tuple[Any, Any]:
    return gr.update(interactive=True, value=texts("button.generate")), gr.update(interactive=False)


def _entry(job: Job) -> dict[str, str]:
    return {"key": job.key, "request_id": job.request_id or ""}


def _resumable(problem: WanError) -> bool:
    """Whether the run may still bring its picture: asking again costs nothing."""
    passing = isinstance(problem, DownloadFailed | DeadlineExceeded | TransientError) or problem.code == "unexpected"
    return problem.request_id is not None and passing


def _read(pending: str) -> Waiting:
    """The runs that the browser waits for, oldest first; anything that makes no sense counts as none."""
    try:
        value = json.loads(pending or "[]")
    except (ValueError, TypeError):
        return []
    entries = value if isinstance(value, list) else []
    return [
        {name: text for name, text in entry.items() if isinstance(text, str)}
        for entry in entries
        if isinstance(entry, dict)
    ]
