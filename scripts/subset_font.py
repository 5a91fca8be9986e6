"""Make the font of the exports: Noto Sans CJK, cut down to the characters that people commonly write.

    apt-get install fonts-noto-cjk
    pip install fonttools
    python scripts/subset_font.py

Kept are the Latin, Greek and Cyrillic letters that it has, every Hangul syllable, the kana and kanji of JIS X 0208, and
the hanzi of GB 2312, with Japanese shapes by default and Chinese ones where a text is set as Chinese (``locl``).
"""

from __future__ import annotations

from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

SOURCE = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
JAPANESE = 0  # its place in the collection
TARGET = Path(__file__).parent.parent / "wan_client" / "export" / "fonts" / "NotoSansCJK-Subset.otf"

CHARACTER_SETS = (("euc_kr", range(0xA1, 0xB0)), ("euc_jp", range(0xA1, 0xF5)), ("gb2312", range(0xA1, 0xF8)))
BLOCKS = (
    range(0x20, 0x7F), range(0xA0, 0x250), range(0x370, 0x460), range(0x1E00, 0x1F00), range(0x2010, 0x2070),
    range(0x20A0, 0x20C0), range(0x2190, 0x2300), range(0x25A0, 0x2600), range(0x3000, 0x3130),
    range(0xAC00, 0xD7A4), range(0xFF00, 0xFFF0),
)  # fmt: skip
NAMES = [0, 1, 2, 3, 4, 5, 6, 13, 14]  # copyright, family, version, licence


def characters() -> set[int]:
    """Return the code points that are kept."""
    found = {code for block in BLOCKS for code in block}
    for encoding, rows in CHARACTER_SETS:
        for row in rows:
            for cell in range(0xA1, 0xFF):
                found |= {ord(char) for char in bytes([row, cell]).decode(encoding, "ignore")}
    return found


def main() -> None:
    """Make the font and write it to its file."""
    font = TTFont(SOURCE, fontNumber=JAPANESE)
    options = subset.Options(
        layout_features=["ccmp", "kern", "locl"],
        layout_scripts=[f"{script}.{name}" for script in ("DFLT", "hani", "kana", "latn") for name in ("dflt", "ZHS")],
        hinting=False,
        name_IDs=NAMES,
        notdef_outline=True,
    )
    options.drop_tables += ["BASE", "VORG", "vhea", "vmtx"]  # for vertical text only
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=characters())
    subsetter.subset(font)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    font.save(TARGET)


if __name__ == "__main__":
    main()
