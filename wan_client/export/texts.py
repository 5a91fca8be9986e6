"""The texts of what is shared, in each language."""

from __future__ import annotations

import json
from datetime import timezone
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

LOCALES = Path(__file__).parent / "locales"
LANGUAGES = tuple(sorted(file.stem for file in LOCALES.glob("*.json")))


class Words:
    """The texts of one language.

    Args:
        language: One of `LANGUAGES`.

    Raises:
        KeyError: It is none of them.
    """

    def __init__(self, language: str) -> None:
        self._texts = _texts(language)
        self.tag = self._texts["tag"]

    def __call__(self, key: str, **values: object) -> str:
        """Return a text with its values filled in."""
        return self._texts[key].format(**values)

    def date(self, moment: datetime) -> str:
        """Return a date and time in UTC, as the language writes it."""
        utc = moment.astimezone(timezone.utc)
        months = self._texts["months"].split()
        return self("date", moment=utc, month=months[utc.month - 1] if months else utc.month)


@cache
def _texts(language: str) -> dict[str, str]:
    if language not in LANGUAGES:
        raise KeyError(language)
    texts: dict[str, str] = json.loads((LOCALES / f"{language}.json").read_text("utf-8"))
    return texts
