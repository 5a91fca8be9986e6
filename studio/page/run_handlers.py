"""What happens to runs: on Generate, Cancel, a reload, a click on one of them."""

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
from studio.i18n.texts import texts_for
from studio.prompt import snippets
from studio.prompt.form import Form, how_many
from studio.public.visitors import visitor_of
from studio.runs import results
from studio.runs.engines import OWNER, SANDBOX, VISITOR
from studio.runs.job import watch_changes
from studio.views import examples
from studio.views import run as view
from wan_client import Charged, WanError

from .components import Changes  # noqa: TC001  # Gradio reads a handler's annotations as the page is built

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studio.browser.store import BrowserStore
    from studio.i18n.texts import Texts
    from studio.runs.compared import KeptPicture
    from studio.runs.job import Job
    from studio.runs.jobs import Jobs
    from studio.views.run import RunView

    from .components import Components

log = logging.getLogger(__name__)

CHOSEN_KEPT = 5000


class RunHandlers:
    """The page's event handlers, over the server's jobs.

    Args:
        jobs: The server's jobs.
        components: The page's components.
    """

    def __init__(self, jobs: Jobs, components: Components) -> None:
        self._jobs = jobs
        self._components = components
        # Which result each page has chosen to look at, so that an update of another run does not replace it.
        self._chosen: dict[str, str] = {}

    async def generate(
        self, kept: str, token: str, engine: str, variations: int, request: gr.Request, **fields: Any
    ) -> AsyncIterator[Changes]:
        """Run what was entered, unless it was run before: then that picture is shown first."""
        async for changes in self._generate(kept, token, engine, variations, request, Form(**fields), anyway=False):
            yield changes

    async def generate_anyway(
        self, kept: str, token: str, engine: str, variations: int, request: gr.Request, **fields: Any
    ) -> AsyncIterator[Changes]:
        """Run what was entered, whether or not it was run before."""
        async for changes in self._generate(kept, token, engine, variations, request, Form(**fields), anyway=True):
            yield changes

    async def resume(self, kept: str, token: str, request: gr.Request) -> AsyncIterator[Changes]:
        """Watch the runs that this browser waits for: those of one click in front, the others behind."""
        texts, known = texts_for(request), store.read(kept)
        if not known.waiting:
            yield self._components.no_change
            return
        jobs, lost = [], {}
        for entry in reversed(known.waiting[: store.WAITING_KEPT]):
            try:
                jobs.append(await self._jobs.resume(entry, visitor_of(request), token))
            except WanError as problem:
                lost[entry.key] = problem
        if not jobs:
            newest = known.waiting[0]
            # Another replica may still be sending one of the last minutes: its id is noted once it is there.
            young = time.time() - newest.at < self._jobs.sending_seconds
            gone = [
                key for key, problem in lost.items() if not problem.request_id and not (young and key == newest.key)
            ]
            yield {
                **self._failed(texts, lost[newest.key], token, sandbox=newest.engine == SANDBOX),
                self._components.notes: store.storage_patch(drop=gone),
                self._components.again: gr.update(visible=young or lost[newest.key].request_id is not None),
            }
            return
        self._choose(request, "")
        async for changes in self._watch(texts, known, jobs, jobs[-1].entry.group, request):
            yield changes

    async def retry(self, kept: str, token: str, event: gr.EventData, request: gr.Request) -> AsyncIterator[Changes]:
        """Run one variation again that came to nothing, or fetch its picture if that is all that is missing."""
        texts, failed = texts_for(request), self._jobs.find(_key(event))
        if failed is None:
            yield self._components.no_change
            return
        try:
            if failed.can_be_fetched:
                await self._jobs.resume(failed.entry, visitor_of(request), token)
            else:
                _check_payer(failed.entry.engine, token)
                await self._jobs.again(failed, visitor_of(request), token)
        except WanError as problem:
            yield self._failed(texts, problem, token)
            return
        group = failed.entry.group
        async for changes in self._watch(texts, store.read(kept), self._jobs.group(group), group, request):
            yield changes

    async def cancel(self, group: str) -> Changes:
        """Cancel the runs that are shown. What it achieved shows in the status line."""
        await asyncio.gather(*(job.cancel() for job in self._jobs.group(group) if not job.ended))
        return {self._components.cancel: gr.update(interactive=False)}

    async def fetch(self, kept: str, token: str, code: str, request: gr.Request) -> AsyncIterator[Changes]:
        """Fetch the run that a retrieval code names: its picture, or what it still waits for."""
        texts, known, code = texts_for(request), store.read(kept), (code or "").strip()
        entry = await asyncio.to_thread(self._jobs.known, code) if code else None
        if entry is None:
            yield self._failed(texts, WanError("code_unknown", charged=Charged.NO), token)
            return
        if found := await asyncio.to_thread(results.load, entry.key):
            entry = replace(entry, result=found.digest)
            others = [other for other in known.entries if other.key != entry.key]
            known = replace(known, entries=(entry, *others))
            yield {
                **await asyncio.to_thread(self.looked_at, known, entry, request),
                self._components.notes: store.storage_patch([entry]),
                self._components.status: view.notice(texts("run.fetched")),
                self._components.code_box: "",
            }
            return
        try:
            job = await self._jobs.resume(entry, visitor_of(request), token)
        except WanError as problem:
            yield self._failed(texts, problem, token, sandbox=entry.engine == SANDBOX)
            return
        yield {self._components.code_box: ""}
        async for changes in self._watch(texts, known, [job], job.group, request):
            yield changes

    def show(self, kept: str, event: gr.EventData, request: gr.Request) -> Changes:
        """Show a finished run: one of the variations, or one of the history."""
        known = store.read(kept)
        entry = self._known(known, _key(event))
        if entry is None:
            return self._components.no_change
        return self.looked_at(known, entry, request)

    def looked_at(
        self, known: BrowserStore, entry: Entry, request: gr.Request, kept: KeptPicture | None = None
    ) -> Changes:
        """A run of the history or of this server, shown until another one is chosen; or a kept composite of it."""
        self._choose(request, entry.key)
        return self._looked_at(texts_for(request), known, entry, kept)

    async def delete(self, kept: str, event: gr.EventData, request: gr.Request) -> Changes:
        """Delete a run and its files."""
        known, key = store.read(kept), _key(event)
        await self._jobs.forget(key)
        left = replace(known, entries=tuple(entry for entry in known.entries if entry.key != key))
        texts = texts_for(request)
        changes = {
            self._components.notes: store.storage_patch(drop=[key]),
            self._components.history: view.history(texts, await asyncio.to_thread(self.run_views, left.finished)),
        }
        if self._chosen.get(request.session_hash or "") == key:
            changes |= self._emptied(texts)
        return changes

    async def forget_everything(self, kept: str, request: gr.Request, **fields: Any) -> Changes:
        """Delete all runs of this browser, their files, and what is entered."""
        known, form = store.read(kept), Form(**fields)
        for entry in known.entries:
            await self._jobs.forget(entry.key)
        drafts = known.draft.slots if known.draft else ()
        files = [path for path in (*form.slots, *drafts, *known.uploads) if path]
        await asyncio.to_thread(uploads.forget, files)
        texts = texts_for(request)
        return {
            **self._components.filled(Form()),
            self._components.size_chosen: False,
            **self._emptied(texts),
            **self._idle(texts),
            self._components.notes: store.storage_patch(drop=[entry.key for entry in known.entries]),
            self._components.draft: store.storage_patch(everything=True),
            self._components.history: view.history(texts, []),
            self._components.status: view.notice(texts("history.forgotten")),
            self._components.again: gr.update(visible=False),
            self._components.anyway: gr.update(visible=False),
        }

    def left(self, request: gr.Request) -> None:
        """A page was closed or reloaded. Its runs go on."""
        if request.session_hash:
            self._jobs.forget_page(request.session_hash)
            self._chosen.pop(request.session_hash, None)

    async def _generate(
        self, kept: str, token: str, engine: str, variations: int, request: gr.Request, form: Form, *, anyway: bool
    ) -> AsyncIterator[Changes]:
        texts, known = texts_for(request), store.read(kept)
        try:
            _check_payer(engine, token)
            forms = form.variations(how_many(variations))
            if not anyway and (before := await asyncio.to_thread(self._made_before, known, forms, token)):
                yield await asyncio.to_thread(self._shown_again, texts, known, before, request)
                return
            jobs = await self._jobs.start(forms, visitor_of(request), token)
        except WanError as problem:
            yield self._failed(texts, problem, token)
            return
        except Exception:
            log.exception("a run could not be started")
            yield self._failed(texts, WanError("unexpected", charged=Charged.NO), token)
            return
        shown = self._chosen.get(request.session_hash or "", "")
        self._choose(request, "")
        for entry in known.too_many():
            await self._jobs.forget(entry.key)
        async for changes in self._watch(texts, known, jobs, jobs[0].entry.group, request, shown):
            yield changes

    async def _watch(
        self, texts: Texts, known: BrowserStore, jobs: Sequence[Job], group: str, request: gr.Request, shown: str = ""
    ) -> AsyncIterator[Changes]:
        """Show the jobs until all have ended, those of the group in front. Only what has changed is sent.

        The result that is shown stays until there is another one.
        """
        sent: Changes = {}
        seen: object = None
        async for _ in watch_changes(jobs, every=view.BEAT_SECONDS):
            jobs = [job for job in jobs if not job.forgotten]
            mine = [job for job in jobs if job.group == group]
            if not mine:
                yield self._idle(texts)
                return
            now = self._standing(texts, known, jobs, group)
            over = all(job.ended for job in mine)
            landed = {job.key for job in jobs if job.outcome}, self._chosen.get(request.session_hash or ""), over
            if landed != seen:
                seen = landed
                now |= await asyncio.to_thread(self._results, texts, self._now(known, jobs), group, request)
                if self._components.panel not in now and not shown:
                    now |= self._emptied(texts)
                    if not over:
                        now[self._components.panel] = view.coming(mine[0].entry)
                elif self._components.panel not in now and over:
                    self._choose(request, shown)
            if changed := {part: value for part, value in now.items() if part not in sent or sent[part] != value}:
                yield changed
            sent |= now

    def _now(self, known: BrowserStore, jobs: Sequence[Job]) -> BrowserStore:
        """What the browser keeps, with the jobs as they stand."""
        entries = {entry.key: entry for entry in known.entries} | {job.key: job.entry for job in jobs}
        for job in jobs:
            if job.failed_permanently:
                del entries[job.key]
        return replace(known, entries=tuple(sorted(entries.values(), key=lambda entry: entry.at, reverse=True)))

    def _standing(self, texts: Texts, known: BrowserStore, jobs: Sequence[Job], group: str) -> Changes:
        """Where the runs stand: what changes by the second."""
        components, mine = self._components, [job for job in jobs if job.group == group]
        over = all(job.ended for job in mine)
        drop = [job.key for job in jobs if job.failed_permanently] + [entry.key for entry in known.too_many()]
        return {
            components.notes: store.storage_patch([job.entry for job in jobs if not job.failed_permanently], drop),
            components.group: group,
            components.status: view.status(texts, mine),
            components.filmstrip: view.filmstrip(texts, self.run_views(self._variations(known, group))),
            components.generate: gr.update(
                value=texts("button.generate" if over else "button.generating"), interactive=over
            ),
            components.cancel: gr.update(interactive=not over and any(job.cancel_outcome is None for job in mine)),
            components.again: gr.update(visible=over and self._left_to_fetch(known, mine)),
            components.anyway: gr.update(visible=False),
        }

    def _left_to_fetch(self, known: BrowserStore, mine: Sequence[Job]) -> bool:
        """Whether a run waits to be fetched that offers no button of its own: this one, or an earlier one."""
        if len(mine) == 1 and mine[0].can_be_fetched:
            return True
        earlier = [self._jobs.find(entry.key) for entry in known.waiting if entry.group != mine[0].group]
        return any(job is not None and job.can_be_fetched for job in earlier)

    def _results(self, texts: Texts, now: BrowserStore, group: str, request: gr.Request) -> Changes:
        """The pictures: what changes when one lands."""
        chosen = now.find(self._chosen.get(request.session_hash or "", ""))
        looked_at = chosen or next((entry for entry in now.group(group) if entry.result), None)
        if looked_at:
            self._choose(request, looked_at.key)
            return self._looked_at(texts, now, looked_at)
        return {self._components.history: view.history(texts, self.run_views(now.finished))}

    def _looked_at(self, texts: Texts, known: BrowserStore, entry: Entry, kept: KeptPicture | None = None) -> Changes:
        """A finished run in the panel, with what can be done with it."""
        components, variations = self._components, self._variations(known, entry.group)
        views = {one.key: self.run_view(one) for one in (*known.finished, *variations, entry)}
        shown_run, strip = views[entry.key], [views[one.key] for one in variations]
        finished = [views[one.key] for one in known.finished]
        earlier = [run for run in finished if run.entry.group != entry.group]
        others = [run for run in (*strip, *earlier) if run is not shown_run]
        return {
            components.shown: entry.key,
            components.panel: view.result_panel(texts, shown_run, others, kept),
            components.code: self._code(texts, entry) if shown_run.outcome else "",
            components.filmstrip: view.filmstrip(texts, strip),
            components.history: view.history(texts, finished),
            components.caption: view.caption(texts, shown_run),
            components.downloads: view.downloads(texts, shown_run),
            components.copies: view.copies(texts, shown_run),
            components.tools: gr.update(visible=shown_run.outcome is not None),
            components.back: gr.update(visible=known.parent(entry) is not None),
        }

    def _code(self, texts: Texts, entry: Entry) -> str:
        sandbox, base = entry.engine == SANDBOX, self._jobs.engines.base(entry.engine)
        return snippets.panel(texts, entry.form, sandbox=sandbox, api_base=base)

    def _variations(self, known: BrowserStore, group: str) -> list[Entry]:
        """The runs of one click, those that came to nothing included while this server has them."""
        entries = {entry.key: entry for entry in known.group(group)}
        entries |= {job.key: job.entry for job in self._jobs.group(group)}
        return sorted(entries.values(), key=lambda entry: entry.at)

    def _idle(self, texts: Texts) -> Changes:
        """Nothing is going on, and another run can be started."""
        return {
            self._components.generate: gr.update(value=texts("button.generate"), interactive=True),
            self._components.cancel: gr.update(interactive=False),
        }

    def _emptied(self, texts: Texts) -> Changes:
        components = self._components
        return {
            components.panel: examples.ready(texts),
            components.filmstrip: "",
            components.caption: "",
            components.code: "",
            components.tools: gr.update(visible=False),
            components.shown: "",
        }

    def _shown_again(self, texts: Texts, known: BrowserStore, before: Sequence[Entry], request: gr.Request) -> Changes:
        self._choose(request, before[0].key)
        return {
            **self._looked_at(texts, known, before[0]),
            self._components.status: view.notice(texts("run.made_before")),
            self._components.anyway: gr.update(visible=True),
        }

    def _made_before(self, known: BrowserStore, forms: Sequence[Form], token: str) -> list[Entry]:
        """The finished runs of exactly these forms, whose pictures are still here; none unless all are."""
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

    def _failed(self, texts: Texts, problem: WanError, token: str, *, sandbox: bool | None = None) -> Changes:
        components = self._components
        engine = self._jobs.engines.name(token)
        sandbox = engine == SANDBOX if sandbox is None else sandbox
        return {
            **self._idle(texts),
            components.status: view.failure(texts, problem, sandbox=sandbox, owner=engine == OWNER),
            components.again: gr.update(visible=problem.request_id is not None),
            components.anyway: gr.update(visible=False),
        }

    def _choose(self, request: gr.Request, key: str) -> None:
        if request.session_hash:
            self._chosen[request.session_hash] = key
            # Who never opened the page never closes it either.
            if len(self._chosen) > CHOSEN_KEPT:
                del self._chosen[next(iter(self._chosen))]

    def _known(self, known: BrowserStore, key: str) -> Entry | None:
        job = self._jobs.find(key)
        return job.entry if job else known.find(key)

    def run_views(self, entries: Sequence[Entry]) -> list[RunView]:
        """Runs as the page shows them. Reads their records."""
        return [self.run_view(entry) for entry in entries]

    def run_view(self, entry: Entry) -> RunView:
        """A run as the page shows it. Reads its record, unless it is this server's."""
        job = self._jobs.find(entry.key)
        if job and (job.outcome or not job.ended):
            return view.RunView(entry, job.outcome, job)
        return view.RunView(entry, results.load(entry.key), job)


def _check_payer(engine: str, token: str) -> None:
    """See that a visitor who chose to pay does not spend the page owner's money unawares.

    Raises:
        WanError: The visitor's token is no longer here.
    """
    if engine == VISITOR and not token:
        raise WanError("token_gone", charged=Charged.NO)


def _key(event: gr.EventData) -> str:
    """Which run was clicked."""
    return str(getattr(event, "key", ""))
