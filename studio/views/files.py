"""Where the browser finds files."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from pathlib import Path


def file_url(path: Path) -> str:
    """Where the page finds a file of Gradio's own folder. Relative, so that it holds behind any proxy."""
    return f"gradio_api/file={quote(str(path))}"
