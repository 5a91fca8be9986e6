"""The command line: ``wan_client "prompt" image…``, or a command such as ``batch``, ``resume``, ``check``, ``keep``.

Exit codes are those of ``sysexits.h`` where it has one, so that scripts can decide what to do next:

====  ==============================================================================
0     the picture is written; its path is the only line on standard output, or one JSON object with ``--json``
1     the model could not finish the run, or refused it
64    the command was called wrongly
65    the prompt, a setting of the request or a picture can't be used
66    a picture's file, or a list, can't be opened
69    the API could not be reached or did not accept the request; nothing was charged
73    the result can't be written
75    the run goes on or its outcome is unknown; the message has the id or says where to look
77    the token is missing, was not accepted, or its account has no balance
130   interrupted
====  ==============================================================================
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from wan_client.api import CancelOutcome, ModelEntry
from wan_client.client import OUTPUT_FOLDER, READS_AT_ONCE, WanClient
from wan_client.errors import (
    AuthenticationError,
    Charged,
    DeadlineExceeded,
    DownloadFailed,
    ExportError,
    InsufficientBalance,
    InvalidRequest,
    RunCancelled,
    RunFailed,
    RunNotFound,
    SettingsError,
    UnknownOutcome,
    WanError,
)
from wan_client.mentions import mismatch
from wan_client.messages import MESSAGES
from wan_client.schema import DEFAULT_IMAGE_SIZE, DEFAULT_NEGATIVE_PROMPT, DEFAULT_SEED, ImageSize
from wan_client.schema_drift import differences
from wan_client.settings import Backend, Settings
from wan_client.state.journal import Journal

from . import batch, batch_source
from .check import DEFAULT_CAP, run_check
from .console import Console, occupy_closed_streams

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wan_client.events import Event, Result
    from wan_client.run import Run

GOES_ON = 75
INTERRUPTED = 130
OFFLINE = {"keep", "page", "sheet", "wipe", "bundle"}
HELP = {name[len("cli.help.") :]: text for name, text in MESSAGES.items() if name.startswith("cli.help.")}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    handler = signal.getsignal(signal.SIGINT)
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _main(words)
    except KeyboardInterrupt:  # before the command had a client
        _ignore_interrupts()
        return _print_interrupted("", None, Console(as_json="--json" in words), sandbox=False)
    finally:
        # A process that ends here has reported every outcome: a late Ctrl-C must not end it with a traceback.
        if argv is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, handler)


def _main(words: list[str]) -> int:
    occupy_closed_streams()
    if words and words[0] in OFFLINE:
        return _run_offline(*words)
    command = words.pop(0) if words and words[0] in _COMMANDS else "edit"
    arguments = _parser(command).parse(words, quiet=command in {"edit", "batch", "resume"})
    console = Console(as_json=arguments.json, quiet=getattr(arguments, "quiet", False))
    settings, client = None, None
    try:
        settings = Settings.load()
        with WanClient(settings, folder=".") as client:
            return _COMMANDS[command](client, arguments, console)
    except KeyboardInterrupt:
        _ignore_interrupts()
        return _print_interrupted(command, client, console, sandbox=_is_sandbox(settings))
    except WanError as problem:
        _ignore_interrupts()
        return _print_problem(problem, console, sandbox=_is_sandbox(settings))


def _ignore_interrupts() -> None:
    """Ignore Ctrl-C from here on, so that the last output is complete: nothing that follows takes long."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _run_offline(command: str, *words: str) -> int:
    """Run a command that needs no client: ``keep``, or an export."""
    try:
        module = import_module(".keep" if command == "keep" else ".export", __package__)  # it needs this one
    except ImportError:  # exporting is an extra
        problem = SettingsError("export_missing")
        Console(as_json="--json" in words).fail(problem.as_dict())
        return exit_code(problem)
    arguments = module.make_parser(command).parse(words)
    console = Console(as_json=arguments.json, quiet=arguments.quiet)
    try:
        module.work(command, arguments, console)
    except KeyboardInterrupt:
        console.error(MESSAGES["cli.export.interrupted"])
        return INTERRUPTED
    except WanError as problem:
        console.fail(problem.as_dict())
        return exit_code(problem)
    return 0


