"""Two replicas as Compose runs them: the real page twice, Redis, and Caddy with the repository's configuration."""

from __future__ import annotations

import hmac
import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.conftest import PHOTOS, UNTIL_FINISHED, App, free_port
from tests.studio.conftest import redis_server as redis_server_on
from tests.test_proxy import caddy
from wan_sandbox import Sandbox, Settings

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def started(stack: ExitStack, folder: Path, **shared: str) -> list[App]:
    """Start two replicas that share their files and these settings, until the end of the context."""
    replicas = []
    for name in ("one", "two"):
        (folder / name).mkdir()
        replica = App(folder / name, GRADIO_TEMP_DIR=str(folder / "files"), **shared)
        stack.callback(replica.stop)
        replica.start()
        replicas.append(replica)
    return replicas


def uploaded(visitor: httpx.Client) -> str:
    """Upload a photograph, and return where it lies."""
    with (PHOTOS / "cat.jpg").open("rb") as picture:
        paths: list[str] = visitor.post("/gradio_api/upload", files={"files": picture}).raise_for_status().json()
    return paths[0]


def edited(visitor: httpx.Client, picture: str, **how: Any) -> list[Any]:
    """Make a run, and return the picture and the facts."""
    image = {"path": picture, "meta": {"_type": "gradio.FileData"}}
    return called(visitor, "edit", {"prompt": "pencil sketch", "image_1": image, **how})


def called(visitor: httpx.Client, endpoint: str, call: dict[str, Any]) -> list[Any]:
    """Call an endpoint, and return what it answers."""
    event = visitor.post(f"/gradio_api/call/v2/{endpoint}", json=call).raise_for_status().json()["event_id"]
    with visitor.stream("GET", f"/gradio_api/call/v2/{endpoint}/{event}") as stream:
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
            "WAN_TRUSTED_PROXIES": "127.0.0.0/8",
            "WAN_LIMIT_VISITOR_AT_ONCE": "1",
            "WAN_LIMIT_BUDGET": "1",
        }
        replicas = started(stack, tmp_path, **shared)
        addresses = {replica.url.removeprefix("http://"): replica for replica in replicas}
        url = stack.enter_context(caddy(tmp_path, list(addresses)))
        visitor = stack.enter_context(httpx.Client(base_url=url, trust_env=False, timeout=120))
        picture = uploaded(visitor)
        # Caddy names the replica by its address' HMAC.
        names = {hmac.digest(b"", address.encode(), "sha256").hex(): app for address, app in addresses.items()}
        met = names[visitor.cookies["replica"]]
        met.stop()
        assert "Traceback" not in met.log
        for _ in range(2):
            _, facts = edited(visitor, picture)
            assert facts["cost_usd"] is not None
        assert names[visitor.cookies["replica"]] is not met
        assert sandbox.counters.submits_accepted == 2


def test_without_a_token_replicas_share_a_sandbox_and_find_each_others_runs(tmp_path: Path) -> None:
    port = free_port()
    # A name of this machine that is not taken for loopback, as another container's is not.
    address = f"http://0.0.0.0:{port}"
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox(Settings(port=port, run_time=UNTIL_FINISHED, picture="blank")))
        replicas = started(stack, tmp_path, WAN_SANDBOX_URL=address)
        first, second = (
            stack.enter_context(httpx.Client(base_url=replica.url, trust_env=False, timeout=120))
            for replica in replicas
        )
        _, begun = edited(first, uploaded(first), wait_seconds=0)
        replicas[0].stop()
        sandbox.finish_jobs()
        picture, facts = called(second, "result", {"run": begun["run"]})
        assert facts["local_preview"]
        assert second.get(picture["url"]).raise_for_status().headers["content-type"].startswith("image/")
        assert sandbox.counters.submits_accepted == 1
