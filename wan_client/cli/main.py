"""The command line: ``wan_client "prompt" image…``, and ``batch``, ``runs``, ``resume``, ``cancel`` and ``price``.

Exit codes are those of ``sysexits.h`` where it has one, so that scripts can tell what to do next:

====  ==============================================================================
0     the picture is written; its path is the only line on standard output, or one JSON object with ``--json``
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
import json
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from wan_client.api import CancelOutcome, ModelEntry
from wan_client.client import OUTPUT_FOLDER, READS_AT_ONCE, WanClient
from wan_client.errors import (
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
from wan_client.mentions import mismatch
from wan_client.messages import MESSAGES
from wan_client.run import Downloading, Event, Finished, Preparing, Queued, Retrying, Running, Submitted, Uploading
from wan_client.schema import DEFAULT_IMAGE_SIZE, DEFAULT_NEGATIVE_PROMPT, DEFAULT_SEED, ImageSize
from wan_client.settings import Backend, Settings
from wan_client.state.journal import Journal

from . import batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from wan_client.run import Result, Run

GOES_ON = 75
_BAR = 24


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    command = words.pop(0) if words and words[0] in _COMMANDS else "edit"
    arguments = _parser(command, as_json="--json" in words).parse_args(words)
    console = Console(as_json=arguments.json, quiet=getattr(arguments, "quiet", False))
    settings, client = None, None
    try:
        settings = Settings.load()
        with WanClient(settings, folder=".") as client:
            return _COMMANDS[command](client, arguments, console)
    except KeyboardInterrupt:
        _tell_cancelled(client.last_run if client else None, console, sandbox=_is_sandbox(settings))
        return 130
    except WanError as problem:
        sandbox, code = _is_sandbox(settings), exit_code(problem)
        resume = code == GOES_ON and not sandbox
        console.fail(problem.as_dict(sandbox=sandbox), resume=problem.request_id if resume else None)
        return code


def _edit(client: WanClient, arguments: argparse.Namespace, console: Console) -> int:
    if _is_sandbox(client.settings):
        console.info(MESSAGES["cli.sandbox"])
    _warn_of_mismatch(arguments.prompt, len(arguments.images), console)
    result = client.edit(
        arguments.prompt,
        *arguments.images,
        out=arguments.out,
        on_event=console.show,
        negative_prompt=arguments.negative_prompt,
        image_size=arguments.image_size,
        seed=arguments.seed,
        prompt_extend=arguments.prompt_extend,
    )
    return _tell_result(client, result, console)


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
    return _tell_result(client, client.resume(arguments.request_id, out=out, on_event=console.show), console)


def _cancel(client: WanClient, arguments: argparse.Namespace, console: Console) -> int:
    outcome = client.cancel(arguments.request_id)
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
    told = {"price_usd": entry.price_usd, "price_unit": entry.price_unit, "pricing_note": entry.pricing_note}
    console.result([line], told)
    return 0


def _batch(client: WanClient, arguments: argparse.Namespace, console: Console) -> int:
    sandbox = _is_sandbox(client.settings)
    defaults = {"prompt": arguments.prompt} | {name: getattr(arguments, name) for name in batch.OPTION_COLUMNS}
    try:
        jobs = batch.read(arguments.source, arguments.out_dir, defaults)
    except InvalidRequest as problem:
        problems = problem.values.get("problems", ())
        rows = [{"name": name, **bad.as_dict()} for name, bad in problems]  # type: ignore[attr-defined]  # a list of both
        for row in rows:
            console.error(MESSAGES["cli.batch.row"].format(name=row["name"], words=row["message"]))
        console.fail({**problem.as_dict(sandbox=sandbox), "rows": rows})
        return exit_code(problem)
    with batch.Manifest(arguments.out_dir, client.settings.backend) as manifest:
        work = batch.Batch(jobs, manifest, free=sandbox, again=arguments.again)
        _tell_plan(client, work, console)
        codes = [GOES_ON if work.held else 0]

        def show(_event: Event) -> None:
            console.follow(work.ended, len(jobs))

        def tell(job: batch.Job, end: Result | WanError) -> None:
            codes.append(_tell_row(job, end, console, sandbox=sandbox))

        try:
            if not arguments.dry_run:
                client.call(lambda core: work.run(core, at_once=arguments.at_once, on_event=show, on_end=tell))
        except KeyboardInterrupt:
            _tell_batch(work, console, interrupted=True)
            # Leaving like this, the client hears of it, and does not wait for minutes for a submit on its way.
            raise SystemExit(130) from None
        _tell_batch(work, console)
    return max(codes)


def _tell_plan(client: WanClient, work: batch.Batch, console: Console) -> None:
    sandbox = _is_sandbox(client.settings)
    if sandbox:
        console.info(MESSAGES["cli.sandbox"])
    counts = {"done": len(work.done), "fetch": len(work.fetch), "send": len(work.send)}
    plan = MESSAGES["cli.batch.plan"].format(total=len(work.jobs), **counts)
    entry = client.model() if work.send and not sandbox else ModelEntry()
    if entry.price_usd is not None and entry.price_unit in {"output", "image"}:
        plan += " " + MESSAGES["cli.batch.price"].format(price=entry.price_usd * len(work.send))
    console.info(plan)
    for job, why in work.held:
        console.error(MESSAGES["cli.batch.held"].format(name=job.name, why=why))
    if work.held:
        console.error(MESSAGES["cli.batch.again"])


def _tell_row(job: batch.Job, end: Result | WanError, console: Console, *, sandbox: bool) -> int:
    row = MESSAGES["cli.batch.row"]
    if isinstance(end, WanError):
        console.error(row.format(name=job.name, words=end.full_message(sandbox=sandbox)))
        return exit_code(end)
    console.info(row.format(name=job.name, words=_done(end, sandbox=sandbox)))
    for path in end.paths:
        console.line(str(path))
    return 0


def _tell_batch(work: batch.Batch, console: Console, *, interrupted: bool = False) -> None:
    rows, counts = list(work.rows()), work.count()
    paid = [row["cost"] for row in rows if row.get("cost") is not None]
    cost = MESSAGES["cli.cost"].format(cost=f"{sum(paid):.4g}") if paid else ""
    not_sent = counts["open"] + counts["cancelled"]
    told = {"total": len(rows), "failed": counts["failed"], "not_sent": not_sent}
    told |= {name: counts[name] for name in ("fetched", "accepted", "held")}
    say = console.error if interrupted else console.info
    say(MESSAGES["cli.batch.end"].format(**told, cost=cost))
    if counts["fetched"] < len(rows):
        say(MESSAGES["cli.batch.next"].format(file=work.manifest.path))
    if work.stopped:
        console.error(MESSAGES["cli.batch.stopped"])
    values = {**told, "cost": sum(paid) if paid else None, "manifest": str(work.manifest.path), "rows": rows}
    console.result([], {**values, "interrupted": interrupted, "stopped": work.stopped.code if work.stopped else None})


_COMMANDS: dict[str, Callable[[WanClient, argparse.Namespace, Console], int]] = {
    "edit": _edit,
    "batch": _batch,
    "runs": _runs,
    "resume": _resume,
    "cancel": _cancel,
    "price": _price,
}


def _tell_result(client: WanClient, result: Result, console: Console) -> int:
    for number, image in enumerate(result.images, 1):
        if image.changes:
            told = "; ".join(str(change) for change in image.changes)
            console.info(MESSAGES["cli.changes"].format(number=number, changes=told))
    sandbox = _is_sandbox(client.settings)
    console.info(_done(result, sandbox=sandbox))
    recovered = client.last_run is not None and client.last_run.recovered
    if recovered:
        console.info(MESSAGES["cli.recovered"])
    values = {
        "request_id": result.request_id,
        "paths": [str(path) for path in result.paths],
        "width": result.width,
        "height": result.height,
        "seconds": round(result.seconds, 3),
        "cost": None if sandbox else result.cost,
        "changes": [[str(change) for change in image.changes] for image in result.images],
        "recovered": recovered,
        "preview": sandbox,
    }
    console.result([str(path) for path in result.paths], values)
    return 0


def _done(result: Result, *, sandbox: bool) -> str:
    told_cost = result.cost is not None and not sandbox
    cost = MESSAGES["cli.cost"].format(cost=f"{result.cost:.4g}") if told_cost else ""
    size = f"{result.width} × {result.height}"
    return MESSAGES["cli.done"].format(size=size, seconds=f"{result.seconds:.1f}", cost=cost)


def _is_sandbox(settings: Settings | None) -> bool:
    return settings is not None and settings.backend is Backend.SANDBOX


def _journal(client: WanClient) -> Journal:
    return Journal().for_account(client.settings.api_base or "", client.settings.token)


def exit_code(problem: WanError) -> int:
    """The exit code that tells a script what kind of problem it is."""
    if isinstance(problem, ImageError) and problem.code == "image_missing_file":
        return 66
    by_kind: tuple[tuple[tuple[type[WanError], ...], int], ...] = (
        ((InvalidRequest,), 65),
        ((UnknownOutcome, DeadlineExceeded), GOES_ON),
        ((AuthenticationError, InsufficientBalance), 77),
        ((RunFailed, RunNotFound), 1),
    )
    if isinstance(problem, SettingsError):
        return {"token_missing": 77, "token_malformed": 77, "folder_not_writable": 73}.get(problem.code, 64)
    if isinstance(problem, DownloadFailed):
        return 73 if problem.code == "not_writable" else GOES_ON
    found = next((code for kinds, code in by_kind if isinstance(problem, kinds)), None)
    if found is not None:
        return found
    return GOES_ON if problem.charged is Charged.UNKNOWN else 69


class Console:
    """What a command says: its answer on standard output, as lines or as one JSON object; the rest on standard error.

    Args:
        as_json: Whether a script reads standard output.
        quiet: Whether standard error is for trouble only.
    """

    def __init__(self, *, as_json: bool = False, quiet: bool = False) -> None:
        self._json = as_json
        self._quiet = quiet
        self.progress = ProgressLine(sys.stderr)

    def show(self, event: Event) -> None:
        """Show where a run stands."""
        if not self._quiet:
            self.progress.show(event)

    def follow(self, ended: int, total: int) -> None:
        """Show how many of several have ended."""
        if not self._quiet:
            self.progress.draw(ended / total, MESSAGES["cli.batch.running"].format(ended=ended, total=total))

    def line(self, text: str) -> None:
        """Give a part of the answer as soon as it is known; in JSON it comes with the rest."""
        self.progress.close()
        if not self._json:
            print(text, flush=True)

    def info(self, text: str) -> None:
        """Say what is good to know."""
        if not self._quiet:
            self.error(text)

    def error(self, text: str) -> None:
        """Say what must be known."""
        self.progress.close()
        print(text, file=sys.stderr)

    def result(self, lines: Iterable[str], values: Mapping[str, Any]) -> None:
        """Give the answer, in one of its two forms."""
        self.progress.close()
        for line in [json.dumps(values, ensure_ascii=False)] if self._json else lines:
            print(line, flush=True)

    def fail(self, error: Mapping[str, Any], *, resume: str | None = None) -> None:
        """Tell what went wrong: to a person always, to a script if one listens."""
        self.error(f"wan_client: {error['message']}")
        if resume:
            self.error(MESSAGES["cli.resume"].format(request_id=resume))
        self.result([], error)


class ProgressLine:
    """One line of a terminal that tells where a run stands. Elsewhere, one line for each change of state."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._began = time.monotonic()
        self._last = ""

    def show(self, event: Event) -> None:
        """Show one event."""
        share, text = _describe(event)
        if self._live:
            self.draw(share, text)
        elif text != self._last:
            self._last = text
            print(text, file=self._stream, flush=True)

    def draw(self, share: float | None, text: str) -> None:
        """Draw a bar and the words beside it, on a terminal only."""
        if not self._live:
            return
        seconds = int(time.monotonic() - self._began)
        line = f"{_bar(share)} {seconds // 60}:{seconds % 60:02}  {text}"
        with suppress(OSError):
            self._stream.write(f"\r\x1b[2K{line}")
            self._stream.flush()
            self._last = line

    def close(self) -> None:
        """Leave the line."""
        if self._live and self._last:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()
            self._last = ""


