"""A table, JSON Lines or a folder of pictures → the rows of a batch, each checked before anything is sent."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from wan_client import hosting, images, outputs
from wan_client.errors import InvalidRequest, WanError
from wan_client.schema import IMAGES_MAX, SEED_MAX, EditRequest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    RowValues: TypeAlias = "dict[str, Any] | WanError"

IMAGE_COLUMNS = tuple(f"image_{number}" for number in range(1, IMAGES_MAX + 1))
OPTION_COLUMNS = ("negative_prompt", "image_size", "seed", "prompt_extend")
COLUMNS = ("prompt", *IMAGE_COLUMNS, *OPTION_COLUMNS, "out")

_PICTURE_SUFFIXES = {
    ".jpg", ".jpeg", ".png", ".webp", ".avif", ".heic", ".heif", ".bmp", ".tif", ".tiff", ".gif", ".mpo",
}  # fmt: skip
_YES_OR_NO = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_CELL_MAX = 2**31 - 1
_SHOWN_MAX = 60
# Python 3.10 can't read a table with a NUL in it, so this noncharacter takes its place.
_NUL_IN_TABLE = "\ufffe"
_SEPARATOR_LINE = re.compile(r'"?sep=([,;\t|])"?', re.IGNORECASE)
_NOT_UTF8 = re.compile("[\udc80-\udcff]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class BatchRow:
    """One row that can be sent.

    Attributes:
        name: Its name in messages: the list's name and line, or the picture's name.
        values: The columns as given.
        request: What to do.
        out: The file to write; None for a name of the API's making.
        named: Whether the list gives that name, so that a file of that very name is replaced.
        key: Its key in the manifest, wherever it stands in the list.
    """

    name: str
    values: Mapping[str, Any]
    request: EditRequest
    out: Path | None
    named: bool
    key: str


def read(source: Path, folder: Path, defaults: Mapping[str, Any]) -> list[BatchRow]:
    """Return the rows of a list, all of them usable. Nothing is written.

    Args:
        source: A CSV or JSON Lines file with the columns `COLUMNS`, its pictures relative to it; or a folder of
            pictures, each a row of its own.
        folder: Where results go.
        defaults: What stands where a row leaves a column out.

    Raises:
        InvalidRequest: The list can't be read or is empty, or rows can't be used: ``values["problems"]`` has the
            name of each and its error.
    """
    is_folder = source.is_dir()
    if is_folder and not defaults.get("prompt"):
        raise InvalidRequest("prompt_missing", field="prompt")
    base = source if is_folder else source.parent
    listed = list(_rows_of_folder(source) if is_folder else _rows_of_file(source))
    if not listed:
        raise InvalidRequest("batch_empty", field="rows", file=source.name)
    rows: list[BatchRow] = []
    problems: dict[str, WanError] = {}
    seen: Counter[str] = Counter()
    for name, values in listed:
        try:
            if isinstance(values, WanError):
                raise values
            request, out = _request(values, base, defaults), _target(values, folder)
        except WanError as problem:
            problems[name] = problem
            continue
        digest = _digest(request, out, folder)
        # The same row twice asks for two pictures.
        seen[digest] += 1
        rows.append(BatchRow(name, values, request, out, not is_folder, f"{digest}-{seen[digest]}"))
    problems |= _bad_targets(rows)
    if problems:
        found = [(name, problems[name]) for name, _ in listed if name in problems]
        raise InvalidRequest("rows_bad", field="rows", count=len(found), total=len(listed), problems=found)
    return rows


def seen_from(folder: Path, file: Path) -> str:
    """Return the file's path from the folder, so that both can move together."""
    try:
        return Path(os.path.relpath(file.resolve(), folder.resolve())).as_posix()
    except ValueError:  # another drive
        return str(file.resolve())


def json_object(text: str | bytes) -> dict[str, Any] | None:
    """Return a JSON object without its empty values; None where the text is none.

    Raises:
        InvalidRequest: It has a name twice.
    """
    try:
        value = json.loads(text, object_pairs_hook=_without_repeats)
    except InvalidRequest:
        raise
    except (ValueError, RecursionError):
        return None
    return {name: v for name, v in value.items() if v is not None} if isinstance(value, dict) else None


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    _check_once([name for name, _ in pairs])
    return dict(pairs)


