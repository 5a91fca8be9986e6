"""Starting the sandbox beside this process, for people without a token. It is known by its address alone."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

_STOP_SECONDS = 5.0


@contextmanager
def running_sandbox() -> Iterator[str]:
    """Run the sandbox on a free port of this machine; the value is its address. It ends with the block.

    Raises:
        SettingsError: It is not installed, or did not start.
    """
    command = [sys.executable, "-m", "wan_sandbox", "--port", "0", "--until-eof"]
    with subprocess.Popen(  # noqa: S603  # our own module, by our own interpreter
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        start_new_session=True,
    ) as process:  # fmt: skip
        try:
            address = process.stdout.readline().strip() if process.stdout else ""
            if not address.startswith("http://"):
                raise SettingsError("sandbox_missing", name="RUNCOMFY_API_TOKEN")
            yield address
        finally:
            if process.stdin:
                process.stdin.close()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
