"""The folder for a sandbox's files, which is deleted soon after the sandbox ends, however it ends."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import IO, Any, Final

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_PREFIX: Final = "wan-sandbox-"
_SETTLED: Final = 60.0


class Folder:
    """A temporary folder that is locked by its process: the next sandbox deletes what a killed one left behind."""

    def __init__(self) -> None:
        _sweep()
        self._home = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._lock = (self._home / "lock").open("w")
        _locks(self._lock)
        self.path = self._home / "files"
        self.path.mkdir()

    def close(self) -> None:
        """Delete the folder."""
        self._lock.close()
        shutil.rmtree(self._home, ignore_errors=True)


def _locks(file: IO[str]) -> bool:
    if fcntl is None:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _sweep() -> None:
    for home in Path(tempfile.gettempdir()).glob(_PREFIX + "*"):
        try:
            # A folder that was made a moment ago may not be locked yet.
            if time.time() - home.stat().st_mtime < _SETTLED:
                continue
            with (home / "lock").open("r+") as lock:
                abandoned = _locks(lock)
        except OSError:
            continue
        if abandoned:
            shutil.rmtree(home, ignore_errors=True)
