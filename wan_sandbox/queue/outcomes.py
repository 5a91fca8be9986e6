"""A job's state and outcome in the words of a response: as the API has them, or as a job fault has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wan_sandbox.queue.jobs import Job

_OTHER_WORDS: Final[Mapping[str, str]] = {
    "in_queue": "pending",
    "in_progress": "processing",
    "succeeded": "success",
}

_FAILURES: Final[Mapping[str, Any]] = {
    "failed-text": "InternalError: the model stopped unexpectedly",
    "failed-object": {"code": "InternalError", "message": "the model stopped unexpectedly"},
    "failed-word": "InternalError: the model stopped unexpectedly",
    "failed-bare": None,
    "moderation-text": "DataInspectionFailed: the input or output may contain inappropriate content",
    "moderation-object": {
        "code": "DataInspectionFailed",
        "message": "the input or output may contain inappropriate content",
    },
    "throttled": "Throttling.RateQuota: requests are made faster than the quota allows",
    "failed-echo-token": None,
}


def fails(job: Job) -> bool:
    """Return whether a fault makes the job fail."""
    return not job.traits.isdisjoint(_FAILURES)


def status_word(job: Job) -> str:
    """Return a job's state as ``/status`` names it: ``completed`` means ended, not succeeded."""
    if job.stage == "failed" and "failed-word" in job.traits:
        return "failed"
    return _spelled(job, "completed" if job.stage in {"succeeded", "failed"} else job.stage)


def result_word(job: Job) -> str:
    """Return a job's state as ``/result`` names it."""
    if job.stage == "succeeded" and "completed-result" in job.traits:
        return "completed"
    return _spelled(job, job.stage)


def _spelled(job: Job, word: str) -> str:
    if "unknown-word" in job.traits and word == "in_progress":
        word = "warming_up"
    if "other-words" in job.traits:
        word = _OTHER_WORDS.get(word, word)
    if "canceled" in job.traits and word == "cancelled":
        word = "canceled"
    return word.upper() if "upper-case" in job.traits else word


def output_of(job: Job, base_url: str) -> dict[str, Any]:
    """Return the part of a result that names the picture."""
    if job.output is None or "empty-success" in job.traits:
        return {}
    if "foreign-output" in job.traits:
        base_url = "https://foreign.invalid"
    url = base_url + job.output.address("outputs")
    shapes: dict[str, Any] = {
        "empty-output": {},
        "output-null": {"image": None},
        "image-object": {"image": {"url": url}},
        "images": {"images": [url]},
        "images-objects": {"images": [{"url": url}]},
        "two-images": {"images": [url, url]},
        "output-string": url,
        "output-list": [url],
    }
    for trait, shape in shapes.items():
        if trait in job.traits:
            return {"output": shape}
    return {"output": {"image": url}}


def error_of(job: Job, authorization: str) -> dict[str, Any]:
    """Return the part of a result that says why a job failed."""
    if "failed-echo-token" in job.traits:
        return {"error": f"InternalError: upstream refused Authorization: {authorization}"}
    for trait, error in _FAILURES.items():
        if trait in job.traits:
            return {} if error is None else {"error": error}
    return {"error": job.error}
