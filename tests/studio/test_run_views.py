"""What the page shows, as text: honest, and with nothing in it that a stranger could run."""

from __future__ import annotations

import re
import time
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from studio.browser.store import Entry
from studio.i18n.texts import Texts
from studio.prompt.form import Form
from studio.runs.engines import OWNER, SANDBOX, VISITOR
from studio.runs.results import Outcome, Sent
from studio.views import run as view
from studio.views.run import RunView
from wan_client import (
    CancelOutcome,
    Charged,
    Downloading,
    Event,
    ModelEntry,
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
from wan_sandbox.preview import render

ENGLISH = Texts("en")
HOSTILE = "<img src=x onerror=alert(1)>"


def job(**known: Any) -> Any:
    defaults = {
        "key": "k1",
        "failed_permanently": False,
        "request_id": "r1",
        "event": None,
        "entry": Entry("k1", "g", Form("sketch"), OWNER),
        "asked": Form("sketch"),
        "cancel_outcome": None,
        "sandbox": False,
        "ended": False,
        "outcome": None,
        "problem": None,
        "can_be_fetched": False,
        "running_since": None,
    }
    return SimpleNamespace(**{**defaults, **known})


def take(key: str = "k1", *, prompt: str = "sketch", group: str = "g", engine: str = OWNER, **known: Any) -> RunView:
    """A finished run of one picture, which the settings of its outcome may change."""
    given: dict[str, Any] = {
        "pictures": ("out.png",),
        "digest": "d",
        "width": 10,
        "height": 10,
        "seconds": 1.0,
        **known,
    }
    return RunView(Entry(key, group, Form(prompt), engine, 1.0), Outcome(key, **given))


@pytest.mark.parametrize(
    ("event", "words", "stage", "share"),
    [
        (Preparing(), "Preparing the pictures", "Prepare", None),
        (Uploading(25, 100), "Uploading", "Upload", "0.25"),
        (Submitted("r1"), "Sent", "Queue", None),
        (Queued(3, 1.0), "In the queue, position 3", "Queue", None),
        (Queued(None, 1.0), "In the queue", "Queue", None),
        (Running(5.0, None), "Running", "Run", None),
        (Running(30.0, (40.2, 60.0)), "Running, usually 40–60 s", "Run", None),
        (Running(90.0, (40.0, 60.0)), "Running, usually 40–60 s", "Run", None),
        (Retrying(9.0, 3), "Connection trouble, still trying", "Run", None),
        (Downloading(10, None), "Downloading", "Fetch", None),
        (Downloading(10, 40), "Downloading", "Fetch", "0.25"),
    ],
)
def test_each_event_has_its_words_and_its_stage_and_no_share_that_is_not_known(
    event: Event, words: str, stage: str, share: str | None
) -> None:
    shown = view.status(ENGLISH, [job(event=event)])
    assert f'<span class="said">{words}</span>' in shown
    now = re.search(r'<li class="now"([^>]*)><span>(\w+)</span>', shown)
    assert now
    assert now[2] == stage
    assert (f"--share:{share}" in shown) if share else ("data-known" not in shown and "valuenow" not in shown)


def test_the_browser_counts_the_seconds_and_hears_only_what_changes() -> None:
    begun = Entry("k1", "g", Form("sketch"), OWNER, time.time() - 3.0)
    earlier, later = (
        view.status(ENGLISH, [job(entry=begun, running_since=1000.0, event=Running(elapsed, (40.0, 60.0)))])
        for elapsed in (1.0, 2.0)
    )
    assert earlier == later
    assert 'data-since="1000.0" data-until="1060.0"' in earlier


def test_a_cancelled_run_is_one_calm_line() -> None:
    shown = view.status(
        ENGLISH, [job(ended=True, problem=RunCancelled("cancelled", charged=Charged.NO, request_id="r1"))]
    )
    assert "alert" not in shown
    assert "r1" not in shown


def test_a_caption_says_what_this_result_was_made_of() -> None:
    shown = view.caption(ENGLISH, take(prompt="a sepia cat"))
    assert "a sepia cat" in shown
    assert "1:1 · 10 × 10 · seed 0 · 1 s" in shown


def test_trouble_before_the_run_has_an_id_is_trouble_with_the_upload() -> None:
    shown = view.status(ENGLISH, [job(request_id=None, event=Retrying(2.0, 1))])
    assert '<li class="now"><span>Upload</span></li>' in shown


def test_a_late_cancel_is_told_with_what_it_means_for_the_money() -> None:
    late = {"event": Running(1.0, None), "cancel_outcome": CancelOutcome.NOT_CANCELLABLE}
    assert "Too late to cancel: it is already running and will finish. It may be charged." in view.status(
        ENGLISH, [job(**late)]
    )
    assert "never costs anything" in view.status(ENGLISH, [job(sandbox=True, **late)])


@pytest.mark.parametrize(
    ("engine", "base", "model", "told"),
    [
        (SANDBOX, "http://127.0.0.1:9", ModelEntry(), "It is not the model."),
        (OWNER, DEFAULT_API_BASE, ModelEntry(), "paid run of the hosted model"),
        (OWNER, DEFAULT_API_BASE, ModelEntry(0.03, "image"), "$0.03 a picture"),
        (OWNER, "http://127.0.0.1:9", ModelEntry(), "API at 127.0.0.1"),
        (VISITOR, DEFAULT_API_BASE, ModelEntry(), ENGLISH("banner.visitor")),
    ],
)
def test_the_banner_says_which_engine_is_at_work(engine: str, base: str, model: ModelEntry, told: str) -> None:
    assert told in view.banner(ENGLISH, engine, base, model)


def test_a_price_by_the_second_is_not_a_price_of_a_picture() -> None:
    assert "$" not in view.banner(ENGLISH, OWNER, DEFAULT_API_BASE, ModelEntry(0.03, "second"))
    assert not view.price(ENGLISH, ModelEntry(0.03, "second"), 1)


@pytest.mark.parametrize(("runs", "told"), [(1, "$0.03"), (4, "$0.12")])
def test_a_price_is_told_for_all_runs(runs: int, told: str) -> None:
    assert view.price(ENGLISH, ModelEntry(0.03, "image"), runs) == told


def test_a_preview_is_called_one_whatever_the_settings_say() -> None:
    preview = take(extra={"local_preview": {"understood": []}})
    assert "Local preview" in view.caption(ENGLISH, preview)
    assert "Local preview" not in view.caption(ENGLISH, take())


def test_what_comes_from_outside_is_escaped() -> None:
    plan = {
        "understood": [{"op": HOSTILE, "image": HOSTILE, "parameters": {"source": HOSTILE}}],
        "not_understood": [HOSTILE],
    }
    name = f"{HOSTILE.replace('/', '')}.png"
    hostile = take(
        HOSTILE,
        prompt=HOSTILE,
        group=HOSTILE,
        pictures=(name,),
        before=name,
        thumbnail=name,
        recipe=name,
        sent=(Sent(name, 10, 10),),
        extra={"local_preview": plan},
    )
    failed = RunView(hostile.entry, None, job(ended=True, problem=WanError("run_failed", request_id=HOSTILE)))
    other = take(HOSTILE, prompt=HOSTILE, group="another", pictures=(name,))
    shown = [
        view.result_panel(ENGLISH, hostile, [other]),
        view.caption(ENGLISH, hostile),
        view.downloads(ENGLISH, hostile),
        view.copies(ENGLISH, hostile),
        view.coming(hostile.entry),
        view.filmstrip(ENGLISH, [hostile, failed]),
        view.history(ENGLISH, [hostile, RunView(hostile.entry)]),
        view.failure(ENGLISH, WanError("image_missing_file", number=1, file=HOSTILE), sandbox=False),
        view.failure(ENGLISH, WanError("run_failed", request_id=HOSTILE), sandbox=False),
    ]
    for html in shown:
        assert "<img src=x" not in html
        assert "onerror=alert(1)>" not in html


def test_a_prompt_that_was_not_understood_is_told_as_such_and_not_as_a_grade() -> None:
    plan = render([Image.new("RGB", (64, 64))], prompt="make her smile", size=(64, 64)).to_json()
    shown = view.caption(ENGLISH, take(extra={"local_preview": plan}))
    assert ENGLISH("preview.nothing") in shown
    assert "make her smile" in shown
    assert "Understood:" not in shown


@pytest.mark.parametrize("plan", [None, [], "text", {"understood": [3, None], "not_understood": {"a": 1}}])
def test_a_plan_that_makes_no_sense_breaks_nothing(plan: object) -> None:
    assert "Local preview" in view.caption(ENGLISH, take(extra={"local_preview": plan}))


def test_variations_stand_side_by_side_and_a_single_run_by_itself() -> None:
    one, two = take("k1"), RunView(take("k2").entry, None, job(ended=True, problem=WanError("run_failed")))
    assert not view.filmstrip(ENGLISH, [one])
    shown = view.filmstrip(ENGLISH, [one, two])
    assert re.findall(r'data-state="(\w+)"', shown) == ["finished", "failed"]
    assert 'data-event="retry" data-key="k2"' in shown
    assert ENGLISH("filmstrip.retry") in shown


def test_the_history_says_where_a_pictures_file_is_gone() -> None:
    assert ENGLISH("history.empty") in view.history(ENGLISH, [])
    assert ENGLISH("history.gone") in view.history(ENGLISH, [RunView(take().entry)])


def test_the_cost_of_several_runs_is_told_as_one_sum() -> None:
    finished = [job(ended=True, outcome=take(cost=0.03).outcome) for _ in range(3)]
    assert "$0.09" in view.status(ENGLISH, finished)
    free = [job(ended=True, sandbox=True, outcome=take(cost=0.03).outcome)]
    assert "$" not in view.status(ENGLISH, free)


@pytest.mark.parametrize(("charged", "told"), [("no", "Nothing was charged."), ("unknown", "not known here")])
def test_a_failure_tells_what_happened_the_money_and_what_to_do(charged: Any, told: str) -> None:
    shown = view.failure(ENGLISH, WanError("run_failed", charged=type(WanError("x").charged)(charged)), sandbox=False)
    assert "could not finish this run" in shown
    assert told in shown
    assert "Try again" in shown


def test_what_concerns_the_account_is_the_owners_to_do() -> None:
    told = "tell its owner"
    assert told in view.failure(ENGLISH, WanError("balance"), sandbox=False, owner=True)
    assert told in view.status(ENGLISH, [job(ended=True, problem=WanError("unknown_outcome", time="12:00:00"))])
    assert told not in view.failure(ENGLISH, WanError("balance"), sandbox=False)
    assert told not in view.failure(ENGLISH, WanError("moderation"), sandbox=False, owner=True)