def _check_once(names: Sequence[str]) -> None:
    if twice := [name for name, times in Counter(names).items() if name and times > 1]:
        raise InvalidRequest("column_twice", field="rows", given=twice[0])


def _rows_of_folder(source: Path) -> Iterator[tuple[str, RowValues]]:
    try:
        files = [
            f for f in sorted(source.iterdir()) if f.suffix.lower() in _PICTURE_SUFFIXES and not f.name.startswith(".")
        ]
    except OSError:
        raise InvalidRequest("batch_unreadable", field="rows", file=source.name) from None
    files = [file for file in files if not file.is_dir()]
    stems = Counter(_folded(file.stem) for file in files)
    names = Counter(_folded(_dotless_name(file)) for file in files)
    for file in files:
        out = file.stem if stems[_folded(file.stem)] == 1 else _dotless_name(file)
        if stems[_folded(file.stem)] > 1 and names[_folded(_dotless_name(file))] > 1:
            out = f"{out}_{sha256(os.fsencode(file.name)).hexdigest()[:6]}"
        # A name that is no UTF-8 has bytes in it that no text can hold.
        shown, out = (_NOT_UTF8.sub(lambda half: f"%{ord(half[0]) - 0xDC00:02X}", text) for text in (file.name, out))
        yield shown, {"image_1": file.name, "out": f"{out}.png"}


def _dotless_name(file: Path) -> str:
    return file.name.replace(".", "_")


def _rows_of_file(source: Path) -> Iterator[tuple[str, RowValues]]:
    if not source.is_file():  # a pipe or a device may never end
        raise InvalidRequest("batch_missing", field="rows", file=source.name)
    try:
        text = source.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise InvalidRequest("batch_unreadable", field="rows", file=source.name) from None
    table = source.suffix.lower() in {".csv", ".tsv"}
    for line, row in _rows_of_table(text) if table else _rows_of_lines(text):
        yield f"{source.name}:{line}", row if isinstance(row, WanError) else _problem_of(row) or row


def _problem_of(row: Mapping[str, Any]) -> WanError | None:
    """Return what makes a row unusable before its values are parsed; None if nothing does."""
    for name, value in row.items():
        if name not in COLUMNS:
            return InvalidRequest("column_unknown", field="rows", given=name[:_SHOWN_MAX], choices=", ".join(COLUMNS))
        if isinstance(value, str) and ("\0" in value or _NUL_IN_TABLE in value):
            return InvalidRequest("text_broken", field=name)
        # A lone surrogate stands for a byte of a file's name that is no UTF-8; elsewhere it is invalid.
        if isinstance(value, str) and _LONE_SURROGATE.search(value) and not _is_path(name, value):
            return InvalidRequest("text_broken", field=name)
    return None


def _is_path(column: str, value: str) -> bool:
    if column not in IMAGE_COLUMNS or hosting.is_address(value) or images.is_data_uri(value):
        return False
    try:
        os.fsencode(value)
    except UnicodeEncodeError:
        return False
    return True


def _rows_of_table(text: str) -> Iterator[tuple[int, RowValues]]:
    # Only these end a line here; others, such as U+2028, are characters of a cell.
    lines = iter(io.StringIO(text.replace("\0", _NUL_IN_TABLE), newline=""))
    header, before, delimiter = _header(lines)
    reader = csv.reader(chain([header], lines), delimiter=delimiter, strict=True)
    limit = csv.field_size_limit(_CELL_MAX)
    try:
        names = [name.strip() for name in next(reader, [])]
        _check_once(names)
        while True:
            line = before + reader.line_num + 1
            try:
                cells = next(reader)
            except csv.Error:  # such as a quote that is never closed
                yield line, InvalidRequest("row_malformed", field="rows")
                continue
            if any(cell.strip() for cell in cells[len(names) :]):
                yield line, InvalidRequest("row_malformed", field="rows")
            elif row := {name: cell for name, cell in zip(names, cells, strict=False) if cell.strip()}:
                yield line, row
    except StopIteration:
        return
    except csv.Error:
        raise InvalidRequest("header_malformed", field="rows") from None
    finally:
        csv.field_size_limit(limit)


def _header(lines: Iterator[str]) -> tuple[str, int, str]:
    """Return the line of the column names, how many lines are before it, and the delimiter."""
    separator = None
    for number, line in enumerate(lines):
        if found := _SEPARATOR_LINE.fullmatch(line.strip(" \r\n")):
            separator = found[1]
        elif line.strip():
            return line, number, separator or max(",;\t", key=line.count)
    return "", 0, ","


