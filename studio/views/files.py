"""URLs of files for the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from pathlib import Path


def file_url(path: Path) -> str:
    """Return the URL of a file in Gradio's folder, relative so that it is right behind any proxy."""
    return f"gradio_api/file={quote(str(path))}"
