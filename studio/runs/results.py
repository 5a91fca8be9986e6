"""Outcomes of runs, kept in the runs' folders so that they outlive the server's memory."""

from __future__ import annotations

import io
import logging
from collections.abc import Mapping  # noqa: TC003  # pydantic reads the annotations
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from PIL import Image
from pydantic import TypeAdapter, ValidationError

from studio.uploads import picture_folder, read_record, run_file, served_folder, write_record
from wan_client import Change, Charged, WanError
from wan_client.provenance import PREVIEW_NAME
from wan_client.recipe import write_copies

from .before_picture import before_number, framed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from wan_client import PreparedImage, Result
    from wan_client.recipe import Recipe

log = logging.getLogger(__name__)

RECORD = "outcome.json"
PROBLEM = "problem.json"
THUMBNAIL_SIDE = 320


@dataclass(frozen=True)
class Sent:
    """A reference as it was sent: its file's name, and its size in pixels."""

    name: str
    width: int
    height: int


@dataclass(frozen=True)
class Outcome:
    """A finished run.

    Attributes:
        key: The run's key, which leads to its files.
        pictures: The names of the result's files in its picture folder; there is nearly always one.
        digest: The SHA-256 of the first, in hexadecimal.
        width: Of the first picture, in pixels.
        height: Of the first picture, in pixels.
        seconds: How long it took.
        cost: What the API says it cost, in USD; None where it does not say.
        changes: What was done to each reference before it was sent.
        extra: Keys of the API's reply that the protocol does not name.
        before: The name of the picture to compare the first with, in the same frame.
        before_image: Which of the references that is.
        thumbnail: The name of a small copy of the first.
        sent: The references as they were sent.
        recipe: The name of the copy with the recipe in it.
        clean: The name of the copy without any metadata.
        missing: How many pictures of the run could not be downloaded.
    """

    key: str
    pictures: tuple[str, ...]
    digest: str
    width: int
    height: int
    seconds: float
    cost: float | None = None
    changes: tuple[tuple[Change, ...], ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    before: str | None = None
    before_image: int = 1
    thumbnail: str | None = None
    sent: tuple[Sent, ...] = ()
    recipe: str | None = None
    clean: str | None = None
    missing: int = 0

    @property
    def bytes_in(self) -> int:
        """The size of the references as they were sent."""
        return _size(self.sent_file(number) for number in range(1, len(self.sent) + 1))

    @property
    def bytes_out(self) -> int:
        """The size of the pictures that came back."""
        return _size(picture_folder(self.key) / name for name in self.pictures)

    @property
    def path(self) -> Path:
        """The first picture's file."""
        return picture_folder(self.key) / self.pictures[0]

    @property
    def before_file(self) -> Path | None:
        """The picture to compare the first with."""
        return run_file(self.key, "before", self.before) if self.before else None

    @property
    def thumbnail_file(self) -> Path:
        """The small copy of the first picture, or the picture itself where there is none."""
        return run_file(self.key, "thumbnail", self.thumbnail) if self.thumbnail else self.path

    @property
    def recipe_file(self) -> Path | None:
        """The copy with the recipe in it."""
        return run_file(self.key, "recipe", self.recipe) if self.recipe else None

    @property
    def clean_file(self) -> Path | None:
        """The copy without any metadata."""
        return run_file(self.key, "clean", self.clean) if self.clean else None

    def sent_file(self, number: int) -> Path:
        """Return the file of a reference as it was sent."""
        return run_file(self.key, f"sent-{number}", self.sent[number - 1].name)


def _size(files: Iterable[Path]) -> int:
    return sum(file.stat().st_size for file in files if file.is_file())


_OUTCOME = TypeAdapter(Outcome)


def keep(result: Result, key: str, images: Sequence[PreparedImage], recipe: Recipe, name: str = "") -> Outcome:
    """Draw what the page shows beside the result, and record the outcome.

    The picture was paid for, so where a drawing fails the result is shown without it.

    Args:
        result: The run's result; its files lie in the run's picture folder.
        key: The run's key.
        images: The references as they were sent, where they are still there.
        recipe: What made the picture.
        name: What the picture's file shall be called, without a suffix; as the API calls it if empty.

    Raises:
        OSError: The record can't be written, so nobody would find the result again.
    """
    size = result.width, result.height
    paths = [_renamed(path, name, number) for number, path in enumerate(result.paths, 1)] if name else result.paths
    picture = paths[0]
    with_recipe, clean = _copies(picture, key, recipe)
    sent = [
        Sent(file, image.width, image.height)
        for number, image in enumerate(images, 1)
        if (file := _kept(_place(key, f"sent-{number}", _suffix(image)), image.data))
    ]
    outcome = Outcome(
        key=key,
        pictures=tuple(path.name for path in paths),
        digest=sha256(picture.read_bytes()).hexdigest(),
        width=result.width,
        height=result.height,
        seconds=result.seconds,
        cost=result.cost,
        changes=tuple(image.changes for image in images),
        extra=dict(result.extra),
        before=_drawn(_place(key, "before", ".jpg"), lambda: framed(images, size, result.extra)) if images else None,
        before_image=before_number(result.extra, len(images)),
        thumbnail=_drawn(_place(key, "thumbnail", ".jpg"), lambda: _thumbnail(picture)),
        sent=tuple(sent) if len(sent) == len(images) else (),
        recipe=with_recipe,
        clean=clean,
        missing=len(result.missing),
    )
    write_record(key, RECORD, _OUTCOME.dump_json(replace(outcome, key="")))
    return outcome


def load(key: str) -> Outcome | None:
    """Read the outcome of a run; None where there is none, or its files are gone."""
    try:
        outcome = replace(_OUTCOME.validate_json(read_record(key, RECORD)), key=key)
    except (OSError, ValidationError):
        return None
    return outcome if outcome.path.is_file() else None


@dataclass(frozen=True)
class _Problem:
    """The problem of a failed run, as it is kept."""

    code: str
    charged: Charged
    request_id: str | None
    cost: float | None
    values: Mapping[str, int | float | str]


_PROBLEM = TypeAdapter(_Problem)


def keep_problem(key: str, problem: WanError) -> None:
    """Record the problem of a failed run. Where that can't be written, its outcome counts as unknown."""
    values = {name: value if isinstance(value, int | float) else str(value) for name, value in problem.values.items()}
    kept = _Problem(problem.code, problem.charged, problem.request_id, problem.cost, values)
    try:
        write_record(key, PROBLEM, _PROBLEM.dump_json(kept))
    except OSError:
        log.exception("what became of a run could not be kept")


def load_problem(key: str) -> WanError | None:
    """Read the problem of a failed run; None where that is not known."""
    try:
        kept = _PROBLEM.validate_json(read_record(key, PROBLEM))
    except (OSError, ValidationError):
        return None
    problem = WanError(kept.code, charged=kept.charged, request_id=kept.request_id, **kept.values)  # type: ignore[arg-type]
    problem.cost = kept.cost
    return problem


def _renamed(path: Path, name: str, number: int) -> Path:
    """Rename a file if possible, and return where it is."""
    try:
        return _moved(path, path.with_name(f"{name}-{number}{path.suffix}" if number > 1 else f"{name}{path.suffix}"))
    except OSError:
        log.exception("a result could not be renamed")
        return path


def _moved(path: Path, target: Path) -> Path:
    """Move a file, unless another server that watches the same run has just done so."""
    try:
        return path.replace(target)
    except FileNotFoundError:
        if target.is_file():
            return target
        raise


def _copies(picture: Path, key: str, recipe: Recipe) -> tuple[str, str] | tuple[None, None]:
    try:
        with_recipe, clean = write_copies(picture, recipe)
        # The other files' names are made of the prompt; this copy's name says nothing.
        preview = PREVIEW_NAME in clean.name
        names = {"recipe": with_recipe.name, "clean": f"{PREVIEW_NAME if preview else 'picture'}.clean.png"}
        for copy, (kind, name) in zip((with_recipe, clean), names.items(), strict=True):
            _moved(copy, _made(served_folder(key, kind)) / name)
    except (OSError, ValueError):
        log.exception("the copies could not be written")
        return None, None
    return names["recipe"], names["clean"]


def _place(key: str, kind: str, suffix: str) -> Path:
    return served_folder(key, kind) / f"{kind}{suffix}"


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _suffix(image: PreparedImage) -> str:
    return f".{image.media_type.partition('/')[2]}"


def _thumbnail(picture: Path) -> bytes:
    with Image.open(picture) as opened:
        opened.draft("RGB", (THUMBNAIL_SIDE, THUMBNAIL_SIDE))
        small = opened.convert("RGB")
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def _drawn(file: Path, draw: Callable[[], bytes]) -> str | None:
    """Draw a file and return its name; None where drawing fails."""
    try:
        return _kept(file, draw())
    except Exception:
        log.exception("%s could not be drawn", file.stem)
        return None


def _kept(file: Path, data: bytes) -> str | None:
    try:
        _made(file.parent)
        file.write_bytes(data)
    except OSError:
        log.exception("%s could not be kept", file.stem)
        return None
    return file.name
