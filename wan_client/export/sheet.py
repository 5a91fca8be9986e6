"""The proof sheet: before, after, prompt and settings on paper, as PDF with text that can be selected, or as PNG.

The pages are laid out once, as marks at places in millimetres, and then drawn by Pillow or by fpdf2.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from wan_client.framing import jpeg

from . import typeset
from .item import decoded, facts_of, pictures_of
from .progress import Steps
from .texts import Words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .item import ExportItem
    from .progress import Progress

PNG_DPI = 200
PDF_DPI = 300
JPEG_QUALITY = 90

_MARGIN = 15.0
_GAP = 4.0
_FOOT = 8.0
_INK, _SOFT, _LINE = (22, 24, 29), (98, 104, 116), (220, 222, 226)
_MARKS = {"preview": ((255, 240, 200), (92, 67, 0))}
_OTHER_MARK = ((238, 240, 244), (61, 67, 80))


class Paper(str, Enum):
    """A size of paper."""

    A4 = "a4"
    LETTER = "letter"

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in millimetres."""
        return (210.0, 297.0) if self is Paper.A4 else (215.9, 279.4)


@dataclass(frozen=True)
class _Text:
    x: float
    y: float  # of the baseline
    size: float  # in millimetres
    text: str
    colour: tuple[int, int, int] = _INK


@dataclass(frozen=True)
class _Picture:
    x: float
    y: float
    width: float
    height: float
    image: Image.Image


@dataclass(frozen=True)
class _Box:
    x: float
    y: float
    width: float
    height: float
    colour: tuple[int, int, int]


_Mark: TypeAlias = "_Text | _Picture | _Box"


def sheet(
    items: Sequence[ExportItem],
    kind: str,
    *,
    paper: Paper | str = Paper.A4,
    language: str = "en",
    with_recipe: bool = False,
    title: str | None = None,
    on_progress: Progress | None = None,
) -> list[bytes]:
    """Return the proof sheet: one PDF, or PNG files, one a page.

    Args:
        items: What is shown, in this order; at least one.
        kind: ``pdf`` or ``png``.
        paper: The size of a page.
        language: One of `LANGUAGES`.
        with_recipe: Whether the runs' ids are shown.
        title: The heading, if not the language's own.
        on_progress: Called with the share of the items that are done.

    Raises:
        ExportError: There is no item.
        ImageError: A picture can't be read.
    """
    words, paper, steps = Words(language), Paper(paper), Steps(items, on_progress)
    title = title or words("title")
    write, dpi = _WRITERS[kind]
    layout = _Layout(paper, words, dpi, alone=len(items) == 1)
    layout.heading(title)
    for number, item in enumerate(items, 1):
        layout.add(item, number, with_recipe=with_recipe)
        steps.done()
    return write(layout.finished(_footer(items, words)), paper, words, title, _description(items, words))


def _pdf(pages: list[list[_Mark]], paper: Paper, words: Words, title: str, description: str) -> list[bytes]:
    from fpdf import FPDF  # noqa: PLC0415  # slow to import

    pdf = FPDF(unit="mm", format=paper.size)
    pdf.set_auto_page_break(False)
    pdf.set_title(title)
    pdf.set_lang(words.tag)
    pdf.set_subject(description)
    pdf.add_font("sheet", fname=typeset.FONT)
    pdf.set_text_shaping(True, language=words.tag)
    for marks in pages:
        pdf.add_page()
        for mark in marks:
            if isinstance(mark, _Box):
                pdf.set_fill_color(*mark.colour)
                pdf.rect(mark.x, mark.y, mark.width, mark.height, style="F")
            elif isinstance(mark, _Picture):
                picture = io.BytesIO(jpeg(mark.image, JPEG_QUALITY))
                pdf.image(picture, mark.x, mark.y, mark.width, mark.height)
            else:
                pdf.set_font("sheet", size=mark.size / typeset.POINT)
                pdf.set_text_color(*mark.colour)
                pdf.text(mark.x, mark.y, mark.text)
    return [bytes(pdf.output())]


def _png(pages: list[list[_Mark]], paper: Paper, words: Words, _title: str, description: str) -> list[bytes]:
    info = PngInfo()
    if description:
        info.add_itxt("Title", description)
    files = []
    for marks in pages:
        out = io.BytesIO()
        _drawn(marks, paper, words).save(out, "PNG", pnginfo=info, dpi=(PNG_DPI, PNG_DPI), compress_level=4)
        files.append(out.getvalue())
    return files


_WRITERS = {"pdf": (_pdf, PDF_DPI), "png": (_png, PNG_DPI)}


