"""What the page shows of a job: pure functions from a job to HTML. Everything that comes from outside is escaped."""

from __future__ import annotations

import math
import textwrap
import time
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

import httpx

from studio.prompt import link
from studio.public.limits import LimitReached
from studio.runs.engines import OWNER, SANDBOX, VISITOR
from wan_client import (
    CancelOutcome,
    Downloading,
    Finished,
    Preparing,
    Queued,
    Running,
    Submitted,
    Trouble,
    Uploading,
    WanError,
)
from wan_client.settings import DEFAULT_API_BASE

from .request import told_changes
from .templating import render
from .viewer import Picture, viewer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from studio.browser.store import Entry
    from studio.i18n.texts import Texts
    from studio.runs.jobs import Job
    from studio.runs.results import Outcome
    from wan_client import Change, Event, ModelEntry

PROMPT_SHOWN = 90
# What the preview does by itself: to a prompt that it can do nothing with, and for magic prompt.
UNASKED = {"neutral_grade", "polish"}
# Their hints speak of the account, the token or a setting.
OWNERS_MATTERS = {
    "authentication", "balance", "forbidden", "model_unknown", "run_not_found", "s3_failed", "submit_interrupted",
    "unexpected", "unknown_outcome",
}  # fmt: skip
STAGES = ("prepare", "upload", "queue", "run", "fetch")
_STAGE_OF: dict[type, int] = {
    Uploading: 1,
    Submitted: 2,
    Queued: 2,
    Running: 3,
    Trouble: 3,
    Downloading: 4,
    Finished: 5,
}


@dataclass(frozen=True)
class Take:
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


def file_url(path: Path) -> str:
    """Where the page finds a file of Gradio's own folder. Relative, so that it holds behind any proxy."""
    return f"gradio_api/file={quote(str(path))}"


def banner(texts: Texts, engine: str, base: str, model: ModelEntry) -> str:
    """Which engine is at work, where pictures go, and what a run costs by the catalogue.

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
    """What so many runs cost by the catalogue; empty where it does not tell."""
    if model.price_usd is None or model.price_unit not in {"image", "output"}:
        return ""
    return texts("price", amount=f"{model.price_usd * runs:.4g}")


def _banner(kind: str, name: str, words: str) -> str:
    return f'<p class="engine engine-{kind}"><strong>{escape(name)}</strong> <span>{escape(words)}</span></p>'


def keeps_nothing(texts: Texts) -> str:
    """Return what it means that the browser keeps nothing, with a link where it may."""
    return render("keeps_nothing", texts)


def _retrieval_code(texts: Texts, key: str) -> str:
    """Return a run's name for people to copy. The styles show it where the browser keeps nothing."""
    return render("retrieval_code", texts, key=key)


def placeholder(texts: Texts) -> str:
    """The stage before there is a result."""
    return (
        f'<div class="stage stage-empty"><h2 class="stage-title">{escape(texts("stage.empty"))}</h2>'
        f"<p>{escape(texts('stage.empty.hint'))}</p></div>"
    )


def status(texts: Texts, jobs: Sequence[Job]) -> str:
    """Where the runs of one click stand, as the page's one status line."""
    waiting = [job for job in jobs if not job.ended]
    finished = [job for job in jobs if job.outcome]
    if waiting:
        codes = "".join(_retrieval_code(texts, job.key) for job in jobs if not job.came_to_nothing)
        return _waiting(texts, waiting[0], (len(finished), len(jobs)), codes)
    if finished:
        return _finished(texts, finished, len(jobs))
    owner = jobs[0].entry.engine == OWNER
    return failure(texts, jobs[0].problem or WanError("unexpected"), sandbox=jobs[0].sandbox, owner=owner)


