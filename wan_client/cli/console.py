"""What a command prints: its answer on standard output, everything else on standard error.

Printing never changes the outcome of a run: characters that a stream can't hold are replaced, and nothing more is
written to a stream that is closed or full, or whose reader has gone.
"""

from __future__ import annotations

import codecs
import json
import os
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from wan_client.events import Downloading, Finished, Queued, Running, Uploading
from wan_client.messages import MESSAGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TextIO

    from wan_client.events import Event

_BAR = 24
_REPLACE = "wan_client.replace"


class Console:
    """Prints a command's answer as lines or as one JSON object, and the rest on standard error.

    Args:
        as_json: Whether the answer is one JSON object.
        quiet: Whether standard error is for trouble only.
    """

    def __init__(self, *, as_json: bool = False, quiet: bool = False) -> None:
        self._json = as_json
        self._quiet = quiet
        self._has_answered = False
        self._out, self._err = _Stream(sys.stdout), _Stream(sys.stderr)
        self.progress = ProgressLine(self._err)

    def show(self, event: Event) -> None:
        """Show where a run stands."""
        if not self._quiet:
            self.progress.show(event)

    def follow(self, ended: int, total: int) -> None:
        """Show how many of several have ended."""
        self.show_share(ended / total, MESSAGES["cli.batch.running"].format(ended=ended, total=total))

    def show_share(self, share: float, text: str) -> None:
        """Show how much is done."""
        if not self._quiet:
            self.progress.draw(share, text)

    def line(self, text: str) -> None:
        """Print a part of the answer as soon as it is known; in JSON it comes with the rest."""
        self.progress.close()
        if not self._json:
            self._out.write(f"{text}\n")

    def info(self, text: str) -> None:
        """Print a note on standard error, unless quiet."""
        if not self._quiet:
            self.error(text)

    def error(self, text: str) -> None:
        """Print a line on standard error, even if quiet."""
        self.progress.close()
        self._err.write(f"{text}\n")

    def result(self, lines: Iterable[str], values: Mapping[str, Any]) -> None:
        """Print the answer as lines, or as JSON, of which only the first is printed."""
        self.progress.close()
        if not self._json:
            self._out.write("".join(f"{line}\n" for line in lines))
        elif not self._has_answered:
            self._has_answered = True
            self._out.write(f"{json.dumps(values)}\n")

    def fail(self, error: Mapping[str, Any], *, resume: str | None = None) -> None:
        """Print an error on standard error and, with ``as_json``, as the answer."""
        self.error(f"wan_client: {error['message']}")
        if resume:
            self.error(MESSAGES["cli.resume"].format(request_id=resume))
        self.result([], error)


class _Stream:
    """A standard stream that may be closed, full, of any encoding, or left by its reader."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        with suppress(AttributeError, OSError, ValueError):
            stream.reconfigure(errors=_REPLACE)  # type: ignore[union-attr]  # not every stream has it
        self.is_terminal = False
        with suppress(AttributeError, OSError, ValueError):
            self.is_terminal = stream.isatty()  # type: ignore[union-attr]

    def write(self, text: str) -> None:
        """Write and flush; abandon a stream that can't be written."""
        if self._stream is None or not text:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self._abandon()

    def _abandon(self) -> None:
        """Discard what is still in the buffer: Python would flush it at exit, and fail the command."""
        with suppress(AttributeError, OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())  # type: ignore[union-attr]
            os.close(nowhere)
        self._stream = None


def occupy_closed_streams() -> None:
    """Open the null device for closed standard streams, so that no file or connection gets their numbers."""
    with suppress(OSError):
        while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
            pass
        os.close(number)


def _replace(problem: UnicodeError) -> tuple[str | bytes, int]:
    """Replace one character: an undecodable byte of a file name by that byte, any other by a question mark."""
    if not isinstance(problem, UnicodeEncodeError):
        raise problem
    code = ord(problem.object[problem.start])
    return bytes([code - 0xDC00]) if 0xDC80 <= code <= 0xDCFF else "?", problem.start + 1


codecs.register_error(_REPLACE, _replace)


class ProgressLine:
    """One line of a terminal that says where a run stands. Elsewhere, one line for each change of state."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream
        self._began = time.monotonic()
        self._last = ""

    def show(self, event: Event) -> None:
        """Show one event."""
        share, text = _describe(event)
        if self._stream.is_terminal:
            self.draw(share, text)
        elif text != self._last:
            self._last = text
            self._stream.write(f"{text}\n")

    def draw(self, share: float | None, text: str) -> None:
        """Draw a bar and the words beside it, on a terminal only."""
        if not self._stream.is_terminal:
            return
        seconds = int(time.monotonic() - self._began)
        self._last = f"{_bar(share)} {seconds // 60}:{seconds % 60:02}  {text}"
        self._stream.write(f"\r\x1b[2K{self._last}")

    def close(self) -> None:
        """End the line."""
        if self._stream.is_terminal and self._last:
            self._last = ""
            self._stream.write("\r\x1b[2K")


def _describe(event: Event) -> tuple[float | None, str]:
    """Return what share is known to be done, and the words beside it."""
    share, words = None, MESSAGES[f"event.{type(event).__name__.lower()}"]
    match event:
        case Uploading(sent, total):
            share = sent / total
        case Queued(int(position)):
            words = MESSAGES["event.queued_at"].format(position=position)
        case Running(elapsed, (low, high)):
            share = min(elapsed / max(high, 0.1), 1.0)
            words = MESSAGES["event.running_usual"].format(low=round(low), high=round(high))
        case Downloading(received, int(total)) if total:
            share = min(received / total, 1.0)
        case Finished():
            share = 1.0
    return share, words


def _bar(share: float | None) -> str:
    if share is None:
        phase = int(time.monotonic() * 4) % _BAR
        return "".join("█" if (i - phase) % _BAR < 4 else "░" for i in range(_BAR))
    filled = round(share * _BAR)
    return "█" * filled + "░" * (_BAR - filled)
