"""Event handlers for runs: Generate, Cancel, a reload, a click on a run."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator  # noqa: TC003  # Gradio reads a handler's annotations as the page is built
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from studio import uploads
from studio.browser import store
from studio.browser.store import Entry
from studio.prompt import snippets
from studio.prompt.form import Form, how_many
from studio.public.visitors import visitor_of
from studio.runs import results
from studio.runs.engines import OWNER, SANDBOX, VISITOR
from studio.runs.job import watch_changes
from studio.views import examples
from studio.views import run as view
from wan_client import Charged, WanError

from .components import Changes, Shown  # noqa: TC001  # Gradio reads a handler's annotations as the page is built
from .rendering import localised, rendered, status_note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studio.browser.store import BrowserStore
    from studio.runs.comparison import KeptPicture
    from studio.runs.job import Job
    from studio.runs.jobs import Jobs
    from studio.views.run import RunView

    from .components import Components, Localised

log = logging.getLogger(__name__)


class RunHandlers:
    """The page's event handlers, over the server's jobs.

    Args:
        jobs: The server's jobs.
        components: The page's components.
    """

    def __init__(self, jobs: Jobs, components: Components) -> None:
        self._jobs = jobs
        self._components = components

    @rendered
    async def generate(
        self, kept: str, token: str, shown: Shown, engine: str, variations: int, request: gr.Request, **fields: Any
    ) -> AsyncIterator[Changes]:
        """Run what was entered. If it was run before, show that picture instead and offer to run it anyway."""
        known, form = store.read(kept), Form(**fields)
        async for changes in self._generate(known, token, shown, engine, form, variations, request, anyway=False):
            yield changes

    @rendered
    async def generate_anyway(
        self, kept: str, token: str, shown: Shown, engine: str, variations: int, request: gr.Request, **fields: Any
    ) -> AsyncIterator[Changes]:
        """Run what was entered, whether or not it was run before."""
        known, form = store.read(kept), Form(**fields)
        async for changes in self._generate(known, token, shown, engine, form, variations, request, anyway=True):
            yield changes

    @rendered
    async def resume(self, kept: str, token: str, shown: Shown, request: gr.Request) -> AsyncIterator[Changes]:
        """Watch the runs that this browser waits for, and show those of the latest click."""
        known = store.read(kept)
        if not known.waiting:
            return
        jobs, lost = [], {}
        for entry in reversed(known.waiting[: store.WAITING_KEPT]):
            try:
                jobs.append(await self._jobs.resume(entry, visitor_of(request), token))
            except WanError as problem:
                lost[entry.key] = problem
        if not jobs:
            newest = known.waiting[0]
            # Another replica may still be submitting a recent run: its id is recorded once the API gives it.
            young = time.time() - newest.at < self._jobs.sending_seconds
            gone = [
                key for key, problem in lost.items() if not problem.request_id and not (young and key == newest.key)
            ]
            yield {
                **self._failed(lost[newest.key], token, sandbox=newest.engine == SANDBOX),
                self._components.notes: store.storage_patch(drop=gone),
                self._components.again: gr.update(visible=young or lost[newest.key].request_id is not None),
            }
            return
        shown.stays = False
        async for changes in self._watch(known, jobs, jobs[-1].entry.group, shown):
            yield changes

    @rendered
    async def retry(
        self, kept: str, token: str, shown: Shown, event: gr.EventData, request: gr.Request
    ) -> AsyncIterator[Changes]:
        """Run a failed variation again, or fetch its picture if only that is missing."""
        failed = self._jobs.find(_key(event))
        if failed is None:
            return
        try:
            if failed.can_be_fetched:
                await self._jobs.resume(failed.entry, visitor_of(request), token)
            else:
                _check_payer(failed.entry.engine, token)
                await self._jobs.again(failed, visitor_of(request), token)
        except WanError as problem:
            yield self._failed(problem, token)
            return
        group = failed.entry.group
        async for changes in self._watch(store.read(kept), self._jobs.group(group), group, shown):
            yield changes

    @rendered
    async def cancel(self, group: str, request: gr.Request) -> Changes:
        """Cancel the runs that are shown. The status line shows the outcome."""
        await asyncio.gather(*(job.cancel() for job in self._jobs.group(group) if not job.ended))
        return {self._components.cancel: gr.update(interactive=False)}

    @rendered
    async def fetch(
        self, kept: str, token: str, shown: Shown, code: str, request: gr.Request
    ) -> AsyncIterator[Changes]:
        """Fetch the run that a retrieval code names: show its picture, or watch it."""
        known, code = store.read(kept), (code or "").strip()
        entry = await asyncio.to_thread(self._jobs.known, code) if code else None
        if entry is None:
            yield self._failed(WanError("code_unknown", charged=Charged.NO), token)
            return
        if found := await asyncio.to_thread(results.load, entry.key):
            entry = replace(entry, result=found.digest)
            others = [other for other in known.entries if other.key != entry.key]
            known = replace(known, entries=(entry, *others))
            yield {
                **await asyncio.to_thread(self.show_result, known, entry, shown),
                self._components.notes: store.storage_patch([entry]),
                self._components.status: status_note("run.fetched"),
                self._components.code_box: "",
            }
            return
        try:
            job = await self._jobs.resume(entry, visitor_of(request), token)
        except WanError as problem:
            yield self._failed(problem, token, sandbox=entry.engine == SANDBOX)
            return
        yield {self._components.code_box: ""}
        async for changes in self._watch(known, [job], job.group, shown):
            yield changes

    @rendered
    def show(self, kept: str, shown: Shown, event: gr.EventData, request: gr.Request) -> Changes:
        """Show the finished run that was clicked, among the variations or in the history."""
        known = store.read(kept)
        entry = self._known(known, _key(event))
        return self.show_result(known, entry, shown) if entry else {}

    def show_result(self, known: BrowserStore, entry: Entry, shown: Shown, kept: KeptPicture | None = None) -> Changes:
        """Show a finished run or a kept composite of it, with its buttons, until another one is chosen."""
        shown.look_at(entry.key)
        components, variations = self._components, self._variations(known, entry.group)
        views = {one.key: self.run_view(one) for one in (*known.finished, *variations, entry)}
        run, strip = views[entry.key], [views[one.key] for one in variations]
        finished = [views[one.key] for one in known.finished]
        earlier = [run for run in finished if run.entry.group != entry.group]
        others = [other for other in (*strip, *earlier) if other is not run]
        return {
            components.panel: localised(view.result_panel, run, others, kept),
            components.code: self._code(entry) if run.outcome else "",
            components.filmstrip: localised(view.filmstrip, strip),
            components.history: localised(view.history, finished),
            components.caption: localised(view.caption, run),
            components.downloads: localised(view.downloads, run),
            components.copies: localised(view.copies, run),
            components.tools: gr.update(visible=run.outcome is not None),
            components.back: gr.update(visible=known.parent(entry) is not None),
        }

    @rendered
    async def delete(self, kept: str, shown: Shown, event: gr.EventData, request: gr.Request) -> Changes:
        """Delete a run and its files."""
        known, key = store.read(kept), _key(event)
        await self._jobs.forget(key)
        left = replace(known, entries=tuple(entry for entry in known.entries if entry.key != key))
        changes = {
            self._components.notes: store.storage_patch(drop=[key]),
            self._components.history: self.history(left),
        }
        if shown.key == key:
            shown.look_at("")
            changes |= self._emptied()
        return changes

    @rendered
    async def forget_everything(self, kept: str, shown: Shown, request: gr.Request, **fields: Any) -> Changes:
        """Delete all runs of this browser, their files, and what is entered."""
        known, form = store.read(kept), Form(**fields)
        for entry in known.entries:
            await self._jobs.forget(entry.key)
        drafts = known.draft.slots if known.draft else ()
        files = [path for path in (*form.slots, *drafts, *known.uploads) if path]
        await asyncio.to_thread(uploads.forget, files)
        shown.look_at("")
        return {
            **self._components.filled(Form()),
            self._components.size_chosen: False,
            **self._emptied(),
            **self._idle(),
            self._components.notes: store.storage_patch(drop=[entry.key for entry in known.entries]),
            self._components.draft: store.storage_patch(everything=True),
            self._components.history: localised(view.history, []),
            self._components.status: status_note("history.forgotten"),
            self._components.again: gr.update(visible=False),
            self._components.anyway: gr.update(visible=False),
        }

    def page_closed(self, request: gr.Request) -> None:
        """Forget the session of a page that was closed or reloaded. Its runs go on."""
        if request.session_hash:
            self._jobs.forget_page(request.session_hash)

    async def _generate(
        self,
        known: BrowserStore,
        token: str,
        shown: Shown,
        engine: str,
        form: Form,
        variations: int,
        request: gr.Request,
        *,
        anyway: bool,
    ) -> AsyncIterator[Changes]:
        try:
            _check_payer(engine, token)
            forms = form.variations(how_many(variations))
            if not anyway and (before := await asyncio.to_thread(self._made_before, known, forms, token)):
                yield {
                    **await asyncio.to_thread(self.show_result, known, before[0], shown),
                    self._components.status: status_note("run.made_before"),
                    self._components.anyway: gr.update(visible=True),
                }
                return
            jobs = await self._jobs.start(forms, visitor_of(request), token)
        except WanError as problem:
            yield self._failed(problem, token)
            return
        except Exception:
            log.exception("a run could not be started")
            yield self._failed(WanError("unexpected", charged=Charged.NO), token)
            return
        shown.stays = False
        for entry in known.surplus():
            await self._jobs.forget(entry.key)
        async for changes in self._watch(known, jobs, jobs[0].entry.group, shown):
            yield changes

    async def _watch(
        self, known: BrowserStore, jobs: Sequence[Job], group: str, shown: Shown
    ) -> AsyncIterator[Changes]:
        """Watch the jobs until all have ended, and show those of the group.

        The result that is shown stays until there is another one.
        """
        landed: object = None
        async for _ in watch_changes(jobs, every=view.BEAT_SECONDS):
            jobs = [job for job in jobs if not job.forgotten]
            mine = [job for job in jobs if job.group == group]
            if not mine:
                yield self._idle()
                return
            changes = self._run_states(known, jobs, group)
            over = all(job.ended for job in mine)
            now = {job.key for job in jobs if job.outcome}, shown.key, over
            if now != landed:
                landed = now
                changes |= await asyncio.to_thread(self._results, self._with_jobs(known, jobs), group, shown)
                if not shown.key:
                    changes |= self._emptied()
                    if not over:
                        changes[self._components.panel] = view.coming(mine[0].entry)
                elif over:
                    shown.stays = True
            yield changes

    def _with_jobs(self, known: BrowserStore, jobs: Sequence[Job]) -> BrowserStore:
        """Return what the browser keeps, updated with the state of the jobs."""
        entries = {entry.key: entry for entry in known.entries} | {job.key: job.entry for job in jobs}
        for job in jobs:
            if job.failed_permanently:
                del entries[job.key]
        return replace(known, entries=tuple(sorted(entries.values(), key=lambda entry: entry.at, reverse=True)))

    def _run_states(self, known: BrowserStore, jobs: Sequence[Job], group: str) -> Changes:
        """Show the state of the runs."""
        components, mine = self._components, [job for job in jobs if job.group == group]
        over = all(job.ended for job in mine)
        drop = [job.key for job in jobs if job.failed_permanently] + [entry.key for entry in known.surplus()]
        return {
            components.notes: store.storage_patch([job.entry for job in jobs if not job.failed_permanently], drop),
            components.group: group,
            components.status: localised(view.status, mine),
            components.filmstrip: localised(view.filmstrip, self.run_views(self._variations(known, group))),
            components.generate: _button(running=not over),
            components.cancel: gr.update(interactive=not over and any(job.cancel_outcome is None for job in mine)),
            components.again: gr.update(visible=over and self._has_fetchable_run(known, mine)),
            components.anyway: gr.update(visible=False),
        }

    def _has_fetchable_run(self, known: BrowserStore, mine: Sequence[Job]) -> bool:
        """Return whether a run can be fetched that has no button of its own: a single one, or one of another click."""
        if len(mine) == 1 and mine[0].can_be_fetched:
            return True
        earlier = [self._jobs.find(entry.key) for entry in known.waiting if entry.group != mine[0].group]
        return any(job is not None and job.can_be_fetched for job in earlier)

    def _results(self, now: BrowserStore, group: str, shown: Shown) -> Changes:
        """Show the chosen result, or the first of the group, and the history."""
        chosen = now.find(shown.key) if shown.stays else None
        entry = chosen or next((entry for entry in now.group(group) if entry.result), None)
        return self.show_result(now, entry, shown) if entry else {self._components.history: self.history(now)}

    def history(self, known: BrowserStore) -> Localised:
        """Return the history of finished runs, newest first. Their records are read when it is rendered."""
        return lambda texts: view.history(texts, self.run_views(known.finished))

    def _code(self, entry: Entry) -> Localised:
        sandbox, base = entry.engine == SANDBOX, self._jobs.engines.base(entry.engine)
        return localised(snippets.panel, entry.form, sandbox=sandbox, api_base=base)

    def _variations(self, known: BrowserStore, group: str) -> list[Entry]:
        """Return the runs of one click, including failed ones while this server has them."""
        entries = {entry.key: entry for entry in known.group(group)}
        entries |= {job.key: job.entry for job in self._jobs.group(group)}
        return sorted(entries.values(), key=lambda entry: entry.at)

    def _idle(self) -> Changes:
        """Reset the buttons, so that another run can be started."""
        return {
            self._components.generate: _button(running=False),
            self._components.cancel: gr.update(interactive=False),
        }

    def _emptied(self) -> Changes:
        components = self._components
        return {
            components.panel: examples.ready,
            components.filmstrip: "",
            components.caption: "",
            components.code: "",
            components.tools: gr.update(visible=False),
        }

    def _made_before(self, known: BrowserStore, forms: Sequence[Form], token: str) -> list[Entry]:
        """Return the finished runs of exactly these forms; none unless the pictures of all are still here."""
        if not known.finished:
            return []
        references = uploads.digests(forms[0])
        engine = self._jobs.engines.name(token)
        wanted = [Entry("", "", form, engine, references=references) for form in forms]
        found = [
            next(
                (entry for entry in known.finished if entry.asks_the_same_as(one) and self.run_view(entry).outcome),
                None,
            )
            for one in wanted
        ]
        return [entry for entry in found if entry] if all(found) else []

    def _failed(self, problem: WanError, token: str, *, sandbox: bool | None = None) -> Changes:
        components = self._components
        engine = self._jobs.engines.name(token)
        sandbox = engine == SANDBOX if sandbox is None else sandbox
        return {
            **self._idle(),
            components.status: localised(view.failure, problem, sandbox=sandbox, owner=engine == OWNER),
            components.again: gr.update(visible=problem.request_id is not None),
            components.anyway: gr.update(visible=False),
        }

    def _known(self, known: BrowserStore, key: str) -> Entry | None:
        job = self._jobs.find(key)
        return job.entry if job else known.find(key)

    def run_views(self, entries: Sequence[Entry]) -> list[RunView]:
        """Read the records of runs, and return them as the page shows them."""
        return [self.run_view(entry) for entry in entries]

    def run_view(self, entry: Entry) -> RunView:
        """Return a run as the page shows it. Its record is read unless the server has its job."""
        job = self._jobs.find(entry.key)
        if job and (job.outcome or not job.ended):
            return view.RunView(entry, job.outcome, job)
        return view.RunView(entry, results.load(entry.key), job)


def _button(*, running: bool) -> Localised:
    """Return the state of the Generate button."""
    key = "button.generating" if running else "button.generate"
    return lambda texts: gr.update(value=texts(key), interactive=not running)


def _check_payer(engine: str, token: str) -> None:
    """Check that a visitor who chose to pay still has a token here, so that the page's owner does not pay instead.

    Raises:
        WanError: The visitor's token is no longer here.
    """
    if engine == VISITOR and not token:
        raise WanError("token_gone", charged=Charged.NO)


def _key(event: gr.EventData) -> str:
    """Return the key of the run that was clicked."""
    return str(getattr(event, "key", ""))
