"""HTML from the templates beside this file; what they are given is escaped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

if TYPE_CHECKING:
    from studio.i18n.texts import Texts

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(name: str, texts: Texts, **values: object) -> str:
    """Return a template filled in.

    Args:
        name: The template's file, without its ending.
        texts: The visitor's language, which the template calls `text`.
        values: What else it names.
    """
    return _TEMPLATES.get_template(f"{name}.html").render(text=texts, **values)
