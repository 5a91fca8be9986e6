"""What a stranger can make the page keep in memory."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from studio.gradio_compat import ANSWERS_BYTES_MAX, SESSION_BYTES_MAX, SESSIONS_MAX, WaitingAnswers

if TYPE_CHECKING:
    from tests.conftest import App


def resident(app: App) -> int:
    pages = Path(f"/proc/{app.pid}/statm").read_text("ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize(("length", "calls"), [(150_000, 100), (900_000, 40), (4_800_000, 15)])
def test_calls_that_nobody_waits_for_keep_no_text(app: App, length: int, calls: int) -> None:
    config = httpx.get(f"{app.url}/config", trust_env=False, timeout=60).json()
    changed = next(one for one in config["dependencies"] if one["api_name"] == "changed")
    prompt = '"<&' * (length // 3)
    form = [prompt, None, None, None, "", "1024*1024 (1:1)", 0, True]
    assert len(form) == len(changed["inputs"])
    with httpx.Client(base_url=f"{app.url}/gradio_api/", trust_env=False, timeout=60) as client:

        def call(number: int) -> None:
            body = {"fn_index": changed["id"], "data": form, "session_hash": f"{length}-{number}"}
            codes = {
                client.post("queue/join", json=body).status_code,
                client.post("call/v2/edit", json={"prompt": prompt, "image_1": None}).status_code,
            }
            assert max(codes) < 500

        for number in range(5):
            call(number)
        before = resident(app)
        for number in range(5, calls + 5):
            call(number)
    # The interpreter and the allocator take something, too: a megabyte was seen.
    assert resident(app) - before < length * calls / 2


def message(text: str) -> Any:
    return SimpleNamespace(output={"data": [text]})


async def test_answers_that_nobody_fetches_are_bounded_in_bytes() -> None:
    answers = WaitingAnswers()
    answers["reads"] = asyncio.Queue()
    answers["never reads"] = asyncio.Queue()
    text = "x" * 100_000
    for _ in range(SESSION_BYTES_MAX // 100_000 + 10):
        answers["never reads"].put_nowait(message(text))
        answers["reads"].put_nowait(message(text))
        assert (await answers["reads"].get()).output == {"data": [text]}
    assert "never reads" not in answers
    assert "reads" in answers
    assert answers.bytes == 0
    for number in range(ANSWERS_BYTES_MAX // 1_000_000 + 50):
        answers[f"session {number}"] = asyncio.Queue()
        answers[f"session {number}"].put_nowait(message("x" * 1_000_000))
    assert answers.bytes <= ANSWERS_BYTES_MAX
    assert "session 0" not in answers
    for number in range(2 * SESSIONS_MAX):
        answers[f"another {number}"] = asyncio.Queue()
    assert len(answers) == SESSIONS_MAX
    assert answers.bytes == 0
