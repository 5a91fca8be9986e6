"""Colours that a picture declares by code points or by a gamma rather than by an ICC profile → sRGB.

Code points are those of ITU-T H.273: a ``cICP`` chunk in a PNG, an ``nclx`` box in an AVIF or HEIF. The conversions
follow what Chromium shows: PQ and HLG pictures are brought to the range of a plain screen by the reference white tone
mapping of SMPTE ST 2094-50, with white at 203 cd/m² and a peak of 1000 cd/m².
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from PIL import Image, ImageMath

from .containers import colour_box, png_chunks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import BinaryIO

    Matrix: TypeAlias = list[list[float]]
    Convert: TypeAlias = Callable[[Image.Image], Image.Image]

# Chromaticities of red, green, blue and white, by the code points of H.273.
_D65 = (0.3127, 0.3290)
_BT709 = (0.640, 0.330, 0.300, 0.600, 0.150, 0.060, *_D65)
_BT2020 = (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *_D65)
_PRIMARIES: dict[int, tuple[float, ...]] = {
    1: _BT709,
    4: (0.670, 0.330, 0.210, 0.710, 0.140, 0.080, 0.310, 0.316),
    5: (0.640, 0.330, 0.290, 0.600, 0.150, 0.060, *_D65),
    6: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),
    7: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),
    9: _BT2020,
    11: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.314, 0.351),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *_D65),
}
_UNSPECIFIED, _LINEAR, _SRGB, _PQ, _DCI, _HLG = 2, 8, 13, 16, 17, 18
_GAMMAS = {1: 2.4, 4: 2.2, 5: 2.8, 6: 2.4, 14: 2.4, 15: 2.4, _LINEAR: 1.0}
# In files of video codecs these are taken for sRGB, which nearly all such pictures are in.
_OF_VIDEO = {1, 6, 14, 15, _UNSPECIFIED}

_WHITE_NITS, _PEAK_NITS = 203.0, 1000.0
_PEAK = _PEAK_NITS / _WHITE_NITS
# Where the curve of the tone mapping bends, as the standard's parameter kappa places it.
_KNEE = 2 * 0.65
_BRADFORD = [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
_SRGB_GAMMA = 1 / 2.2


@dataclass(frozen=True)
class Space:
    """A colour space: primaries and white as chromaticities, and a transfer by its code point or as a gamma."""

    primaries: tuple[float, ...] = _BT709
    transfer: int = _SRGB
    gamma: float = 0.0


def declared_space(image: Image.Image, file: BinaryIO) -> Space | None:
    """Return the space that a picture without an ICC profile declares; None where it is sRGB or says nothing.

    A ``cICP`` chunk outranks an ICC profile.
    """
    if image.format == "PNG":
        return _of_png(dict(png_chunks(file, {b"cICP", b"gAMA", b"cHRM", b"sRGB", b"iCCP"})))
    if image.format in {"AVIF", "HEIF"} and "icc_profile" not in image.info and (codes := colour_box(file)):
        primaries, transfer = codes
        transfer = _SRGB if transfer in _OF_VIDEO else transfer
        return _of_codes(1 if primaries == _UNSPECIFIED else primaries, transfer)
    return None


def _of_png(chunks: dict[bytes, bytes]) -> Space | None:
    if len(codes := chunks.get(b"cICP", b"")) >= 2:
        return _of_codes(codes[0], codes[1])
    if b"iCCP" in chunks or b"sRGB" in chunks or len(chunks.get(b"gAMA", b"")) != 4:
        return None
    gamma = struct.unpack(">I", chunks[b"gAMA"])[0] / 100_000
    primaries = _BT709
    if len(chromaticities := chunks.get(b"cHRM", b"")) == 32:
        wx, wy, *rest = (value / 100_000 for value in struct.unpack(">8I", chromaticities))
        if min(wy, *rest[1::2]) > 0:
            primaries = (*rest, wx, wy)
    plain = all(abs(a - b) < 0.001 for a, b in zip(primaries, _BT709, strict=True))
    if gamma <= 0 or (plain and abs(gamma - _SRGB_GAMMA) < 0.001):
        return None
    return Space(primaries, gamma=1 / gamma)


def _of_codes(primaries: int, transfer: int) -> Space | None:
    known = transfer in {*_GAMMAS, _SRGB, _PQ, _DCI, _HLG}
    if primaries not in _PRIMARIES or not known or (primaries, transfer) == (1, _SRGB):
        return None
    return Space(_PRIMARIES[primaries], transfer, _GAMMAS.get(transfer, 0.0))


def converter(space: Space) -> Convert:
    """Return a function that turns RGB pictures of a space into sRGB.

    Raises:
        ZeroDivisionError: Its primaries span no space.
    """
    rows, wide = _between(space.primaries, _BT709), _between(space.primaries, _BT2020)
    luminance = _to_xyz(space.primaries)[1]
    levels = [_linear(space, level / 255) for level in range(256)]

    def convert(image: Image.Image) -> Image.Image:
        bands = dict(zip("rgb", (band.point(levels, "F") for band in image.split()), strict=True))
        gain: Image.Image | float = 1.0
        if space.transfer in {_PQ, _HLG}:
            gain = ImageMath.lambda_eval(partial(_gain, wide, luminance, space.transfer), **bands)
        shown = [ImageMath.lambda_eval(partial(_shown, row), gain=gain, **bands) for row in rows]
        return Image.merge("RGB", [band.convert("L") for band in shown])

    return convert


def _gain(wide: Matrix, luminance: Sequence[float], transfer: int, v: dict[str, Any]) -> Any:
    """Return what to multiply each pixel by so that its strongest component stays within a plain screen's range."""
    red, green, blue = (_dot(row, v) for row in wide)
    light, boost = v["max"](v["max"](red, green), blue), 1.0
    if transfer == _HLG:
        boost = v["max"](_dot(luminance, v), 1e-9) ** 0.2 * _PEAK
    light = v["max"](light * boost, 1.0)
    bend = _PEAK - 1 - _KNEE
    t = ((_KNEE**2 + (v["min"](light, _PEAK) - 1.0) * (4 * bend)) ** 0.5 - _KNEE) / (2 * bend)
    return (0.5 + _KNEE / 2 * t + (0.5 - _KNEE / 2) * t * t) / light * boost