def _description(items: Sequence[ExportItem], words: Words) -> str:
    """Return the file's description: that it shows local previews, where it does."""
    if not any(item.preview for item in items):
        return ""
    english = Words("en")
    return " · ".join(dict.fromkeys([english("preview"), words("preview"), words("preview.note")]))


def _footer(items: Sequence[ExportItem], words: Words) -> str:
    parts = [item.model or words("engine.runcomfy", model="").strip(" ·") for item in items if not item.preview]
    parts += [words("preview") for item in items if item.preview]
    return " · ".join(dict.fromkeys(parts))


class _Layout:
    """Places items on pages from top to bottom.

    Args:
        paper: The size of a page.
        words: The language.
        dpi: The most pixels an inch that a picture keeps.
        alone: Whether there is one item only, which may then fill its page.
    """

    def __init__(self, paper: Paper, words: Words, dpi: int, *, alone: bool) -> None:
        self._paper = paper
        self.words = words
        self._dpi = dpi
        self._alone = alone
        self._page_width, self._page_height = paper.size
        self._width = self._page_width - 2 * _MARGIN
        self._bottom = self._page_height - _MARGIN - _FOOT
        self._pages: list[list[_Mark]] = [[]]
        self._y = _MARGIN

    def heading(self, title: str) -> None:
        """Set the heading of the first page."""
        self._lines(title, 18, 7.6)
        self._space(3)

    def add(self, item: ExportItem, number: int, *, with_recipe: bool) -> None:
        """Place one item: together with its text where that fits a page, else the text goes on overleaf."""
        pictures = pictures_of(item, number)
        shown = [] if pictures.before is None else [("before", decoded(pictures.before, number))]
        shown.append(("after", decoded(pictures.after, number)))
        facts = facts_of(item, self.words, with_recipe=with_recipe)
        text = self._text_height(item, facts)
        ratio = pictures.size[0] / pictures.size[1]
        start = 0.0 if self._alone else 8.0
        across, stacked = self._picture_width(ratio, len(shown), text + start)
        rows = len(shown) if stacked else 1
        height = start + rows * (across / ratio + 5.5 + _GAP) + text
        if self._y + min(height, self._bottom - _MARGIN) > self._bottom + 0.01:
            self._new_page()
        if not self._alone:
            self._rule(self.words("result", number=number))
        self._row(shown, across, across / ratio, stacked=stacked)
        self._text(item, facts)
        self._space(5)

    def finished(self, foot: str) -> list[list[_Mark]]:
        """Return the pages, each with its footer."""
        pages = [marks for marks in self._pages if marks]
        for page, marks in enumerate(pages, 1):
            y = self._page_height - _MARGIN
            counted = typeset.drawable(self.words("page", page=page, pages=len(pages)))
            right = self._page_width - _MARGIN - typeset.width_of(counted, 8 * typeset.POINT)
            marks.append(_Box(_MARGIN, y - 5, self._width, 0.2, _LINE))
            line = typeset.wrap(typeset.drawable(foot), 8 * typeset.POINT, self._width * 0.75)[0]
            marks.append(_Text(_MARGIN, y, 8 * typeset.POINT, line, _SOFT))
            marks.append(_Text(right, y, 8 * typeset.POINT, counted, _SOFT))
        return pages

    def _picture_width(self, ratio: float, count: int, text: float) -> tuple[float, bool]:
        """Return how wide a picture is, and whether the two stand under each other."""
        room = self._bottom - self._y - text
        if count == 1:
            most = self._width if self._alone else self._width * 0.6
            return min(most, max(room - 10, 80) * ratio), False
        beside = min((self._width - _GAP) / 2, (self._bottom - _MARGIN - 20) * ratio)
        under = min(self._width, (room / 2 - 5.5 - _GAP) * ratio)
        return (under, True) if self._alone and under > beside * 1.15 else (beside, False)

    def _text_height(self, item: ExportItem, facts: list[tuple[str, str]]) -> float:
        """Return the height of the text, measured by laying it out on an endless page."""
        trial = _Layout(self._paper, self.words, self._dpi, alone=self._alone)
        trial._y, trial._bottom = 0.0, float("inf")
        trial._text(item, facts)
        return trial._y

    def _row(self, shown: list[tuple[str, Image.Image]], width: float, height: float, *, stacked: bool) -> None:
        for place, (label, image) in enumerate(shown):
            x = _MARGIN if stacked else _MARGIN + place * (width + _GAP)
            self._put(_Text(x, self._y + 3.2, 8 * typeset.POINT, self._drawable(label), _SOFT))
            self._put(_Picture(x, self._y + 4.8, width, height, self._sized(image, width)))
            if stacked or place == len(shown) - 1:
                self._y += height + 5.5 + _GAP

    def _text(self, item: ExportItem, facts: list[tuple[str, str]]) -> None:
        for mark in item.marks:
            self._band(f"{self.words(mark)} · {self.words(f'{mark}.note')}", *_MARKS.get(mark, _OTHER_MARK))
        self._lines(item.prompt, 11.5, 5.6)
        self._space(2)
        size, column = 8.5 * typeset.POINT, (self._width - _GAP) / 2
        drawn = [(typeset.drawable(label), typeset.drawable(value)) for label, value in facts]
        indent = max(typeset.width_of(label, size) for label, _ in drawn) + 4
        beside = False
        for label, value in drawn:
            fits = typeset.width_of(value, size) <= column - indent
            right = beside and fits
            self._fact(label, typeset.wrap(value, size, self._width - indent), indent, column + _GAP if right else 0)
            beside = fits and not right

    def _fact(self, label: str, lines: list[str], indent: float, shift: float) -> None:
        """Place a label and its value, on a line of their own or beside the one before."""
        size, leading = 8.5 * typeset.POINT, 4.5
        if shift:
            self._y -= leading
        for place, line in enumerate(lines):
            self._room(leading)
            if not place:
                self._put(_Text(_MARGIN + shift, self._y + 3.4, size, label, _SOFT))
            self._put(_Text(_MARGIN + shift + indent, self._y + 3.4, size, line))
            self._y += leading

    def _band(self, text: str, fill: tuple[int, int, int], ink: tuple[int, int, int]) -> None:
        size = 8.5 * typeset.POINT
        lines = typeset.wrap(typeset.drawable(text), size, self._width - 6)
        height = len(lines) * 4.4 + 2.6
        self._room(height + 2)
        self._put(_Box(_MARGIN, self._y, self._width, height, fill))
        for place, line in enumerate(lines):
            self._put(_Text(_MARGIN + 3, self._y + 4.5 + 4.4 * place, size, line, ink))
        self._y += height + 2.5

    def _lines(self, text: str, points: float, leading: float) -> None:
        size = points * typeset.POINT
        for line in typeset.wrap(typeset.drawable(text), size, self._width):
            self._room(leading)
            self._put(_Text(_MARGIN, self._y + leading * 0.76, size, line))
            self._y += leading

    def _rule(self, text: str) -> None:
        self._put(_Box(_MARGIN, self._y, self._width, 0.2, _LINE))
        self._put(_Text(_MARGIN, self._y + 5.4, 9.5 * typeset.POINT, typeset.drawable(text)))
        self._y += 8

    def _drawable(self, key: str) -> str:
        return typeset.drawable(self.words(key))

    def _sized(self, image: Image.Image, width: float) -> Image.Image:
        """Return the picture with no more pixels than its place on the paper shows."""
        pixels = max(1, round(width / 25.4 * self._dpi))
        if pixels >= image.width:
            return image
        return image.resize((pixels, max(1, round(pixels * image.height / image.width))), Image.Resampling.LANCZOS)

    def _put(self, mark: _Mark) -> None:
        self._pages[-1].append(mark)

    def _space(self, height: float) -> None:
        self._y += height

    def _room(self, height: float) -> None:
        if self._y + height > self._bottom:
            self._new_page()

    def _new_page(self) -> None:
        if self._pages[-1]:
            self._pages.append([])
        self._y = _MARGIN


def _drawn(marks: list[_Mark], paper: Paper, words: Words) -> Image.Image:
    scale = PNG_DPI / 25.4
    width, height = paper.size
    canvas = Image.new("RGB", (round(width * scale), round(height * scale)), "white")
    draw = ImageDraw.Draw(canvas)
    language = typeset.shaping(words.tag)
    for mark in marks:
        if isinstance(mark, _Text):
            place = (mark.x * scale, mark.y * scale)
            draw.text(place, mark.text, mark.colour, typeset.font(mark.size * scale), anchor="ls", language=language)
            continue
        left, top = round(mark.x * scale), round(mark.y * scale)
        right, bottom = round((mark.x + mark.width) * scale), round((mark.y + mark.height) * scale)
        if isinstance(mark, _Box):
            draw.rectangle((left, top, right - 1, max(top, bottom - 1)), mark.colour)
        else:
            canvas.paste(mark.image.resize((right - left, bottom - top), Image.Resampling.LANCZOS), (left, top))
    return canvas
