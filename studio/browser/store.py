"""The runs of one browser: those it waits for, and those that are finished.

The browser keeps them (``store.js``), one item of its storage a run, so that two tabs never overwrite each other's; a
browser that refuses has its tab keep them. The server keeps a run's files, and finds them by the run's key. A page
hands its whole storage to the handlers that need it (`READ`), and applies the patches that they return
(`storage_patch`).
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from pydantic import TypeAdapter, ValidationError

from studio.prompt.form import Form, how_many
from studio.views.render import render

if TYPE_CHECKING:
    from collections.abc import Iterable

Value = TypeVar("Value")

FINISHED_KEPT = 40
WAITING_KEPT = 20
UPLOADS_KEPT = 300
# Runs beyond these numbers are dropped with the next run, so a browser has few more. A forged storage may have any.
_READ_MAX = 2 * (FINISHED_KEPT + WAITING_KEPT)
# Room for the longest prompts that the model takes, and for the longest file names.
_ENTRY_MAX = 20_000

# JavaScript that hands everything to a handler, as its first input.
READ = "(...given) => [wanKept(), ...given.slice(1)]"


@dataclass(frozen=True)
class Entry:
    """One run, as the browser keeps it.

    Attributes:
        key: The run's name between this browser and the server. Unguessable.
        group: What the variations of one click have in common.
        form: What was entered; the pictures are kept in the run's folder.
        engine: Who does the work and pays: ``sandbox``, ``owner`` or ``visitor``.
        at: When it was started, in seconds since 1970.
        references: The SHA-256 of each picture as it was uploaded.
        request_id: The API's id of the run, once it has given one.
        proof: What shows that the id was given to this browser.
        result: The SHA-256 of the picture, once it is there.
    """

    key: str
    group: str
    form: Form
    engine: str
    at: float = field(default_factory=time.time)
    references: tuple[str, ...] = ()
    request_id: str = ""
    proof: str = ""
    result: str = ""

    def asks_the_same_as(self, other: Entry) -> bool:
        """Return whether both ask the same engine for the same edit of the same pictures."""
        return _compared_by(self) == _compared_by(other)


def _compared_by(entry: Entry) -> tuple[object, ...]:
    form = entry.form
    settings = (form.prompt.strip(), form.negative_prompt.strip(), form.image_size, form.seed, form.prompt_extend)
    return (*settings, entry.references, entry.engine)


@dataclass(frozen=True)
class _Storage:
    """The storage as `READ` hands it to a handler."""

    runs: tuple[str, ...] = ()
    draft: str | None = None
    uploads: tuple[str, ...] = ()
    lasts: bool = True
    variations: int = 1


_ENTRY, _FORM, _STORAGE = TypeAdapter(Entry), TypeAdapter(Form), TypeAdapter(_Storage)


@dataclass(frozen=True)
class BrowserStore:
    """Everything that a browser keeps.

    Attributes:
        entries: Its runs, newest first.
        draft: What was entered in this tab when it was last changed.
        uploads: The files that were in a slot of one of its pages.
        lasts: Whether the browser keeps it all; else it is kept until the tab is closed.
        variations: How many were chosen in this tab.
    """

    entries: tuple[Entry, ...] = ()
    draft: Form | None = None
    uploads: tuple[str, ...] = ()
    lasts: bool = True
    variations: int = 1

    @property
    def waiting(self) -> tuple[Entry, ...]:
        """The runs without a picture yet, newest first."""
        return tuple(entry for entry in self.entries if not entry.result)

    @property
    def finished(self) -> tuple[Entry, ...]:
        """The runs with a picture, newest first."""
        return tuple(entry for entry in self.entries if entry.result)

    def group(self, name: str) -> tuple[Entry, ...]:
        """Return the variations of one click, in their order."""
        return tuple(reversed([entry for entry in self.entries if entry.group == name]))

    def find(self, key: str) -> Entry | None:
        """Return the run of that key."""
        return next((entry for entry in self.entries if entry.key == key), None)

    def surplus(self) -> tuple[Entry, ...]:
        """Return the oldest runs, beyond the number that a browser keeps."""
        return (*self.finished[FINISHED_KEPT:], *self.waiting[WAITING_KEPT:])

    def parent(self, entry: Entry) -> Entry | None:
        """Return the run whose result is this one's image 1, if the browser has it."""
        earlier = (other for other in self.finished if other.at < entry.at)
        return next((other for other in earlier if other.result in entry.references[:1]), None)


def read(text: str | None) -> BrowserStore:
    """Parse what the browser handed over. Anything malformed counts as absent."""
    kept = _parsed(_STORAGE, text)
    if kept is None:
        return BrowserStore()
    entries = [entry for run in kept.runs[:_READ_MAX] if len(run) <= _ENTRY_MAX and (entry := _parsed(_ENTRY, run))]
    entries.sort(key=lambda entry: entry.at, reverse=True)
    draft = _parsed(_FORM, kept.draft) if kept.draft and len(kept.draft) <= _ENTRY_MAX else None
    return BrowserStore(
        tuple(entries),
        None if draft == Form() else draft,
        kept.uploads[:UPLOADS_KEPT],
        kept.lasts,
        how_many(kept.variations),
    )


def storage_patch(
    keep: Iterable[Entry] = (),
    drop: Iterable[str] = (),
    uploads: Iterable[str] = (),
    *,
    opened: Form | None = None,
    everything: bool = False,
) -> str:
    """Render what the browser shall keep and drop, as hidden HTML that ``store.js`` applies.

    Args:
        keep: Runs to keep.
        drop: The keys of runs to drop.
        uploads: Files that came from this browser, beside those that its slots uploaded.
        opened: The form as the page opens with it; from then on the browser keeps what is entered.
        everything: Whether the form and the list of uploads are dropped too.
    """
    patch = {
        "keep": {entry.key: _ENTRY.dump_json(entry).decode() for entry in keep},
        "drop": list(drop),
        "uploads": list(uploads),
        "draft": _FORM.dump_json(opened).decode() if opened else None,
        "untouched": _FORM.dump_json(Form()).decode() if opened else None,
        "everything": everything,
    }
    return render("browser_note", note=json.dumps(patch, ensure_ascii=False))


def _parsed(kind: TypeAdapter[Value], text: str | None) -> Value | None:
    try:
        return kind.validate_json(text) if text else None
    except ValidationError:
        return None