def _rows_of_lines(text: str) -> Iterator[tuple[int, RowValues]]:
    for line, words in enumerate(text.split("\n"), 1):
        if not words.strip():
            continue
        try:
            yield line, json_object(words) or InvalidRequest("row_malformed", field="rows")
        except InvalidRequest as problem:
            yield line, problem


def _request(row: Mapping[str, Any], base: Path, defaults: Mapping[str, Any]) -> EditRequest:
    values = {**defaults, **row}
    given = [values.get(name) for name in IMAGE_COLUMNS]
    while given and not given[-1]:
        given.pop()
    sources = [_source(source, number, base) for number, source in enumerate(given, 1)]
    options = {name: values[name] for name in OPTION_COLUMNS if name in values}
    if isinstance(seed := options.get("seed"), str) and seed.strip().isdecimal():
        # Python refuses to parse a number of thousands of digits.
        options["seed"] = int(seed) if len(seed.strip()) <= len(str(SEED_MAX)) else seed[:_SHOWN_MAX]
    if "prompt_extend" in options:
        options["prompt_extend"] = _yes_or_no(options["prompt_extend"])
    return EditRequest(values.get("prompt", ""), sources, **options)


def _yes_or_no(value: object) -> bool:
    found = _YES_OR_NO.get(str(value).strip().lower()) if isinstance(value, str | bool | int) else None
    if found is None:
        raise InvalidRequest("yes_or_no", field="prompt_extend", given=str(value)[:_SHOWN_MAX])
    return found


def _source(source: object, number: int, base: Path) -> str | Path:
    if not source:
        raise InvalidRequest("row_gap", field="images", number=number)
    if not isinstance(source, str):
        raise InvalidRequest("text_expected", field=f"image_{number}", given=type(source).__name__)
    if hosting.is_address(source):
        return hosting.check_address(source, number=number)
    picture = source if images.is_data_uri(source) else base / source.strip()
    images.size_of(picture, number=number)  # refuses what can't be opened
    return picture


def _target(row: Mapping[str, Any], folder: Path) -> Path | None:
    given = row.get("out")
    if not given:
        return None
    if not isinstance(given, str):
        raise InvalidRequest("text_expected", field="out", given=type(given).__name__)
    out = folder / given.strip()
    outputs.check_name(out)
    if not out.resolve().is_relative_to(folder.resolve()):
        raise InvalidRequest("row_out_outside", field="out", given=given[:_SHOWN_MAX])
    return out


def _bad_targets(rows: Sequence[BatchRow]) -> dict[str, WanError]:
    """Compare the files that all rows write with each other and with the pictures that all rows start from."""
    sources = {source for row in rows for source in row.request.images if isinstance(source, Path)}
    source_places = {_comparable(source) for source in sources}
    source_files = {file for source in sources if (file := _file_id(source))}
    places = [(row, row.out, _comparable(row.out)) for row in rows if row.out]
    folders = {outputs.without_suffix(parent) for _, _, place in places for parent in place.parents}
    taken: set[Path] = set()
    problems: dict[str, WanError] = {}
    for row, out, place in places:
        code = ""
        if place in source_places or _file_id(out) in source_files:
            code = "row_out_is_source"
        elif place in taken:
            code = "row_out_twice"
        elif place in folders:
            code = "row_out_is_folder"
        if code:
            problems[row.name] = InvalidRequest(code, field="out", given=out.name[:_SHOWN_MAX])
        taken.add(place)
    return problems


def _comparable(file: Path) -> Path:
    """Return a path by which targets are compared: resolved, without a picture's suffix.

    Names that differ in case or in composition alone count as one: some file systems take them for the same.
    """
    bare = outputs.without_suffix(file)
    return Path(_folded(str(bare.parent.resolve() / bare.name)))


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _file_id(file: Path) -> tuple[int, int] | None:
    """Return the identity of a file, the same under each of its names; None where there is no file."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _digest(request: EditRequest, out: Path | None, folder: Path) -> str:
    pictures = [seen_from(folder, s) if isinstance(s, Path) else str(s) for s in request.images]
    values = [request.body(pictures), out and seen_from(folder, out)]
    return sha256(json.dumps(values).encode()).hexdigest()[:16]
