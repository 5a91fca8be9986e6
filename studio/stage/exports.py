"""Exports: results as one file, with its progress reported to the browser."""

from __future__ import annotations

import asyncio
import json
import logging
import tempfile
import threading
import zipfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from gradio.utils import get_upload_folder
from pydantic import Field, TypeAdapter, ValidationError

from wan_client import WanError
from wan_client.export import Destination, Paper, bundle, page, sheet, stem, video_available, wipe

from .items import EXPORTED_MAX, KEY_CHARACTERS_MAX
from .programme import write_programme

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from typing import IO

    from studio.i18n.texts import Texts
    from studio.uploads import DiskSpace

    from .items import Items, StageItem

log = logging.getLogger(__name__)

Kind = Literal["page", "pdf", "png", "webp", "gif", "mp4", "zip", "programme"]
# Drawing takes a processor and memory, so few are made at once, and a few more may wait.
AT_ONCE, WAITING_MAX, OF_A_VISITOR = 2, 20, 3
BEAT_SECONDS = 0.25
CHUNK_BYTES = 1 << 18
# Reserved on the disk for an export; none needs as much.
ROOM_BYTES = 1_000_000_000
_TYPES = {
    "html": "text/html",
    "pdf": "application/pdf",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "mp4": "video/mp4",
    "zip": "application/zip",
}
_WHEN = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class ExportRequest:
    """The export that a browser asks for.

    Attributes:
        keys: The results, in this order.
        kind: What is made of them.
        recipe: Whether it carries the recipes and the runs' ids.
        paper: The size of a page of a sheet.
        place: Where a wipe goes.
    """

    keys: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=KEY_CHARACTERS_MAX)], ...],
        Field(min_length=1, max_length=EXPORTED_MAX),
    ]
    kind: Kind
    recipe: bool = False
    paper: Paper = Paper.A4
    place: Destination = Destination.CHAT


_EXPORT_REQUEST = TypeAdapter(ExportRequest)


def parse_request(body: bytes) -> ExportRequest | None:
    """Parse a request's body; None where it is malformed."""
    try:
        return _EXPORT_REQUEST.validate_json(body)
    except ValidationError:
        return None


class _ClientGone(Exception):  # no error: it ends the work
    """The client has disconnected, so nobody waits for the file."""