def _waiting(texts: Texts, job: Job, count: tuple[int, int], codes: str) -> str:
    """The five stages, a sentence, and a clock that screen readers are spared."""
    words = event_words(texts, job.event)
    stage, share = _progress(job.event)
    if isinstance(job.event, Trouble) and job.request_id is None:
        stage = STAGES.index("upload")
    cells = []
    for index, name in enumerate(STAGES):
        state = "done" if index < stage else "now" if index == stage else "todo"
        known = f' style="--share:{share:.0%}" data-known' if state == "now" and share is not None else ""
        cells.append(f'<li class="{state}"{known}><span>{escape(texts(f"stage.{name}"))}</span></li>')
    clock = _clock(max(0.0, time.time() - job.entry.at))
    done, total = count
    if total > 1:
        words = f"{texts('run.some_finished', done=done, total=total)} {words}"
    return (
        f'<div class="run" data-state="waiting" data-title="{escape(texts("title.waiting", clock=clock))}">'
        f'<ol class="stages" aria-hidden="true">{"".join(cells)}</ol>'
        f'<p class="run-line"><span class="said">{escape(words)}</span>'
        f'<span class="clock" aria-hidden="true">{clock}</span></p>{cancel_note(texts, job)}{codes}</div>'
    )


def cancel_note(texts: Texts, job: Job) -> str:
    """What the Cancel button achieved, where it did not simply work."""
    if job.cancel_outcome in {None, CancelOutcome.CANCELLED}:
        return ""
    if job.ended:
        return _note(texts("cancel.too_late"))
    charged = texts("charged.sandbox" if job.sandbox else "charged.maybe")
    return _note(f"{texts(f'cancel.{job.cancel_outcome.value}')} {charged}")


def failure(texts: Texts, problem: WanError, *, sandbox: bool, owner: bool = False) -> str:
    """What happened, whether it was charged, what to do: and the run's id, to quote it.

    Args:
        texts: The visitor's language.
        problem: What went wrong.
        sandbox: Whether the local preview was at work.
        owner: Whether the page's owner pays: what concerns the account is then not for every visitor to do.
    """
    run_id = ""
    if problem.request_id:
        run_id = f'<p class="run-id">{escape(texts("run.id"))} <code>{escape(problem.request_id)}</code></p>'
    what_to_do = texts(f"error.{problem.code}.hint", **problem.values)
    if isinstance(problem, LimitReached) and not problem.own_token:
        what_to_do = f"{what_to_do} {texts('limits.own_token')}"
    if owner and problem.code in OWNERS_MATTERS:
        what_to_do = f"{what_to_do} {texts('error.tell_owner')}"
    return (
        '<section class="run run-failed" role="alert" data-state="failed"'
        f' data-title="{escape(texts("title.failed"))}">'
        f'<p class="run-what">{escape(texts(f"error.{problem.code}", **problem.values))}</p>'
        f"<p>{escape(texts.charged(problem, sandbox=sandbox))} "
        f"{escape(what_to_do)}</p>{run_id}</section>"
    )


def notice(words: str) -> str:
    """A calm sentence in the place of the status line."""
    return f'<div class="run run-finished"><p class="run-line"><span class="said">{escape(words)}</span></p></div>'


def _finished(texts: Texts, jobs: Sequence[Job], total: int) -> str:
    outcomes = [job.outcome for job in jobs if job.outcome]
    # Of a run that was picked up, it is not known how long it took.
    whole = all(job.asked for job in jobs)
    words = [
        texts("run.finished", seconds=f"{max(outcome.seconds for outcome in outcomes):.0f}")
        if whole
        else texts("run.fetched")
    ]
    if total > 1:
        words.append(texts("run.some_finished", done=len(outcomes), total=total))
    costs = [outcome.cost for outcome in outcomes if outcome.cost is not None]
    if costs and not jobs[0].sandbox:
        words.append(texts("run.cost", cost=f"{sum(costs):.4g}"))
    notes = "".join(dict.fromkeys(cancel_note(texts, job) for job in jobs))
    return (
        f'<div class="run run-finished" data-state="finished" data-title="{escape(texts("title.finished"))}">'
        f'<p class="run-line"><span class="said">{escape(" ".join(words))}</span></p>{notes}</div>'
    )


def takes(texts: Texts, shown: Sequence[Take]) -> str:
    """The variations of one click, side by side as they land. A single one needs no choosing."""
    if len(shown) < 2:
        return ""
    cards = "".join(
        f'<li class="take" data-state="{take.state}">{_take(texts, take, number)}</li>'
        for number, take in enumerate(shown, 1)
    )
    return f'<ul class="takes" aria-label="{escape(texts("takes.label"))}">{cards}</ul>'


