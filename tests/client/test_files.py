"""Files that are whole or not there."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from wan_client.files import part_beside, write_whole

if TYPE_CHECKING:
    from pathlib import Path


def test_many_write_one_file_and_it_is_one_of_theirs(tmp_path: Path) -> None:
    file, contents = tmp_path / "record.json", [bytes([number]) * 100_000 for number in range(20)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda content: write_whole(file, content), contents))
    assert file.read_bytes() in contents
    assert list(tmp_path.iterdir()) == [file]


def test_others_may_read_it_unless_it_is_said_otherwise(tmp_path: Path) -> None:
    write_whole(tmp_path / "picture.png", b"1")
    write_whole(tmp_path / "hosted.png", b"2", mode=0o600)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("picture.png", "hosted.png")]
    # Windows knows only who may write.
    assert modes == ([0o666, 0o666] if os.name == "nt" else [0o644, 0o600])


def test_what_was_there_stays_where_writing_fails(tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    file.write_bytes(b"before")

    def fill() -> None:
        with part_beside(file) as part:
            part.write_bytes(b"half")
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fill()
    assert file.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [file]
