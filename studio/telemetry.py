"""Logs and metrics for the page's owner: a line a run in the log, and numbers for Prometheus.

Of a run this records the duration, the sizes and the cost. It is given no prompt, picture, file name, address or
token, so it can record none.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import secrets
import sys
import threading
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from prometheus_client import Counter, Gauge, Histogram, start_http_server

if TYPE_CHECKING:
    from threading import Thread
    from wsgiref.simple_server import WSGIServer

    from studio.public.limits import Limits

log = logging.getLogger("wan")

LOGGERS = ("wan", "studio", "wan_client")
# A run of the hosted model takes 20 s to 4 min, a local preview seconds; a queue can double that.
SECONDS = (1, 2, 5, 10, 20, 30, 45, 60, 90, 120, 180, 240, 360, 600, 900)
CALL_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 60, 180, 600)
# How often the use of the limits is read.
USAGE_SECONDS = 15.0
# New in each process: runs of one visitor share a hash, which nobody can trace to an address by hashing them all.
_SALT = secrets.token_bytes(16)

_RUNS = Counter("wan_runs", "Runs that have ended.", ("engine", "state"))
_SECONDS = Histogram("wan_run_seconds", "From the start of a run to its end.", ("engine", "state"), buckets=SECONDS)
_WAITING = Gauge("wan_runs_waiting", "Runs that have started and not ended.")
_COST = Counter("wan_cost_usd", "What the API says the runs have cost, in US dollars.", ("payer",))
_REFUSED = Counter("wan_refused", "Runs that were not started because of a limit.", ("limit",))
_CALLS = Histogram("wan_api_seconds", "Calls of the API, by what came of them.", ("call", "code"), buckets=CALL_SECONDS)
_STORE = Gauge("wan_store_up", "Whether what counts the runs is within reach.")
_BUDGET = Gauge("wan_budget_left_usd", "What is left of the day's budget, in US dollars, where there is one.")
_PLACES = Gauge("wan_places_used", "Runs of all visitors at work, where there is a limit for them.")


@dataclass(frozen=True)
class RunFacts:
    """What is recorded of a run that has ended.

    Attributes:
        state: ``succeeded``, ``failed``, ``cancelled``, ``unknown`` (it may have been paid for) or ``left`` (the server
            stopped, or its files were asked to be deleted; it goes on at the API).
        engine: ``sandbox``, ``owner`` or ``visitor``: who pays, if anybody.
        request_id: Its id at the API, if it came to have one.
        code: The problem's code, if there was one.
        visitor: Whose it was, in whatever form; a salted hash of it is recorded.
        images: How many references.
        image_size: The size asked for, as a ratio.
        bytes_in: Of the references as they were sent.
        bytes_out: Of the result's files.
        queue_seconds: From the submit until it ran, where that was observed.
        run_seconds: For how long it ran, where that was observed.
        total_seconds: From the start to the end.
        cost: In US dollars, as the API says.
    """

    state: str
    engine: str
    total_seconds: float
    request_id: str | None = None
    code: str | None = None
    visitor: str | None = None
    images: int | None = None
    image_size: str | None = None
    bytes_in: int | None = None
    bytes_out: int | None = None
    queue_seconds: float | None = None
    run_seconds: float | None = None
    cost: float | None = None


def started() -> None:
    """Count a run that has started, or was picked up again."""
    _WAITING.inc()


def ended(facts: RunFacts, *, counted: bool = True) -> None:
    """Count and log a started run that has ended, in whatever way.

    Args:
        facts: What is recorded of it.
        counted: Whether this server counts it. False if another replica that watched the run has done so.
    """
    _WAITING.dec()
    if not counted:
        return
    _RUNS.labels(facts.engine, facts.state).inc()
    _SECONDS.labels(facts.engine, facts.state).observe(facts.total_seconds)
    if facts.cost:
        _COST.labels(facts.engine).inc(facts.cost)
    logged = {name: _rounded(value) for name, value in asdict(facts).items() if value is not None}
    if facts.visitor is not None:
        logged["visitor"] = blake2b(facts.visitor.encode(), key=_SALT, digest_size=6).hexdigest()
    log.info("run ended", extra={"facts": logged})


def refused(limit: str) -> None:
    """Count and log a run that was not started, because of the limit of that name."""
    _REFUSED.labels(limit).inc()
    log.info("run refused", extra={"facts": {"limit": limit}})


def called(call: str, code: str, seconds: float) -> None:
    """Record a call of the API: its kind, the error's code (or ``ok``), and its duration."""
    _CALLS.labels(call, code).observe(seconds)


async def measure_regularly(limits: Limits) -> None:
    """Update the metrics of the limits regularly, until cancelled."""
    while True:
        usage = await limits.usage()
        _STORE.set(usage is not None)
        if usage and usage.budget_left is not None:
            _BUDGET.set(usage.budget_left)
        if usage and usage.places is not None:
            _PLACES.set(usage.places)
        await asyncio.sleep(USAGE_SECONDS)


def serve_metrics(port: int, host: str) -> tuple[WSGIServer, Thread]:
    """Serve the metrics to Prometheus on a port of their own, which the page's visitors don't reach.

    Returns:
        The server and its thread, for those who want to end them before the process does.

    Raises:
        OSError: The port can't be had.
    """
    return start_http_server(port, addr=host)


def write_logs(*, as_json: bool) -> None:
    """Write what this program logs to standard error.

    Args:
        as_json: One JSON object a line, for programs; otherwise lines for a person.
    """
    handler = logging.StreamHandler(sys.stderr)
    if as_json:
        # Gradio and Uvicorn print their messages.
        sys.stdout = sys.stderr = _PrintedAsJson()
    handler.setFormatter(_Json() if as_json else _Plain("{asctime} {levelname:7} {name}: {message}", style="{"))
    logging.root.handlers = [handler]
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.INFO)


class _PrintedAsJson(io.TextIOBase):
    """Takes what is printed, and logs it line by line."""

    def __init__(self) -> None:
        self._incomplete = threading.local()

    def write(self, text: str) -> int:
        """Log the lines that are complete."""
        *lines, self._incomplete.text = (getattr(self._incomplete, "text", "") + text).split("\n")
        for line in lines:
            if line.strip():
                log.info("%s", line)
        return len(text)


class _Json(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class _Plain(logging.Formatter):
    """A record as a line for a person."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the standard library's name
        facts = getattr(record, "facts", {})
        return " ".join([super().formatMessage(record), *(f"{name}={value}" for name, value in facts.items())])


def _rounded(value: object) -> object:
    return round(value, 4) if isinstance(value, float) else value