def _take(texts: Texts, take: Take, number: int) -> str:
    key, seed = escape(take.entry.key), escape(texts("fact.seed", seed=int(take.entry.form.seed or 0)))
    if take.outcome:
        name, picture = escape(texts("takes.show", number=number)), _thumbnail(take.outcome)
        return (
            f'<button type="button" data-event="click" data-key="{key}"{_draggable(take.outcome)} aria-label="{name}">'
            f'<img src="{picture}" alt=""></button><span>{seed}</span>'
        )
    job = take.job
    if job and job.ended:
        problem = job.problem or WanError("unexpected")
        again = "takes.fetch" if job.can_be_fetched else "takes.retry"
        words = f"{texts(f'error.{problem.code}', **problem.values)} {texts.charged(problem, sandbox=job.sandbox)}"
        return (
            f'<div class="take-words">{escape(words)}</div><button type="button" class="pill" data-event="retry"'
            f' data-key="{key}">{escape(texts(again))}</button>'
        )
    words = event_words(texts, job.event) if job else ""
    return f'<div class="take-words">{escape(words)}</div><span>{seed}</span>'


def result_panel(texts: Texts, take: Take, others: Sequence[Take] = ()) -> str:
    """A finished run: the comparison, the downloads, and what is known about it.

    Args:
        texts: The visitor's language.
        take: The run.
        others: Other runs that its picture may be compared with once they are finished, such as its variations.
    """
    outcome = take.outcome
    if outcome is None:
        return placeholder(texts)
    facts = [texts("banner.sandbox.name")] if "local_preview" in outcome.extra else []
    facts += [f"{outcome.width} × {outcome.height}", texts("fact.seed", seed=int(take.entry.form.seed or 0))]
    if outcome.cost is not None and take.entry.engine != SANDBOX:
        facts.append(texts("price", amount=f"{outcome.cost:.4g}"))
    return (
        f'<div class="stage" data-shown="{escape(take.entry.key)}">'
        f'<h2 class="unseen">{escape(texts("takes.only"))}</h2>{_comparison(texts, take, outcome, others)}'
        f'<p class="facts">{_downloads(texts, take, outcome)}<span>{escape(" · ".join(facts))}</span></p>'
        f"{_retrieval_code(texts, take.entry.key)}"
        f"{_plan(texts, outcome.extra)}{_changes(texts, outcome.changes)}</div>"
    )


def _comparison(texts: Texts, take: Take, outcome: Outcome, others: Sequence[Take]) -> str:
    """The result beside the reference that it is laid over; every other picture can be chosen in its place."""
    key, folder = take.entry.key, outcome.folder
    mine = sorted((other for other in (take, *others) if other.entry.group == take.entry.group), key=_began)
    group = [(number, other.entry, other.outcome) for number, other in enumerate(mine, 1) if other.outcome]
    earlier = [(other.entry, other.outcome) for other in others if other.outcome and other not in mine]
    references = [
        Picture(
            f"image-{number}",
            texts(f"slot.{number}"),
            file_url(folder / sent.name),
            sent.width,
            sent.height,
            "reference",
            {
                entry.key: file_url(result.folder / result.before)
                for _, entry, result in group
                if result.before and result.before_image == number
            },
        )
        for number, sent in enumerate(outcome.sent, 1)
    ]
    alone = len(mine) == 1
    results = [
        _picture(entry, result, texts("takes.only") if alone else texts("takes.result", number=number), "result")
        for number, entry, result in group
    ]
    history = [_picture(entry, result, _short(entry.form.prompt), "history") for entry, result in earlier]
    first = references[outcome.before_image - 1].key if references else key
    return viewer(texts, [*references, *results, *history], first, key)


def _began(take: Take) -> float:
    return take.entry.at


def _picture(entry: Entry, outcome: Outcome, label: str, kind: Literal["result", "history"]) -> Picture:
    return Picture(entry.key, label, file_url(outcome.path), outcome.width, outcome.height, kind)


def _downloads(texts: Texts, take: Take, outcome: Outcome) -> str:
    """The API's own file first; behind it the copy with the recipe in it, and the one that says nothing."""
    named = {
        "download": outcome.path,
        "recipe": outcome.folder / outcome.recipe if outcome.recipe else None,
        "clean": outcome.path.with_name(outcome.clean) if outcome.clean else None,
    }
    links = "".join(
        f'<a class="download" href="{file_url(file)}" download="{escape(file.name)}"'
        f' title="{escape(texts(f"result.{kind}.hint"))}">{escape(texts(f"result.{kind}"))}</a>'
        for kind, file in named.items()
        if file
    )
    query, copied = escape(link.to_query(take.entry.form)), escape(texts("link.copied"))
    return (
        f'{links}<button type="button" class="pill" data-link="?{query}" data-copied="{copied}"'
        f' title="{escape(texts("link.hint"))}">{escape(texts("link.copy"))}</button>'
    )


