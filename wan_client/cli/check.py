"""``wan_client check``: records how the API at hand behaves, for what is only documented and was never tried.

Without ``--paid`` it costs nothing. The report names words, shapes, hosts and times, and holds no token, address, id or
picture, so that it can be passed on.
"""

from __future__ import annotations

import json
import platform
import re
import secrets
import time
from dataclasses import dataclass, field, replace
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from wan_client.addresses import parse_address, without_secret
from wan_client.client import AsyncWanClient
from wan_client.errors import Charged, RunCancelled, RunNotFound, WanError
from wan_client.events import Finished, Queued, Running, Submitted
from wan_client.messages import MESSAGES
from wan_client.outputs import is_vendors_host
from wan_client.schema import EditRequest
from wan_client.schema_drift import differences
from wan_client.settings import DEFAULT_API_BASE, Backend, Hosting, is_loopback
from wan_client.state.journal import Journal
from wan_client.version import __version__

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping

    import httpx

    from wan_client.api import ModelEntry
    from wan_client.client import WanClient
    from wan_client.events import Event
    from wan_client.settings import Settings

    from .console import Console

DEFAULT_CAP = 0.25
REPORT = Path("wan-client-check.json")
_PROMPT = "turn image 1 into a pencil sketch"
_SIDE = 512
# A word or the name of a key. Anything else may be private, and is not reported.
_WORD = re.compile(r"[A-Za-z][A-Za-z_ -]{0,39}")
_CALLS = ("status", "result", "cancel")


@dataclass
class Observed:
    """What was seen of the API's replies: names and shapes, no private values.

    Attributes:
        calls: Of each call, by name, what was seen of each kind of fact.
    """

    calls: dict[str, dict[str, set[str]]] = field(default_factory=dict)

    def note(self, request: httpx.Request, status: int, reply: Mapping[str, Any] | None) -> None:
        """Record the names and shapes of one reply."""
        last = request.url.path.rsplit("/", 1)[-1]
        call = last if last in _CALLS else "submit" if request.method == "POST" else "model"
        self._add(call, "http", str(status))
        if reply is None:
            self._add(call, "body", "no JSON object")
            return
        for name, value in reply.items():
            self._add(call, "keys", _word(name))
            self._note_value(call, name, value)

    def _note_value(self, call: str, name: str, value: object) -> None:
        if name in {"status", "outcome", "price_unit"}:
            self._add(call, name, _word(value))
        elif name in {"error_code", "code"} and isinstance(value, int):
            self._add(call, name, str(value))
        elif name in {"queue_position", "cost", "base_price_usd"}:
            self._add(call, name, _number(value))
        elif name.endswith("_at"):
            self._add(call, name, _masked(value))
        elif name.endswith("_url"):
            self._add(call, name, _host(value))
        elif name == "output":
            for shape in _shapes(value):
                self._add(call, name, shape)
        elif name in {"error", "detail"}:
            self._add(call, name, type(value).__name__)

    def _add(self, call: str, fact: str, what: str) -> None:
        self.calls.setdefault(call, {}).setdefault(fact, set()).add(what)

    def as_dict(self) -> dict[str, dict[str, list[str]]]:
        """Return all of it, ready for JSON."""
        return {
            call: {name: sorted(seen) for name, seen in sorted(facts.items())}
            for call, facts in sorted(self.calls.items())
        }


def _word(value: object) -> str:
    return value if isinstance(value, str) and _WORD.fullmatch(value) else f"({type(value).__name__})"


def _number(value: object) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:.6g}" if is_number and abs(value) < 1e6 else f"({type(value).__name__})"  # type: ignore[arg-type]


def _masked(value: object) -> str:
    """Return the format of a time, with each digit replaced by 0."""
    return re.sub(r"[0-9]", "0", str(value))[:40] if isinstance(value, str) else f"({type(value).__name__})"


def _host(value: object) -> str:
    """Return the host of an address, if it is the vendor's or this machine."""
    url = parse_address(value) if isinstance(value, str) else None
    if url is None:
        return f"({type(value).__name__})"
    return url.host if is_vendors_host(url) or is_loopback(str(url)) else "another host"


