"""The looks: each restyles all of a picture."""

from wan_sandbox.preview.looks import drawing, film, graphic, painting, weather
from wan_sandbox.preview.looks.brush import Brush, Look

LOOK_TABLE: dict[str, Look] = {
    "pencil_sketch": drawing.pencil_sketch,
    "ink": drawing.ink,
    "watercolour": painting.watercolour,
    "oil_painting": painting.oil_painting,
    "comic": drawing.comic,
    "pixel_art": graphic.pixel_art,
    "duotone": film.duotone,
    "sepia": film.sepia,
    "black_and_white": film.black_and_white,
    "noir": film.noir,
    "neon": graphic.neon,
    "vintage_film": film.vintage_film,
    "night": film.night,
    "golden_hour": film.golden_hour,
    "snow": weather.snow,
    "rain": weather.rain,
    "fog": weather.fog,
    "pop_art": graphic.pop_art,
    "mosaic": painting.mosaic,
    "blueprint": drawing.blueprint,
    "glitch": graphic.glitch,
}

LOOKS_WITH_PIECE_SIZE = frozenset({"pixel_art", "mosaic", "pop_art"})
"""Looks whose strength is the size of their pieces; of the others, a slight one lets the photograph through."""

__all__ = ["LOOKS_WITH_PIECE_SIZE", "LOOK_TABLE", "Brush", "Look"]