def history(texts: Texts, shown: Sequence[Take]) -> str:
    """This browser's finished runs, newest first."""
    if not shown:
        return f'<p class="history-empty">{escape(texts("history.empty"))}</p>'
    cards = "".join(_card(texts, take) for take in shown)
    return f'<ul class="history">{cards}</ul>'


def _card(texts: Texts, take: Take) -> str:
    key, prompt = escape(take.entry.key), escape(_short(take.entry.form.prompt))
    picture = (
        f'<img src="{_thumbnail(take.outcome)}" alt="" loading="lazy">'
        if take.outcome
        else f"<span>{escape(texts('history.gone'))}</span>"
    )
    return (
        f'<li><button type="button" class="history-show" data-event="click" data-key="{key}"{_draggable(take.outcome)}'
        f' title="{prompt}">'
        f'{picture}<span class="history-words">{prompt}</span></button>'
        f'<span class="history-tools"><button type="button" class="pill" data-event="select" data-key="{key}"'
        f' aria-label="{escape(texts("history.restore.label", prompt=_short(take.entry.form.prompt)))}">'
        f"{escape(texts('history.restore'))}</button>"
        f'<button type="button" class="pill" data-event="delete" data-key="{key}"'
        f' aria-label="{escape(texts("history.delete.label", prompt=_short(take.entry.form.prompt)))}">✕</button>'
        "</span></li>"
    )


def _draggable(outcome: Outcome | None) -> str:
    """What lets a thumbnail be dragged into a slot as the picture that it stands for."""
    return f' data-picture="{file_url(outcome.path)}" draggable="true"' if outcome else ""


def _thumbnail(outcome: Outcome) -> str:
    return file_url(outcome.folder / outcome.thumbnail if outcome.thumbnail else outcome.path)


def _short(prompt: str) -> str:
    return textwrap.shorten(prompt, PROMPT_SHOWN, placeholder="…") or "…"


def _plan(texts: Texts, extra: Mapping[str, Any]) -> str:
    """What the local preview understood of the prompt, and what it can't do."""
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
    return f'<p class="plan">{escape(" ".join(lines))}</p>'


def _operation(texts: Texts, step: Mapping[str, Any]) -> str:
    parameters = step.get("parameters")
    source = parameters.get("source") if isinstance(parameters, dict) else None
    name, image = f"preview.op.{step.get('op')}", step.get("image")
    words = texts(name, source=source) if texts.has(name) else str(step.get("op")).replace("_", " ")
    return texts("preview.of_image", operation=words, image=image) if image else words


def _changes(texts: Texts, sent: Sequence[Sequence[Change]]) -> str:
    """What was done to the pictures before they were sent."""
    items = [
        f"<li>{escape(texts('changes.image', number=number))} {escape('; '.join(changes))}</li>"
        for number, image in enumerate(sent, 1)
        if (changes := told_changes(texts, image))
    ]
    if not items:
        return ""
    title = escape(texts("changes.title"))
    return f'<details class="changes"><summary>{title}</summary><ul>{"".join(items)}</ul></details>'


def event_words(texts: Texts, event: Event | None) -> str:
    """The sentence that tells an event."""
    key, values = f"event.{type(event or Preparing()).__name__.lower()}", {}
    match event:
        case Queued(int(position), _):
            key, values = "event.queued_at", {"position": position}
        case Running(_, (low, high)):
            key, values = "event.running_usual", {"low": math.floor(low), "high": math.ceil(high)}
    return texts(key, **values)


def _progress(event: Event | None) -> tuple[int, float | None]:
    """The stage at work, and its share where that is known rather than guessed."""
    stage = _STAGE_OF.get(type(event), 0)
    match event:
        case Uploading(part, total) | Downloading(part, int(total)) if total:
            return stage, min(part / total, 1.0)
        case Running(elapsed, (_, high)):
            return stage, min(elapsed / max(high, 0.1), 1.0)
    return stage, None


def _note(words: str) -> str:
    return f'<p class="run-note said">{escape(words)}</p>'


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