def _edit(client: WanClient, arguments: argparse.Namespace, console: Console) -> int:
    if _is_sandbox(client.settings):
        console.info(MESSAGES["cli.sandbox"])
    _warn_of_mismatch(arguments.prompt, len(arguments.images), console)
    result = client.edit(
        arguments.prompt,
        *arguments.images,
        out=arguments.out,
        on_event=console.show,
        key=arguments.key,
        negative_prompt=arguments.negative_prompt,
        image_size=arguments.image_size,
        seed=arguments.seed,
        prompt_extend=arguments.prompt_extend,
    )
    return _print_result(client, result, console)


def _warn_of_mismatch(prompt: str, images: int, console: Console) -> None:
    """Warn where the prompt and the pictures given with it do not agree; the run goes on."""
    found = mismatch(prompt, images)
    for number in found.missing:
        console.error(MESSAGES["cli.image_missing"].format(number=number))
    for number in found.unnamed:
        console.error(MESSAGES["cli.image_unnamed"].format(number=number))


def _resume(client: WanClient, arguments: argparse.Namespace, console: Console) -> int:
    out = arguments.out
    if out is None and (entry := _journal(client).find(arguments.request_id)):
        out = entry.file
    return _print_result(client, client.resume(arguments.request_id, out=out, on_event=console.show), console)


def _cancel(client: WanClient, arguments: argparse.Namespace, console: Console) -> int:
    outcome = client.cancel(arguments.request_id)
    _ignore_interrupts()
    console.error(MESSAGES[f"cancel.{outcome.value}"])
    console.result([], {"request_id": arguments.request_id, "outcome": outcome.value})
    return 0 if outcome is CancelOutcome.CANCELLED else GOES_ON


def _runs(client: WanClient, _arguments: argparse.Namespace, console: Console) -> int:
    lines, rows = [], []
    for entry in _journal(client).entries():
        sent, file = entry.sent.astimezone(), str(entry.file or "")
        state = MESSAGES[f"cli.state.{entry.state}"]
        lines.append(f"{sent:%Y-%m-%d %H:%M:%S}  {entry.request_id or '-':32}  {state}  {file}".rstrip())
        rows.append(
            {"request_id": entry.request_id, "state": entry.state, "sent": sent.isoformat(), "file": file or None}
        )
    console.result(lines, {"runs": rows})
    if not rows:
        console.error(MESSAGES["cli.no_runs"])
    return 0


def _price(client: WanClient, _arguments: argparse.Namespace, console: Console) -> int:
    entry = client.model()
    if entry.price_usd is None:
        words = {"code": "price_unknown", "message": MESSAGES["cli.price_unknown"], "charged": Charged.NO.value}
        console.fail({**words, "request_id": None})
        return 69
    line = MESSAGES["cli.price"].format(price=entry.price_usd, unit=entry.price_unit)
    different = differences(entry.input_schema)
    if different:
        console.error(MESSAGES["cli.schema_differs"].format(differences="; ".join(different)))
    facts = {
        "price_usd": entry.price_usd,
        "price_unit": entry.price_unit,
        "pricing_note": entry.pricing_note,
        "schema_differences": different,
    }
    console.result([line], facts)
    return 0


def _check(client: WanClient, arguments: argparse.Namespace, console: Console) -> int:
    check, left_out = run_check(client, arguments, console)
    _ignore_interrupts()
    if check.problem is not None:
        console.error(f"wan_client: {check.problem.full_message(sandbox=check.is_sandbox)}")
        return exit_code(check.problem)
    return 69 if left_out else 0


