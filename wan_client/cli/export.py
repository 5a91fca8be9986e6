"""The commands ``page``, ``sheet``, ``wipe`` and ``bundle``: finished pictures with recipes → files to share."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from wan_client import export, images
from wan_client.errors import ExportError, ImageError
from wan_client.export import Destination, ExportItem, Paper, WipeFormat
from wan_client.files import part_beside
from wan_client.messages import MESSAGES
from wan_client.recipe import fingerprint, read

from .main import HELP, Parser

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from .console import Console

# The first is the one that is written where no file is named.
SUFFIXES = {
    "page": (".html",),
    "sheet": (".pdf", ".png"),
    "wipe": tuple(f".{kind.value}" for kind in WipeFormat),
    "bundle": (".zip",),
}
# How many pictures beside a result are searched for the one that it was made from.
CANDIDATES_MAX = 500
_PICTURE_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif"}


def work(command: str, arguments: argparse.Namespace, console: Console) -> None:
    """Write the files of the command."""
    items = _items(arguments, console)
    paths = _write(command, items, arguments, console)
    preview = any(item.preview for item in items)
    if preview:
        console.info(MESSAGES["cli.export.preview"])
    values = {
        "paths": [str(path) for path in paths],
        "preview": preview,
        "before": [bool(item.before) for item in items],
    }
    console.result([str(path) for path in paths], values)


def _items(arguments: argparse.Namespace, console: Console) -> list[ExportItem]:
    files, given = arguments.files, arguments.before
    if len(given) not in {0, 1, len(files)}:
        raise ExportError("export_befores", given=len(given), count=len(files))
    befores = given * len(files) if len(given) == 1 else given or [None] * len(files)
    items = []
    for number, (file, before) in enumerate(zip(files, befores, strict=True), 1):
        images.size_of(file, number=number)  # refuses what can't be opened
        recipe = read(file)
        if recipe is None:
            raise ExportError("export_no_recipe", number=number, file=file.name)
        if before is None:
            before = _find_original(file, recipe.references[0])  # noqa: PLW2901  # it stands in for what was not given
            if before is None:
                console.error(MESSAGES["cli.export.no_before"].format(file=file.name))
        else:
            images.size_of(before, number=number)
        items.append(ExportItem.of(recipe, _content(file, number), before and _content(before, number)))
    return items


def _find_original(file: Path, original_hash: str) -> Path | None:
    """Return the picture beside a result that it was made from, by its fingerprint; None if there is none."""
    try:
        beside = sorted(path for path in file.absolute().parent.iterdir() if path.suffix.lower() in _PICTURE_SUFFIXES)
        for path in beside[:CANDIDATES_MAX]:
            small = path.is_file() and path.stat().st_size <= images.FILE_MEGABYTES_MAX * 1_000_000
            if small and fingerprint(path) == original_hash:
                return path
    except OSError:
        pass
    return None


def _content(file: Path, number: int) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        raise ImageError("image_missing_file", field="images", number=number, file=file.name) from None


def _write(command: str, items: list[ExportItem], arguments: argparse.Namespace, console: Console) -> list[Path]:
    out, named = _target(command, items, arguments), arguments.out is not None
    kind = out.suffix.lower()[1:]

    def show(share: float) -> None:
        console.show_share(share, MESSAGES["cli.export.running"])

    options = {"language": arguments.language, "with_recipe": arguments.with_recipe}
    if command == "wipe":
        contents = []
        for number, item in enumerate(items, 1):
            contents.append(export.wipe(item, kind, destination=arguments.destination, number=number, **options))
            show(number / len(items))
        return _write_all(out, contents, named=named)
    options |= {"title": arguments.title, "on_progress": show}
    if command == "page":
        return _write_all(out, [export.page(items, **options)], named=named)
    if command == "sheet":
        return _write_all(out, export.sheet(items, kind, paper=arguments.paper, **options), named=named)
    options |= {"paper": arguments.paper, "destination": arguments.destination}
    with _complete_file(out, named=named) as stream:
        export.bundle(items, stream, **options)
    return [out]


def _target(command: str, items: list[ExportItem], arguments: argparse.Namespace) -> Path:
    """Return the file to write: the one given, if its suffix fits and it is no source, or else a free name."""
    suffixes = SUFFIXES[command]
    if arguments.out is None:
        stem, count = export.stem(items), 1
        out = Path(stem + suffixes[0])
        while out.exists() or _numbered(out, 1).exists():
            count += 1
            out = Path(f"{stem}_{count}{suffixes[0]}")
        return out
    out = arguments.out
    if out.suffix.lower() not in suffixes:
        raise ExportError("export_suffix", file=out.name, choices=", ".join(suffixes))
    if any(out.absolute() == source.absolute() for source in [*arguments.files, *arguments.before]):
        raise ExportError("export_exists", file=out.name)
    return Path(out)


def _write_all(out: Path, contents: list[bytes], *, named: bool) -> list[Path]:
    """Write one file, or several with numbers added to their names. Numbered files are never overwritten."""
    several = len(contents) > 1
    paths = [_numbered(out, number) if several else out for number in range(1, len(contents) + 1)]
    if several and (there := next((path for path in paths if path.exists()), None)):
        raise ExportError("export_exists", file=there.name)
    for path, content in zip(paths, contents, strict=True):
        with _complete_file(path, named=named and not several) as stream:
            stream.write(content)
    return paths


def _numbered(out: Path, number: int) -> Path:
    return out.with_name(f"{out.stem}-{number:02}{out.suffix}")


@contextmanager
def _complete_file(path: Path, *, named: bool) -> Iterator[BinaryIO]:
    """Open a file that is afterwards either complete or absent. Unless the user named it, it must not exist yet."""
    reserved = False
    try:
        if not named:
            path.touch(exist_ok=False)
            reserved = True
        with part_beside(path) as part:
            with part.open("wb") as stream:
                yield stream
            part.replace(path)
        reserved = False
    except FileExistsError:
        raise ExportError("export_exists", file=path.name) from None
    except OSError as problem:
        raise ExportError("export_not_writable", file=path.name) from problem
    finally:
        if reserved:
            path.unlink(missing_ok=True)


def make_parser(command: str) -> Parser:
    """Return the parser of the command's arguments."""
    parser = Parser(prog=f"wan_client {command}", description=HELP[f"export_{command}"])
    parser.add_argument("files", nargs="+", type=Path, metavar="file", help=HELP["export_files"])
    out = HELP["export_out"].format(suffixes=", ".join(SUFFIXES[command]))
    parser.add_argument("-o", "--out", type=Path, help=out)
    parser.add_argument("--before", type=Path, action="append", default=[], help=HELP["export_before"])
    parser.add_argument("--with-recipe", action="store_true", help=HELP["export_with_recipe"])
    parser.add_argument("--language", choices=export.LANGUAGES, default="en", help=HELP["export_language"])
    if command != "wipe":
        parser.add_argument("--title", help=HELP["export_title"])
    if command in {"sheet", "bundle"}:
        parser.add_argument(
            "--paper", choices=[paper.value for paper in Paper], default=Paper.A4.value, help=HELP["export_paper"]
        )
    if command in {"wipe", "bundle"}:
        places = [place.value for place in Destination]
        parser.add_argument("--for", dest="destination", choices=places, default=places[0], help=HELP["export_for"])
    return parser
