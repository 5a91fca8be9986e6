"""The settings of a sandbox."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Literal

from wan_sandbox.faults.switches import parse

MIB: Final = 1024 * 1024
_ORIGIN: Final = re.compile(r"https?://[^/?#\s]+")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a sandbox behaves. Every value has a working default.

    Attributes:
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        public_url: Where callers reach the sandbox, if not under the name they use: behind a proxy with TLS.
        token: The only bearer token accepted; without it any non-empty one is.
        workers: Jobs that run at the same time.
        run_time: Shortest and longest time in seconds that a job runs, drawn from ``seed``.
        warm_up: Share of its run time that a job spends in the queue at the least, so that waiting can be seen.
        ahead: Jobs that are waiting ahead of a new one at the least.
        speed: How many times faster than set everything goes.
        seed: Where run times and fault rates are drawn from.
        faults: What goes wrong, as ``NAME[*count][:rate][@after]``.
        price: US dollars a picture costs, for rehearsals; nothing is ever charged.
        retention: Seconds for which an ended request and its files are kept.
        access_log: Whether each call is logged.
        picture: ``preview`` draws; ``blank`` answers with a plain area, where drawing would be in the way.
        drift: Whether the preview moves, zooms and turns the picture a little, by the request's seed, and changes it in
            one area only, as models do unasked. The result's ``local_preview`` says by how much.
        max_body: Largest request body in bytes.
        max_waiting: Longest queue; past it a submit is answered with 429.
        max_ended: Ended requests kept at the most.
        max_stored: Bytes of inputs and outputs kept on disk at the most.
        fetch_timeout: Seconds that fetching an image from a URL may take.
    """

    host: str = "127.0.0.1"
    port: int = 0
    public_url: str = ""
    token: str | None = field(default=None, repr=False)
    workers: int = 1
    run_time: tuple[float, float] = (2.0, 5.0)
    warm_up: float = 0.25
    ahead: int = 0
    speed: float = 1.0
    seed: int = 0
    faults: tuple[str, ...] = ()
    price: float = 0.0
    retention: float = 3600.0
    access_log: bool = False
    picture: Literal["preview", "blank"] = "preview"
    drift: bool = False
    max_body: int = 64 * MIB
    max_waiting: int = 1000
    max_ended: int = 2000
    max_stored: int = 1024 * MIB
    fetch_timeout: float = 10.0

    def __post_init__(self) -> None:
        low, high = self.run_time
        checks = {
            "port must be from 0 to 65535": 0 <= self.port <= 65535,
            "public_url must be http(s)://host[:port], without a path": not self.public_url
            or _ORIGIN.fullmatch(self.public_url) is not None,
            "token must not be empty": self.token is None or self.token.strip() != "",
            "workers must be at least 1": self.workers >= 1,
            "run_time must be from 0 on, the shorter time first": 0 <= low <= high,
            "warm_up must not be negative": self.warm_up >= 0,
            f"ahead must be from 0 to {self.max_waiting - 1}": 0 <= self.ahead < self.max_waiting,
            "speed must be more than 0": self.speed > 0,
            "price must not be negative": self.price >= 0,
            "retention must be more than 0": self.retention > 0,
        }
        for rule, holds in checks.items():
            if not holds:
                raise ValueError(rule)
        for text in self.faults:
            parse(text)