def _batch(client: WanClient, arguments: argparse.Namespace, console: Console) -> int:
    sandbox = _is_sandbox(client.settings)
    defaults = {"prompt": arguments.prompt} | {name: getattr(arguments, name) for name in batch_source.OPTION_COLUMNS}
    try:
        rows = batch_source.read(arguments.source, arguments.out_dir, defaults)
    except InvalidRequest as problem:
        problems = problem.values.get("problems", ())
        errors = [{"name": name, **bad.as_dict()} for name, bad in problems]  # type: ignore[attr-defined]  # a list of both
        for error in errors:
            console.error(MESSAGES["cli.batch.row"].format(name=error["name"], words=error["message"]))
        console.fail({**problem.as_dict(sandbox=sandbox), "rows": errors})
        return exit_code(problem)
    with batch.Manifest(arguments.out_dir, client.settings.backend, read_only=arguments.dry_run) as manifest:
        work = batch.Batch(rows, manifest, free=sandbox, again=arguments.again)
        _print_plan(client, work, console)
        codes = [GOES_ON if work.held else 0]

        def show(_event: Event) -> None:
            console.follow(work.ended, len(rows))

        def report(row: batch_source.BatchRow, end: Result | WanError) -> None:
            codes.append(_print_row(row, end, console, sandbox=sandbox))

        try:
            if not arguments.dry_run:
                client.call(lambda core: work.run(core, at_once=arguments.at_once, on_event=show, on_end=report))
            _ignore_interrupts()
        except KeyboardInterrupt:
            _ignore_interrupts()
            if work.ended < len(rows) and not work.stopped:
                _print_batch(work, console, interrupted=True)
                # On an exception the client closes in a hurry: it waits seconds, not minutes, for a submit on its way.
                raise SystemExit(INTERRUPTED) from None
        _print_batch(work, console)
    return max(codes)


def _print_plan(client: WanClient, work: batch.Batch, console: Console) -> None:
    sandbox = _is_sandbox(client.settings)
    if sandbox:
        console.info(MESSAGES["cli.sandbox"])
    counts = {"done": len(work.done), "fetch": len(work.fetch) + len(work.check), "send": len(work.send)}
    plan = MESSAGES["cli.batch.plan"].format(total=len(work.rows), **counts)
    entry = client.model() if work.send and not sandbox else ModelEntry()
    if entry.price_usd is not None and entry.price_unit in {"output", "image"}:
        plan += " " + MESSAGES["cli.batch.price"].format(price=entry.price_usd * len(work.send))
    console.info(plan)
    for row, why in work.held:
        console.error(MESSAGES["cli.batch.held"].format(name=row.name, why=why))
    if work.held:
        console.error(MESSAGES["cli.batch.again"])


def _print_row(row: batch_source.BatchRow, end: Result | WanError, console: Console, *, sandbox: bool) -> int:
    line = MESSAGES["cli.batch.row"]
    if isinstance(end, WanError):
        console.error(line.format(name=row.name, words=end.full_message(sandbox=sandbox)))
        return exit_code(end)
    console.info(line.format(name=row.name, words=_done_text(end, sandbox=sandbox)))
    _warn_of_missing(end, console, sandbox=sandbox)
    for path in end.paths:
        console.line(str(path))
    return 0


def _print_batch(work: batch.Batch, console: Console, *, interrupted: bool = False) -> None:
    rows, counts = list(work.report()), work.count()
    paid = [row["cost"] for row in rows if row.get("cost") is not None]
    cost = MESSAGES["cli.cost"].format(cost=f"{sum(paid):.4g}") if paid else ""
    not_sent = counts["open"] + counts["cancelled"]
    totals = {"total": len(rows), "failed": counts["failed"], "not_sent": not_sent}
    totals |= {"fetched": counts["fetched"], "accepted": counts["accepted"] + counts["sending"], "held": counts["held"]}
    say = console.error if interrupted else console.info
    say(MESSAGES["cli.batch.end"].format(**totals, cost=cost))
    if counts["fetched"] < len(rows):
        say(MESSAGES["cli.batch.next"].format(file=work.manifest.path))
    if work.stopped:
        console.error(MESSAGES["cli.batch.stopped"])
    values = {**totals, "cost": sum(paid) if paid else None, "manifest": str(work.manifest.path), "rows": rows}
    console.result([], {**values, "interrupted": interrupted, "stopped": work.stopped.code if work.stopped else None})


_COMMANDS: dict[str, Callable[[WanClient, argparse.Namespace, Console], int]] = {
    "edit": _edit,
    "batch": _batch,
    "runs": _runs,
    "resume": _resume,
    "cancel": _cancel,
    "price": _price,
    "check": _check,
}


