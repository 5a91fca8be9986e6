"""What the page shows of a job: pure functions from a job to HTML. Everything that comes from outside is escaped."""

from __future__ import annotations

import math
import time
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from wan_client import (
    Backend,
    CancelOutcome,
    Downloading,
    Finished,
    Preparing,
    Queued,
    Running,
    Submitted,
    Trouble,
    Uploading,
)
from wan_client.settings import DEFAULT_API_BASE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wan_client import Event, ModelEntry, Result, Settings, WanError

    from .jobs import Job
    from .texts import Texts

# What the preview does by itself: to a prompt that it can do nothing with, and for magic prompt.
UNASKED = {"neutral_grade", "polish"}
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


def file_url(path: Path) -> str:
    """Where the page finds a file of Gradio's own folder. Relative, so that it holds behind any proxy."""
    return f"gradio_api/file={quote(str(path))}"


def banner(texts: Texts, settings: Settings, model: ModelEntry) -> str:
    """Which engine is at work, where pictures go, and what a run costs by the catalogue."""
    if settings.backend is Backend.SANDBOX:
        return _banner("sandbox", texts("banner.sandbox.name"), texts("banner.sandbox"))
    priced = model.price_usd is not None and model.price_unit in {"image", "output"}
    price = texts("banner.price", price=f"{model.price_usd:.4g}") if priced else ""
    if settings.api_base == DEFAULT_API_BASE:
        return _banner("hosted", texts("banner.runcomfy.name"), f"{texts('banner.runcomfy')} {price}")
    host = httpx.URL(settings.api_base or "").host
    return _banner("hosted", texts("banner.other.name", host=host), f"{texts('banner.other', host=host)} {price}")


def _banner(kind: str, name: str, words: str) -> str:
    return f'<p class="engine engine-{kind}"><strong>{escape(name)}</strong> <span>{escape(words)}</span></p>'


def placeholder(texts: Texts) -> str:
    """The stage before there is a result."""
    return (
        f'<div class="stage stage-empty"><p class="stage-title">{escape(texts("stage.empty"))}</p>'
        f"<p>{escape(texts('stage.empty.hint'))}</p></div>"
    )


def status(texts: Texts, job: Job) -> str:
    """Where the job stands: the five stages, a sentence, and a clock that screen readers are spared."""
    words = _words(texts, job.event)
    stage, share = _progress(job.event)
    if isinstance(job.event, Trouble) and job.request_id is None:
        stage = STAGES.index("upload")
    cells = []
    for index, name in enumerate(STAGES):
        state = "done" if index < stage else "now" if index == stage else "todo"
        known = f' style="--share:{share:.0%}" data-known' if state == "now" and share is not None else ""
        cells.append(f'<li class="{state}"{known}><span>{escape(texts(f"stage.{name}"))}</span></li>')
    note = ""
    if job.cancel_outcome and job.cancel_outcome is not CancelOutcome.CANCELLED:
        note = _note(f"{texts(f'cancel.{job.cancel_outcome.value}')} {_maybe_charged(texts, job)}")
    return (
        f'<div class="run"><ol class="stages" aria-hidden="true">{"".join(cells)}</ol>'
        f'<p class="run-line"><span role="status">{escape(words)}</span>'
        f'<span class="clock" aria-hidden="true">{_clock(time.monotonic() - job.began)}</span></p>{note}</div>'
    )


def failure(texts: Texts, problem: WanError, *, sandbox: bool) -> str:
    """What happened, whether it was charged, what to do: and the run's id, to quote it."""
    run_id = ""
    if problem.request_id:
        run_id = f'<p class="run-id">{escape(texts("run.id"))} <code>{escape(problem.request_id)}</code></p>'
    return (
        '<div class="run run-failed" role="alert">'
        f'<p class="run-what">{escape(texts(f"error.{problem.code}", **problem.values))}</p>'
        f"<p>{escape(texts.charged(problem, sandbox=sandbox))} "
        f"{escape(texts(f'error.{problem.code}.hint', **problem.values))}</p>{run_id}</div>"
    )


def finished(texts: Texts, job: Job, result: Result) -> str:
    """The status line of a finished job."""
    words = [texts("run.finished", seconds=f"{result.seconds:.0f}")]
    if result.cost is not None and not job.sandbox:
        words.append(texts("run.cost", cost=f"{result.cost:.4g}"))
    note = ""
    if job.cancel_outcome is CancelOutcome.NOT_CANCELLABLE:
        note = _note(texts("cancel.too_late"))
    return (
        f'<div class="run run-finished"><p class="run-line"><span role="status">{escape(" ".join(words))}</span></p>'
        f"{note}</div>"
    )


def result_panel(texts: Texts, job: Job, result: Result) -> str:
    """Before and after, the download, and what is known about the result."""
    after = file_url(result.path)
    ratio = f"--ratio:{result.width}/{result.height}"
    picture = (
        f'<figure class="compare" style="{ratio};--cut:50%">'
        f'<img class="after" src="{after}" alt="{escape(texts("compare.after_alt"))}">'
    )
    if job.before:
        picture += (
            f'<img class="before" src="{file_url(job.before)}" alt="{escape(texts("compare.before_alt"))}">'
            '<span class="cut" aria-hidden="true"></span>'
            f'<input type="range" min="0" max="100" value="50" step="0.5"'
            f' aria-label="{escape(texts("compare.slider"))}">'
            f'<span class="tag tag-before" aria-hidden="true">{escape(texts("compare.before"))}</span>'
            f'<span class="tag tag-after" aria-hidden="true">{escape(texts("compare.after"))}</span>'
        )
    facts = [texts("banner.sandbox.name")] if "local_preview" in result.extra else []
    facts.append(f"{result.width} × {result.height}")
    if job.form:
        facts.append(texts("fact.seed", seed=int(job.form.seed or 0)))
    name = escape(result.path.name)
    return (
        f'<div class="stage">{picture}</figure>'
        f'<p class="facts"><a class="download" href="{after}" download="{name}">{escape(texts("result.download"))}</a>'
        f"<span>{escape(' · '.join(facts))}</span></p>"
        f"{_plan(texts, result.extra)}{_changes(texts, result)}</div>"
    )


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


def _changes(texts: Texts, result: Result) -> str:
    """What was done to the pictures before they were sent."""
    items = [
        f"<li>{escape(texts('changes.image', number=number))} {escape('; '.join(changes))}</li>"
        for number, image in enumerate(result.images, 1)
        if (changes := [texts(f"change.{change.code}", **change.values) for change in image.changes])
    ]
    if not items:
        return ""
    title = escape(texts("changes.title"))
    return f'<details class="changes"><summary>{title}</summary><ul>{"".join(items)}</ul></details>'


def _words(texts: Texts, event: Event | None) -> str:
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


def _maybe_charged(texts: Texts, job: Job) -> str:
    return texts("charged.sandbox" if job.sandbox else "charged.maybe")


def _note(words: str) -> str:
    return f'<p class="run-note">{escape(words)}</p>'


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
