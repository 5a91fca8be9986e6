"""Pictures on disk, under addresses that cannot be guessed, within a budget."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Stored:
    """A file in the store."""

    key: str
    name: str
    path: Path
    size: int
    media_type: str

    def address(self, folder: str) -> str:
        """Return the file's path on the server, byte for byte; the key's padding makes it hold ``%3D``."""
        return f"/{folder}/{quote(self.key, safe='')}/{self.name}"


class Store:
    """Keeps files in one folder and knows how much they take."""

    def __init__(self, folder: Path, budget: int) -> None:
        self.folder = folder
        self.budget = budget
        self.used = 0
        self._files: dict[str, Stored] = {}

    def place(self) -> tuple[str, Path]:
        """Return a fresh key and the path that a file of this key has."""
        key = urlsafe_b64encode(secrets.token_bytes(16)).decode()
        return key, self.folder / key.rstrip("=")

    def add(self, key: str, name: str, path: Path, media_type: str) -> Stored:
        """Take a file that was written to the path of ``key``."""
        stored = Stored(key, name, path, path.stat().st_size, media_type)
        self._files[key] = stored
        self.used += stored.size
        return stored

    def has_room(self) -> bool:
        """Return whether another file may be kept."""
        return self.used < self.budget

    def find(self, key: str) -> Stored | None:
        """Return the file of a key."""
        return self._files.get(key)

    def drop(self, stored: Stored) -> None:
        """Delete a file."""
        if self._files.pop(stored.key, None) is not None:
            self.used -= stored.size
            stored.path.unlink(missing_ok=True)