def _print_result(client: WanClient, result: Result, console: Console) -> int:
    _ignore_interrupts()
    for number, image in enumerate(result.images, 1):
        if image.changes:
            changes = "; ".join(str(change) for change in image.changes)
            console.info(MESSAGES["cli.changes"].format(number=number, changes=changes))
    sandbox = _is_sandbox(client.settings)
    console.info(_done_text(result, sandbox=sandbox))
    _warn_of_missing(result, console, sandbox=sandbox)
    run = client.last_run
    recovered, reused = bool(run and run.recovered), bool(run and run.reused)
    if recovered:
        console.info(MESSAGES["cli.reused" if reused else "cli.recovered"])
    values = {
        "request_id": result.request_id,
        "paths": [str(path) for path in result.paths],
        "width": result.width,
        "height": result.height,
        "seconds": round(result.seconds, 3),
        "cost": None if sandbox else result.cost,
        "changes": [[str(change) for change in image.changes] for image in result.images],
        "missing": [problem.as_dict(sandbox=sandbox) for problem in result.missing],
        "recovered": recovered,
        "reused": reused,
        "preview": sandbox,
    }
    console.result([str(path) for path in result.paths], values)
    return 0


def _warn_of_missing(result: Result, console: Console, *, sandbox: bool) -> None:
    for problem in result.missing:
        console.error(MESSAGES["cli.missing"].format(words=problem.full_message(sandbox=sandbox)))


def _done_text(result: Result, *, sandbox: bool) -> str:
    shows_cost = result.cost is not None and not sandbox
    cost = MESSAGES["cli.cost"].format(cost=f"{result.cost:.4g}") if shows_cost else ""
    size = f"{result.width} × {result.height}"
    return MESSAGES["cli.done"].format(size=size, seconds=f"{result.seconds:.1f}", cost=cost)


def _is_sandbox(settings: Settings | None) -> bool:
    return settings is not None and settings.backend is Backend.SANDBOX


def _journal(client: WanClient) -> Journal:
    return Journal().for_account(client.settings.api_base or "", client.settings.token)


def exit_code(problem: WanError) -> int:
    """Return the exit code for a kind of problem."""
    by_code = {
        "image_missing_file": 66,
        "batch_missing": 66,
        "export_exists": 73,
        "export_not_writable": 73,
        "folder_not_writable": 73,
        "out_not_writable": 73,
        "out_is_folder": 73,
        "kept_not_writable": 73,
        "report_not_writable": 73,
    }
    if problem.code in by_code:
        return by_code[problem.code]
    by_kind: tuple[tuple[tuple[type[WanError], ...], int], ...] = (
        ((InvalidRequest, ExportError), 65),
        ((UnknownOutcome, DeadlineExceeded), GOES_ON),
        ((AuthenticationError, InsufficientBalance), 77),
        ((RunFailed, RunNotFound), 1),
    )
    if isinstance(problem, SettingsError):
        return {"token_missing": 77, "token_malformed": 77}.get(problem.code, 64)
    if isinstance(problem, DownloadFailed):
        return 73 if problem.code == "not_writable" else GOES_ON
    found = next((code for kinds, code in by_kind if isinstance(problem, kinds)), None)
    if found is not None:
        return found
    return GOES_ON if problem.charged is Charged.UNKNOWN else 69


def _print_problem(problem: WanError, console: Console, *, sandbox: bool) -> int:
    code = exit_code(problem)
    resume = code == GOES_ON and not sandbox
    console.fail(problem.as_dict(sandbox=sandbox), resume=problem.request_id if resume else None)
    return code


def _print_interrupted(command: str, client: WanClient | None, console: Console, *, sandbox: bool) -> int:
    """Print the outcome of the run that Ctrl-C interrupted: it may have ended in the same moment."""
    run = client.last_run if client else None
    if client and run and run.result is not None:
        return _print_result(client, run.result, console)
    if run and run.problem is not None and not isinstance(run.problem, RunCancelled):
        return _print_problem(run.problem, console, sandbox=sandbox)
    outcome, what = _cancel_outcome(run) if run else (CancelOutcome.CANCELLED, "error.cancelled_before_submit")
    if command == "cancel":
        outcome, what = CancelOutcome.UNKNOWN, "cancel.unknown"
    is_over = outcome is CancelOutcome.CANCELLED
    charged = Charged.NO if sandbox or is_over else Charged.YES if run and run.succeeded else Charged.UNKNOWN
    money = "sandbox" if sandbox else "maybe" if charged is Charged.UNKNOWN else charged.value
    error = {
        "code": "interrupted",
        "message": f"{MESSAGES[what]} {MESSAGES[f'charged.{money}']}",
        "charged": charged.value,
        "request_id": run.request_id if run else None,
        "outcome": outcome.value,
    }
    console.fail(error, resume=run.request_id if run and not is_over else None)
    return INTERRUPTED