class Exports:
    """Makes files of results, a few at once.

    Attributes:
        kinds: What can be made on this machine.

    Args:
        items: Finds the results.
        disk_space: The space on the disk.
        local: Whether only people at this machine open the page: a programme is for them.
    """

    def __init__(self, items: Items, disk_space: DiskSpace, *, local: bool) -> None:
        self._items = items
        self._disk_space = disk_space
        video: tuple[Kind, ...] = ("mp4",) if video_available() else ()
        own: tuple[Kind, ...] = ("programme",) if local else ()
        self.kinds: tuple[Kind, ...] = ("page", "png", "pdf", "webp", "gif", *video, "zip", *own)
        # A pool of its own, so that exports never block the page's handlers.
        self._threads = ThreadPoolExecutor(AT_ONCE, "export")
        self._waiting: Counter[str] = Counter()

    def is_full(self, visitor: str) -> bool:
        """Return whether too many files are being made already, of all visitors or of this one."""
        return sum(self._waiting.values()) >= AT_ONCE + WAITING_MAX or self._waiting[visitor] >= OF_A_VISITOR

    async def make(self, wanted: ExportRequest, texts: Texts, visitor: str) -> AsyncIterator[bytes]:
        """Yield lines of JSON with the progress, one with the file's name or the problem, then the file.

        A client that stops reading ends the work at its next step.

        Args:
            wanted: What is made.
            texts: The visitor's language.
            visitor: The visitor whose export it is, by the name that runs are counted under.
        """
        share, client_gone = [0.0], threading.Event()

        def report(done: float) -> None:
            if client_gone.is_set():
                raise _ClientGone
            share[0] = done

        with await asyncio.to_thread(_temporary) as file:
            self._waiting[visitor] += 1
            work = asyncio.get_running_loop().run_in_executor(self._threads, self._write, wanted, texts, file, report)
            work.add_done_callback(partial(self._done, visitor))
            try:
                while not work.done():
                    yield _line(share=round(share[0], 3))
                    await asyncio.wait([work], timeout=BEAT_SECONDS)
                name, suffix = work.result()
            except WanError as problem:
                yield _line(problem=" ".join(texts.error(problem.code, **problem.values)))
                return
            except Exception:
                log.exception("an export of %s results as %s", len(wanted.keys), wanted.kind)
                yield _line(problem=texts("take.failed"))
                return
            finally:
                client_gone.set()
                if not work.done():
                    # The thread may write to the file until its next step.
                    await asyncio.shield(asyncio.wait([work]))
            size = file.tell()
            file.seek(0)
            yield _line(name=f"{name}.{suffix}", type=_TYPES[suffix], size=size)
            while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
                yield chunk

    def close(self) -> None:
        """Start no more exports."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _done(self, visitor: str, work: asyncio.Future[tuple[str, str]]) -> None:
        self._waiting -= Counter([visitor])
        if not work.cancelled():
            work.exception()  # retrieved, so that asyncio does not log it where nobody waits

    def _write(
        self, wanted: ExportRequest, texts: Texts, file: IO[bytes], report: Callable[[float], None]
    ) -> tuple[str, str]:
        """Write the file; return its name, and its suffix."""
        report(0.0)
        found = self._items.all(wanted.keys)
        if len(found) < len(set(wanted.keys)):
            raise WanError("stage_gone")
        with self._disk_space.reserved(ROOM_BYTES):
            self._disk_space.check()
            return _written(found, wanted, texts.language, file, report)


def _written(
    found: Sequence[StageItem], wanted: ExportRequest, language: str, file: IO[bytes], report: Callable[[float], None]
) -> tuple[str, str]:
    items = [item.export() for item in found]
    name, options = stem(items), {"language": language, "with_recipe": wanted.recipe}
    if wanted.kind == "programme":
        write_programme(found, file, with_recipe=wanted.recipe)
        return f"{name}_programme", "zip"
    if wanted.kind == "zip":
        bundle(items, file, paper=wanted.paper, destination=wanted.place, on_progress=report, **options)  # type: ignore[arg-type]
        return name, "zip"
    if wanted.kind == "page":
        file.write(page(items, on_progress=report, **options))  # type: ignore[arg-type]
        return name, "html"
    if wanted.kind in {"pdf", "png"}:
        sheets = sheet(items, wanted.kind, paper=wanted.paper, on_progress=report, **options)  # type: ignore[arg-type]
        return name, _one_or_many(file, name, sheets, wanted.kind)
    with_before = [item for item in items if item.before is not None]
    if not with_before:
        raise WanError("stage_no_before")
    loops = []
    for number, item in enumerate(with_before, 1):
        loops.append(wipe(item, wanted.kind, destination=wanted.place, number=number, **options))  # type: ignore[arg-type]
        report(number / len(with_before))
    return name, _one_or_many(file, name, loops, wanted.kind)


def _one_or_many(file: IO[bytes], name: str, files: Sequence[bytes], suffix: str) -> str:
    """Write one file as it is, several as a ZIP; return the suffix of what was written."""
    if len(files) == 1:
        file.write(files[0])
        return suffix
    with zipfile.ZipFile(file, "w") as archive:
        for number, data in enumerate(files, 1):
            archive.writestr(zipfile.ZipInfo(f"{name}-{number:02}.{suffix}", _WHEN), data)
    return "zip"


def _temporary() -> IO[bytes]:
    """Open a temporary file without a name in the upload folder."""
    folder = Path(get_upload_folder())
    folder.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryFile(dir=folder)


def _line(**values: object) -> bytes:
    return json.dumps(values).encode() + b"\n"
