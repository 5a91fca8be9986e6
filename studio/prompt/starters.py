"""The prompt starters: data in ``assets/starters.json``. Words in square brackets are for the person to replace."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

_FILE = Path(__file__).parents[2] / "assets" / "starters.json"


@dataclass(frozen=True)
class Starter:
    """One task to begin with.

    Attributes:
        name: Its label is the text ``starter.NAME``.
        prompt: In English, which the model reads best.
        images: How many pictures it needs.
    """

    name: str
    prompt: str
    images: int


def load() -> list[Starter]:
    """Return all starters, in the order in which they are shown."""
    return [Starter(**entry) for entry in json.loads(_FILE.read_text("utf-8"))]
