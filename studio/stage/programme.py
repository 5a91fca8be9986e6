"""A programme: prepared edits for a show, with their finished results where there are any.

It is a JSON file, a folder with ``programme.json`` or with recipe pictures in it, or a ZIP (see `write_programme`):

    {"title": "Launch", "edits": [{"prompt": "Make it a pencil sketch", "images": ["cat.jpg"], "result": "cat.png"}]}

It names files in its own folder and nothing else: no ``..``, no links, no addresses. All files are read once, as the
page starts, and nothing is sent anywhere.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import tempfile
import weakref
import zipfile
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

from gradio.utils import get_upload_folder
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, TypeAdapter, ValidationError

from studio.prompt.form import Form
from studio.uploads import UPLOAD_PREFIX
from wan_client import Backend, ImageSize, SettingsError, WanError
from wan_client.export import ExportItem
from wan_client.export.item import pictures_of
from wan_client.recipe import read, to_png
from wan_client.schema import (
    DEFAULT_NEGATIVE_PROMPT,
    DEFAULT_PROMPT_EXTEND,
    DEFAULT_SEED,
    IMAGES_MAX,
    IMAGES_MIN,
    SEED_MAX,
    SEED_MIN,
    check_negative_prompt,
    check_prompt,
)

from .items import PREPARED, StageItem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import IO

    from studio.i18n.texts import Texts

NAME = "programme.json"
EDITS_MAX = 40
FILE_BYTES_MAX = 1_000_000
PICTURE_BYTES_MAX = 40_000_000
ALL_BYTES_MAX = 600_000_000
NAME_CHARACTERS_MAX = 200
TITLE_CHARACTERS_MAX = 200
FAULTS_MAX = 20
AHEAD_MAX = 100
SECONDS_MAX = 3600.0
_SUFFIXES = {b"\x89P": ".png", b"\xff\xd8": ".jpg", b"RI": ".webp"}
_BEFORE_SUFFIXES = {**_SUFFIXES, b"BM": ".bmp"}


def _inside(name: str) -> str:
    """Check that a name is of a file below the programme's folder, on any system.

    Raises:
        ValueError: It might be of a file elsewhere.
    """
    parts = name.split("/")
    if any(char in name for char in "\\:\0") or any(part in {"", ".", ".."} for part in parts):
        raise ValueError("outside the programme's folder")
    return name


Name = Annotated[str, StringConstraints(min_length=1, max_length=NAME_CHARACTERS_MAX), AfterValidator(_inside)]


def _size(given: Any) -> ImageSize:
    return ImageSize.parse(given) if isinstance(given, str) else given


@dataclass(frozen=True)
class Edit:
    """One prepared edit, as in the file."""

    prompt: Annotated[str, AfterValidator(check_prompt)]
    images: Annotated[tuple[Name, ...], Field(min_length=IMAGES_MIN, max_length=IMAGES_MAX)]
    negative_prompt: Annotated[str, AfterValidator(check_negative_prompt)] = DEFAULT_NEGATIVE_PROMPT
    image_size: Annotated[ImageSize, BeforeValidator(_size)] = ImageSize.SQUARE
    seed: Annotated[int, Field(ge=SEED_MIN, le=SEED_MAX)] = DEFAULT_SEED
    prompt_extend: bool = DEFAULT_PROMPT_EXTEND
    result: Name | None = None


@dataclass(frozen=True)
class Rehearsal:
    """What the sandbox shall play, where it is the engine.

    Attributes:
        faults: What goes wrong, as the sandbox's own ``NAME[*count][:rate][@after]``.
        ahead: Jobs that are waiting ahead of each run at the least.
        seconds: The shortest and the longest time that a run takes; None for the sandbox's own.
    """

    faults: Annotated[tuple[Annotated[str, StringConstraints(max_length=100)], ...], Field(max_length=FAULTS_MAX)] = ()
    ahead: Annotated[int, Field(ge=0, le=AHEAD_MAX)] = 0
    seconds: tuple[Annotated[float, Field(ge=0, le=SECONDS_MAX)], Annotated[float, Field(le=SECONDS_MAX)]] | None = None


@dataclass(frozen=True)
class _File:
    edits: Annotated[tuple[Edit, ...], Field(min_length=1, max_length=EDITS_MAX)]
    title: Annotated[str, StringConstraints(max_length=TITLE_CHARACTERS_MAX)] = ""
    rehearse: Rehearsal = Rehearsal()
    version: Literal[1] = 1


_FILE = TypeAdapter(_File)


class _Source(Protocol):
    """The source of a programme's files."""

    def read(self, name: str, most: int) -> bytes:
        """Return a file.

        Raises:
            OSError: There is none, it is too large, or it is no file of the folder itself.
        """

    def names(self) -> Iterator[str]:
        """Yield the names of the files at the top."""


