"""The command line, as a parent process sees it."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

import wan_sandbox
from wan_sandbox.cli import main
from wan_sandbox.faults.switches import JOB_FAULTS, KINDS, PLACES

from .support import MODEL, TOKEN, body, until

pytestmark = pytest.mark.slow

RUSHED = httpx.Timeout(60, read=0.2)
HOME = Path(wan_sandbox.__file__).resolve().parent.parent


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "wan_sandbox", "--port", "0", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(HOME)},
    )
    assert process.stdout is not None
    watch = threading.Timer(20, process.kill)
    watch.start()
    try:
        yield process, process.stdout.readline().rstrip("\n")
    finally:
        process.terminate()
        process.wait()
        watch.cancel()
        for pipe in (process.stdin, process.stdout, process.stderr):
            assert pipe is not None
            pipe.close()


def test_the_first_line_is_the_url_and_a_signal_ends_it_cleanly() -> None:
    with running("--run-time", "0.05", "--blank", "--access-log") as (process, url):
        with httpx.Client(base_url=url, headers={"authorization": f"Bearer {TOKEN}"}, timeout=60) as http:
            request_id = http.post(MODEL, json=body()).json()["request_id"]
            result = until(lambda: (r := http.get(f"/v1/requests/{request_id}/result").json())["finished_at"] and r)
            assert httpx.get(result["output"]["image"], timeout=60).status_code == 200
            http.get(f"/v1/requests/{TOKEN}/status", params={"token": TOKEN})
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0
    assert out == ""
    assert f"RUNCOMFY_API_BASE={url} RUNCOMFY_API_TOKEN=demo\n" in err
    assert f"curl -H 'Authorization: Bearer demo' {url}{MODEL}\n" in err
    assert f"POST {MODEL} 200" in err
    assert "GET /v1/requests/…/status 404" in err
    assert TOKEN not in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_with_a_job_and_a_call_that_never_end(number: signal.Signals) -> None:
    with running("--run-time", "600") as (process, url):
        headers = {"authorization": f"Bearer {TOKEN}"}
        assert httpx.post(url + MODEL, json=body(), headers=headers, timeout=60).status_code == 200
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(url + MODEL, headers={**headers, "x-sandbox-fault": "model-hang"}, timeout=RUSHED)
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0
    assert "Traceback" not in err


def test_it_ends_with_its_input() -> None:
    with running("--until-eof", "--blank") as (process, url):
        assert httpx.get(url + "/healthz", timeout=60).text == "ok"
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=60) == 0


def test_without_being_told_so_it_does_not_end_with_its_input() -> None:
    with running("--blank") as (process, url):
        assert process.stdin is not None
        process.stdin.close()
        assert httpx.get(url + "/healthz", timeout=60).text == "ok"
        assert process.poll() is None


def test_options_reach_the_server() -> None:
    with running("--token", "right", "--price", "0.03", "--fault", "submit-429*1", "failed-text@9", "--blank") as (
        process,
        url,
    ):
        assert (
            httpx.get(url + MODEL, headers={"authorization": "Bearer wrong"}, timeout=60).json()["error_code"] == 400004
        )
        headers = {"authorization": "Bearer right"}
        assert httpx.get(url + MODEL, headers=headers, timeout=60).json()["base_price_usd"] == 0.03
        assert [httpx.post(url + MODEL, json=body(), headers=headers, timeout=60).status_code for _ in range(2)] == [
            429,
            200,
        ]
        assert "Bearer right" not in httpx.get(url, timeout=60).text
        assert "started with" in httpx.get(url, timeout=60).text
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert "takes is right." in err
    assert f"RUNCOMFY_API_BASE={url} RUNCOMFY_API_TOKEN=right\n" in err
    assert f"curl -H 'Authorization: Bearer right' {url}{MODEL}\n" in err
    assert "demo" not in err


def test_the_list_of_faults(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--faults"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    assert listed == [*PLACES, *KINDS, *JOB_FAULTS]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--fault", "nope"],
        ["--run-time", "fast"],
        ["--run-time", "5-2"],
        ["--workers", "0"],
        ["--port", "70000"],
        ["--speed", "0"],
        ["--what"],
        ["--public-url", "ftp://somewhere"],
        ["--token", " "],
    ],
)
def test_wrong_options(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 64
    said = capsys.readouterr().err
    assert said.startswith("wan-sandbox: error: ")
    assert said.count("\n") == 1
    assert "_span" not in said


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with running("--blank") as (_, url), pytest.raises(SystemExit) as ended:
        main(["--port", url.rpartition(":")[2]])
    assert ended.value.code == 69
    said = capsys.readouterr().err
    assert "cannot listen" in said
    assert "--port 0" in said
