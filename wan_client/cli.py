"""The command line: ``python -m wan_client "prompt" image…``.

Exit codes are those of ``sysexits.h`` where it has one, so that scripts can tell what to do next:

====  ==============================================================================
0     the picture is written; its path is the only line on standard output
1     the model could not finish the run, or refused it
64    the command was called wrongly
65    the prompt, a setting of the request or a picture can't be used
66    a picture's file can't be opened
69    the API could not be reached or did not accept the request; nothing was charged
73    the result can't be written
75    the run goes on or its outcome is unknown; the message has the id or says where to look
77    the token is missing, was not accepted, or its account has no balance
130   interrupted
====  ==============================================================================
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from .api import CancelOutcome
from .client import WanClient
from .errors import (
    AuthenticationError,
    Charged,
    DeadlineExceeded,
    DownloadFailed,
    ImageError,
    InsufficientBalance,
    InvalidRequest,
    RunFailed,
    RunNotFound,
    SettingsError,
    UnknownOutcome,
    WanError,
)
from .messages import MESSAGES
from .runs import Downloading, Event, Finished, Preparing, Queued, Running, Submitted, Trouble, Uploading
from .schema import DEFAULT_IMAGE_SIZE, DEFAULT_NEGATIVE_PROMPT, DEFAULT_SEED, ImageSize
from .settings import Backend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .runs import Run

_BAR = 24


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    arguments = _parser().parse_args(argv)
    bar = ProgressLine(sys.stderr)
    client = None
    sandbox = False
    try:
        with WanClient(folder=".") as client:
            sandbox = client.settings.backend is Backend.SANDBOX
            if sandbox and not arguments.quiet:
                print(MESSAGES["cli.sandbox"], file=sys.stderr)
            on_event = (lambda event: None) if arguments.quiet else bar.show
            if arguments.resume:
                result = client.resume(arguments.resume, out=arguments.out, on_event=on_event)
            else:
                result = client.edit(
                    arguments.prompt or "",
                    *arguments.images,
                    out=arguments.out,
                    on_event=on_event,
                    negative_prompt=arguments.negative_prompt,
                    image_size=arguments.image_size,
                    seed=arguments.seed,
                    prompt_extend=arguments.prompt_extend,
                )
    except KeyboardInterrupt:
        bar.close()
        _say_cancelled(client.last_run if client else None, sandbox=sandbox)
        return 130
    except WanError as problem:
        bar.close()
        print(f"wan_client: {problem.tell(sandbox=sandbox)}", file=sys.stderr)
        return exit_code(problem)
    bar.close()
    if not arguments.quiet:
        for number, image in enumerate(result.images, 1):
            if image.changes:
                told = "; ".join(str(change) for change in image.changes)
                print(MESSAGES["cli.changes"].format(number=number, changes=told), file=sys.stderr)
        cost = MESSAGES["cli.cost"].format(cost=f"{result.cost:.4g}") if result.cost is not None and not sandbox else ""
        size = f"{result.width} × {result.height}"
        print(MESSAGES["cli.done"].format(size=size, seconds=f"{result.seconds:.1f}", cost=cost), file=sys.stderr)
    for path in result.paths:
        print(path)
    return 0


def exit_code(problem: WanError) -> int:
    """The exit code that tells a script what kind of problem it is."""
    if isinstance(problem, ImageError) and problem.code == "image_missing_file":
        return 66
    by_kind: tuple[tuple[tuple[type[WanError], ...], int], ...] = (
        ((InvalidRequest,), 65),
        ((UnknownOutcome, DeadlineExceeded), 75),
        ((AuthenticationError, InsufficientBalance), 77),
        ((RunFailed, RunNotFound), 1),
    )
    if isinstance(problem, SettingsError):
        return {"token_missing": 77, "token_malformed": 77, "folder_not_writable": 73}.get(problem.code, 64)
    if isinstance(problem, DownloadFailed):
        return 73 if problem.code == "not_writable" else 75
    found = next((code for kinds, code in by_kind if isinstance(problem, kinds)), None)
    if found is not None:
        return found
    return 75 if problem.charged is Charged.UNKNOWN else 69


class ProgressLine:
    """One line of a terminal that tells where a run stands. Elsewhere, one line for each change of state."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._began = time.monotonic()
        self._last = ""

    def show(self, event: Event) -> None:
        """Show one event."""
        bar, text = _describe(event)
        if not self._live:
            if text != self._last:
                self._last = text
                print(text, file=self._stream, flush=True)
            return
        seconds = int(time.monotonic() - self._began)
        line = f"{bar} {seconds // 60}:{seconds % 60:02}  {text}"
        with suppress(OSError):
            self._stream.write(f"\r\x1b[2K{line}")
            self._stream.flush()
            self._last = line

    def close(self) -> None:
        """Leave the line."""
        if self._live and self._last:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()


