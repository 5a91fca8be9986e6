"""A handler's answer costs what it changes, and changes nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr
import pytest
from gradio.state_holder import SessionState

from studio.page.blocks import Page
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Open:
    """A page with a text, a button and a state, open in one browser."""

    page: Page
    session: SessionState
    text: Any
    button: Any
    state: Any

    async def answered(self, answer: dict[Any, Any]) -> list[Any]:
        """What the browser gets of a handler's answer."""
        return await self.page.postprocess_data(next(iter(self.page.fns.values())), answer, self.session)


@pytest.fixture
async def opened() -> Open:
    with Page(analytics_enabled=False) as page:
        text, button, state = gr.HTML(), gr.Button("Go"), gr.State("")
        button.click(lambda: None, None, [text, button, state])
    return Open(page, SessionState(page), text, button, state)


async def test_a_part_that_is_not_named_is_neither_changed_nor_made_anew(opened: Open) -> None:
    assert await opened.answered({opened.text: "now"}) == ["now", {"__type__": "update"}, None]
    assert opened.session.blocks_config.blocks[opened.button._id] is opened.button


async def test_what_is_named_arrives(opened: Open) -> None:
    told = await opened.answered({opened.state: "kept", opened.button: gr.update(interactive=False)})
    assert told == [{"__type__": "update"}, {"interactive": False, "__type__": "update"}, None]
    assert opened.session[opened.state._id] == "kept"


async def test_an_answer_is_left_as_the_handler_made_it(opened: Open) -> None:
    update = gr.update(value="Working…")
    await opened.answered({opened.button: update})
    assert update == gr.update(value="Working…")


async def test_a_page_that_nobody_uses_looks_for_events_a_hundred_times_a_second_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waited: list[float] = []
    with Page(analytics_enabled=False) as page:
        page.queue()

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        page._queue.stopped = len(waited) % 100 == 0

    monkeypatch.setattr("gradio.queueing.asyncio.sleep", sleep)
    for look in (page._queue.start_processing, page._queue.start_progress_updates):
        page._queue.stopped = False
        await look()
    assert sum(waited[:100]) >= 0.999
    assert sum(waited[100:]) >= 9.99


@pytest.mark.slow
def test_gradio_writes_no_stubs(tmp_path: Path) -> None:
    """It would parse the source of each of its components whenever the page starts."""
    (tmp_path / "part.py").write_text("import studio\nimport gradio\n\nclass Part(gradio.HTML):\n    pass\n")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    subprocess.run([sys.executable, "-c", "import part"], check=True, cwd=tmp_path, env=environment)
    assert not list(tmp_path.glob("*.pyi"))