class _Folder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def read(self, name: str, most: int) -> bytes:
        file = self._folder.joinpath(*PurePosixPath(name).parts)
        # Refuse links, which may lead out of the folder, and pipes and devices, which may never end.
        if file.resolve(strict=True) != file or not stat.S_ISREG(file.lstat().st_mode):
            raise OSError(name)
        with file.open("rb") as opened:
            return _read_bounded(opened, name, most)

    def names(self) -> Iterator[str]:
        yield from sorted(file.name for file in self._folder.iterdir() if file.is_file() and not file.is_symlink())


class _Zip:
    def __init__(self, file: Path) -> None:
        self._archive = zipfile.ZipFile(file)

    def read(self, name: str, most: int) -> bytes:
        try:
            with self._archive.open(name) as opened:
                return _read_bounded(opened, name, most)
        except (KeyError, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as problem:
            raise OSError(name) from problem

    def names(self) -> Iterator[str]:
        yield from ()


def _read_bounded(opened: Any, name: str, most: int) -> bytes:
    data: bytes = opened.read(most + 1)
    if len(data) > most:
        raise OSError(name)
    return data


@dataclass(frozen=True)
class _Card:
    """An edit with its files, copied to where the page serves them from."""

    form: Form
    item: StageItem | None


class Programme:
    """An opened programme. Its files are copies, so that a show does not depend on a USB stick that may be removed.

    Attributes:
        title: What the show is called; may be empty.
        rehearse: What the sandbox shall play.

    Args:
        path: The file, folder or ZIP.

    Raises:
        SettingsError: It can't be used; the error names the file or the place in it.
    """

    def __init__(self, path: Path) -> None:
        self._own = Path(tempfile.mkdtemp(prefix="wan-programme-"))
        weakref.finalize(self, shutil.rmtree, self._own, ignore_errors=True)
        self._secret = os.urandom(16)
        self._left = ALL_BYTES_MAX
        source, described = _opened(path)
        self.title, self.rehearse = described.title, described.rehearse
        self._cards = [self._card(source, number, edit) for number, edit in enumerate(described.edits)]

    def __len__(self) -> int:
        return len(self._cards)

    def forms(self) -> list[Form]:
        """Return the edits in their order, with the paths of this programme's copies."""
        return [card.form for card in self._cards]

    def prepared(self, number: str) -> StageItem | None:
        """Return the finished result of an edit, named by its number; None where there is none."""
        card = self._numbered(number)
        return card.item if card else None

    def file(self, number: str, name: str) -> Path | None:
        """Return one of an edit's files by its role: ``before``, ``after`` or ``image-1``."""
        if (card := self._numbered(number)) is None:
            return None
        files: dict[str, Path | None] = {
            f"image-{place}": Path(slot) for place, slot in enumerate(card.form.slots, 1) if slot
        }
        if card.item:
            files |= {"after": card.item.after, "before": card.item.before}
        return files.get(name)

    def uploaded(self, number: str, session: str) -> Form | None:
        """Return an edit with its pictures as if a page had uploaded them, so that the page can run it.

        The same page gets the same files again, so that a form that is sent twice starts one run.

        Args:
            number: The edit's number.
            session: Names the page.
        """
        if (card := self._numbered(number)) is None:
            return None
        name = sha256(self._secret + f"{session} {number}".encode()).hexdigest()[:32]
        folder = Path(get_upload_folder()) / f"{UPLOAD_PREFIX}{name}"
        folder.mkdir(parents=True, exist_ok=True)
        copied = {}
        for place, slot in enumerate(card.form.slots, 1):
            if slot:
                file = folder / Path(slot).name
                if not file.is_file():
                    shutil.copyfile(slot, file)
                copied[f"image_{place}"] = str(file)
        return replace(card.form, **copied)  # type: ignore[arg-type]  # the keys are the slots' names

    def cards(self, texts: Texts) -> list[dict[str, Any]]:
        """Return what the browser needs to present the edits, in their order."""
        cards = []
        for number, card in enumerate(self._cards):
            width, height = card.item.size if card.item else ImageSize.parse(card.form.image_size).pixels
            shown = card.item.card(texts) if card.item else {"facts": "", "marks": [], "after": None}
            before = shown.get("before") or f"stage/programme/{number}/image-1"
            named = {"key": f"{PREPARED}{number}", "number": number, "prompt": card.form.prompt, "before": before}
            cards.append({**shown, **named, "width": width, "height": height})
        return cards

    def _numbered(self, number: str) -> _Card | None:
        if not (number.isascii() and number.isdecimal() and len(number) <= 3 and int(number) < len(self._cards)):
            return None
        return self._cards[int(number)]

    def _card(self, source: _Source, number: int, edit: Edit) -> _Card:
        folder = self._own / str(number)
        folder.mkdir()
        slots = {}
        for place, name in enumerate(edit.images, 1):
            data = self._read(source, name)
            # Named by its number: the programme's own file names are not shown to others.
            file = folder / f"image-{place}{_SUFFIXES.get(data[:2], Path(name).suffix[:10])}"
            file.write_bytes(data)
            slots[f"image_{place}"] = str(file)
        form = Form(
            edit.prompt,
            negative_prompt=edit.negative_prompt,
            image_size=edit.image_size.value,
            seed=edit.seed,
            prompt_extend=edit.prompt_extend,
            **slots,
        )
        return _Card(form, self._result(source, number, form, edit.result) if edit.result else None)

    def _result(self, source: _Source, number: int, form: Form, name: str) -> StageItem:
        """Return the prepared result: its picture without metadata, and the picture from before in its frame."""
        after = self._read(source, name)
        recipe = read(after)
        if recipe:
            form = replace(form, prompt=recipe.prompt, seed=recipe.seed)
        folder = self._own / str(number)
        try:
            exported = ExportItem(to_png(after), form.prompt, Path(form.image_1 or "").read_bytes())
            if recipe:
                exported = replace(exported, engine=recipe.engine)
            pictures = pictures_of(exported, number + 1)
        except (WanError, OSError, ValueError) as problem:
            raise SettingsError("programme_file", file=name) from problem
        before = folder / f"before{_BEFORE_SUFFIXES.get((pictures.before or b'')[:2], '')}"
        before.write_bytes(pictures.before or b"")
        (folder / "after.png").write_bytes(pictures.after)
        return StageItem(
            key=f"{PREPARED}{number}",
            form=form,
            after=folder / "after.png",
            before=before,
            after_url=f"stage/programme/{number}/after",
            before_url=f"stage/programme/{number}/before",
            size=pictures.size,
            sandbox=exported.preview or bool(recipe and recipe.engine is Backend.SANDBOX),
            created=recipe.created if recipe else None,
            recipe=recipe,
            prepared=True,
        )

    def _read(self, source: _Source, name: str) -> bytes:
        try:
            data = source.read(name, min(PICTURE_BYTES_MAX, self._left))
        except (OSError, ValueError) as problem:
            raise SettingsError("programme_file", file=name) from problem
        self._left -= len(data)
        return data


def _opened(path: Path) -> tuple[_Source, _File]:
    """Open a programme: return the source of its files, and its content."""
    try:
        if path.is_dir():
            source: _Source = _Folder(path)
            text = source.read(NAME, FILE_BYTES_MAX) if (path / NAME).exists() else _programme_of_recipes(source)
        elif zipfile.is_zipfile(path):
            source = _Zip(path)
            text = source.read(NAME, FILE_BYTES_MAX)
        else:
            source = _Folder(path.parent)
            with path.open("rb") as opened:
                text = _read_bounded(opened, path.name, FILE_BYTES_MAX)
    except (OSError, zipfile.BadZipFile) as problem:
        raise SettingsError("programme_missing", file=path.name) from problem
    try:
        return source, _FILE.validate_json(text)
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(str(part + 1 if isinstance(part, int) else part) for part in first["loc"]) or "1"
        raise SettingsError("programme_malformed", file=path.name, place=place) from None


def _programme_of_recipes(source: _Source) -> bytes:
    """Make a programme of a folder's recipe pictures, in the order of their names."""
    recipes, prints = [], {}
    for name in source.names():
        with suppress(OSError):
            data = source.read(name, PICTURE_BYTES_MAX)
            prints[sha256(data).hexdigest()] = name
            if found := read(data):
                recipes.append((name, found))
    edits = [
        {
            "prompt": found.prompt,
            "negative_prompt": found.negative_prompt,
            "images": [prints[print_] for print_ in found.references],
            "image_size": found.image_size.value,
            "seed": found.seed,
            "prompt_extend": found.prompt_extend,
            "result": name,
        }
        for name, found in recipes
        if all(print_ in prints for print_ in found.references)
    ]
    return json.dumps({"edits": edits}).encode()


def write_programme(items: Sequence[StageItem], file: IO[bytes], *, with_recipe: bool) -> None:
    """Write a programme of these results into an open file: a ZIP that `Programme` opens.

    Args:
        items: The results, in this order.
        file: The file to write to.
        with_recipe: Whether the results carry their recipes.

    Raises:
        WanError: A file is gone.
    """
    edits = []
    with zipfile.ZipFile(file, "w") as archive:

        def add(name: str, data: bytes) -> str:
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
            return name

        for number, item in enumerate(items, 1):
            pictures = pictures_of(replace(item.export(), before=None), number, with_recipe=with_recipe)
            images = []
            for place, slot in enumerate(filter(None, item.form.slots), 1):
                try:
                    data = Path(slot).read_bytes()
                except OSError as problem:
                    raise WanError("stage_gone") from problem
                images.append(add(f"{number:02}-image-{place}{_SUFFIXES.get(data[:2], Path(slot).suffix)}", data))
            edits.append(
                {
                    "prompt": item.form.prompt,
                    "images": images,
                    "negative_prompt": item.form.negative_prompt or "",
                    "image_size": item.form.image_size,
                    "seed": int(item.form.seed or 0),
                    "prompt_extend": item.form.prompt_extend,
                    "result": add(f"{number:02}-result.png", pictures.after),
                }
            )
        add(NAME, json.dumps({"version": 1, "edits": edits}, ensure_ascii=False, indent=2).encode())
