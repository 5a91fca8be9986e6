"""Visitors' files: where they lie, and which paths a visitor may use."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from filecmp import cmp
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from gradio.utils import get_upload_folder

from studio.settings import has_own_folder
from wan_client import ImageError, WanError
from wan_client.files import write_whole
from wan_client.outputs import OUTPUT_BYTES_MAX
from wan_client.schema import IMAGES_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .prompt.form import Form

_ASSETS = Path(__file__).parent.parent / "assets"
CLEANING_SECONDS = 3600
# A claim holds for a day, however short uploads are kept.
CLAIM_SECONDS = 86_400
CLAIMS_LOCK = ".lock"
# Held while files are added to a finished run, or all files of a run are deleted.
RUN_FILES_LOCK = threading.Lock()
# The space that uploads and runs leave free, in bytes.
FREE_MIN = 1_000_000_000
# What a run may still write when it ends: its result and the copies of it.
RESULT_BYTES = 2 * OUTPUT_BYTES_MAX
# An upload lies in a folder of its own, whose name is this prefix and a random part.
UPLOAD_PREFIX = "wan-upload-"
RECORDS = "records"
# Kept composites of one result.
KEPT_MAX = 8
# The files of a run that Gradio serves. Each lies in a folder of its own: an address opens one file and nothing else.
KINDS = (
    "picture", "clean", "recipe", "before", "thumbnail", "aligned", "map",
    *(f"{kind}-{number}" for kind in ("image", "sent") for number in range(1, IMAGES_MAX + 1)),
    *(f"kept{part}-{number}" for part in ("", "-shown", "-before") for number in range(1, KEPT_MAX + 1)),
)  # fmt: skip


def results_folder() -> Path:
    """Return where runs' files go: a folder that Gradio serves files from, except for the records in it."""
    return Path(get_upload_folder()) / "wan"


def records_folder() -> Path:
    """Return where runs' records go, which Gradio is kept from serving."""
    return results_folder() / RECORDS


def hosted_folder() -> Path:
    """Return where pictures lie for the model to fetch. Their file names don't reveal their URLs."""
    return records_folder() / "hosted"


def claims_folder() -> Path:
    """Return where callers' own keys are claimed where there is no Redis."""
    return records_folder() / "claims"


def run_folder(key: str) -> Path:
    """Return the folder of a run's records: what was entered, its id, what came of it.

    Its name follows from the run's key and can't be guessed; the key does not follow from the name.
    """
    return records_folder() / _name("run", key)


def served_folder(key: str, kind: str) -> Path:
    """Return the folder of one of a run's files, one of `KINDS`. Its name does not reveal the run's other folders."""
    return results_folder() / _name(kind, key)


def picture_folder(key: str) -> Path:
    """Return the folder of a run's picture, which people may share."""
    return served_folder(key, "picture")


def old_run_folder(key: str) -> Path:
    """Return where version 0.1 kept all of a run but its picture. Such files are read until they expire."""
    return results_folder() / _name("run", key)


def run_file(key: str, kind: str, name: str) -> Path:
    """Return where one of a run's files is, or would be."""
    file = served_folder(key, kind) / name
    if not file.is_file():
        for old in (old_run_folder(key) / name, old_run_folder(key) / kind / name, picture_folder(key) / name):
            if old.is_file():
                return old
    return file


def read_record(key: str, name: str) -> bytes:
    """Return one of a run's records.

    Raises:
        OSError: There is none.
    """
    try:
        return (run_folder(key) / name).read_bytes()
    except FileNotFoundError:
        return (old_run_folder(key) / name).read_bytes()


def write_record(key: str, name: str, data: bytes) -> None:
    """Write one of a run's records, whole or not at all.

    Raises:
        OSError: It can't be written.
    """
    folder = run_folder(key)
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / name, data)


def hide_old_records() -> None:
    """Move the records of version 0.1 to where Gradio can't serve them."""
    for record in ("run.json", "outcome.json", "request-id.txt", "proof.txt"):
        for file in results_folder().glob(f"*/{record}"):
            with suppress(OSError):  # another replica may be moving it too
                target = records_folder() / file.parent.name
                target.mkdir(parents=True, exist_ok=True)
                file.replace(target / record)


