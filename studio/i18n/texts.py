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
# Problems whose hints send the reader to the account's list of runs.
ACCOUNT_PROBLEMS = frozenset({
    "key_run_lost", "no_image", "output_host", "output_too_large", "read_refused", "run_not_found",
    "submit_interrupted", "unexpected", "unknown_outcome",
})  # fmt: skip


@cache
def translations() -> dict[str, dict[str, str]]:
    """Return all texts: language → key → text. English takes the client's keys from the client."""
    found = {file.stem: json.loads(file.read_text("utf-8")) for file in sorted(_LOCALES.glob("*.json"))}
    found[DEFAULT_LANGUAGE] = {**MESSAGES, **found[DEFAULT_LANGUAGE]}
    return found


class Texts:
    """The texts of one language. Call it with a key and the values that the text names."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._texts = translations()[language]

    def __call__(self, key: str, **values: object) -> str:
        """Return the text of that key, filled in."""
        return self._texts[key].format(**values)

    def starting_with(self, *beginnings: str) -> dict[str, str]:
        """Return the texts whose keys begin with one of these, not filled in."""
        return {key: text for key, text in self._texts.items() if key.startswith(beginnings)}

    def has(self, key: str) -> bool:
        """Return whether there is such a text."""
        return key in self._texts

    def charged(self, problem: WanError, *, sandbox: bool) -> str:
        """Return the sentences about the charge. The sandbox never charges, whatever fault it rehearses."""
        words = self("charged.sandbox" if sandbox else f"charged.{problem.charged.value}")
        cost = None if sandbox else problem.cost
        return words if cost is None else f"{words} {self('error.cost', cost=f'{cost:.4g}')}"

    def hint(self, problem: WanError, *, sandbox: bool) -> str:
        """Return what to do. A local preview is on no account, so its hints send nobody there."""
        if sandbox and problem.code in ACCOUNT_PROBLEMS:
            return self("error.preview.hint")
        return self(f"error.{problem.code}.hint", **problem.values)

    def sentences(self, problem: WanError, *, sandbox: bool) -> str:
        """Return what happened, whether it was charged, and what to do."""
        what = self(f"error.{problem.code}", **problem.values)
        return " ".join([what, self.charged(problem, sandbox=sandbox), self.hint(problem, sandbox=sandbox)])


def texts_for(request: gr.Request | None) -> Texts:
    """Return the texts in the visitor's language."""
    if request is None:
        return Texts(DEFAULT_LANGUAGE)
    return Texts(negotiate(request.query_params.get("lang"), request.headers.get("accept-language")))


def negotiate(asked: str | None, accepted: str | None) -> str:
    """Choose a known language: the one that ``?lang=`` asks for, else the browser's first, else English.

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
    """Return the header's tags, best first; equal weights keep the header's order, weight 0 is left out."""
    weights: dict[str, float] = {}
    for part in accepted.split(","):
        tag, _, weight = part.partition(";")
        try:
            weights[tag] = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
    return sorted((tag for tag, weight in weights.items() if weight > 0), key=lambda tag: -weights[tag])
