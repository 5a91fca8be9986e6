"""Who pays for a run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from starlette.requests import Request

from studio.i18n.texts import Texts
from studio.page.components import Shown
from studio.page.layout import lay_out
from studio.page.run_handlers import RunHandlers
from studio.runs.jobs import Jobs
from studio.settings import PageSettings
from wan_client import Backend, Settings


@pytest.fixture
def request_of_a_page() -> gr.Request:
    scope = {"type": "http", "headers": [], "query_string": b"", "path": "/"}
    return gr.Request(Request(scope), session_hash="page")


@pytest.mark.parametrize("handler", ["generate", "generate_anyway"])
async def test_a_visitor_who_chose_to_pay_never_spends_the_owners_money(
    handler: str, request_of_a_page: gr.Request, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    picture = tmp_path / "cat.jpg"
    picture.write_bytes(b"anything")
    jobs = Jobs(PageSettings(Settings(Backend.RUNCOMFY, "http://127.0.0.1:9", "the-owners-token")))
    monkeypatch.setattr(jobs, "start", SimpleNamespace)  # a call would fail the test
    with gr.Blocks():
        components = lay_out("", "")
    run = getattr(RunHandlers(jobs, components), handler)
    told = [
        changes
        async for changes in run(
            "",
            "",
            Shown(),
            "visitor",
            1,
            request_of_a_page,
            prompt="sketch",
            image_1=str(picture),
            image_2=None,
            image_3=None,
        )
    ]
    assert len(told) == 1
    assert Texts("en")("error.token_gone") in told[0][components.status]
    assert Texts("en")("charged.no") in told[0][components.status]
    await jobs.close()
