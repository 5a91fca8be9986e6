"""What the owner sees of the runs, and what nobody sees."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
import re
import sys
import traceback
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml
from prometheus_client import REGISTRY

from studio import telemetry
from studio.public.limits import Limits
from studio.public.visitors import Visitor
from studio.settings import LimitSettings, PageSettings
from tests.conftest import ROOT, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FACTS = telemetry.RunFacts(
    state="succeeded",
    engine="owner",
    total_seconds=31.23456,
    request_id="abc",
    visitor="address 203.0.113.9",
    images=2,
    image_size="16:9",
    cost=0.03,
)


ALERTS = ROOT / "deploy" / "alerts.yaml"


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """What has been written to standard error."""
    handlers, streams = logging.root.handlers, (sys.stdout, sys.stderr)
    levels = {name: logging.getLogger(name).level for name in telemetry.LOGGERS}
    yield lambda: capsys.readouterr().err
    logging.root.handlers = handlers
    sys.stdout, sys.stderr = streams
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def lines(written: Callable[[], str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written().splitlines()]


def test_what_others_print_is_json_too(written: Callable[[], str]) -> None:
    telemetry.write_logs(as_json=True)
    sys.stdout.write("a line")
    sys.stdout.write(" in two parts\n\nand another\n")
    try:
        int("x")
    except ValueError:
        traceback.print_exc()
    told = [line["message"] for line in lines(written)]
    assert told[:2] == ["a line in two parts", "and another"]
    assert told[-1].startswith("ValueError")


def test_a_run_is_one_line_of_json(written: Callable[[], str]) -> None:
    telemetry.write_logs(as_json=True)
    telemetry.started()
    telemetry.ended(FACTS)
    (line,) = lines(written)
    assert line["request_id"] == "abc"
    assert line["state"] == "succeeded"
    assert line["total_seconds"] == 31.2346
    assert line["cost"] == 0.03
    assert line["time"].endswith("+00:00")
    assert "code" not in line


def test_a_visitor_is_told_apart_and_not_told(written: Callable[[], str]) -> None:
    telemetry.write_logs(as_json=True)
    for visitor in ("address 203.0.113.9", "address 203.0.113.9", "address 203.0.113.8"):
        telemetry.started()
        telemetry.ended(dataclasses.replace(FACTS, visitor=visitor))
    told = [line["visitor"] for line in lines(written)]
    assert told[0] == told[1] != told[2]
    assert not [visitor for visitor in told if "203.0.113" in visitor]


def test_a_line_for_a_person(written: Callable[[], str]) -> None:
    telemetry.write_logs(as_json=False)
    telemetry.started()
    telemetry.ended(FACTS)
    (line,) = written().splitlines()
    assert "wan: run ended" in line
    assert "state=succeeded" in line
    assert "cost=0.03" in line


def test_trouble_is_one_line_of_json_too(written: Callable[[], str]) -> None:
    telemetry.write_logs(as_json=True)
    try:
        raise RuntimeError("broken")
    except RuntimeError:
        logging.getLogger("studio.runs.job").exception("run %s", "abc")
    (line,) = lines(written)
    assert line["message"] == "run abc"
    assert "RuntimeError: broken" in line["exception"]


def test_other_libraries_tell_of_trouble_only(written: Callable[[], str]) -> None:
    telemetry.write_logs(as_json=True)
    logging.getLogger("httpx").info("HTTP Request: GET https://example.com/secret")
    assert not written()


def test_runs_are_counted() -> None:
    labels = {"engine": "owner", "state": "succeeded"}
    runs, cost, waiting = (
        value("wan_runs_total", **labels),
        value("wan_cost_usd_total", payer="owner"),
        value("wan_runs_waiting"),
    )
    refused = value("wan_refused_total", limit="budget")
    telemetry.started()
    telemetry.started()
    assert value("wan_runs_waiting") == waiting + 2
    telemetry.ended(FACTS)
    telemetry.refused("budget")
    assert value("wan_runs_waiting") == waiting + 1
    assert value("wan_runs_total", **labels) == runs + 1
    assert value("wan_run_seconds_count", **labels) == runs + 1
    assert value("wan_cost_usd_total", payer="owner") == pytest.approx(cost + 0.03)
    assert value("wan_refused_total", limit="budget") == refused + 1


def test_a_run_that_another_replica_has_counted_is_counted_nowhere(written: Callable[[], str]) -> None:
    telemetry.write_logs(as_json=True)
    labels = {"engine": "owner", "state": "succeeded"}
    runs, cost, waiting = (
        value("wan_runs_total", **labels),
        value("wan_cost_usd_total", payer="owner"),
        value("wan_runs_waiting"),
    )
    telemetry.started()
    telemetry.ended(FACTS, counted=False)
    assert value("wan_runs_waiting") == waiting
    assert value("wan_runs_total", **labels) == runs
    assert value("wan_cost_usd_total", payer="owner") == cost
    assert not written()


async def test_what_the_limits_leave_is_measured() -> None:
    limits = Limits(LimitSettings(budget=1.0, at_once=5))
    await limits.take(Visitor(name="Ann"), ["a run"], price=0.25)
    measuring = asyncio.create_task(telemetry.measure_regularly(limits))
    for _ in range(20):
        await asyncio.sleep(0)
    measuring.cancel()
    assert (value("wan_store_up"), value("wan_budget_left_usd"), value("wan_places_used")) == (1, 0.75, 1)


def test_every_alert_is_about_a_number_that_there_is() -> None:
    rules = [rule for group in yaml.safe_load(ALERTS.read_text("utf-8"))["groups"] for rule in group["rules"]]
    named = {name for rule in rules for name in re.findall(r"wan_[a-z_]+", rule["expr"])}
    families = {family.name: family.type for family in REGISTRY.collect()}
    known = {*families, *(f"{name}_total" for name in families)}
    known |= {
        f"{name}_{part}" for name, kind in families.items() if kind == "histogram" for part in ("count", "bucket")
    }
    assert named <= known
    assert all(rule["annotations"]["summary"] for rule in rules)


def test_prometheus_has_a_port_of_its_own() -> None:
    port = free_port()
    server, thread = telemetry.serve_metrics(port, "127.0.0.1")
    try:
        told = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False, timeout=60).text
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert "wan_runs_waiting" in told
    assert "abc" not in told


@pytest.mark.parametrize(
    ("environment", "as_json"),
    [
        ({}, False),
        ({"WAN_LOG": "json"}, True),
        ({"SPACE_ID": "me/wan"}, True),
        ({"SPACE_ID": "me/wan", "WAN_LOG": "text"}, False),
    ],
)
def test_a_space_logs_for_programs(environment: dict[str, str], as_json: bool) -> None:
    assert PageSettings.load(environment).json_log is as_json
