"""The faults by name, and when they strike.

A fault is switched on as ``NAME[*count][:rate][@after]``: it strikes ``count`` times at most, each time with the
probability ``rate``, and lets the first ``after`` calls that it fits through.

There are two families. *Call faults* are named ``<place>-<kind>``: they strike at one call, as in ``poll-html-502``.
*Job faults* have a name of their own, as ``never-ends``: they are drawn when a job is accepted and hold for its life.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Mapping, Sequence

PLACES: Final[Mapping[str, str]] = {
    "submit": "a submit, before anything of it is read or accepted",
    "accepted": "the answer to a submit whose job was accepted",
    "status": "asking for the status",
    "result": "asking for the result",
    "poll": "asking for the status or the result",
    "cancel": "cancelling, before anything is cancelled",
    "cancelled": "the answer to a cancel that was carried out",
    "model": "asking for a catalogue entry",
    "output": "downloading an output",
}
_ALL: Final = tuple(PLACES)
_API: Final = tuple(place for place in PLACES if place != "output")
_SUBMIT: Final = ("submit", "accepted")
_OUTPUT: Final = ("output",)

PROXY_CODES: Final = (502, 503, 504, 520, 521, 522, 523, 524)

KINDS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "reset": ("the connection is reset (RST), no answer", _ALL),
    "close": ("the connection is closed (FIN), no answer", _ALL),
    "hang": ("no answer ever comes, the connection stays open", _ALL),
    "stall": ("nothing of the body is read for 30 s, then a reset", ("submit",)),
    "slow": ("the answer comes 3 s late (divided by the speed)", _ALL),
    "cut": ("the connection is closed in the middle of the answer", _ALL),
    "refused": ("the connection is reset, and for 2 s (divided by the speed) new ones are refused", _ALL),
    "401": ("401 with error_code 401001", _ALL),
    "402": ("402 with error_code 402001", _ALL),
    "403": ("403 with error_code 403001", _ALL),
    "404": ("404 with error_code 404001", _ALL),
    "408": ("408 with error_code 408001", _ALL),
    "422": ("422 with error_code 422001 and a detail list", _API),
    "425": ("425 with error_code 425001", _ALL),
    "429": ("429 with Retry-After: 1", _ALL),
    "429-bare": ("429 without Retry-After", _ALL),
    "429-date": ("429 with a Retry-After that is a date 2 s ahead", _ALL),
    "429-absurd": ("429 with Retry-After: 86400", _ALL),
    "500": ("500 with error_code 500001", _ALL),
    "500-text": ("500 as plain text", _ALL),
    **{f"html-{code}": (f"{code} as the HTML page of the proxy in front", _ALL) for code in PROXY_CODES},
    "html-200": ("200 with an HTML page", _ALL),
    "error-200": ("200 with an error_code in the body", _API),
    "invalid-json": ("200 with a body that isn't JSON", _API),
    "wrong-json": ("200 with JSON that is a list", _API),
    "empty-body": ("200 with no body", _ALL),
    "huge-error": ("500 with an error message of 8 MiB", _API),
    "echo-token": ("500 with the caller's token in the message", _API),
    "redirect": ("307 to another address of this server", _API),
    "no-balance": ("400 with error_code 400002", _SUBMIT),
    "unauthorised": ("400 with error_code 400004", _API),
    "not-ready": ("400 with error_code 400005 as long as the job hasn't ended", ("result", "poll")),
    "no-id": ("200 without a request_id", _SUBMIT),
    "hostile-id": ("200 with the request_id ../../x", _SUBMIT),
    "expired": ("403 with an XML body, as object stores answer for an expired link", _OUTPUT),
    "truncated": ("200 with the first half of the picture, as if it were all", _OUTPUT),
    "stalled": ("half of the picture, then nothing more", _OUTPUT),
    "trickle": ("the picture in small pieces over 3 s (divided by the speed)", _OUTPUT),
    "garbage": ("200 as image/png with bytes that are no image", _OUTPUT),
    "oversized": ("200 with a body of 96 MiB, its length not announced", _OUTPUT),
    "announced-oversized": ("200 with a Content-Length of 96 MiB", _OUTPUT),
    "many-pixels": ("a small PNG of 20000 × 20000 pixels", _OUTPUT),
    "moved": ("302 to the same picture at another address of this server", _OUTPUT),
    "moved-away": ("302 to a foreign host", _OUTPUT),
}

JOB_FAULTS: Final[Mapping[str, str]] = {
    "data-uri-refused": "data URIs in image_urls are refused with 422",
    "never-starts": "the job stays in the queue for ever; it can be cancelled",
    "never-ends": "the job runs for ever, without holding a worker",
    "slow-job": "the job runs ten times longer",
    "failed-text": "the job fails, error is a string",
    "failed-object": "the job fails, error is an object",
    "failed-bare": "the job fails without an error",
    "failed-word": "the job fails, and its status says failed instead of completed",
    "failed-echo-token": "the job fails, and error holds the caller's token",
    "moderation-text": "the job fails with DataInspectionFailed in a string",
    "moderation-object": "the job fails with DataInspectionFailed in an object",
    "throttled": "the job fails with Throttling in a string",
    "canceled": "the server cancels the job when its turn comes, and spells it canceled",
    "unknown-word": "while the job runs its state is an unknown word",
    "other-words": "states are pending, processing, success",
    "upper-case": "states are in upper case",
    "completed-result": "the state of a successful result is completed",
    "empty-success": "the job succeeds without an output",
    "empty-output": "the job succeeds with an output of {}",
    "output-null": "the job succeeds with output.image null",
    "image-object": "output.image is an object with url",
    "images": "output.images is a list of one URL",
    "images-objects": "output.images is a list of one object with url",
    "two-images": "output.images is a list of two URLs",
    "output-string": "output is the URL itself",
    "output-list": "output is a list of one URL",
    "foreign-output": "the output's URL is at a foreign host",
    "foreign-links": "status_url, result_url and cancel_url are at a foreign host",
    "no-links": "the answer to the submit holds request_id only",
    "created-201": "the answer to the submit is 201",
    "text-dates": "created_at and finished_at are no dates",
}

_SYNTAX: Final = re.compile(r"([a-z0-9-]+)(?:\*(\d+))?(?::([0-9.]+))?(?:@(\d+))?", re.ASCII)


@dataclass(slots=True)
class Switch:
    """A fault that is switched on, and how often it struck."""

    name: str
    place: str
    kind: str
    count: int | None
    rate: float
    after: int

    def strikes(self, chance: random.Random) -> bool:
        """Count a call that the fault fits, and return whether it strikes."""
        if self.after:
            self.after -= 1
            return False
        if self.count == 0 or (self.rate < 1 and chance.random() >= self.rate):
            return False
        if self.count is not None:
            self.count -= 1
        return True


def parse(text: str) -> Switch:
    """Parse ``NAME[*count][:rate][@after]``.

    Raises:
        ValueError: There is no such fault, or the form is another.
    """
    match = _SYNTAX.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text.strip()!r} is not of the form NAME[*count][:rate][@after]")
    name, count, rate, after = match.groups()
    place, kind = _split(name)
    try:
        probability = float(rate or 1)
    except ValueError:
        probability = -1
    if not 0 <= probability <= 1:
        raise ValueError(f"the rate of {name} must be a number from 0 to 1")
    return Switch(name, place, kind, None if count is None else int(count), probability, int(after or 0))


def _split(name: str) -> tuple[str, str]:
    if name in JOB_FAULTS:
        return "job", name
    place, _, kind = name.partition("-")
    if kind in KINDS and place in KINDS[kind][1]:
        return place, kind
    raise ValueError(f"there is no fault named {name}; --faults lists them all")


def call_faults() -> Iterable[tuple[str, str]]:
    """Yield each call fault's name and what it does."""
    for kind, (text, places) in KINDS.items():
        for place in places:
            yield f"{place}-{kind}", f"{PLACES[place]}: {text}"


class Switches:
    """Faults that are on, in the order in which they were named."""

    def __init__(self, texts: Iterable[str], chance: random.Random) -> None:
        self._chance = chance
        self._switches = [parse(text) for text in texts]

    @classmethod
    def of_header(cls, header: str, chance: random.Random) -> Switches:
        """Read the faults that a request names for itself, separated by commas."""
        return cls((text for text in header.split(",") if text.strip()), chance)

    def take(self, *places: str) -> str | None:
        """Count a call, and return the kind of the first fault that strikes at it."""
        for switch in self._switches:
            if switch.place in places and switch.strikes(self._chance):
                return switch.kind
        return None

    def traits(self) -> frozenset[str]:
        """Draw the job faults of a new job."""
        return frozenset(
            switch.kind for switch in self._switches if switch.place == "job" and switch.strikes(self._chance)
        )


def take(places: Sequence[str], *switches: Switches) -> str | None:
    """Return the first fault that strikes among several sets."""
    for some in switches:
        kind = some.take(*places)
        if kind is not None:
            return kind
    return None
