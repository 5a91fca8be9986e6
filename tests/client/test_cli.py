"""The command line: in this process where that shows the same, as one of its own for signals, kills and pipes."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

from tests.sandbox.support import until
from wan_client.cli.main import main
from wan_client.messages import MESSAGES

from .support import TOKEN, answer, picture, scripted

if TYPE_CHECKING:
    from wan_sandbox import Sandbox

    from .conftest import Serve

ROOT = Path(__file__).parents[2]


class Shell:
    """Runs the command in a folder with a picture, against a server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("RUNCOMFY", "WAN_"))}
        self.env |= {"PYTHONPATH": str(ROOT), "NO_COLOR": "1", "XDG_STATE_HOME": str(folder / "state")}
        (folder / "cat.png").write_bytes(picture())

    def at(self, sandbox: Sandbox, **env: str) -> Shell:
        self.env |= {"RUNCOMFY_API_TOKEN": TOKEN, "RUNCOMFY_API_BASE": sandbox.url, "WAN_DEADLINE": "120", **env}
        return self

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "wan_client", *arguments], cwd=self.folder, env=self.env, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """The command in this process, as if it were one of its own."""
        out, err = io.StringIO(), io.StringIO()
        with patch.dict(os.environ, self.env, clear=True), redirect_stdout(out), redirect_stderr(err):
            try:
                code = main(arguments)
            except SystemExit as end:
                code = int(end.code or 0)
        return self.checked(code, out.getvalue(), err.getvalue())

    def spawn(self, *arguments: str) -> tuple[int, str, str]:
        """The command in a process of its own."""
        with self.start(*arguments) as process:
            out, err = process.communicate(timeout=120)
        return self.checked(process.returncode, out, err)

    def json(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """The code and the one object on standard output."""
        code, out, _ = self.run(*arguments, "--json")
        assert out.count("\n") == 1
        values: dict[str, Any] = json.loads(out)
        return code, values

    @staticmethod
    def checked(code: int, out: str, err: str) -> tuple[int, str, str]:
        assert "Traceback" not in err
        assert TOKEN not in out + err
        return code, out, err


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hurry: None) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path)


def wait_for(word: str, process: subprocess.Popen[str]) -> None:
    """Read what the command says up to a word."""
    assert process.stderr
    while word not in process.stderr.readline():
        assert process.poll() is None


@pytest.mark.slow
def test_the_path_is_all_that_goes_to_standard_output(serve: Serve, shell: Shell) -> None:
    code, out, err = shell.at(serve()).spawn(
        "sketch", "cat.png", "-o", "out.png", "--image-size", "16:9", "--seed", "7"
    )
    assert (code, out) == (0, "out.png\n")
    assert (shell.folder / "out.png").exists()
    assert "1280 × 720" in err
    assert "\x1b" not in err, "no terminal, no escape codes"


def test_out_may_be_a_folder_that_is_not_there_yet(serve: Serve, shell: Shell) -> None:
    code, out, _ = shell.at(serve()).run("sketch", "cat.png", "-o", "later/")
    assert (code, Path(out.strip()).parent) == (0, Path("later"))


def test_a_picture_that_could_not_be_had_is_told_beside_the_good_one(serve: Serve, shell: Shell) -> None:
    with scripted(status=[answer({"status": "completed"})], **{"x.png": [answer(picture())]}) as server:
        reply = {"status": "succeeded", "output": {"images": [f"{server.url}/x.png", "https://example.com/secret.png"]}}
        server.answers["result"] = [answer(reply)]
        shell.env |= {"RUNCOMFY_API_TOKEN": TOKEN, "RUNCOMFY_API_BASE": server.url}
        code, out, err = shell.run("resume", "r1", "-q")
        assert (code, out) == (0, "r1_output.png\n")
        assert "r1" in err
        assert "secret" not in err
        code, values = shell.json("resume", "r1")
    assert [problem["code"] for problem in values["missing"]] == ["output_host"]
    assert values["paths"] == ["r1_output.png"]


def test_quiet_says_nothing_else(serve: Serve, shell: Shell) -> None:
    code, out, err = shell.at(serve()).run("-q", "sketch", "cat.png")
    assert (code, err) == (0, "")
    assert (shell.folder / out.strip()).exists()


@pytest.mark.parametrize(
    ("prompt", "images", "warnings"),
    [
        ("make image 1 like image 2", 1, ["image 2"]),
        ("turn image 1 into a sketch", 2, ["image 2"]),
        ("make it a sketch", 1, []),
        ("join both images", 2, []),
    ],
)
def test_a_prompt_that_does_not_fit_its_pictures_is_warned_of(
    serve: Serve, shell: Shell, prompt: str, images: int, warnings: list[str]
) -> None:
    code, _, err = shell.at(serve()).run(prompt, *["cat.png"] * images, "--quiet")
    assert code == 0
    assert re.findall("image [0-9]", err) == warnings


