"""Where visitors' files lie, and which of them a visitor may name."""

from __future__ import annotations

from pathlib import Path

from gradio.utils import get_upload_folder

from wan_client import ImageError


def results_folder() -> Path:
    """Where results go: a folder that Gradio serves files from, each under an unguessable name."""
    return Path(get_upload_folder()) / "wan"


def checked(path: str, *, number: int) -> str:
    """The path, if it is an uploaded file's.

    A caller of the HTTP interface can write any path into a request, and Gradio hands some of them on as they are.

    Raises:
        ImageError: It is anything else.
    """
    file, uploads = Path(path).resolve(), Path(get_upload_folder()).resolve()
    if uploads in file.parents and file.is_file():
        return str(file)
    raise ImageError("image_missing_file", field="images", number=number, file=Path(path).name)
