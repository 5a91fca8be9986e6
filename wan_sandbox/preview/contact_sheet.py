"""All looks on all sample photographs, on one sheet: `python -m wan_sandbox.preview.contact_sheet [FILE]`."""

from __future__ import annotations

import argparse
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from wan_sandbox.preview.plan import LOOKS, Operation, Plan
from wan_sandbox.preview.render.picture import draw

_ASSETS = Path(__file__).resolve().parents[2] / "assets"
_CELL = 264
_GAP = 8
_TITLE = 30
_COLUMNS = 3
_PAGE = (248, 247, 244)


def contact_sheet(photos: list[Image.Image], look_size: int = 768) -> Image.Image:
    """Draw every look on every photograph; each look has its name above its row of pictures."""
    group = len(photos) * (_CELL + _GAP) + 2 * _GAP
    rows = -(-len(LOOKS) // _COLUMNS)
    sheet = Image.new("RGB", (_COLUMNS * group + _GAP, rows * (_CELL + _TITLE + _GAP) + _GAP), _PAGE)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(19)
    for number, look in enumerate(LOOKS):
        left = 2 * _GAP + number % _COLUMNS * group
        top = _GAP + number // _COLUMNS * (_CELL + _TITLE + _GAP)
        pen.text((left, top + 3), look.replace("_", " "), (40, 40, 44), font)
        plan = Plan((Operation(look, 1),), (), look)
        for place, photo in enumerate(photos):
            drawn = draw(plan, [photo], (look_size, look_size)).resize((_CELL, _CELL), Image.Resampling.LANCZOS)
            sheet.paste(drawn, (left + place * (_CELL + _GAP), top + _TITLE))
    return sheet


def main() -> None:
    """Draw the sheet of the sample photographs and write it to a file."""
    parser = argparse.ArgumentParser(description="Draw all looks on all sample photographs.")
    parser.add_argument("file", nargs="?", type=Path, default=_ASSETS / "contact-sheet.jpg")
    file = parser.parse_args().file
    photos = [Image.open(path).convert("RGB") for path in sorted((_ASSETS / "photos").glob("*.jpg"))]
    contact_sheet(photos).save(file, quality=76, optimize=True, progressive=True)


if __name__ == "__main__":
    main()
