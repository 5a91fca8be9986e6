"""``wan_client check``: what it finds out, what it costs, and what its report does not hold."""

from __future__ import annotations

import io
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import UNTIL_FINISHED
from tests.sandbox.support import until

from .support import TOKEN, answer, scripted
from .test_cli import Shell
from .test_secrets import search, serving

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Serve


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hurry: None) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path)


def report(folder: Path, name: str = "wan-client-check.json") -> dict[str, Any]:
    values: dict[str, Any] = json.loads((folder / name).read_text("ascii"))
    return values


def test_without_paid_nothing_is_submitted(serve: Serve, shell: Shell, tmp_path: Path) -> None:
    sandbox = serve(price=0.03)
    code, out, err = shell.at(sandbox).run("check")
    assert (code, out) == (0, "wan-client-check.json\n")
    assert "0.03" in err
    assert sandbox.counters.submits_received == 0
    found = report(tmp_path)
    assert (found["token"], found["price_usd"], found["schema_differences"]) == ("accepted", 0.03, [])
    assert found["image_format"] == "image_uri"
    assert found["runs"] == []
    assert shell.run("check")[1] == "wan-client-check_2.json\n", "the first report is not overwritten"


def test_a_token_that_is_not_accepted_is_said(serve: Serve, shell: Shell, tmp_path: Path) -> None:
    code, _, _ = shell.at(serve(token="another")).run("check", "--paid", "--yes")
    assert code == 77
    assert report(tmp_path)["token"] == "authentication"


def test_paid_it_makes_one_run_by_each_way_and_cancels_one(serve: Serve, shell: Shell, tmp_path: Path) -> None:
    sandbox, done = serve(price=0.03, run_time=UNTIL_FINISHED), Event()

    def finish_what_was_looked_at() -> None:
        until(lambda: sandbox.counters.status_calls > 1)  # by then the first was answered
        while not done.wait(0.1):
            sandbox.finish_jobs()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(finish_what_was_looked_at)
        try:
            code, _, err = shell.at(sandbox).run("check", "--paid", "--yes")
        finally:
            done.set()
    assert code == 0, err
    assert sandbox.counters.submits_accepted == 2
    found = report(tmp_path)
    data, cancel = found["runs"]
    assert (data["name"], data["result"], data["format"]) == ("data", "finished", "png")
    assert cancel["cancel"] in {"cancelled", "not_cancellable"}
    seen = found["observed"]
    assert "in_queue" in seen["status"]["status"] or "in_progress" in seen["status"]["status"]
    assert seen["result"]["output"] == ["output.image at 127.0.0.1"]
    assert {"request_id", "status_url"} <= set(seen["submit"]["keys"])
    text = (tmp_path / "wan-client-check.json").read_text()
    assert TOKEN not in text
    assert sandbox.url not in text
    assert "%3D" not in text


@pytest.mark.parametrize(
    ("arguments", "entered"),
    [(("--cap", "0.05"), "y\n"), ((), "n\n"), ((), "")],
)
def test_over_the_cap_or_not_agreed_to_nothing_is_paid(  # noqa: PLR0917
    serve: Serve,
    shell: Shell,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    entered: str,
) -> None:
    sandbox = serve(price=0.03)
    monkeypatch.setattr(sys, "stdin", io.StringIO(entered))
    code, _, err = shell.at(sandbox).run("check", "--paid", *arguments)
    assert code == 69
    assert "0.06" in err, "the price is named"
    assert sandbox.counters.submits_received == 0
    assert report(tmp_path)["runs"] == []


def test_agreed_to_it_is_paid(serve: Serve, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = serve(price=0.03)
    monkeypatch.setattr(sys, "stdin", io.StringIO("Yes\n"))
    assert shell.at(sandbox).run("check", "--paid")[0] == 0
    assert sandbox.counters.submits_accepted == 2


def test_without_a_price_nothing_is_paid(serve: Serve, shell: Shell) -> None:
    sandbox = serve("model-500")
    assert shell.at(sandbox).run("check", "--paid", "--yes")[0] == 69
    assert sandbox.counters.submits_received == 0


def test_a_report_that_can_not_be_written_costs_nothing(serve: Serve, shell: Shell) -> None:
    sandbox = serve(price=0.03)
    code, values = shell.at(sandbox).json("check", "--paid", "--yes", "-o", "no/such/folder.json")
    assert (code, values["code"], values["charged"]) == (73, "report_not_writable", "no")
    assert sandbox.counters.submits_received == 0


def test_the_report_gives_away_nothing_that_an_api_adds(shell: Shell, tmp_path: Path) -> None:
    entry = {"base_price_usd": 0.01, "price_unit": "image", TOKEN: 1, "input_schema": {"properties": {TOKEN: {}}}}
    with scripted(model=[answer(entry)]) as server:
        serving(server)
        shell.env |= {"RUNCOMFY_API_TOKEN": TOKEN, "RUNCOMFY_API_BASE": server.url}
        code, out, err = shell.run("check", "--paid", "--yes", "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["runs"][0]["result"] == "finished"
    search(out + err, "what was printed")
    search((tmp_path / "wan-client-check.json").read_text(), "the report")
    assert "r1" not in json.dumps(found["observed"])