@pytest.mark.slow
def test_without_a_token_the_preview_is_drawn_and_says_so(shell: Shell) -> None:
    code, out, err = shell.spawn("sepia", "cat.png")
    assert code == 0
    assert "local preview" in err
    assert "local-preview" in out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 64),
        (("--no-such-option",), 64),
        (("sketch", "cat.png", "--seed", "many"), 64),
        (("resume",), 64),
        (("sketch",), 65),
        (("", "cat.png"), 65),
        (("sketch", "cat.png", "--image-size", "5:4"), 65),
        (("sketch", "cat.png", "--seed", "-1"), 65),
        (("sketch", "cat.png", "cat.png", "cat.png", "cat.png"), 65),
        (("sketch", "cat.txt"), 65),
        (("resume", "../x"), 65),
        (("sketch", "no-such.png"), 66),
        (("sketch", "."), 66),
        (("sketch", "cat.png", "-o", "cat.png/out.png"), 73),
        (("sketch", "cat.png", "-o", "x" * 300), 73),
    ],
)
def test_a_wrong_call_has_its_exit_code(serve: Serve, shell: Shell, arguments: tuple[str, ...], code: int) -> None:
    sandbox = serve()
    (shell.folder / "cat.txt").write_text("no picture")
    got, out, err = shell.at(sandbox).run(*arguments)
    assert (got, out) == (code, "")
    assert err.strip()
    told, error = shell.json(*arguments)
    assert told == code
    assert set(error) >= {"code", "message", "charged", "request_id"}
    assert error["charged"] == "no"
    assert error["message"] in err
    assert sandbox.counters.submits_received == 0


@pytest.mark.parametrize(
    ("faults", "code", "words"),
    [
        (("failed-text",), 1, "Run "),
        (("moderation-object",), 1, "content check"),
        (("submit-422",), 69, "Nothing was charged"),
        (("submit-html-502",), 75, "Generations"),
        (("output-expired",), 75, "costs nothing"),
        (("submit-unauthorised",), 77, "token"),
        (("submit-no-balance",), 77, "balance"),
    ],
)
def test_what_the_server_does_has_its_exit_code(
    serve: Serve, shell: Shell, faults: tuple[str, ...], code: int, words: str
) -> None:
    got, out, err = shell.at(serve(*faults)).run("-q", "sketch", "cat.png")
    assert (got, out) == (code, "")
    assert words in err


@pytest.mark.parametrize(
    ("env", "code"),
    [
        ({"WAN_BACKEND": "runcomfy"}, 77),
        ({"RUNCOMFY_TOKEN": "to ken"}, 77),
        ({"WAN_BACKEND": "cloud"}, 64),
        ({"RUNCOMFY_API_BASE": "http://example.com"}, 64),
    ],
)
def test_a_bad_setting_has_its_exit_code(shell: Shell, env: dict[str, str], code: int) -> None:
    shell.env |= env
    got, out, err = shell.run("sketch", "cat.png")
    assert (got, out) == (code, "")
    assert next(iter(env)).removesuffix("_TOKEN") in err or "RUNCOMFY_API_TOKEN" in err


@pytest.mark.slow
def test_past_the_deadline_the_message_says_how_to_get_the_picture(serve: Serve, shell: Shell) -> None:
    sandbox = serve(run_time=(2, 2), speed=1, warm_up=0)
    code, out, err = shell.at(sandbox, WAN_DEADLINE="1").run("sketch", "cat.png")
    assert (code, out) == (75, "")
    found = re.search(r"wan-client resume (\w+)", err)
    assert found
    code, out, err = shell.at(sandbox).run("resume", found[1], "-o", "late.png")
    assert (code, out) == (0, "late.png\n")
    assert sandbox.counters.submits_accepted == 1


