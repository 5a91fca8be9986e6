"""Rendering of the page's templates: all values are escaped in HTML, except HTML from such a template."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=select_autoescape(default=True, disabled_extensions=["txt"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)


def render(template: str, **values: object) -> Markup:
    """Return the HTML of a template in ``templates/``, named without its suffix.

    Args:
        template: The template's name.
        values: What the template names; strings are escaped, the result of another `render` is not.
    """
    return Markup(_ENVIRONMENT.get_template(f"{template}.html").render(values))  # noqa: S704  # it was escaped there


def render_text(template: str, **values: object) -> str:
    """Return the text of a template in ``templates/``, named without its suffix. It is no HTML.

    Args:
        template: The template's name.
        values: What the template names.
    """
    return _ENVIRONMENT.get_template(f"{template}.txt").render(values)
