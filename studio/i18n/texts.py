"""Every text of the page, by language. The client's own texts are in its `messages`, in English."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from wan_client.messages import MESSAGES

if TYPE_CHECKING:
    import gradio as gr

    from wan_client import WanError

_LOCALES = Path(__file__).parent / "locales"
DEFAULT_LANGUAGE = "en"
# The problems of which the account's list of runs knows more.
OF_AN_ACCOUNT = frozenset({
    "key_run_lost", "no_image", "output_host", "output_too_large", "read_refused", "run_not_found",
    "submit_interrupted", "unexpected", "unknown_outcome",
})  # fmt: skip


@cache
def translations() -> dict[str, dict[str, str]]:
    """All texts: language → key → text. English takes the client's keys from the client."""
    found = {file.stem: json.loads(file.read_text("utf-8")) for file in sorted(_LOCALES.glob("*.json"))}
    found[DEFAULT_LANGUAGE] = {**MESSAGES, **found[DEFAULT_LANGUAGE]}
    return found


class Texts:
    """The texts of one language. Call it with a key and the values that the text names."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._texts = translations()[language]

    def __call__(self, key: str, **values: object) -> str:
        """The text of that key, filled in."""
        return self._texts[key].format(**values)

    def starting_with(self, *beginnings: str) -> dict[str, str]:
        """The texts whose keys begin so, not filled in."""
        return {key: text for key, text in self._texts.items() if key.startswith(beginnings)}

    def has(self, key: str) -> bool:
        """Whether there is such a text."""
        return key in self._texts

    def charged(self, problem: WanError, *, sandbox: bool) -> str:
        """The sentences about the money. The sandbox never charges, whatever it rehearses."""
        words = self("charged.sandbox" if sandbox else f"charged.{problem.charged.value}")
        cost = None if sandbox else problem.cost
        return words if cost is None else f"{words} {self('error.cost', cost=f'{cost:.4g}')}"

    def hint(self, problem: WanError, *, sandbox: bool) -> str:
        """What to do. No account knows of a local preview."""
        if sandbox and problem.code in OF_AN_ACCOUNT:
            return self("error.preview.hint")
        return self(f"error.{problem.code}.hint", **problem.values)

    def sentences(self, problem: WanError, *, sandbox: bool) -> str:
        """What happened, whether it was charged, and what to do."""
        what = self(f"error.{problem.code}", **problem.values)
        return " ".join([what, self.charged(problem, sandbox=sandbox), self.hint(problem, sandbox=sandbox)])


def texts_for(request: gr.Request | None) -> Texts:
    """The texts in the visitor's language."""
    if request is None:
        return Texts(DEFAULT_LANGUAGE)
    return Texts(negotiate(request.query_params.get("lang"), request.headers.get("accept-language")))


def negotiate(asked: str | None, accepted: str | None) -> str:
    """The language to speak, of those there are: what ``?lang=`` asks for, else the browser's first, else English.

    Args:
        asked: The value of ``?lang=``: a code, with or without a region.
        accepted: The ``Accept-Language`` header.
    """
    for tag in (asked or "", *_by_preference(accepted or "")):
        language = tag.strip().lower().split("-")[0]
        if language in translations():
            return language
    return DEFAULT_LANGUAGE


def _by_preference(accepted: str) -> list[str]:
    """The header's tags, best first; those of one weight in the header's order, those of weight 0 left out."""
    weights: dict[str, float] = {}
    for part in accepted.split(","):
        tag, _, weight = part.partition(";")
        try:
            weights[tag] = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
    return sorted((tag for tag, weight in weights.items() if weight > 0), key=lambda tag: -weights[tag])
