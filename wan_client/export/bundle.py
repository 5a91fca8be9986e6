"""Everything in one ZIP: the page, the sheet, the wipes, and the pictures."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from wan_client.provenance import KEPT_NAME, PREVIEW_NAME

from .html_page import page
from .item import pictures_of
from .progress import Steps
from .sheet import Paper, sheet
from .wipe import Destination, WipeFormat, video_available, wipe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

    from .item import ExportItem
    from .progress import Progress

# The time of every file inside: the archive reveals neither the machine nor the hour.
_WHEN = (1980, 1, 1, 0, 0, 0)
_SUFFIXES = {b"\x89P": "png", b"\xff\xd8": "jpg", b"RI": "webp", b"BM": "bmp"}


def stem(items: Sequence[ExportItem]) -> str:
    """Return the name of a file of these items, without its suffix. It says so if one is a local preview."""
    dates = [item.created for item in items if item.created]
    parts = [
        PREVIEW_NAME if any(item.preview for item in items) else "",
        KEPT_NAME if any("kept" in item.marks for item in items) else "",
        "before-after",
        f"{max(dates):%Y-%m-%d}" if dates else "",
    ]
    return "_".join(part for part in parts if part)


def bundle(
    items: Sequence[ExportItem],
    file: BinaryIO,
    *,
    paper: Paper | str = Paper.A4,
    destination: Destination | str = Destination.CHAT,
    language: str = "en",
    with_recipe: bool = False,
    title: str | None = None,
    on_progress: Progress | None = None,
) -> None:
    """Write a ZIP of everything into an open file.

    Args:
        items: What is shown, in this order; at least one.
        file: Where the ZIP goes.
        paper: The size of a page of the sheet.
        destination: Where the wipes go, which decides their size.
        language: One of `LANGUAGES`.
        with_recipe: Whether the pictures and wipes carry their recipes and the runs' ids are shown.
        title: The heading of page and sheet, if not the language's own.
        on_progress: Called with the share of the files that are done.

    Raises:
        ExportError: There is no item.
        ImageError: A picture can't be read.
    """
    kinds = [kind for kind in WipeFormat if kind is not WipeFormat.MP4 or video_available()]
    steps = Steps(items, on_progress, each=1 + len(kinds), more=3)
    with zipfile.ZipFile(file, "w") as archive:

        def add(name: str, data: bytes) -> None:
            archive.writestr(zipfile.ZipInfo(name, _WHEN), data)

        name = stem(items)
        add(f"{name}.html", page(items, language=language, with_recipe=with_recipe, title=title))
        steps.done()
        for kind in ("pdf", "png"):
            sheets = sheet(items, kind, paper=paper, language=language, with_recipe=with_recipe, title=title)
            for number, data in enumerate(sheets, 1):
                add(f"{name}.pdf" if kind == "pdf" else f"{name}-{number:02}.png", data)
            steps.done()
        for number, item in enumerate(items, 1):
            own = f"{number:02}_{stem([item])}"
            pictures = pictures_of(item, number, with_recipe=with_recipe)
            add(f"pictures/{own}_after.png", pictures.after)
            if pictures.before:
                add(f"pictures/{own}_before.{_SUFFIXES[pictures.before[:2]]}", pictures.before)
            steps.done()
            for kind in kinds:
                if pictures.before:
                    data = wipe(
                        item,
                        kind,
                        destination=destination,
                        language=language,
                        with_recipe=with_recipe,
                        number=number,
                    )
                    add(f"wipes/{own}.{kind.value}", data)
                steps.done()