def _shapes(value: object, place: str = "output", depth: int = 4) -> Iterable[str]:
    """Yield where an output has its addresses, and at which hosts."""
    if isinstance(value, str):
        yield f"{place} at {_host(value)}"
    elif isinstance(value, list) and depth:
        for item in value:
            yield from _shapes(item, f"{place}[]", depth - 1)
    elif isinstance(value, dict) and depth:
        for name, item in value.items():
            yield from _shapes(item, f"{place}.{_word(name)}", depth - 1)
    else:
        yield f"{place}: {type(value).__name__}"


class Check:
    """One check.

    Args:
        client: The command's client.
        console: Where it prints.
        file: The report's file.
    """

    def __init__(self, client: WanClient, console: Console, file: Path) -> None:
        self.problem: WanError | None = None
        self._client = client
        self._console = console
        self._file = file
        self._observed = Observed()
        self._report: dict[str, Any] = {}

    @property
    def _settings(self) -> Settings:
        return self._client.settings

    @property
    def is_sandbox(self) -> bool:
        """Whether the sandbox answers."""
        return self._settings.backend is Backend.SANDBOX

    def free(self) -> ModelEntry:
        """Check what is free to check: the token, the catalogue, the price, the schema."""
        settings = self._settings
        self._report |= {
            "client": __version__,
            "python": platform.python_version(),
            "engine": settings.backend.value,
            "api": "the vendor's" if settings.api_base == DEFAULT_API_BASE else "another",
            "model": settings.model,
            "token": self._client.call(self._token),
        }
        entry = self._client.call(AsyncWanClient.model)
        different = differences(entry.input_schema)
        self._report |= {
            "price_usd": entry.price_usd,
            "price_unit": entry.price_unit,
            "has_schema": bool(entry.input_schema),
            "schema_differences": different,
            "image_format": _image_format(entry.input_schema),
            "runs": [],
        }
        self.write()
        self._say("cli.check.token", result=self._report["token"])
        price = MESSAGES["cli.price_unknown"]
        if entry.price_usd is not None:
            price = MESSAGES["cli.price"].format(price=entry.price_usd, unit=entry.price_unit)
        self._say("cli.check.price", price=price)
        if different:
            self._say("cli.schema_differs", differences="; ".join(different))
        elif entry.input_schema:
            self._say("cli.check.schema_same")
        return entry

    async def _token(self, core: AsyncWanClient) -> str:
        """Ask for a run that can't exist, and return ``accepted`` or the error's code: a bad token is refused first."""
        core.observe(self._observed.note)
        try:
            await core.look(f"check-{secrets.token_hex(8)}")
        except RunNotFound:
            return "accepted"
        except WanError as problem:
            self.problem = problem
            return problem.code
        return "accepted"

    def runs(self) -> list[tuple[str, Hosting]]:
        """Return the paid runs to make: the name of each, and how its picture is hosted."""
        found = [("data", Hosting.DATA)]
        if self._settings.bucket:
            found.append(("bucket", Hosting.BUCKET))
        return [*found, ("cancel", Hosting.DATA)]

    def paid(self) -> None:
        """Make the paid runs, one after the other, and stop at the first that fails."""
        for number, (name, hosting) in enumerate(self.runs(), 1):
            facts = self._client.call(lambda core, n=number, w=name, h=hosting: self._run(core, n, w, h))  # type: ignore[misc]
            self._report["runs"].append(facts)
            self.write()
            self._say("cli.check.run", name=name, result=facts["result"])
            if self.problem is not None:
                return

    async def _run(self, _core: AsyncWanClient, number: int, name: str, hosting: Hosting) -> dict[str, Any]:
        """Make one run, and return what the report says of it."""
        settings = replace(self._settings, hosting=hosting)
        journal = Journal(off=self.is_sandbox)
        facts: dict[str, Any] = {"name": name, "handed_over": hosting.value, "result": ""}
        began = time.monotonic()
        marks: dict[type[Event], float] = {}
        async with AsyncWanClient(settings, folder=self._file.parent, journal=journal) as client:
            client.observe(self._observed.note)
            request = EditRequest(_PROMPT, (_picture(),), seed=number, prompt_extend=False)
            run = self._client.last_run = client.run(request)
            try:
                async for event in run:
                    self._console.show(event)
                    marks.setdefault(type(event), time.monotonic() - began)
                    if name == "cancel" and isinstance(event, Submitted):
                        facts["cancel"] = (await run.cancel()).value
                    if isinstance(event, Finished):
                        result = event.result
                        facts |= {"result": "finished", "cost": result.cost, "size": [result.width, result.height]}
                        facts |= {"files": len(result.paths), "format": result.path.suffix[1:]}
                        for path in result.paths:
                            self._console.line(str(path))
            except RunCancelled as end:
                facts |= {"result": end.code, "charged": end.charged.value, "cost": end.cost}
            except WanError as problem:
                facts |= {"result": problem.code, "charged": problem.charged.value, "cost": problem.cost}
                facts["api_code"] = problem.api_code if isinstance(problem.api_code, int) else None
                facts["http_status"] = problem.http_status
                self.problem = self.problem or problem
        stages = {"submitted": Submitted, "queued": Queued, "running": Running, "finished": Finished}
        facts["seconds"] = {word: round(marks[kind], 1) for word, kind in stages.items() if kind in marks}
        return facts

    def write(self) -> None:
        """Write the report as far as it is complete.

        Raises:
            OSError: It can't be written.
        """
        self._file.write_text(json.dumps(self.report, indent=2, ensure_ascii=True) + "\n", "utf-8")

    @property
    def report(self) -> dict[str, Any]:
        """The report, ready for JSON."""
        whole = json.dumps({**self._report, "observed": self._observed.as_dict()})
        bare: dict[str, Any] = json.loads(without_secret(whole, self._settings.token, "[token]"))
        return bare

    def _say(self, code: str, **values: object) -> None:
        self._console.info(MESSAGES[code].format(**values))