_STAGES: dict[type[Event], str] = {
    Preparing: "event.preparing",
    Uploading: "event.uploading",
    Submitted: "event.submitted",
    Queued: "event.queued",
    Running: "event.running",
    Retrying: "event.retrying",
    Downloading: "event.downloading",
    Finished: "event.finished",
}


def _describe(event: Event) -> tuple[float | None, str]:
    """What share is known to be done, and the words beside it."""
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
    return share, words


def _bar(share: float | None) -> str:
    if share is None:
        phase = int(time.monotonic() * 4) % _BAR
        return "".join("█" if (i - phase) % _BAR < 4 else "░" for i in range(_BAR))
    filled = round(share * _BAR)
    return "█" * filled + "░" * (_BAR - filled)


def _tell_cancelled(run: Run | None, console: Console, *, sandbox: bool) -> None:
    outcome = (run.cancel_outcome if run else None) or CancelOutcome.CANCELLED
    free = sandbox or outcome is CancelOutcome.CANCELLED
    money = MESSAGES["charged.sandbox" if sandbox else "charged.no" if free else "charged.maybe"]
    error = {
        "code": "interrupted",
        "message": f"{MESSAGES[f'cancel.{outcome.value}']} {money}",
        "charged": (Charged.NO if free else Charged.UNKNOWN).value,
        "request_id": run.request_id if run else None,
        "outcome": outcome.value,
    }
    goes_on = run is not None and outcome is not CancelOutcome.CANCELLED
    console.fail(error, resume=run.request_id if run and goes_on else None)


