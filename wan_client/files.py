"""Writing files atomically, whatever else reads or writes them at the same moment."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def part_beside(file: Path, mode: int = 0o644) -> Iterator[Path]:
    """Make an empty file with a name of its own, to be filled and renamed to the file; delete it if it was not renamed.

    Args:
        file: What it will be. Its folder must be there.
        mode: Who may read and write it.

    Raises:
        OSError: It can't be made.
    """
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".", suffix=".part")
    os.close(handle)
    part = Path(name)
    try:
        part.chmod(mode)
        yield part
    finally:
        part.unlink(missing_ok=True)


def write_whole(file: Path, data: bytes, mode: int = 0o644) -> None:
    """Write a file whole or not at all, also where several processes write it at once.

    Raises:
        OSError: It can't be written. What was there before still is.
    """
    with part_beside(file, mode) as part:
        part.write_bytes(data)
        part.replace(file)
