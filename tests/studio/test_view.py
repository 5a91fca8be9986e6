"""What the page shows, as text: honest, and with nothing in it that a stranger could run."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from studio import view
from studio.texts import Texts
from wan_client import (
    Backend,
    CancelOutcome,
    Downloading,
    Event,
    ModelEntry,
    Preparing,
    Queued,
    Result,
    Running,
    Settings,
    Submitted,
    Trouble,
    Uploading,
    WanError,
)
from wan_sandbox.preview import render

ENGLISH = Texts("en")
HOSTILE = "<img src=x onerror=alert(1)>"


def job(**known: Any) -> Any:
    defaults = {
        "request_id": "r1",
        "event": None,
        "began": 0.0,
        "cancel_outcome": None,
        "sandbox": False,
        "before": None,
        "form": None,
    }
    return SimpleNamespace(**{**defaults, **known})


@pytest.mark.parametrize(
    ("event", "words", "stage", "share"),
    [
        (Preparing(), "Preparing the pictures", "Prepare", None),
        (Uploading(25, 100), "Uploading", "Upload", "25%"),
        (Submitted("r1"), "Sent", "Queue", None),
        (Queued(3, 1.0), "In the queue, position 3", "Queue", None),
        (Queued(None, 1.0), "In the queue", "Queue", None),
        (Running(5.0, None), "Running", "Run", None),
        (Running(30.0, (40.2, 60.0)), "Running, usually 40–60 s", "Run", "50%"),
        (Running(90.0, (40.0, 60.0)), "Running, usually 40–60 s", "Run", "100%"),
        (Trouble(9.0, 3), "Connection trouble, still trying", "Run", None),
        (Downloading(10, None), "Downloading", "Fetch", None),
        (Downloading(10, 40), "Downloading", "Fetch", "25%"),
    ],
)
def test_each_event_has_its_words_and_its_stage_and_no_share_that_is_not_known(
    event: Event, words: str, stage: str, share: str | None
) -> None:
    shown = view.status(ENGLISH, job(event=event))
    assert f'<span role="status">{words}</span>' in shown
    now = re.search(r'<li class="now"([^>]*)><span>(\w+)</span>', shown)
    assert now
    assert now[2] == stage
    assert (f"--share:{share}" in now[1]) if share else ("data-known" not in now[1])


def test_trouble_before_the_run_has_an_id_is_trouble_with_the_upload() -> None:
    shown = view.status(ENGLISH, job(request_id=None, event=Trouble(2.0, 1)))
    assert '<li class="now"><span>Upload</span></li>' in shown


def test_a_late_cancel_is_told_with_what_it_means_for_the_money() -> None:
    late = {"event": Running(1.0, None), "cancel_outcome": CancelOutcome.NOT_CANCELLABLE}
    assert "Too late to cancel: it is already running and will finish. It may be charged." in view.status(
        ENGLISH, job(**late)
    )
    assert "never costs anything" in view.status(ENGLISH, job(sandbox=True, **late))


@pytest.mark.parametrize(
    ("settings", "model", "told"),
    [
        (Settings(Backend.SANDBOX), ModelEntry(), "It is not the model."),
        (Settings(Backend.RUNCOMFY, token="t"), ModelEntry(), "paid run of the hosted model"),
        (Settings(Backend.RUNCOMFY, token="t"), ModelEntry(0.03, "image"), "$0.03 a picture"),
        (Settings(Backend.RUNCOMFY, "http://127.0.0.1:9", "t"), ModelEntry(), "API at 127.0.0.1"),
    ],
)
def test_the_banner_says_which_engine_is_at_work(settings: Settings, model: ModelEntry, told: str) -> None:
    assert told in view.banner(ENGLISH, settings, model)


def test_a_price_by_the_second_is_not_a_price_of_a_picture() -> None:
    assert "$" not in view.banner(ENGLISH, Settings(Backend.RUNCOMFY, token="t"), ModelEntry(0.03, "second"))


def test_a_preview_is_called_one_whatever_the_settings_say() -> None:
    result = Result("r1", (Path("/tmp/out.png"),), 10, 10, 1.0, extra={"local_preview": {"understood": []}})
    assert "Local preview" in view.result_panel(ENGLISH, job(), result)
    plain = Result("r1", (Path("/tmp/out.png"),), 10, 10, 1.0)
    assert "Local preview" not in view.result_panel(ENGLISH, job(), plain)


def test_what_comes_from_outside_is_escaped() -> None:
    plan = {
        "understood": [{"op": HOSTILE, "image": HOSTILE, "parameters": {"source": HOSTILE}}],
        "not_understood": [HOSTILE],
    }
    path = Path(f"/tmp/{HOSTILE.replace('/', '')}.png")
    result = Result("r1", (path,), 10, 10, 1.0, extra={"local_preview": plan})
    shown = [
        view.result_panel(ENGLISH, job(before=path), result),
        view.failure(ENGLISH, WanError("image_missing_file", number=1, file=HOSTILE), sandbox=False),
        view.failure(ENGLISH, WanError("run_failed", request_id=HOSTILE), sandbox=False),
    ]
    for html in shown:
        assert "<img src=x" not in html
        assert "onerror=alert(1)>" not in html


def test_a_prompt_that_was_not_understood_is_told_as_such_and_not_as_a_grade() -> None:
    plan = render([Image.new("RGB", (64, 64))], prompt="make her smile", size=(64, 64)).to_json()
    result = Result("r1", (Path("/tmp/out.png"),), 10, 10, 1.0, extra={"local_preview": plan})
    shown = view.result_panel(ENGLISH, job(), result)
    assert ENGLISH("preview.nothing") in shown
    assert "make her smile" in shown
    assert "Understood:" not in shown


@pytest.mark.parametrize("plan", [None, [], "text", {"understood": [3, None], "not_understood": {"a": 1}}])
def test_a_plan_that_makes_no_sense_breaks_nothing(plan: object) -> None:
    result = Result("r1", (Path("/tmp/out.png"),), 10, 10, 1.0, extra={"local_preview": plan})
    assert "compare" in view.result_panel(ENGLISH, job(), result)


@pytest.mark.parametrize(("charged", "told"), [("no", "Nothing was charged."), ("unknown", "not known here")])
def test_a_failure_tells_what_happened_the_money_and_what_to_do(charged: Any, told: str) -> None:
    shown = view.failure(ENGLISH, WanError("run_failed", charged=type(WanError("x").charged)(charged)), sandbox=False)
    assert "could not finish this run" in shown
    assert told in shown
    assert "Try again" in shown