class _Parser(argparse.ArgumentParser):
    """Leaves with the code of a wrong call."""

    as_json = False

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        words = {"code": "usage", "message": message, "charged": Charged.NO.value, "request_id": None}
        Console(as_json=self.as_json).fail(words)
        self.exit(64)


def _parser(command: str, *, as_json: bool = False) -> _Parser:
    text = {name[len("cli.help.") :]: value for name, value in MESSAGES.items() if name.startswith("cli.help.")}
    if command == "edit":
        parser = _Parser(prog="wan_client", description=text["description"], epilog=text["epilog"])
        parser.add_argument("prompt", help=text["prompt"])
        parser.add_argument("images", nargs="*", metavar="image", help=text["images"])
    elif command == "batch":
        epilog = text["batch_epilog"].format(columns=", ".join(batch.COLUMNS))
        parser = _Parser(prog="wan_client batch", description=text["batch"], epilog=epilog)
        parser.add_argument("source", type=Path, help=text["source"])
        parser.add_argument("-p", "--prompt", default="", help=text["batch_prompt"])
        counts = range(1, READS_AT_ONCE + 1)
        parser.add_argument(
            "-n", "--at-once", type=int, choices=counts, metavar="N", default=batch.AT_ONCE, help=text["at_once"]
        )
        parser.add_argument("--out-dir", type=Path, default=OUTPUT_FOLDER, help=text["out_dir"])
        parser.add_argument("--again", action="store_true", help=text["again"])
        parser.add_argument("--dry-run", action="store_true", help=text["dry_run"])
    else:
        parser = _Parser(prog=f"wan_client {command}", description=text[command])
    if command in {"edit", "batch"}:
        sizes = "|".join(size.ratio for size in ImageSize)
        ratio = DEFAULT_IMAGE_SIZE.ratio
        parser.add_argument("--negative-prompt", default=DEFAULT_NEGATIVE_PROMPT, help=text["negative_prompt"])
        parser.add_argument("--image-size", default=ratio, metavar=sizes, help=text["image_size"])
        parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help=text["seed"])
        extend = argparse.BooleanOptionalAction
        parser.add_argument("--prompt-extend", action=extend, default=True, help=text["prompt_extend"])
    if command in {"resume", "cancel"}:
        parser.add_argument("request_id", metavar="ID", help=text["request_id"])
    if command in {"edit", "resume"}:
        parser.add_argument("-o", "--out", type=Path, help=text["out"])
    if command in {"edit", "batch", "resume"}:
        parser.add_argument("-q", "--quiet", action="store_true", help=text["quiet"])
    parser.add_argument("--json", action="store_true", help=text["json"])
    parser.as_json = as_json
    return parser
