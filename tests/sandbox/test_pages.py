"""What a person can read, and what nobody may."""

import logging
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

import wan_sandbox

from .conftest import Serve
from .support import MODEL, TOKEN, Caller, until


def foreign_references(html: str, own: str) -> list[str]:
    """Return what a browser would load or could be led to elsewhere."""
    found = re.findall(r"""(?:src|href|action)\s*=\s*["']?([^"'\s>]+)|url\(([^)]*)\)|@import""", html)
    return [a or b for a, b in found if not (a or b).startswith(("/", "#", own))]


def test_the_page_shows_the_queue_but_nobodys_prompt(serve: Serve) -> None:
    caller = serve(run_time=(60, 60), warm_up=0)
    ids = [caller.accepted(prompt="<b>a secret wish</b>") for _ in range(3)]
    until(lambda: caller.word(ids[0]) == "in_progress")
    reply = httpx.get(caller.sandbox.url, timeout=60)
    assert reply.status_code == 200
    for tile in ("Waiting</dt><dd>2<", "Running</dt><dd>1<", "Accepted since the start</dt><dd>3<"):
        assert tile in reply.text
    assert f"{ids[1][:6]}…" in reply.text
    for hidden in ("secret wish", TOKEN, *ids):
        assert hidden not in reply.text
    assert foreign_references(reply.text, caller.sandbox.url) == []


def test_the_page_speaks_korean(shared: Caller) -> None:
    reply = httpx.get(shared.sandbox.url, headers={"accept-language": "ko"}, timeout=60)
    assert '<html lang="ko">' in reply.text
    assert "지금 대기열" in reply.text


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_load_nothing_and_run_nothing(shared: Caller, path: str) -> None:
    reply = httpx.get(shared.sandbox.url + path, timeout=60)
    assert reply.headers["content-security-policy"].startswith("default-src 'none'")
    assert "<script" not in reply.text
    assert foreign_references(reply.text, shared.sandbox.url) == []


def test_a_host_header_cannot_write_into_the_page(shared: Caller) -> None:
    reply = httpx.get(shared.sandbox.url, headers={"host": 'x"><script>alert(1)</script>'}, timeout=60)
    assert "<script" not in reply.text


def test_the_description_fits_the_server(shared: Caller) -> None:
    description = shared.http.get("/openapi.json").json()
    assert description["openapi"].startswith("3.1")
    assert description["servers"] == [{"url": shared.sandbox.url}]
    names = description["components"]["schemas"]
    references = re.findall(r"#/components/schemas/(\w+)", str(description))
    assert set(references) <= set(names)

    def fits(reply: Any, name: str) -> None:
        known = names[name]
        assert set(known["required"]) <= reply.keys() <= set(known["properties"]), name

    submitted = shared.submit().json()
    fits(submitted, "Submitted")
    request_id = submitted["request_id"]
    fits(shared.status(request_id).json(), "Status")
    shared.ended(request_id)
    fits(shared.result(request_id, include_cost="true").json(), "Result")
    fits(shared.cancel(request_id).json(), "Cancelled")
    fits(shared.http.get(MODEL).json(), "Model")
    fits(shared.submit(prompt="").json(), "Error")
    limits = names["Input"]["properties"]
    assert (limits["prompt"]["maxLength"], limits["negative_prompt"]["maxLength"]) == (1999, 500)
    assert (limits["image_urls"]["minItems"], limits["image_urls"]["maxItems"]) == (1, 3)
    assert (limits["seed"]["minimum"], limits["seed"]["maximum"]) == (0, 2147483647)
    for path in description["paths"]:
        assert path in shared.http.get("/docs").text


def test_the_token_is_in_no_reply_and_no_log(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caller = serve(access_log=True)
    request_id = caller.accepted()
    replies = [
        caller.submit(),
        caller.submit(prompt=""),
        caller.submit("nope"),
        caller.status(request_id),
        caller.result(request_id),
        caller.cancel(request_id),
        caller.cancel("nobody"),
        caller.http.get(MODEL),
        caller.http.get("/v1/models/nothing"),
        caller.http.get("/"),
        caller.http.get(f"/{TOKEN}?token={TOKEN}"),
    ]
    assert all(TOKEN not in reply.text + str(reply.headers) for reply in replies)

    def lines() -> list[str]:
        return [record.getMessage() for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]

    # A call is logged once it is answered: the last line may come a moment after its answer.
    until(lambda: "GET /… 404" in " ".join(lines()))
    server_logs = lines()
    assert any(f"GET /v1/requests/{request_id}/status 200" in line for line in server_logs)
    assert all(TOKEN not in line for line in server_logs)


def test_no_log_unless_asked_for(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    serve().accepted()
    assert [record for record in caplog.records if record.name.startswith("wan_sandbox")] == []


def test_a_defect_is_answered_and_logged(
    serve: Serve, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = serve()
    monkeypatch.setattr("wan_sandbox.server.validation.read", lambda _: 1 / 0)
    reply = caller.submit()
    assert (reply.status_code, reply.json()["error_code"]) == (500, 500001)
    assert "ZeroDivisionError" in caplog.text
    assert TOKEN not in caplog.text


def test_a_preview_that_cannot_be_drawn_fails_the_job(
    serve: Serve, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wan_sandbox.queue.drawing.MODULE", "wan_sandbox.no_such_module")
    caller = serve(picture="preview")
    result = caller.ended(caller.accepted())
    assert result["status"] == "failed"
    assert result["error"].startswith("InternalError")
    assert caller.sandbox.counters.jobs_failed == 1
    assert "could not be drawn" in caplog.text


def test_importing_the_sandbox_is_light() -> None:
    code = (
        "import sys; import wan_sandbox; from wan_sandbox import Sandbox, Settings; import wan_sandbox.queue.drawing;"
        "assert not {'numpy', 'gradio', 'wan_client'} & set(sys.modules)"
    )
    home = str(Path(wan_sandbox.__file__).resolve().parent.parent)
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": home})


def test_start_and_stop_can_be_repeated() -> None:
    sandbox = wan_sandbox.Sandbox(wan_sandbox.Settings(picture="blank", run_time=(0, 0)))
    for _ in range(2):
        sandbox.start()
        with pytest.raises(RuntimeError, match="running already"):
            sandbox.start()
        assert httpx.get(sandbox.url + "/healthz", timeout=60).text == "ok"
        sandbox.stop()
        with pytest.raises(httpx.ConnectError):
            httpx.get(sandbox.url, timeout=60)
    sandbox.stop()
