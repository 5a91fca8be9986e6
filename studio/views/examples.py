"""What a visitor can begin with: an example that is ready on opening, the example cards, the prompt starters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.prompt import examples, starters
from wan_client import ImageSize

from .files import file_url
from .render import render
from .viewer import Picture, viewer

if TYPE_CHECKING:
    from studio.i18n.texts import Texts

_READY = examples.ASSETS / "ready"
# Where the browser may fetch pictures from.
FOLDERS = (_READY, examples.THUMBNAILS)


def ready(texts: Texts) -> str:
    """Render the stage before there is a result: the first example's pictures, drawn by the local preview."""
    example = examples.load()[0]
    width, height = ImageSize.parse(example.image_size).pixels
    before, after = texts("viewer.before", name=texts("slot.1")), texts("viewer.after.preview")
    pictures = [
        Picture("ready-before", before, file_url(_READY / "before.jpg"), width, height, "reference"),
        Picture("ready-after", after, file_url(_READY / "after-local-preview.jpg"), width, height, "result"),
    ]
    comparison = viewer(texts, pictures, "ready-before", "ready-after")
    return render("placeholder", texts=texts, comparison=comparison, prompt=example.prompt)


def cards(texts: Texts) -> str:
    """Render the example cards."""
    shown = [(example.name, file_url(example.thumbnail)) for example in examples.load()]
    return render("examples", texts=texts, cards=shown)


def prompt_starters(texts: Texts) -> str:
    """Render the buttons that begin a prompt."""
    return render("starters", texts=texts, starters=starters.load())
