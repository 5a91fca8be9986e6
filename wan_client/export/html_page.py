"""One HTML file with everything in it: pictures, styles and script. It opens without a network."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from .item import facts_of, pictures_of
from .progress import Steps
from .texts import Words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .item import ExportItem
    from .progress import Progress

TEMPLATES = Path(__file__).parent / "templates"
_MEDIA_TYPES = {b"\x89P": "image/png", b"\xff\xd8": "image/jpeg", b"RI": "image/webp", b"BM": "image/bmp"}


def page(
    items: Sequence[ExportItem],
    *,
    language: str = "en",
    with_recipe: bool = False,
    title: str | None = None,
    on_progress: Progress | None = None,
) -> bytes:
    """Return one HTML file that shows the items, each with its slider, prompt and settings.

    Args:
        items: What is shown, in this order; at least one.
        language: One of `LANGUAGES`.
        with_recipe: Whether the pictures carry their recipes and the runs' ids are shown.
        title: The heading, if not the language's own.
        on_progress: Called with the share of the items that are done.

    Raises:
        ExportError: There is no item.
        ImageError: A picture can't be read.
    """
    words, steps = Words(language), Steps(items, on_progress)
    results = []
    for number, item in enumerate(items, 1):
        pictures = pictures_of(item, number, with_recipe=with_recipe)
        results.append(
            {
                "item": item,
                "facts": facts_of(item, words, with_recipe=with_recipe),
                "width": pictures.size[0],
                "height": pictures.size[1],
                "after": _data_uri(pictures.after),
                "before": pictures.before and _data_uri(pictures.before),
            }
        )
        steps.done()
    templates = _templates()
    style = templates.get_template("page.css").render(results=results)
    script = (TEMPLATES / "page.js").read_text("utf-8")
    text = templates.get_template("page.html").render(
        results=results,
        words=words,
        title=title or words("title"),
        # Neither is escaped inside its element; both are files of this package, filled with numbers alone.
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
        style_hash=_hash(style),
        script_hash=_hash(script),
    )
    return text.encode()


@cache
def _templates() -> Environment:
    loader = FileSystemLoader(TEMPLATES)
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def _data_uri(picture: bytes) -> str:
    return f"data:{_MEDIA_TYPES[picture[:2]]};base64,{base64.b64encode(picture).decode()}"


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
