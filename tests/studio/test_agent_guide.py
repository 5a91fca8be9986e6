"""One page for agents: the paths and the arguments that there are, the price, and what to do to pay once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from studio.public.endpoints import ARGUMENTS
from tests.conftest import running_app
from tests.studio.test_endpoints import ENDPOINTS

if TYPE_CHECKING:
    from tests.conftest import App

pytestmark = pytest.mark.slow


def read(app: App, path: str) -> str:
    answer = httpx.get(app.url + path, trust_env=False, timeout=60)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return answer.text


def test_it_names_the_paths_and_arguments_that_there_are(app: App) -> None:
    guide = read(app, "/llms.txt")
    assert read(app, "/agents.md") == guide
    paths = httpx.get(f"{app.url}/gradio_api/openapi.json", trust_env=False, timeout=60).json()["paths"]
    for endpoint in ENDPOINTS:
        assert f"/gradio_api/call/v2{endpoint}" in paths
        assert f"/gradio_api/call/v2{endpoint}" in guide
    assert "/gradio_api/upload" in guide
    assert all(f"- {name}: {words}" in guide for name, words in ARGUMENTS.items() if name != "run")
    assert f"{app.url}/gradio_api/call/v2/edit" in guide
    assert "no work of the model" in guide
    assert "/gradio_api/mcp/" not in guide
    assert "&#" not in guide


def test_it_names_the_price_the_limits_and_the_tools_where_there_are_any() -> None:
    with running_app(RUNCOMFY_API_TOKEN="rehearsed", WAN_MCP="1", WAN_LIMIT_VISITOR_DAILY="3") as app:
        app.play(price=0.03)
        guide = read(app, "/llms.txt")
        assert "0.03 US dollars a run" in guide
        assert "3 runs a day" in guide
        assert f"{app.url}/gradio_api/mcp/" in guide
        assert "rehearsed" not in guide


def test_a_host_header_writes_no_page(app: App) -> None:
    answer = httpx.get(f"{app.url}/llms.txt", headers={"X-Forwarded-Host": "x<script>"}, trust_env=False, timeout=60)
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"