def _name(kind: str, key: str) -> str:
    return sha256(f"{kind} {key}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def check_upload(path: str, *, number: int) -> str:
    """Return the path, resolved, if it is an uploaded file's.

    A caller of the HTTP interface can write any path into a request, and Gradio hands some of them on as they are.

    Raises:
        ImageError: It is anything else.
    """
    if is_upload(path):
        return str(Path(path).resolve())
    raise ImageError("image_gone", field="images", number=number)


def is_upload(path: str) -> bool:
    """Return whether the path is of an uploaded file or of a run's, and the file is still there."""
    try:
        file = Path(path).resolve()
        return _is_within(file) and file.is_file()
    except (OSError, ValueError, TypeError):
        # It can't be a path: too long, with characters that no name has, or no text at all.
        return False


def is_elsewhere(path: str) -> bool:
    """Return whether a file's path is really the URL of another host, however often it is percent-encoded."""
    while (decoded := unquote(path)) != path:
        path = decoded
    return "://" in path or path.strip().lower().startswith(("http:", "https:", "//"))


def store_upload(data: bytes, name: str) -> str:
    """Store a picture that came inside a call as if it had been uploaded, and return its path.

    Raises:
        OSError: It can't be written.
    """
    file = Path(get_upload_folder()) / f"{UPLOAD_PREFIX}{secrets.token_hex(16)}" / name
    file.parent.mkdir(parents=True)
    file.write_bytes(data)
    return str(file)


def keep_references(form: Form, key: str) -> tuple[Form, tuple[str, ...]]:
    """Link the form's pictures into a run's folders, so that neither the cleaning nor another visitor deletes them.

    Returns:
        The form with the kept files' paths, and the SHA-256 of each picture as it was uploaded, in hexadecimal.

    Raises:
        ImageError: A picture is no uploaded file.
    """
    kept: dict[str, str] = {}
    for number, path in enumerate(form.slots, 1):
        if path:
            source = Path(check_upload(path, number=number))
            place = served_folder(key, f"image-{number}")
            place.mkdir(parents=True, exist_ok=True)
            _link(source, place / source.name)
            kept[f"image_{number}"] = str(place / source.name)
    return replace(form, **kept), digests(form)  # type: ignore[arg-type]  # the keys are the slots' names


def digests(form: Form) -> tuple[str, ...]:
    """Return the SHA-256 of each of the form's pictures as it was uploaded, in hexadecimal.

    Raises:
        ImageError: A picture is no uploaded file.
    """
    files = [Path(check_upload(path, number=number)) for number, path in enumerate(form.slots, 1) if path]
    return tuple(sha256(file.read_bytes()).hexdigest() for file in files)


def forget(paths: Iterable[str]) -> None:
    """Delete uploaded files. Files of runs and the page's own pictures are left alone, whatever the list says.

    Runs are deleted by their keys alone, and the page's own pictures, which Gradio keeps in the same place, are the
    examples of all visitors.
    """
    for file in (Path(path).resolve() for path in paths if is_upload(path)):
        if results_folder().resolve() not in file.parents and not _is_shipped(file):
            file.unlink(missing_ok=True)
            with suppress(OSError):  # other files may lie there, if it is no folder of this page's making
                file.parent.rmdir()


def _is_shipped(file: Path) -> bool:
    return any(own.name == file.name and cmp(file, own, shallow=False) for own in _ASSETS.rglob("*.jpg"))


def forget_run(key: str) -> None:
    """Delete all files of a run, once nothing is being written about it."""
    with RUN_FILES_LOCK:
        for folder in (run_folder(key), old_run_folder(key), *(served_folder(key, kind) for kind in KINDS)):
            shutil.rmtree(folder, ignore_errors=True)


def clean(keep_seconds: float) -> None:
    """Delete uploads and files of runs beyond that age.

    In a folder of the page's own (``GRADIO_TEMP_DIR``) all other files but the page's own pictures are deleted too:
    uploads of version 0.1, and what a killed process left behind.
    """
    kept = {results_folder(), records_folder(), hosted_folder(), claims_folder()}
    for claim in _inside(claims_folder()):
        with suppress(OSError):
            if claim.name != CLAIMS_LOCK and time.time() - claim.stat().st_mtime > CLAIM_SECONDS:
                claim.unlink()
    for old in (*_inside(results_folder()), *_inside(records_folder()), *_uploads()):
        with suppress(OSError):  # a visitor may be deleting it just now
            if old in kept or time.time() - old.stat().st_mtime <= keep_seconds:
                continue
            if old.is_dir() and not any(_is_shipped(file) for file in old.iterdir() if file.is_file()):
                shutil.rmtree(old, ignore_errors=True)
            elif old.is_file():
                old.unlink()


def _uploads() -> list[Path]:
    """Return the upload folders of this page: all in the upload folder if that is the page's own."""
    own = has_own_folder()
    return [path for path in _inside(Path(get_upload_folder())) if own or path.name.startswith(UPLOAD_PREFIX)]


def _inside(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


async def clean_regularly(keep_seconds: float) -> None:
    """Run `clean` hourly until cancelled."""
    await asyncio.to_thread(hide_old_records)
    while True:
        await asyncio.to_thread(clean, keep_seconds)
        await asyncio.sleep(CLEANING_SECONDS)


class DiskSpace:
    """The free space on the disk, less what is reserved for uploads on their way and results of runs at work."""

    def __init__(self) -> None:
        self._reserved = 0

    def check(self, size: int = 0) -> None:
        """Check that there is space for so many bytes, and a gigabyte beside.

        Raises:
            WanError: There is not.
        """
        folder = Path(get_upload_folder())
        folder.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(folder).free - self._reserved - size < FREE_MIN:
            raise WanError("disk_full")

    @contextmanager
    def reserved(self, size: int) -> Iterator[None]:
        """Reserve space for as long as the context lasts."""
        self._reserved += size
        try:
            yield
        finally:
            self._reserved -= size


def _is_within(file: Path) -> bool:
    parents = file.parents
    return Path(get_upload_folder()).resolve() in parents and records_folder().resolve() not in parents


def _link(source: Path, target: Path) -> None:
    if target.exists():
        return
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
