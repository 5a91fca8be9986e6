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
        job = self._jobs.find(_read(pending).get("key", ""))
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
            yield self._failed(texts, problem, gr.skip())
            return
        except Exception:
            log.exception("a run could not be started")
            yield self._failed(texts, WanError("unexpected", charged=Charged.NO), gr.skip())
            return
        async for shown in self._watch(texts, job):
            yield shown

    async def resume(self, pending: str, request: gr.Request) -> AsyncIterator[View]:
        """Watch the run that this browser is waiting for, if there is one."""
        known, texts = _read(pending), texts_for(request)
        if not known:
            yield (gr.skip(),) * 6
            return
        job = self._jobs.find(known.get("key", ""))
        request_id = known.get("request_id")
        if (job is None or job.problem) and not request_id:
            lost = WanError("submit_interrupted", charged=Charged.UNKNOWN)
            yield self._failed(texts, job.problem if job and job.problem else lost, "")
            return
        if job is None or (job.problem and _resumable(job.problem)):
            try:
                job = await self._jobs.resume(request_id or "")
            except WanError as problem:
                yield self._failed(texts, problem, "")
                return
        async for shown in self._watch(texts, job):
            yield shown

    async def cancel(self, pending: str) -> dict[str, Any]:
        """Cancel the run that this browser is waiting for. What it achieved shows in the run's own status."""
        if job := self._jobs.find(_read(pending).get("key", "")):
            await job.cancel()
        return gr.update(interactive=False)

    def left(self, request: gr.Request) -> None:
        """A page was closed or reloaded. Its runs go on."""
        if request.session_hash:
            self._jobs.forget_page(request.session_hash)

    async def _watch(self, texts: Texts, job: Job) -> AsyncIterator[View]:
        async for _ in job.news():
            known = json.dumps({"key": job.key, "request_id": job.request_id})
            can_cancel = gr.update(interactive=job.cancel_outcome is None)
            busy = gr.update(interactive=False, value=texts("button.generating"))
            yield known, view.status(texts, job), gr.skip(), busy, can_cancel, gr.update(visible=False)
        if job.result:
            done = view.finished(texts, job, job.result), view.result_panel(texts, job, job.result)
            yield "", *done, *self._idle(texts), gr.update(visible=False)
        elif job.problem:
            known = json.dumps({"key": job.key, "request_id": job.request_id})
            yield self._failed(texts, job.problem, known if _resumable(job.problem) else "")

    def _failed(self, texts: Texts, problem: WanError, pending: Any) -> View:
        shown = view.failure(texts, problem, sandbox=self._jobs.sandbox)
        return pending, shown, gr.skip(), *self._idle(texts), gr.update(visible=_resumable(problem))

    def _idle(self, texts: Texts) -> tuple[Any, Any]:
        return gr.update(interactive=True, value=texts("button.generate")), gr.update(interactive=False)


def _resumable(problem: WanError) -> bool:
    """Whether the run may still bring its picture: asking again costs nothing."""
    passing = isinstance(problem, DownloadFailed | DeadlineExceeded | TransientError) or problem.code == "unexpected"
    return problem.request_id is not None and passing


def _read(pending: str) -> dict[str, str]:
    """What the browser noted of the run it waits for; anything else counts as nothing."""
    try:
        value = json.loads(pending or "{}")
    except (ValueError, TypeError):
        return {}
    return {name: text for name, text in value.items() if isinstance(text, str)} if isinstance(value, dict) else {}
