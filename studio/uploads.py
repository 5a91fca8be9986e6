"""Where visitors' files lie, and which of them a visitor may name."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from contextlib import suppress
from dataclasses import replace
from filecmp import cmp
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from gradio.utils import get_upload_folder

from wan_client import ImageError, WanError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .prompt.form import Form

_ASSETS = Path(__file__).parent.parent / "assets"
CLEANING_SECONDS = 3600
# For uploads and for runs; in bytes.
FREE_MIN = 1_000_000_000


def results_folder() -> Path:
    """Where runs' files go: a folder that Gradio serves files from."""
    return Path(get_upload_folder()) / "wan"


def run_folder(key: str) -> Path:
    """The folder of one run: its references, what was drawn of it, and what is known of it.

    Its name follows from the run's key and can't be guessed; the key does not follow from the name.
    """
    return _folder_of(f"run {key}")


def picture_folder(key: str) -> Path:
    """The folder of what people may show around: a run's picture. Its address leads to nothing else of the run."""
    return _folder_of(f"picture {key}")


def _folder_of(name: str) -> Path:
    return results_folder() / sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def checked(path: str, *, number: int) -> str:
    """The path, if it is an uploaded file's.

    A caller of the HTTP interface can write any path into a request, and Gradio hands some of them on as they are.

    Raises:
        ImageError: It is anything else.
    """
    if is_upload(path):
        return str(Path(path).resolve())
    raise ImageError("image_gone", field="images", number=number)


def is_upload(path: str) -> bool:
    """Whether the path is an uploaded file's, or one of a run's, and the file is still there."""
    try:
        file = Path(path).resolve()
        return _is_within(file) and file.is_file()
    except (OSError, ValueError):
        # No name that a file can have: too long, or with characters in it that none can hold.
        return False


def is_elsewhere(path: str) -> bool:
    """Whether what stands for a file is an address of another host: ``https://…``, however often it is encoded."""
    while (decoded := unquote(path)) != path:
        path = decoded
    return "://" in path or path.strip().lower().startswith(("http:", "https:", "//"))


def keep_references(form: Form, folder: Path) -> tuple[Form, tuple[str, ...]]:
    """Keep the form's pictures in a run's folder, so that neither the schedule nor another visitor takes them away.

    Returns:
        The form with the kept files' paths, and the SHA-256 of each picture as it was uploaded, in hexadecimal.

    Raises:
        ImageError: A picture is no uploaded file.
    """
    kept: dict[str, str] = {}
    for number, path in enumerate(form.slots, 1):
        if path:
            source = Path(checked(path, number=number))
            place = folder / f"image-{number}"
            place.mkdir(parents=True, exist_ok=True)
            _link(source, place / source.name)
            kept[f"image_{number}"] = str(place / source.name)
    return replace(form, **kept), digests(form)  # type: ignore[arg-type]  # the keys are the slots' names


def digests(form: Form) -> tuple[str, ...]:
    """The SHA-256 of each of the form's pictures as it was uploaded, in hexadecimal.

    Raises:
        ImageError: A picture is no uploaded file.
    """
    files = [Path(checked(path, number=number)) for number, path in enumerate(form.slots, 1) if path]
    return tuple(sha256(file.read_bytes()).hexdigest() for file in files)


def forget(paths: Iterable[str]) -> None:
    """Delete uploaded files. Anything else is left alone, whatever the list says.

    Runs are deleted by their keys alone, and the page's own pictures, which Gradio keeps in the same place, are others'
    examples too.
    """
    for file in (Path(path).resolve() for path in paths if is_upload(path)):
        if results_folder().resolve() not in file.parents and not _is_shipped(file):
            file.unlink(missing_ok=True)


def _is_shipped(file: Path) -> bool:
    return any(own.name == file.name and cmp(file, own, shallow=False) for own in _ASSETS.rglob("*.jpg"))


def forget_run(key: str) -> None:
    """Delete all files of a run."""
    shutil.rmtree(run_folder(key), ignore_errors=True)
    shutil.rmtree(picture_folder(key), ignore_errors=True)


def clean(keep_seconds: float) -> None:
    """Delete the folders of runs that are older than that.

    In a folder of the page's own (``GRADIO_TEMP_DIR``) uploads go too that Gradio no longer knows: those of a process
    that was killed, and those that broke off in the middle.
    """
    folders = [results_folder()]
    if "GRADIO_TEMP_DIR" in os.environ:
        folders.append(results_folder().parent)
    for folder in folders:
        for old in folder.iterdir() if folder.is_dir() else ():
            with suppress(OSError):  # a visitor may be deleting it just now
                if old in folders or time.time() - old.stat().st_mtime <= keep_seconds:
                    continue
                if old.is_dir() and not any(_is_shipped(file) for file in old.iterdir() if file.is_file()):
                    shutil.rmtree(old, ignore_errors=True)
                elif old.is_file():
                    old.unlink()


async def keep_clean(keep_seconds: float) -> None:
    """Do so by and by, whether or not anybody comes. Gradio does the same with its own files."""
    while True:
        await asyncio.to_thread(clean, keep_seconds)
        await asyncio.sleep(CLEANING_SECONDS)


def check_room() -> None:
    """Make sure that there is room for more files.

    Raises:
        WanError: There is hardly any.
    """
    folder = Path(get_upload_folder())
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < FREE_MIN:
        raise WanError("disk_full")


def _is_within(file: Path) -> bool:
    return Path(get_upload_folder()).resolve() in file.parents


def _link(source: Path, target: Path) -> None:
    if target.exists():
        return
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
