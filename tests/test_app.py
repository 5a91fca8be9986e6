"""The door: how the demo starts, and how it refuses to."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"WAN_BACKEND": "runcomfy"}, "there is no token"),
        ({"WAN_BACKEND": "somewhere"}, "which is no engine"),
        ({"RUNCOMFY_API_TOKEN": "two words"}, "can't be a token"),
        ({"RUNCOMFY_API_BASE": "http://example.com"}, "can't be used"),
        ({"WAN_DEADLINE": "soon"}, "out of range"),
    ],
)
def test_a_bad_setting_is_told_in_a_sentence(tmp_path: Path, environment: dict[str, str], sentence: str) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("RUNCOMFY", "WAN_"))}
    ran = subprocess.run(
        [sys.executable, str(ROOT / "app.py")],
        cwd=tmp_path,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 64
    assert sentence in ran.stderr
    assert "Traceback" not in ran.stderr
    assert "two words" not in ran.stderr
