"""Turning an ended run into files, or into the error that says why there are none."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from . import outputs
from .api import ResultReply, State
from .errors import Charged, DownloadFailed, RunFailed, WanError
from .events import Downloading, Finished, Result, Retrying
from .failures import cancelled, error_of_run
from .poller import RETRYING_AFTER_FAILURES
from .submission import until_done

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from .events import Event
    from .images import PreparedImage
    from .outputs import Picture
    from .run import ClientResources

DOWNLOAD_TRIES = 4
FINAL_DOWNLOAD_FAILURES = {"output_host", "output_too_large", "not_writable"}


@dataclass(eq=False, repr=False)
class Fetch:
    """Downloads the pictures of one run.

    Attributes:
        resources: What it shares with others.
        request_id: The run.
        reply: What ``/result`` said at its end.
        deadline: When to give up, on the monotonic clock.
        began: When the waiting began, on the same clock.
        out: The file to write; None for a name of the API's making in `folder`.
        folder: Where files go that have no name of their own.
        named: Whether a person gave `out` its name, so that a file of that very name is replaced.
        images: The pictures as they were sent.
    """

    resources: ClientResources
    request_id: str
    reply: ResultReply
    deadline: float
    began: float
    out: Path | None
    folder: Path
    named: bool = True
    images: tuple[PreparedImage, ...] = ()
    _received: int = field(default=0, init=False)
    _expected: int | None = field(default=None, init=False)
    _had: dict[int, tuple[Picture, Path]] = field(default_factory=dict, init=False)

    async def events(self) -> AsyncGenerator[Event]:
        """Download until the pictures are on disk. A link may expire meanwhile: a fresh reply brings a fresh one."""
        raise_failure(self.reply, images=len(self.images) or None)
        for attempt in count(1):
            self._received, self._expected = 0, None
            download = asyncio.create_task(self._download(self.reply.urls))
            try:
                async for _ in until_done(download):
                    yield Downloading(self._received, self._expected)
                missing = download.result()
            finally:
                download.cancel()
            if not missing:
                break
            problem = min(missing, key=lambda each: (not each.is_retryable, each.code in FINAL_DOWNLOAD_FAILURES))
            delay = self.resources.schedule.retry_delay(attempt, None)
            last = attempt >= DOWNLOAD_TRIES and not problem.is_retryable
            late = time.monotonic() + delay > self.deadline
            if last or late or problem.code in FINAL_DOWNLOAD_FAILURES:
                if self._had:
                    break
                raise problem
            if attempt >= RETRYING_AFTER_FAILURES:
                yield Retrying(time.monotonic() - self.began, attempt)
            await asyncio.sleep(delay)
            await self._read_again()
        yield Finished(self._result(missing))

    async def _read_again(self) -> None:
        api, request_id = self.resources.api, self.request_id
        with suppress(WanError):
            reply = await self.resources.read(lambda t: api.result(request_id, timeout=t), self.deadline)
            if reply.state is State.SUCCEEDED and reply.urls:
                self.reply = reply

    def _result(self, missing: list[DownloadFailed]) -> Result:
        had = [self._had[index] for index in sorted(self._had)]
        first, _ = had[0]
        return Result(
            request_id=self.request_id,
            paths=tuple(path for _, path in had),
            width=first.width,
            height=first.height,
            seconds=time.monotonic() - self.began,
            cost=self.reply.cost,
            images=self.images,
            missing=tuple(missing),
            extra=self.reply.extra,
        )

    async def _download(self, urls: tuple[str, ...]) -> list[DownloadFailed]:
        """Fetch and write every picture that is not there yet, and return why the others can't be had."""
        missing: list[DownloadFailed] = []
        for index, url in enumerate(urls):
            if index in self._had:
                continue
            left = max(1.0, self.deadline - time.monotonic())
            try:
                picture = await self.resources.outputs.download(url, self._note_received, left)
                file, named = self._file(picture, index)
                self._had[index] = picture, await asyncio.to_thread(outputs.write, picture, file, named=named)
            except DownloadFailed as problem:
                problem.cost, problem.request_id = self.reply.cost, self.request_id
                missing.append(problem)
        return missing

    def _note_received(self, received: int, expected: int | None) -> None:
        self._received, self._expected = received, expected

    def _file(self, picture: Picture, index: int) -> tuple[Path, bool]:
        """Return where a picture goes, and whether a person named that file."""
        if self.out is not None:
            return outputs.numbered(self.out, index + 1), self.named and index == 0
        name = picture.name if self.request_id in picture.name else f"{self.request_id}_{picture.name}"
        taken = {path.name for _, path in self._had.values()}
        return outputs.numbered(self.folder / name, index + 1 if name in taken else 1), False


def raise_failure(reply: ResultReply, *, images: int | None = None) -> None:
    """Raise the error of a run that ended without a picture.

    Args:
        reply: What ``/result`` said.
        images: How many pictures were sent, where that is known.
    """
    if reply.state is State.CANCELLED:
        raise cancelled(reply.cost)
    if reply.state is State.FAILED or (reply.failure and not reply.urls):
        raise error_of_run(reply.failure, cost=reply.cost, images=images)
    if not reply.urls:
        raise RunFailed("no_image", charged=Charged.YES if reply.cost else Charged.UNKNOWN, cost=reply.cost)
