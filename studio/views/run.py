"""What the page shows of runs: pure functions from a run to HTML."""

from __future__ import annotations

import math
import textwrap
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import httpx

from studio.prompt import settings_link
from studio.public.limits import LimitReached
from studio.runs.comparison import kept_key, kept_pictures, load
from studio.runs.engines import OWNER, SANDBOX, VISITOR
from wan_client import (
    CancelOutcome,
    Downloading,
    Finished,
    ImageSize,
    Preparing,
    Queued,
    Retrying,
    RunCancelled,
    Running,
    Submitted,
    Uploading,
    WanError,
)
from wan_client.settings import DEFAULT_API_BASE

from . import comparison
from .files import file_url
from .render import render
from .request import change_words
from .viewer import Picture, viewer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

    from studio.browser.store import Entry
    from studio.i18n.texts import Texts
    from studio.public.limits import LimitStatus
    from studio.runs.comparison import KeptPicture
    from studio.runs.job import Job
    from studio.runs.results import Outcome
    from wan_client import Change, Event, ModelEntry

PROMPT_SHOWN = 90
# Operations that the preview adds itself: for a prompt that it understands nothing of, and for magic prompt.
UNASKED = {"neutral_grade", "polish"}
# Problems whose hints are about the account, the token or a setting, which only the page's owner can change.
OWNER_PROBLEMS = {
    "authentication", "balance", "forbidden", "model_unknown", "run_not_found", "s3_failed", "submit_interrupted",
    "unexpected", "unknown_outcome",
}  # fmt: skip
STAGES = ("prepare", "upload", "queue", "run", "fetch")
# The stages' shares of the progress bar, by the time that they usually take.
WEIGHTS = (0.05, 0.1, 0.1, 0.65, 0.1)
# A page that gets no update for a few of these periods has lost its server.
BEAT_SECONDS = 15
_STAGE_OF: dict[type, int] = {
    Uploading: 1,
    Submitted: 2,
    Queued: 2,
    Running: 3,
    Retrying: 3,
    Downloading: 4,
    Finished: 5,
}


@dataclass(frozen=True)
class RunView:
    """One run as the page shows it.

    Attributes:
        entry: The run as the browser keeps it.
        outcome: What it came to, where its files are still here.
        job: The run at work, where this server has it.
    """

    entry: Entry
    outcome: Outcome | None = None
    job: Job | None = None

    @property
    def state(self) -> str:
        """One of ``finished``, ``failed`` and ``waiting``."""
        return "finished" if self.outcome else "failed" if self.job and self.job.ended else "waiting"


def banner(texts: Texts, engine: str, base: str, model: ModelEntry) -> str:
    """Render which engine is at work, where pictures go, and what a run costs by the catalogue.

    Args:
        texts: The texts in the visitor's language.
        engine: ``sandbox``, ``owner`` or ``visitor``.
        base: Where the hosted model is.
        model: The catalogue's entry.
    """
    if engine == SANDBOX:
        return _banner("sandbox", texts("banner.sandbox.name"), texts("banner.sandbox"))
    each = price(texts, model, 1)
    words = [texts("banner.price", price=each)] if each else []
    if engine == VISITOR:
        words.append(texts("banner.visitor"))
    if base == DEFAULT_API_BASE:
        return _banner("hosted", texts("banner.runcomfy.name"), " ".join([texts("banner.runcomfy"), *words]))
    host = httpx.URL(base).host
    return _banner(
        "hosted", texts("banner.other.name", host=host), " ".join([texts("banner.other", host=host), *words])
    )


def price(texts: Texts, model: ModelEntry, runs: int) -> str:
    """Return what so many runs cost by the catalogue; empty where it names no price."""
    if model.price_usd is None or model.price_unit not in {"image", "output"}:
        return ""
    return texts("price", amount=f"{model.price_usd * runs:.4g}")


def cost(texts: Texts, model: ModelEntry | None, variations: int, left: LimitStatus | None) -> str:
    """Render what the next run costs, and how many more this page allows.

    Args:
        texts: The visitor's language.
        model: The catalogue's entry; None for the local preview, which costs nothing.
        variations: How many runs a press starts.
        left: What the tightest limit leaves; None where nothing is limited.
    """
    known = ""
    if model:
        each = price(texts, model, variations)
        known = texts("cost.known", count=variations, price=each) if each else texts("cost.unknown")
    return render("cost", price=known, left=left.sentence(texts) if left else "")


def _banner(kind: str, name: str, words: str) -> str:
    return render("banner", kind=kind, name=name, words=words)


def keeps_nothing(texts: Texts) -> str:
    """Render the note for a browser that keeps nothing, with a link to the page in a tab of its own."""
    return render("keeps_nothing", texts=texts)


