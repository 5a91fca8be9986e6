"""The command line of the sandbox."""

from __future__ import annotations

import argparse
import logging
import shlex
import signal
import sys
import threading
from dataclasses import fields
from typing import TYPE_CHECKING, Final, NoReturn

from wan_sandbox.faults.switches import JOB_FAULTS, KINDS, PLACES
from wan_sandbox.sandbox import Sandbox
from wan_sandbox.server import schema
from wan_sandbox.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

DEFAULT_PORT: Final = 8899
# As sysexits.h has them.
WRONG_USAGE: Final = 64
UNAVAILABLE: Final = 69

_EPILOG = """\
A fault is NAME[*count][:rate][@after]: at most count times, with this probability, letting the first calls through.
  --fault 'poll-html-502*3@2'   the third to fifth call for status or result meet a proxy's 502
  --fault moderation-text:0.5   every other job is refused by moderation
A submit can name its own in the header X-Sandbox-Fault, separated by commas, and its run time in X-Sandbox-Run-Time.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a sandbox until a signal, or the end of standard input, stops it; return the exit code."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.faults:
        _print(_fault_list())
        return 0
    try:
        settings = _settings(options)
    except ValueError as error:
        parser.error(str(error))
    if options.access_log:
        _log_calls()
    over = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        over.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    sandbox = Sandbox(settings)
    try:
        sandbox.start()
    except OSError as error:
        reason = error.strerror or error
        hint = "is another program using it? --port 0 takes a free one"
        parser.exit(UNAVAILABLE, f"{parser.prog}: cannot listen on {options.host}:{options.port}: {reason}; {hint}\n")
    try:
        _print(sandbox.url)
        url = settings.public_url or sandbox.url
        token = settings.token or ANY_TOKEN
        wants = _ANY if settings.token is None else _ONE.format(token=token)
        header = shlex.quote(f"Authorization: Bearer {token}")
        welcome = _WELCOME.format(url=url, model=schema.MODEL_ID, wants=wants, token=shlex.quote(token), header=header)
        sys.stderr.write(welcome)
        if options.until_eof:
            threading.Thread(target=_until_eof, args=(over,), daemon=True).start()
        # A wait without end would not notice Ctrl-C on every system.
        while not over.wait(1):
            pass
    finally:
        sandbox.stop()
    return 0


ANY_TOKEN: Final = "demo"  # noqa: S105  # it opens nothing
_ANY = "Any token will do."
_ONE = "The one token that it takes is {token}."
_WELCOME = """\
Wan sandbox: nothing leaves this computer and nothing is charged. {wants}
  a page to read    {url}/        the API described: {url}/docs
  this project      RUNCOMFY_API_BASE={url} RUNCOMFY_API_TOKEN={token}
  the vendor's CLI  RUNCOMFY_MODEL_API_BASE={url}/v1 RUNCOMFY_TOKEN={token}
  anything else     {url} in place of the API's own address
  try it            curl -H {header} {url}/v1/models/{model}
  stop              Ctrl-C
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USAGE, f"{self.prog}: error: {message} (see --help)\n")


def _parser() -> _Parser:
    parser = _Parser(
        prog="wan-sandbox",
        description="Speak the Model API on loopback, without a token, a network or a price.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    defaults = Settings()
    add = parser.add_argument
    add("--host", default=defaults.host, help="address to listen on (default: %(default)s)")
    add("--port", type=int, default=DEFAULT_PORT, help="port; 0 takes a free one (default: %(default)s)")
    add("--public-url", default=defaults.public_url, metavar="URL", help="where callers reach it, behind a proxy")
    add("--workers", type=int, default=defaults.workers, help="jobs at the same time (default: %(default)s)")
    add(
        "--run-time",
        type=_span,
        default=defaults.run_time,
        metavar="SECONDS|LOW-HIGH",
        help="how long a job runs (default: 2-5)",
    )
    add("--seed", type=int, default=defaults.seed, help="where run times and rates are drawn from")
    add("--ahead", type=int, default=defaults.ahead, metavar="N", help="jobs waiting ahead of each new one")
    add("--speed", type=float, default=defaults.speed, metavar="X", help="everything goes X times faster")
    add("--fault", action="extend", nargs="+", default=[], metavar="NAME[*count][:rate][@after]", help="see below")
    add("--faults", action="store_true", help="list the faults and end")
    add("--token", help="the only token accepted (default: any)")
    add("--price", type=float, default=defaults.price, help="US dollars a picture, for rehearsals")
    add("--retention", type=float, default=defaults.retention, metavar="SECONDS", help="how long results are kept")
    add("--blank", action="store_true", help="answer with plain areas instead of drawing, for benchmarks")
    add(
        "--drift",
        action="store_true",
        help="the preview also moves, zooms and turns the picture a little, by the request's seed, and changes it in "
        "one area only; the result's local_preview says by how much",
    )
    add("--access-log", action="store_true", help="log each call to standard error")
    add("--until-eof", action="store_true", help="stop when standard input ends")
    return parser


def _settings(options: argparse.Namespace) -> Settings:
    given = vars(options) | {
        "public_url": options.public_url.rstrip("/"),
        "faults": tuple(options.fault),
        "picture": "blank" if options.blank else "preview",
    }
    return Settings(**{field.name: given[field.name] for field in fields(Settings) if field.name in given})


def _log_calls() -> None:
    # Of the sandbox alone: other libraries' lines would hold whole addresses, signatures included.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    log = logging.getLogger("wan_sandbox")
    log.addHandler(handler)
    log.setLevel(logging.INFO)


def _span(text: str) -> tuple[float, float]:
    low, _, high = text.partition("-")
    try:
        return float(low), float(high or low)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither seconds nor LOW-HIGH, such as 2-5") from None


def _until_eof(over: threading.Event) -> None:
    while sys.stdin.buffer.read(4096):
        pass
    over.set()


def _fault_list() -> str:
    lines = ["Call faults, named <place>-<kind>, such as poll-html-502. Places:"]
    lines += [f"  {place:20} {text}" for place, text in PLACES.items()]
    lines += ["", "Kinds, at any place unless places are named:"]
    for kind, (text, places) in KINDS.items():
        only = "" if len(places) >= len(PLACES) - 1 else f" [{', '.join(places)}]"
        lines.append(f"  {kind:20} {text}{only}")
    lines += ["", "Job faults, that hold for the whole life of a job:"]
    lines += [f"  {name:20} {text}" for name, text in JOB_FAULTS.items()]
    return "\n".join(lines)


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