def run_check(client: WanClient, arguments: argparse.Namespace, console: Console) -> tuple[Check, bool]:
    """Check the API, and return the check, and whether a paid part that was asked for was left out.

    Raises:
        WanError: The report can't be written.
    """
    file = arguments.out or _free_name(REPORT)
    check = Check(client, console, file)
    try:
        entry = check.free()
        left_out = arguments.paid and not (check.problem is None and _is_agreed(check, entry, arguments, console))
        if arguments.paid and not left_out:
            check.paid()
        check.write()
    except OSError as problem:
        charged = Charged.UNKNOWN if check.report.get("runs") else Charged.NO
        raise WanError("report_not_writable", charged=charged, file=file.name) from problem
    console.info(MESSAGES["cli.check.report"].format(file=file))
    console.result([str(file)], {**check.report, "report": str(file)})
    return check, left_out


def _is_agreed(check: Check, entry: ModelEntry, arguments: argparse.Namespace, console: Console) -> bool:
    """Print the price of the paid part and ask for consent, unless it is free or ``--yes`` was given."""
    if check.is_sandbox:
        return True
    runs = len(check.runs())
    if entry.price_usd is None or entry.price_unit not in {"output", "image"}:
        console.error(MESSAGES["cli.check.no_price"])
        return False
    total = entry.price_usd * runs
    if total > arguments.cap:
        console.error(MESSAGES["cli.check.over_cap"].format(price=total, cap=arguments.cap))
        return False
    console.error(MESSAGES["cli.check.ask"].format(runs=runs, price=total))
    if arguments.yes:
        return True
    try:
        return input().strip().lower() in {"y", "yes"}
    except (EOFError, OSError):
        return False


def _free_name(wanted: Path) -> Path:
    """Return a name that no file has."""
    names = (wanted if number == 1 else wanted.with_stem(f"{wanted.stem}_{number}") for number in count(1))
    return next(name for name in names if not name.exists())


def _image_format(schema: Mapping[str, Any]) -> str | None:
    """Return the format that the catalogue states for a picture's address, which the vendor's nodes follow."""
    value: object = schema
    for name in ("properties", "image_urls", "items", "format"):
        value = value.get(name) if isinstance(value, dict) else None
    return _word(value) if value is not None else None


def _picture() -> bytes:
    """Return a small test picture."""
    buffer = BytesIO()
    Image.linear_gradient("L").resize((_SIDE, _SIDE)).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()
