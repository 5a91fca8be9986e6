"""The looks: each restyles all of a picture."""

from wan_sandbox.preview.looks import drawing, film, graphic, painting, weather
from wan_sandbox.preview.looks.brush import Brush, Look
from wan_sandbox.preview.plan import LOOKS

LOOK_TABLE: dict[str, Look] = {
    look: getattr(module, look)
    for module in (drawing, film, graphic, painting, weather)
    for look in LOOKS
    if hasattr(module, look)
}

LOOKS_WITH_PIECE_SIZE = frozenset({"pixel_art", "mosaic", "pop_art"})
"""Looks whose strength is the size of their pieces; of the others, a slight one lets the photograph through."""

__all__ = ["LOOKS_WITH_PIECE_SIZE", "LOOK_TABLE", "Brush", "Look"]
