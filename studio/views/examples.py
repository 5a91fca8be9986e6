"""An example that is ready on opening, so that a visitor sees what the page does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.prompt import examples
from wan_client import ImageSize

from .files import file_url
from .render import render
from .viewer import Picture, viewer

if TYPE_CHECKING:
    from studio.i18n.texts import Texts

FOLDER = examples.ASSETS / "ready"


def ready(texts: Texts) -> str:
    """Return the stage before there is a result: the first example's pictures, drawn by the local preview."""
    example = examples.load()[0]
    width, height = ImageSize.parse(example.image_size).pixels
    before, after = texts("viewer.before", name=texts("slot.1")), texts("viewer.after.preview")
    pictures = [
        Picture("ready-before", before, file_url(FOLDER / "before.jpg"), width, height, "reference"),
        Picture("ready-after", after, file_url(FOLDER / "after-local-preview.jpg"), width, height, "result"),
    ]
    comparison = viewer(texts, pictures, "ready-before", "ready-after")
    return render("placeholder", texts=texts, comparison=comparison, prompt=example.prompt)