def coming(entry: Entry) -> str:
    """Render the stage while the first result is on its way."""
    width, height = ImageSize.parse(entry.form.image_size).pixels
    picture = entry.form.image_1
    return render("coming", width=width, height=height, picture=file_url(Path(picture)) if picture else "")


def status(texts: Texts, jobs: Sequence[Job]) -> str:
    """Render the state of the runs of one click, for the page's status line."""
    waiting = [job for job in jobs if not job.ended]
    finished = [job for job in jobs if job.outcome]
    if waiting:
        codes = [job.entry.key for job in waiting]
        return _waiting(texts, waiting[0], (len(finished), len(jobs)), codes)
    if finished:
        return _finished(texts, finished, len(jobs))
    if isinstance(jobs[0].problem, RunCancelled):
        problem = jobs[0].problem
        words = f"{texts(f'error.{problem.code}', **problem.values)} {texts.charged(problem, sandbox=jobs[0].sandbox)}"
        return render("cancelled", words=words)
    owner = jobs[0].entry.engine == OWNER
    return failure(texts, jobs[0].problem or WanError("unexpected"), sandbox=jobs[0].sandbox, owner=owner)


def _waiting(texts: Texts, job: Job, count: tuple[int, int], codes: Sequence[str]) -> str:
    """Render the bar, a sentence, and the time of the start, from which the browser counts the seconds."""
    words = event_words(texts, job.event)
    stage, share = _progress(job.event)
    stage = min(stage, len(STAGES) - 1)
    if isinstance(job.event, Retrying) and job.request_id is None:
        stage = STAGES.index("upload")
    done, total = count
    if total > 1:
        words = f"{texts('run.some_finished', done=done, total=total)} {words}"
    until = None
    if isinstance(job.event, Running) and job.event.expected and job.running_since:
        until = job.running_since + job.event.expected[1]
    return render(
        "waiting",
        texts=texts,
        words=words,
        stages=STAGES,
        stage=stage,
        before=round(sum(WEIGHTS[:stage]), 2),
        weight=WEIGHTS[stage],
        share=share,
        since=job.running_since,
        until=until,
        start=job.entry.at,
        beat=int((time.time() - job.entry.at) // BEAT_SECONDS),
        # The browser fills the clock in.
        title=texts("title.waiting", clock="{clock}"),
        note=cancel_note(texts, job),
        codes=codes,
    )


def cancel_note(texts: Texts, job: Job) -> str:
    """Return what the Cancel button achieved, unless the run was cancelled."""
    if job.cancel_outcome in {None, CancelOutcome.CANCELLED}:
        return ""
    if job.ended:
        return texts("cancel.too_late")
    charged = texts("charged.sandbox" if job.sandbox else "charged.maybe")
    return f"{texts(f'cancel.{job.cancel_outcome.value}')} {charged}"


def failure(texts: Texts, problem: WanError, *, sandbox: bool, owner: bool = False) -> str:
    """Render what happened, whether it was charged, what to do, and the run's id.

    Args:
        texts: The visitor's language.
        problem: What went wrong.
        sandbox: Whether the local preview was at work.
        owner: Whether the page's owner pays: the visitor then can't do what concerns the account.
    """
    what_to_do = texts.hint(problem, sandbox=sandbox)
    if isinstance(problem, LimitReached) and not problem.own_token:
        what_to_do = f"{what_to_do} {texts('limits.own_token')}"
    if owner and problem.code in OWNER_PROBLEMS:
        what_to_do = f"{what_to_do} {texts('error.tell_owner')}"
    return render(
        "failure",
        texts=texts,
        what=texts(f"error.{problem.code}", **problem.values),
        charged=texts.charged(problem, sandbox=sandbox),
        what_to_do=what_to_do,
        request_id=problem.request_id,
    )


def notice(words: str) -> str:
    """Render a notice for the status line."""
    return render("notice", words=words)


def _finished(texts: Texts, jobs: Sequence[Job], total: int) -> str:
    outcomes = [job.outcome for job in jobs if job.outcome]
    # How long a resumed run took is not known.
    whole = all(job.asked for job in jobs)
    words = [
        texts("run.finished", seconds=f"{max(outcome.seconds for outcome in outcomes):.0f}")
        if whole
        else texts("run.fetched")
    ]
    if len(outcomes) < total:
        words.append(texts("run.some_finished", done=len(outcomes), total=total))
    costs = [outcome.cost for outcome in outcomes if outcome.cost is not None]
    if costs and not jobs[0].sandbox:
        words.append(texts("run.cost", cost=f"{sum(costs):.4g}"))
    if missing := sum(outcome.missing for outcome in outcomes):
        words.append(texts("run.missing", count=missing))
    notes = dict.fromkeys(note for job in jobs if (note := cancel_note(texts, job)))
    return render("finished", texts=texts, words=" ".join(words), notes=notes)


def filmstrip(texts: Texts, shown: Sequence[RunView]) -> str:
    """Render the variations of one click side by side; nothing for a single one."""
    if len(shown) < 2:
        return ""
    return render("filmstrip", texts=texts, cards=[_variation(texts, run) for run in shown])


def _variation(texts: Texts, run: RunView) -> dict[str, str | None]:
    """Return what a card of the filmstrip shows: a picture, why there is none, or how far it is."""
    job = run.job
    words, retry = event_words(texts, job.event) if job else "", None
    if job and job.ended:
        problem = job.problem or WanError("unexpected")
        words = f"{texts(f'error.{problem.code}', **problem.values)} {texts.charged(problem, sandbox=job.sandbox)}"
        retry = texts("filmstrip.fetch" if job.can_be_fetched else "filmstrip.retry")
    return {
        "key": run.entry.key,
        "state": run.state,
        "seed": texts("fact.seed", seed=int(run.entry.form.seed or 0)),
        "thumbnail": _thumbnail(run.outcome) if run.outcome else None,
        "picture": file_url(run.outcome.path) if run.outcome else None,
        "words": words,
        "retry": retry,
    }


def result_panel(texts: Texts, run: RunView, others: Sequence[RunView] = (), kept: KeptPicture | None = None) -> str:
    """Render a finished run's picture in the viewer, beside the pictures to compare it with.

    Args:
        texts: The visitor's language.
        run: The run.
        others: Other runs that its picture may be compared with once they are finished, such as its variations.
        kept: The kept composite that is shown in the picture's place.
    """
    outcome = run.outcome
    if outcome is None:
        return render("gone", texts=texts, key=run.entry.key)
    composites = kept_pictures(run.entry.key)
    return render(
        "result",
        texts=texts,
        key=run.entry.key,
        comparison=_comparison(texts, run, outcome, others, kept, composites=composites),
        kept=comparison.kept_list(texts, run.entry.key, composites),
    )


def caption(texts: Texts, run: RunView) -> str:
    """Render a finished run's own prompt and settings, which may differ from those of the form."""
    outcome, form = run.outcome, run.entry.form
    if outcome is None:
        return ""
    facts = [texts("banner.sandbox.name")] if "local_preview" in outcome.extra else []
    facts += [
        ImageSize.parse(form.image_size).ratio,
        f"{outcome.width} × {outcome.height}",
        texts("fact.seed", seed=int(form.seed or 0)),
        texts("fact.seconds", seconds=f"{outcome.seconds:.0f}"),
    ]
    if outcome.cost is not None and run.entry.engine != SANDBOX:
        facts.append(texts("price", amount=f"{outcome.cost:.4g}"))
    if outcome.missing:
        facts.append(texts("run.missing", count=outcome.missing))
    return render(
        "caption",
        texts=texts,
        key=run.entry.key,
        prompt=form.prompt or "…",
        facts=" · ".join(facts),
        plan=_plan(texts, outcome.extra),
        changes=_changes(texts, outcome.changes),
    )


def downloads(texts: Texts, run: RunView) -> str:
    """Render the links to a finished run's files."""
    return render("downloads", texts=texts, downloads=_downloads(run.outcome)) if run.outcome else ""


def copies(texts: Texts, run: RunView) -> str:
    """Render the buttons that copy a finished run's settings and prompt."""
    form = run.entry.form
    return (
        render("copies", texts=texts, key=run.entry.key, query=settings_link.to_query(form), prompt=form.prompt)
        if run.outcome
        else ""
    )


def _comparison(
    texts: Texts,
    run: RunView,
    outcome: Outcome,
    others: Sequence[RunView],
    kept: KeptPicture | None,
    *,
    composites: Sequence[KeptPicture],
) -> Markup:
    """Render the viewer: the result and the reference that it was made of, with all others to choose from."""
    key = run.entry.key
    mine = sorted((other for other in (run, *others) if other.entry.group == run.entry.group), key=_began)
    group = [(number, other.entry, other.outcome) for number, other in enumerate(mine, 1) if other.outcome]
    earlier = [(other.entry, other.outcome) for other in others if other.outcome and other not in mine]
    references = [
        Picture(
            f"image-{number}",
            texts(f"slot.{number}"),
            file_url(outcome.sent_file(number)),
            sent.width,
            sent.height,
            "reference",
            {
                entry.key: file_url(result.before_file)
                for _, entry, result in group
                if result.before_file and result.before_image == number
            }
            | comparison.before_urls(key, composites, number),
            texts("viewer.before", name=texts(f"slot.{number}")),
        )
        for number, sent in enumerate(outcome.sent, 1)
    ]
    alone = len(mine) == 1
    results = []
    for number, entry, result in group:
        name = texts("filmstrip.only") if alone else texts("filmstrip.result", number=number)
        badge = texts("viewer.after") if alone else texts("viewer.after.named", name=name)
        results.append(replace(_picture(entry, result, name, "result"), badge=badge))
    history = [_picture(entry, result, _short(entry.form.prompt), "history") for entry, result in earlier]
    found = load(key)
    number = kept.before if kept else found.before if found else outcome.before_image
    first = references[number - 1].key if references else key
    shown = kept_key(key, kept.number) if kept else key
    return viewer(texts, [*references, *results, *comparison.pictures(texts, key, composites), *history], first, shown)


def _began(run: RunView) -> float:
    return run.entry.at


def _picture(entry: Entry, outcome: Outcome, label: str, kind: Literal["result", "history"]) -> Picture:
    comparable = bool(outcome.sent)
    size = outcome.width, outcome.height
    return Picture(entry.key, label, file_url(outcome.path), *size, kind, comparable=comparable)


def _downloads(outcome: Outcome) -> list[dict[str, str]]:
    """Return the API's own file, then the copy with the recipe in it, and the one without metadata."""
    named = {
        "download": outcome.path,
        "recipe": outcome.recipe_file,
        "clean": outcome.clean_file,
    }
    return [{"kind": kind, "url": file_url(file), "name": file.name} for kind, file in named.items() if file]


def history(texts: Texts, shown: Sequence[RunView]) -> str:
    """Render this browser's finished runs, newest first."""
    cards = [
        {
            "key": run.entry.key,
            "prompt": _short(run.entry.form.prompt),
            "thumbnail": _thumbnail(run.outcome) if run.outcome else None,
            "picture": file_url(run.outcome.path) if run.outcome else None,
        }
        for run in shown
    ]
    return render("history", texts=texts, cards=cards)


def _thumbnail(outcome: Outcome) -> str:
    return file_url(outcome.thumbnail_file)


def _short(prompt: str) -> str:
    return textwrap.shorten(prompt, PROMPT_SHOWN, placeholder="…") or "…"


def _plan(texts: Texts, extra: Mapping[str, Any]) -> str:
    """Return what the local preview understood of the prompt, and what it can't do."""
    plan = extra.get("local_preview")
    if not isinstance(plan, dict):
        return ""
    steps = [step for step in plan.get("understood", []) if isinstance(step, dict)]
    asked = any(step.get("op") not in UNASKED for step in steps)
    understood = [_operation(texts, step) for step in steps] if asked else []
    missed = [f"“{phrase}”" for phrase in plan.get("not_understood", []) if isinstance(phrase, str)]
    lines = [texts("preview.understood", operations=", ".join(understood)) if understood else texts("preview.nothing")]
    if missed:
        lines.append(texts("preview.missed", phrases=", ".join(missed)))
    return " ".join(lines)


def _operation(texts: Texts, step: Mapping[str, Any]) -> str:
    parameters = step.get("parameters")
    source = parameters.get("source") if isinstance(parameters, dict) else None
    name, image = f"preview.op.{step.get('op')}", step.get("image")
    words = texts(name, source=source) if texts.has(name) else str(step.get("op")).replace("_", " ")
    return texts("preview.of_image", operation=words, image=image) if image else words


def _changes(texts: Texts, sent: Sequence[Sequence[Change]]) -> list[tuple[int, str]]:
    """Return what was done to each picture before it was sent, by its number."""
    return [
        (number, "; ".join(changes)) for number, image in enumerate(sent, 1) if (changes := change_words(texts, image))
    ]


def event_words(texts: Texts, event: Event | None) -> str:
    """Return the sentence that describes an event."""
    key, values = f"event.{type(event or Preparing()).__name__.lower()}", {}
    match event:
        case Queued(int(position), _):
            key, values = "event.queued_at", {"position": position}
        case Running(_, (low, high)):
            key, values = "event.running_usual", {"low": math.floor(low), "high": math.ceil(high)}
    return texts(key, **values)


def _progress(event: Event | None) -> tuple[int, float | None]:
    """Return the current stage, and how much of it is done where that is known."""
    stage = _STAGE_OF.get(type(event), 0)
    match event:
        case Uploading(part, total) | Downloading(part, int(total)) if total:
            return stage, min(part / total, 1.0)
    return stage, None
