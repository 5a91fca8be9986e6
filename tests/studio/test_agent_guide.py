"""One page for agents: the paths and the arguments that there are, the price, and what to do to pay once.

What it says of the price, the limits and the tools is in `test_mcp.py`, which has a page with these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from studio.public.endpoints import ARGUMENTS
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


def test_a_host_header_writes_no_page(app: App) -> None:
    answer = httpx.get(f"{app.url}/llms.txt", headers={"X-Forwarded-Host": "x<script>"}, trust_env=False, timeout=60)
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"