@pytest.mark.slow
def test_ctrl_c_takes_a_waiting_run_out_of_the_queue(serve: Serve, shell: Shell) -> None:
    sandbox = serve("never-starts")
    with shell.at(sandbox).start("sketch", "cat.png") as process:
        wait_for("queue", process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert out == ""
    assert MESSAGES["cancel.cancelled"] in err
    assert "Traceback" not in err
    assert sandbox.counters.jobs_cancelled == 1


@pytest.mark.slow
def test_ctrl_c_tells_that_a_running_run_goes_on(serve: Serve, shell: Shell) -> None:
    sandbox = serve("never-ends")
    with shell.at(sandbox).start("sketch", "cat.png") as process:
        wait_for("Running", process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert MESSAGES["cancel.not_cancellable"] in err
    assert re.search(r"wan-client resume \w+", err)
    assert sandbox.counters.jobs_cancelled == 0


@pytest.mark.slow
def test_ctrl_c_before_anything_is_sent_costs_nothing(serve: Serve, shell: Shell) -> None:
    sandbox = serve()
    with sandbox.refusing(), shell.at(sandbox).start("sketch", "cat.png") as process:
        wait_for("trouble", process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert MESSAGES["charged.no"] in err
    assert sandbox.counters.submits_received == 0


def test_json_of_an_edit_and_of_its_resumption(serve: Serve, shell: Shell) -> None:
    code, told = shell.at(serve(price=0.04)).json("sketch", "cat.png", "-o", "out.png")
    assert (code, told["paths"], told["cost"], told["preview"]) == (0, ["out.png"], 0.04, False)
    assert (told["width"], told["height"]) == (1024, 1024)
    code, again = shell.json("resume", told["request_id"], "-o", "again.png")
    assert (code, again["paths"], again["request_id"]) == (0, ["again.png"], told["request_id"])
    code, runs = shell.json("runs")
    assert (code, [(run["request_id"], run["state"]) for run in runs["runs"]]) == (0, [(told["request_id"], "fetched")])
    assert shell.json("cancel", told["request_id"]) == (
        75, {"request_id": told["request_id"], "outcome": "not_cancellable"}
    )  # fmt: skip


def test_json_of_the_price(serve: Serve, shell: Shell) -> None:
    code, told = shell.at(serve(price=0.035)).json("price")
    assert (code, told["price_usd"]) == (0, 0.035)
    code, told = shell.at(serve("model-500")).json("price")
    assert (code, told["code"], told["charged"]) == (69, "price_unknown", "no")


def test_json_of_a_failure_tells_the_money_and_the_run(serve: Serve, shell: Shell) -> None:
    code, told = shell.at(serve("output-moved")).json("-q", "sketch", "cat.png")
    assert (code, told["code"], told["charged"]) == (75, "output_host", "yes")
    assert re.fullmatch(r"\w+", told["request_id"])
    code, told = shell.at(serve("submit-html-502")).json("-q", "sketch", "cat.png")
    assert (code, told["code"], told["charged"], told["request_id"]) == (75, "unknown_outcome", "unknown", None)


@pytest.mark.slow
def test_json_of_an_interrupt(serve: Serve, shell: Shell) -> None:
    with shell.at(serve("never-ends")).start("sketch", "cat.png", "--json") as process:
        wait_for("Running", process)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=120)
    told = json.loads(out)
    assert process.returncode == 130
    assert (told["code"], told["charged"], told["outcome"]) == ("interrupted", "unknown", "not_cancellable")
    assert told["request_id"]


def test_help_is_worth_reading(shell: Shell) -> None:
    code, out, _ = shell.run("--help")
    assert code == 0
    assert "image 1" in out
    assert "RUNCOMFY_API_TOKEN" in out
    assert "resume" in out


def test_runs_lists_what_was_sent(serve: Serve, shell: Shell) -> None:
    shell.at(serve("failed-text@1"))
    assert "No runs" in shell.run("runs")[2]
    shell.run("first", "cat.png", "-o", "first.png")
    shell.run("second", "cat.png")
    code, out, _ = shell.run("runs")
    second, first = out.splitlines()
    assert code == 0
    assert "fetched" in first
    assert first.endswith("first.png")
    assert "ended without a picture" in second
    shell.env["RUNCOMFY_API_TOKEN"] = "another-account"
    assert shell.run("runs")[1] == ""


def test_cancel_by_id(serve: Serve, shell: Shell) -> None:
    sandbox = serve("never-starts")
    with shell.at(sandbox).start("sketch", "cat.png") as process:
        wait_for("queue", process)
        process.kill()
    request_id = shell.run("runs")[1].split()[2]
    code, _, err = shell.run("cancel", request_id)
    assert (code, err.strip()) == (0, "Removed from the queue before it started.")
    assert shell.run("cancel", "unknown0")[0] == 75
    assert sandbox.counters.jobs_cancelled == 1


def test_price_is_the_catalogues(serve: Serve, shell: Shell) -> None:
    code, out, _ = shell.at(serve(price=0.035)).run("price")
    assert code == 0
    assert out.startswith("$0.035 per ")
    assert shell.at(serve("model-500")).run("price")[0] == 69


@pytest.mark.slow
def test_killed_between_submit_and_download_the_same_call_fetches_what_was_paid(serve: Serve, shell: Shell) -> None:
    sandbox = serve(run_time=(20, 20))
    with shell.at(sandbox).start("sketch", "cat.png", "-o", "out.png") as process:
        wait_for("queue", process)
        process.kill()
    code, out, err = shell.run("sketch", "cat.png", "-o", "out.png")
    assert (code, out) == (0, "out.png\n")
    assert MESSAGES["cli.recovered"] in err
    assert sandbox.counters.submits_accepted == 1
    # Fetched is fetched: now the same words ask for a new picture.
    assert shell.run("-q", "sketch", "cat.png")[0] == 0
    assert sandbox.counters.submits_accepted == 2


@pytest.mark.slow
def test_killed_while_sending_the_next_call_tells_it_once(serve: Serve, shell: Shell) -> None:
    sandbox = serve("accepted-hang*1")
    with shell.at(sandbox).start("sketch", "cat.png") as process:
        wait_for("Uploading", process)
        until(lambda: sandbox.counters.submits_accepted > 0)
        process.kill()
    code, _, err = shell.run("-q", "sketch", "cat.png")
    assert code == 75
    assert "UTC" in err
    assert "Generations" in err
    assert shell.run("-q", "sketch", "cat.png")[0] == 0
    assert sandbox.counters.submits_accepted == 2
