"""Results as they are presented and exported: finished runs by their keys, and the programme's prepared ones."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path  # noqa: TC003  # pydantic reads the annotations
from typing import TYPE_CHECKING, Any

from studio.prompt.form import Form  # noqa: TC001
from studio.runs import comparison, results
from studio.runs.engines import SANDBOX
from studio.views.files import file_url
from wan_client import Backend, ImageSize, WanError
from wan_client.export import ExportItem
from wan_client.export.texts import Words
from wan_client.recipe import Recipe, read
from wan_client.schema import MODEL_ID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studio.browser.store import Entry
    from studio.i18n.texts import Texts
    from studio.runs.jobs import Jobs

    from .programme import Programme

# The number of finished runs that a browser keeps.
CARDS_MAX = 40
# Results in one export: each picture is decoded, and a wipe of each is drawn.
EXPORTED_MAX = 20
KEY_CHARACTERS_MAX = 100
PREPARED = "programme:"


@dataclass(frozen=True)
class StageItem:
    """One result.

    Attributes:
        key: The run's key, with a kept composite's number if it is one, or the programme's name for it.
        form: What was entered; its pictures are files of this server.
        after: The finished picture.
        before: The picture from before, in the same frame.
        after_url: Where the page finds the finished picture.
        before_url: Where the page finds the picture from before.
        size: Of the finished picture, in pixels.
        sandbox: Whether it is a local preview.
        created: When the run was started.
        recipe: What made it, where its file says so.
        prepared: Whether it was made beforehand.
        kept: Whether it is a kept composite.
    """

    key: str
    form: Form
    after: Path
    before: Path | None
    after_url: str
    before_url: str | None
    size: tuple[int, int]
    sandbox: bool
    created: datetime | None = None
    recipe: Recipe | None = field(default=None, repr=False)
    prepared: bool = False
    kept: bool = False

    def export(self) -> ExportItem:
        """Read the result's files, and return it for an export.

        Raises:
            WanError: A file is gone.
        """
        try:
            after, before = self.after.read_bytes(), self.before.read_bytes() if self.before else None
        except OSError as problem:
            raise WanError("stage_gone") from problem
        if self.recipe:
            return ExportItem.of(self.recipe, after, before, prepared=self.prepared, kept=self.kept)
        return ExportItem(
            after=after,
            prompt=self.form.prompt,
            before=before,
            negative_prompt=self.form.negative_prompt or "",
            image_size=ImageSize.parse(self.form.image_size),
            seed=int(self.form.seed or 0),
            prompt_extend=self.form.prompt_extend,
            engine=Backend.SANDBOX if self.sandbox else Backend.RUNCOMFY,
            model="" if self.sandbox or self.prepared else MODEL_ID,
            created=self.created,
            prepared=self.prepared,
            kept=self.kept,
        )

    def card(self, texts: Texts) -> dict[str, Any]:
        """Return what the browser needs to present it."""
        width, height = self.size
        words = Words(texts.language)
        marks = {"preview": self.sandbox, "prepared": self.prepared, "kept": self.kept}
        return {
            "key": self.key,
            "prompt": self.form.prompt,
            "facts": " · ".join([f"{width} × {height}", texts("fact.seed", seed=int(self.form.seed or 0))]),
            "marks": [words(name) for name, holds in marks.items() if holds],
            "before": self.before_url,
            "after": self.after_url,
            "width": width,
            "height": height,
        }


class Items:
    """Finds results by their keys. A run's key opens the run, as everywhere on the page.

    Args:
        jobs: The server's jobs.
        programme: The programme, if there is one.
    """

    def __init__(self, jobs: Jobs, programme: Programme | None = None) -> None:
        self._jobs = jobs
        self._programme = programme

    def find(self, key: str) -> StageItem | None:
        """Return the result of that key, read from its record, if it is still here."""
        if self._programme and key.startswith(PREPARED):
            return self._programme.prepared(key.removeprefix(PREPARED))
        run, number = comparison.split_kept_key(key)
        outcome, entry = results.load(run), self._jobs.known(run)
        if not outcome or not entry:
            return None
        item = _of_run(entry, outcome)
        return item if number is None else _kept(item, number)

    def all(self, keys: Sequence[str]) -> list[StageItem]:
        """Return those that are still here, in the order of the keys."""
        return [item for key in dict.fromkeys(keys) if (item := self.find(key))]


def _of_run(entry: Entry, outcome: results.Outcome) -> StageItem:
    before = outcome.before_file
    before = before if before and before.is_file() else None
    return StageItem(
        key=entry.key,
        form=entry.form,
        after=outcome.path,
        before=before,
        after_url=file_url(outcome.path),
        before_url=file_url(before) if before else None,
        size=(outcome.width, outcome.height),
        sandbox=entry.engine == SANDBOX or "local_preview" in outcome.extra,
        created=datetime.fromtimestamp(entry.at, timezone.utc),
        recipe=read(outcome.recipe_file) if outcome.recipe_file else None,
    )


def _kept(item: StageItem, number: int) -> StageItem | None:
    """Return one of a result's kept composites in the result's place, if it is still here."""
    kept = next((kept for kept in comparison.kept_pictures(item.key) if kept.number == number), None)
    if kept is None:
        return None
    before = kept.before_file(item.key)
    return replace(
        item,
        key=comparison.kept_key(item.key, number),
        after=kept.file(item.key),
        before=before if before.is_file() else None,
        after_url=file_url(kept.shown_file(item.key)),
        before_url=file_url(before) if before.is_file() else None,
        size=(kept.width, kept.height),
        recipe=read(kept.file(item.key)),
        kept=True,
    )


def keys_in(given: object, most: int) -> list[str] | None:
    """Return the keys that a caller names; None where that is no list of keys, or too long."""
    if not isinstance(given, list) or len(given) > most:
        return None
    sound = all(isinstance(key, str) and 0 < len(key) <= KEY_CHARACTERS_MAX for key in given)
    return given if sound else None
