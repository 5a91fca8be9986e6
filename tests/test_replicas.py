"""Two replicas as Compose runs them: the real page twice, Redis, and Caddy with the repository's configuration."""

from __future__ import annotations

import hmac
import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.conftest import PHOTOS, App, free_port
from tests.studio.conftest import redis_server as redis_server_on
from tests.test_proxy import caddy
from wan_sandbox import Sandbox, Settings

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def edited(visitor: httpx.Client, picture: str) -> list[Any]:
    """Make a run, and return the picture and the facts."""
    call = {"prompt": "pencil sketch", "image_1": {"path": picture, "meta": {"_type": "gradio.FileData"}}}
    event = visitor.post("/gradio_api/call/v2/edit", json=call).raise_for_status().json()["event_id"]
    with visitor.stream("GET", f"/gradio_api/call/v2/edit/{event}") as stream:
        lines = list(stream.iter_lines())
    assert "event: complete" in lines, lines
    outputs: list[Any] = json.loads(lines[lines.index("event: complete") + 1].removeprefix("data: "))
    return outputs


def test_a_visitor_goes_on_with_the_other_replica_when_one_stops(tmp_path: Path) -> None:
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox(Settings(run_time=(0.2, 0.2), picture="blank", price=0.03)))
        shared = {
            "RUNCOMFY_API_BASE": sandbox.url,
            "RUNCOMFY_API_TOKEN": "a-token",
            "LIMITS_STORAGE_URI": stack.enter_context(redis_server_on(free_port())),
            "GRADIO_TEMP_DIR": str(tmp_path / "files"),
            "WAN_TRUSTED_PROXIES": "127.0.0.0/8",
            "WAN_LIMIT_VISITOR_AT_ONCE": "1",
            "WAN_LIMIT_BUDGET": "1",
        }
        replicas = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            replica = App(tmp_path / name, **shared)
            stack.callback(replica.stop)
            replica.start()
            replicas.append(replica)
        addresses = {replica.url.removeprefix("http://"): replica for replica in replicas}
        url = stack.enter_context(caddy(tmp_path, list(addresses)))
        visitor = stack.enter_context(httpx.Client(base_url=url, trust_env=False, timeout=120))
        with (PHOTOS / "cat.jpg").open("rb") as picture:
            uploaded = visitor.post("/gradio_api/upload", files={"files": picture}).raise_for_status()
        # Caddy names the replica by its address' HMAC.
        names = {hmac.digest(b"", address.encode(), "sha256").hex(): app for address, app in addresses.items()}
        met = names[visitor.cookies["replica"]]
        met.stop()
        assert "Traceback" not in met.log
        for _ in range(2):
            _, facts = edited(visitor, uploaded.json()[0])
            assert facts["cost_usd"] is not None
        assert names[visitor.cookies["replica"]] is not met
        assert sandbox.counters.submits_accepted == 2