_STAGES: dict[type[Event], str] = {
    Preparing: "event.preparing",
    Uploading: "event.uploading",
    Submitted: "event.submitted",
    Queued: "event.queued",
    Running: "event.running",
    Trouble: "event.trouble",
    Downloading: "event.downloading",
    Finished: "event.finished",
}


def _describe(event: Event) -> tuple[str, str]:
    """A bar, filled only by what is known, and the words beside it."""
    share, words = None, MESSAGES[_STAGES[type(event)]]
    match event:
        case Uploading(sent, total):
            share = sent / total
        case Queued(int(position)):
            words = MESSAGES["event.queued_at"].format(position=position)
        case Running(elapsed, (low, high)):
            share = min(elapsed / max(high, 0.1), 1.0)
            words = MESSAGES["event.running_usual"].format(low=round(low), high=round(high))
        case Downloading(received, int(total)) if total:
            share = received / total
        case Finished():
            share = 1.0
    return _bar(share), words


def _bar(share: float | None) -> str:
    if share is None:
        phase = int(time.monotonic() * 4) % _BAR
        return "".join("█" if (i - phase) % _BAR < 4 else "░" for i in range(_BAR))
    filled = round(share * _BAR)
    return "█" * filled + "░" * (_BAR - filled)


def _say_cancelled(run: Run | None, *, sandbox: bool) -> None:
    outcome = (run.cancel_outcome if run else None) or CancelOutcome.CANCELLED
    charged = "no" if outcome is CancelOutcome.CANCELLED else "maybe"
    money = MESSAGES["charged.sandbox" if sandbox else f"charged.{charged}"]
    print(f"wan_client: {MESSAGES[f'cancel.{outcome.value}']} {money}", file=sys.stderr)
    if run and run.request_id and outcome is not CancelOutcome.CANCELLED:
        print(MESSAGES["cli.resume"].format(request_id=run.request_id), file=sys.stderr)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]  # argparse exits here too
        self.print_usage(sys.stderr)
        self.exit(64, f"{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    text = {name[len("cli.help.") :]: value for name, value in MESSAGES.items() if name.startswith("cli.help.")}
    sizes = [size.ratio for size in ImageSize]
    parser = _Parser(prog="wan_client", description=text["description"], epilog=text["epilog"])
    parser.add_argument("prompt", nargs="?", help=text["prompt"])
    parser.add_argument("images", nargs="*", metavar="image", help=text["images"])
    parser.add_argument("-o", "--out", type=Path, help=text["out"])
    parser.add_argument("--negative-prompt", default=DEFAULT_NEGATIVE_PROMPT, help=text["negative_prompt"])
    parser.add_argument(
        "--image-size", default=DEFAULT_IMAGE_SIZE.ratio, metavar="|".join(sizes), help=text["image_size"]
    )
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help=text["seed"])
    parser.add_argument(
        "--prompt-extend", action=argparse.BooleanOptionalAction, default=True, help=text["prompt_extend"]
    )
    parser.add_argument("--resume", metavar="ID", help=text["resume"])
    parser.add_argument("-q", "--quiet", action="store_true", help=text["quiet"])
    return parser
