"""Read-only links to one result, for an audience: made when asked for, revocable, gone with the result's files."""

from __future__ import annotations

import re
import secrets
import shutil
import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path  # noqa: TC003  # pydantic reads the annotations
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from studio import uploads
from studio.runs.comparison import split_kept_key
from wan_client.export import page
from wan_client.files import write_whole
from wan_client.recipe import fingerprint

from .items import StageItem  # noqa: TC001

if TYPE_CHECKING:
    from .items import Items

ROUTE = "/shared"
_NAME = re.compile(r"[A-Za-z0-9_-]{32}", re.ASCII)
_RECORD = "shared.json"


@dataclass(frozen=True)
class _Shared:
    """A link's record, without the run's key. The link ends when the run's folder of records is deleted.

    The digest is the picture's: if another kept composite has replaced it, the link does not show that one.
    """

    item: StageItem
    run: Path
    digest: str = ""


_SHARED = TypeAdapter(_Shared)


class SharedLinks:
    """Makes, opens and revokes links.

    A link's name is random and does not follow from the run's key. The link opens one page with the picture,
    the picture from before, the prompt and the settings, without the recipe and the run's id, and without any controls.

    Args:
        items: Finds the results.
    """

    def __init__(self, items: Items) -> None:
        self._items = items
        self._making = threading.Lock()

    def make(self, key: str) -> str | None:
        """Return the name of a link to a run's result, the same one as long as it is not revoked.

        None where there is no such result.
        """
        item = self._items.find(key)
        if item is None or item.prepared:
            return None
        with self._making:
            if name := self.name(key):
                return name
            name = secrets.token_urlsafe(24)
            folder = uploads.run_folder(split_kept_key(key)[0])
            shared = _Shared(replace(item, key="", recipe=None), folder, fingerprint(item.after))
            _folder(name).mkdir(parents=True)
            (_folder(name) / _RECORD).write_bytes(_SHARED.dump_json(shared))
            uploads.write_record(split_kept_key(key)[0], _name_file(key).name, name.encode())
        return name

    def name(self, key: str) -> str | None:
        """Return the name of the link to a run's result, if there is one."""
        try:
            name = _name_file(key).read_text("ascii")
        except (OSError, ValueError):
            return None
        return name if _opened(name) else None

    def revoke(self, key: str) -> None:
        """End the link to a run's result."""
        if name := self.name(key):
            shutil.rmtree(_folder(name), ignore_errors=True)
        with suppress(OSError):
            _name_file(key).unlink()

    def open(self, name: str, language: str) -> Path | None:
        """Return the page that a link shows; None where it was revoked, or its result is gone.

        Args:
            name: The link's name.
            language: The language of the person who opens it. The page of a language is made when it is first opened.
        """
        shared = _opened(name)
        if shared is None:
            return None
        file = _folder(name) / f"{language}.html"
        with self._making:
            if not file.is_file():
                if shared.digest and shared.digest != fingerprint(shared.item.after):
                    return None
                write_whole(file, page([shared.item.export()], language=language))
        return file


def _name_file(key: str) -> Path:
    """Return the file with the name of a result's link, in the run's folder, which is deleted with the run."""
    run, number = split_kept_key(key)
    return uploads.run_folder(run) / ("shared-link.txt" if number is None else f"shared-link-kept-{number}.txt")


def _opened(name: str) -> _Shared | None:
    if not _NAME.fullmatch(name):
        return None
    try:
        shared = _SHARED.validate_json((_folder(name) / _RECORD).read_bytes())
    except (OSError, ValidationError):
        return None
    if shared.item.after.is_file() and shared.run.is_dir():
        return shared
    shutil.rmtree(_folder(name), ignore_errors=True)
    return None


def _folder(name: str) -> Path:
    return uploads.records_folder() / sha256(f"shared {name}".encode()).hexdigest()[:32]
