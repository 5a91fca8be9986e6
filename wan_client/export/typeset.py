"""Text set in the font that is shipped, so that every script it has looks the same on any machine."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path

from fontTools.ttLib import TTFont
from PIL import ImageFont, features

FONT = Path(__file__).parent / "fonts" / "NotoSansCJK-Subset.otf"
MISSING = "□"
POINT = 25.4 / 72  # in millimetres

_UNITS = 1000
# Joiners and modifiers of the character before, which this font has no forms for: they are left out.
_UNSEEN = re.compile("[\u200b-\u200f\u2060\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U000e0000-\U000e01ef]")
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
# A line may break after each of these characters, but for one that may not begin a line.
_IDEOGRAPHS = "\u2e80-\u2fff\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef"
_NOT_FIRST = "、。，．：；！？）」』】〉》〕］｝ー々’”ぁぃぅぇぉっゃゅょァィゥェォッャュョ"
_WORD = re.compile(rf"\s+|[{_IDEOGRAPHS}][{_NOT_FIRST}]*|[^\s{_IDEOGRAPHS}]+[{_NOT_FIRST}]*")


def font(size: float) -> ImageFont.FreeTypeFont:
    """Return the font at a size in pixels."""
    return ImageFont.truetype(FONT, size)


def shaping(language: str) -> str | None:
    """Return the language whose own shapes Pillow is to draw, where it can: Chinese and Japanese ones differ."""
    return language if features.check("raqm") else None


def drawable(text: str) -> str:
    """Return the text with a box for every character that the font does not have."""
    joined = re.sub("\u200d.", "", unicodedata.normalize("NFC", text))
    seen = _FLAG.sub(MISSING, _UNSEEN.sub("", joined.replace("\t", " ")))
    return "".join(map(_glyph, seen))


def wrap(text: str, size: float, width: float) -> list[str]:
    """Break a drawable text into lines.

    Args:
        text: What `drawable` returned.
        size: Of the font.
        width: Of a line, in the unit of the size.
    """
    return [line for paragraph in text.split("\n") for line in _wrapped(paragraph.strip(), width / size)]


def width_of(text: str, size: float) -> float:
    """Return the width of a drawable text in the unit of the size."""
    return sum(map(_advance, text)) * size


def _wrapped(paragraph: str, width: float) -> list[str]:
    lines, line, used = [], "", 0.0
    for word in _WORD.findall(paragraph):
        taken = sum(map(_advance, word))
        if used + taken > width and line and not word.isspace():
            lines.append(line.rstrip())
            line, used = "", 0.0
        if taken > width:
            *full, word = _break_word(word, width)  # noqa: PLW2901  # its last part goes on the next line
            lines += full
            taken = sum(map(_advance, word))
        if line or not word.isspace():
            line, used = line + word, used + taken
    return [*lines, line.rstrip()]


def _break_word(word: str, width: float) -> list[str]:
    """Break a word that is longer than a line into pieces that fit."""
    pieces, piece, used = [], "", 0.0
    for char in word:
        if piece and used + _advance(char) > width:
            pieces.append(piece)
            piece, used = "", 0.0
        piece, used = piece + char, used + _advance(char)
    return [*pieces, piece]


@cache
def _glyph(char: str) -> str:
    """Return what is drawn for a character: itself, else the letter without its accent, else a box."""
    if char == "\n" or ord(char) in _coverage():
        return char
    if unicodedata.category(char) in {"Cc", "Cf", "Zl", "Zp"}:
        return ""
    bare = unicodedata.normalize("NFD", char)[0]
    return bare if ord(bare) in _coverage() else MISSING


@cache
def _advance(char: str) -> float:
    """Return the width of a character at size 1."""
    return _measure().getlength(char) / _UNITS


@cache
def _measure() -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT, _UNITS, layout_engine=ImageFont.Layout.BASIC)


@cache
def _coverage() -> frozenset[int]:
    with TTFont(FONT, lazy=True) as opened:
        return frozenset(opened.getBestCmap())
