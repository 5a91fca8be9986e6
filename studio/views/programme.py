"""The programme's cards on the page."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from .render import render

if TYPE_CHECKING:
    from studio.i18n.texts import Texts
    from studio.stage.programme import Programme

PROMPT_SHOWN = 90


def cards(programme: Programme, texts: Texts) -> str:
    """Render the edits of a programme as cards, in their order."""
    shown = [
        {
            "key": card["key"],
            "prompt": card["prompt"],
            "short": textwrap.shorten(card["prompt"], PROMPT_SHOWN, placeholder="…") or "…",
            "thumbnail": card["after"] or card["before"],
            "prepared": card["after"] is not None,
        }
        for card in programme.cards(texts)
    ]
    return render("programme", texts=texts, title=programme.title, cards=shown)