def _shown(row: Sequence[float], v: dict[str, Any]) -> Any:
    """Return one component of sRGB, 0 to 255, rounded when it is cut off."""
    light = v["min"](v["max"](_dot(row, v) * v["gain"], 0.0), 1.0)
    dark = light <= 0.0031308
    return (dark * light * 12.92 + (1 - dark) * (light ** (1 / 2.4) * 1.055 - 0.055)) * 255.0 + 0.5


def _dot(row: Sequence[float], v: dict[str, Any]) -> Any:
    return v["r"] * row[0] + v["g"] * row[1] + v["b"] * row[2]


def _linear(space: Space, value: float) -> float:
    """Return the light that a component stands for; of PQ relative to white, of HLG that of the scene."""
    if space.gamma:
        return math.pow(value, space.gamma)
    special: dict[int, Callable[[float], float]] = {_PQ: _pq, _HLG: _hlg, _DCI: _dci}
    return special.get(space.transfer, _decoded)(value)


def _pq(value: float) -> float:
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    power = value ** (1 / m2)
    return float(10_000 / _WHITE_NITS * (max(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1))


def _hlg(value: float) -> float:
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return value * value / 3 if value <= 0.5 else (math.exp((value - c) / a) + b) / 12


def _dci(value: float) -> float:
    return float(min(1.0, value**2.6 * 52.37 / 48))


def _decoded(value: float) -> float:
    return float(value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4)


def _between(source: tuple[float, ...], target: tuple[float, ...]) -> Matrix:
    return _product_of(_inverse(_to_xyz(target)), _to_xyz(source))


def _to_xyz(primaries: tuple[float, ...]) -> Matrix:
    """Return the matrix from linear RGB to XYZ, its white adapted to D65."""
    columns = [_xyz(*primaries[place : place + 2]) for place in (0, 2, 4)]
    white, d65 = _xyz(*primaries[6:]), _xyz(*_D65)
    plain = _transposed(columns)
    scale = _times(_inverse(plain), white)
    matrix = [list(map(_product, row, scale)) for row in plain]
    gains = [a / b for a, b in zip(_times(_BRADFORD, d65), _times(_BRADFORD, white), strict=True)]
    adapted = [[gain * value for value in row] for gain, row in zip(gains, _BRADFORD, strict=True)]
    return _product_of(_product_of(_inverse(_BRADFORD), adapted), matrix)


def _xyz(x: float, y: float) -> list[float]:
    return [x / y, 1.0, (1 - x - y) / y]


def _product(a: float, b: float) -> float:
    return a * b


def _times(matrix: Matrix, vector: Sequence[float]) -> list[float]:
    return [sum(map(_product, row, vector)) for row in matrix]


def _product_of(left: Matrix, right: Matrix) -> Matrix:
    return _transposed([_times(left, column) for column in _transposed(right)])


def _transposed(matrix: Matrix) -> Matrix:
    return [list(column) for column in zip(*matrix, strict=True)]


def _inverse(matrix: Matrix) -> Matrix:
    (a, b, c), (d, e, f), (g, h, i) = matrix
    determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    rows = [
        [e * i - f * h, c * h - b * i, b * f - c * e],
        [f * g - d * i, a * i - c * g, c * d - a * f],
        [d * h - e * g, b * g - a * h, a * e - b * d],
    ]
    return [[value / determinant for value in row] for row in rows]
