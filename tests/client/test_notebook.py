"""The notebook, cell by cell, without Jupyter."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from PIL import Image

    from .conftest import Serve

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "examples" / "wan_client.ipynb"


def cells() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    return [cell for cell in found if cell["cell_type"] == "code"]


def test_it_is_stored_without_outputs() -> None:
    assert cells()
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells())


async def test_it_runs_from_top_to_bottom_and_shows_pictures(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a running loop, as Jupyter runs cells."""
    sandbox = serve(picture="preview", workers=2)
    monkeypatch.setenv("RUNCOMFY_API_BASE", sandbox.url)
    monkeypatch.setenv("WAN_BACKEND", "sandbox")
    shutil.copytree(ROOT / "assets" / "photos", tmp_path / "assets" / "photos")
    (tmp_path / "examples").mkdir()
    monkeypatch.chdir(tmp_path / "examples")
    shown: list[Image.Image] = []
    namespace: dict[str, Any] = {"display": lambda *pictures: shown.extend(pictures)}
    for cell in cells():
        exec(compile("".join(cell["source"]), cell["id"], "exec"), namespace)
    assert len(shown) == 6
    assert all(len(picture.getcolors(picture.width * picture.height) or ()) > 1 for picture in shown)
    told = capsys.readouterr().out
    assert "Preparing → Uploading → Submitted → " in told
    assert "charged: no" in told
    assert sandbox.counters.submits_accepted == 5
