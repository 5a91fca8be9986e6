"""What a run reports while it lasts, as small frozen values, and its result.

Events that differ in the time that has passed alone are equal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .errors import DownloadFailed
    from .images import PreparedImage


@dataclass(frozen=True)
class Preparing:
    """The pictures are being made ready."""


@dataclass(frozen=True)
class Uploading:
    """The request is on its way: bytes sent, of how many."""

    sent: int
    total: int


@dataclass(frozen=True)
class Submitted:
    """The API has the run, under this id."""

    request_id: str


@dataclass(frozen=True)
class Queued:
    """The run waits. The position is None where the API does not give one."""

    position: int | None
    elapsed: float = field(compare=False)


@dataclass(frozen=True)
class Running:
    """The model is at work, for so many seconds; `expected` is the usual time here, as (low, high), once known."""

    elapsed: float = field(compare=False)
    expected: tuple[float, float] | None


@dataclass(frozen=True)
class Retrying:
    """The API has not given a usable answer several times in a row. The run goes on, and so does the waiting."""

    elapsed: float = field(compare=False)
    failures: int


@dataclass(frozen=True)
class Downloading:
    """The picture is on its way: bytes received, of how many (None: unknown)."""

    received: int
    total: int | None


@dataclass(frozen=True)
class Result:
    """The result of a run.

    Attributes:
        request_id: The run.
        paths: The files, in the API's order; there is nearly always one.
        width: Of the first picture, in pixels.
        height: Of the first picture, in pixels.
        seconds: From the submit (or the resumption) to the files.
        cost: What the API says it cost, in USD; None where it does not say.
        images: The pictures as they were sent; empty for a resumed run and for pictures given as addresses.
        missing: Why each picture could not be had that is not among the files, where there were several.
        extra: Keys of the API's reply that the protocol does not name, without addresses and the token.
    """

    request_id: str
    paths: tuple[Path, ...]
    width: int
    height: int
    seconds: float
    cost: float | None = None
    images: tuple[PreparedImage, ...] = ()
    missing: tuple[DownloadFailed, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """The first file."""
        return self.paths[0]


@dataclass(frozen=True)
class Finished:
    """The pictures are on disk."""

    result: Result


Event: TypeAlias = Preparing | Uploading | Submitted | Queued | Running | Retrying | Downloading | Finished