def _cancel_outcome(run: Run) -> tuple[CancelOutcome, str]:
    """Return what cancelling a run achieved, and the key of the message about it."""
    if run.succeeded:
        return CancelOutcome.NOT_CANCELLABLE, "cancel.finished"
    if run.request_id is None and not run.submitting:
        return CancelOutcome.CANCELLED, "error.cancelled_before_submit"
    outcome = run.cancel_outcome or CancelOutcome.UNKNOWN
    return outcome, f"cancel.{outcome.value}"


class Parser(argparse.ArgumentParser):
    """A parser that exits with the code of a wrong call."""

    as_json = False

    def parse(self, words: Sequence[str], *, quiet: bool = True) -> argparse.Namespace:
        """Add the options that commands share, and parse the words."""
        if quiet:
            self.add_argument("-q", "--quiet", action="store_true", help=HELP["quiet"])
        self.add_argument("--json", action="store_true", help=HELP["json"])
        self.as_json = "--json" in words
        return self.parse_args(words)

    def _print_message(self, message: str, file: object = None) -> None:
        console = Console()
        (console.error if file is sys.stderr else console.line)(message.removesuffix("\n"))

    def error(self, message: str) -> NoReturn:
        """Print what is wrong with the call, and exit."""
        console = Console(as_json=self.as_json)
        console.error(self.format_usage().rstrip())
        words = {"code": "usage", "message": message, "charged": Charged.NO.value, "request_id": None}
        console.fail(words)
        self.exit(64)


def _parser(command: str) -> Parser:
    if command == "edit":
        parser = Parser(prog="wan-client", description=HELP["description"], epilog=HELP["epilog"])
        parser.add_argument("prompt", help=HELP["prompt"])
        parser.add_argument("images", nargs="*", metavar="image", help=HELP["images"])
    elif command == "batch":
        epilog = HELP["batch_epilog"].format(columns=", ".join(batch_source.COLUMNS))
        parser = Parser(prog="wan-client batch", description=HELP["batch"], epilog=epilog)
        parser.add_argument("source", type=Path, help=HELP["source"])
        parser.add_argument("-p", "--prompt", default="", help=HELP["batch_prompt"])
        counts = range(1, READS_AT_ONCE + 1)
        parser.add_argument(
            "-n", "--at-once", type=int, choices=counts, metavar="N", default=batch.AT_ONCE, help=HELP["at_once"]
        )
        parser.add_argument("--out-dir", type=Path, default=OUTPUT_FOLDER, help=HELP["out_dir"])
        parser.add_argument("--again", action="store_true", help=HELP["again"])
        parser.add_argument("--dry-run", action="store_true", help=HELP["dry_run"])
    else:
        parser = Parser(prog=f"wan-client {command}", description=HELP[command])
    if command in {"edit", "batch"}:
        sizes = "|".join(size.ratio for size in ImageSize)
        ratio = DEFAULT_IMAGE_SIZE.ratio
        parser.add_argument("--negative-prompt", default=DEFAULT_NEGATIVE_PROMPT, help=HELP["negative_prompt"])
        parser.add_argument("--image-size", default=ratio, metavar=sizes, help=HELP["image_size"])
        parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help=HELP["seed"])
        extend = argparse.BooleanOptionalAction
        parser.add_argument("--prompt-extend", action=extend, default=True, help=HELP["prompt_extend"])
    if command in {"resume", "cancel"}:
        parser.add_argument("request_id", metavar="ID", help=HELP["request_id"])
    if command == "edit":
        parser.add_argument("--key", help=HELP["key"])
    if command in {"edit", "resume"}:
        parser.add_argument("-o", "--out", help=HELP["out"])
    if command == "check":
        parser.add_argument("--paid", action="store_true", help=HELP["paid"])
        parser.add_argument("--cap", type=float, metavar="USD", default=DEFAULT_CAP, help=HELP["cap"])
        parser.add_argument("--yes", action="store_true", help=HELP["yes"])
        parser.add_argument("-o", "--out", type=Path, help=HELP["report"])
    return parser
