"""What the page says of a comparison, and of kept composites."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from studio.runs import comparison
from studio.uploads import is_upload
from wan_client import ImageError
from wan_client.images import size_of
from wan_client.provenance import PREVIEW_NAME

from .files import file_url
from .render import render
from .viewer import Picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studio.i18n.texts import Texts
    from studio.runs.comparison import Comparison, KeptPicture
    from studio.runs.results import Outcome
    from wan_client.compare import Alignment

# Smaller differences are invisible, and are not mentioned.
_MOVED_MIN, _ZOOM_MIN, _TURN_MIN = 0.5, 0.0025, 0.1
_WHOLE_PERCENT = 0.005


def facts(texts: Texts, outcome: Outcome, found: Comparison, *, original: tuple[int, int] | None) -> dict[str, Any]:
    """Return what the viewer shows of a comparison, ready for JSON.

    Args:
        texts: The visitor's language.
        outcome: The result.
        found: Its comparison.
        original: Width and height of the reference as it was uploaded, where it is still here.
    """
    aligned, drawn = found.aligned_file(outcome.key), found.map_file(outcome.key)
    return {
        "before": f"image-{found.before}",
        "aligned": file_url(aligned) if aligned else None,
        "map": file_url(drawn) if drawn else None,
        "place": _place(texts, found.alignment),
        "changed": _changed(texts, found),
        "sizes": {
            "result": texts("keep.size.result", width=outcome.width, height=outcome.height),
            "original": texts("keep.size.original", width=original[0], height=original[1]) if original else None,
        },
    }


def size_of_upload(path: str) -> tuple[int, int] | None:
    """Return width and height of an uploaded picture as displayed; None where it is gone."""
    try:
        return size_of(path) if is_upload(path) else None
    except ImageError:
        return None


def _place(texts: Texts, alignment: Alignment) -> str:
    """Return how the reference is aligned with the result; empty where that is not sure."""
    if not alignment.sure:
        return ""
    moved, zoomed = alignment.moved, abs(alignment.scale - 1)
    turned = abs(alignment.rotation) >= _TURN_MIN
    if moved < _MOVED_MIN and zoomed < _ZOOM_MIN and not turned:
        return texts("compare.in_place")
    percent = f"{100 * alignment.scale:.{0 if zoomed < _ZOOM_MIN or zoomed >= _WHOLE_PERCENT else 1}f}"
    degrees = f"{abs(alignment.rotation):.1f}"
    key = "compare.aligned_turned" if turned else "compare.aligned"
    return texts(key, pixels=f"{moved:.0f}", percent=percent, degrees=degrees)


def _changed(texts: Texts, found: Comparison) -> list[str]:
    """Return what changed: how much of the picture, and all colours."""
    if not found.map:
        return [texts("compare.not_aligned")]
    share = f"{found.share:.0f}" if found.share >= 1 else f"{found.share:.1f}"
    words = [
        texts("compare.changed", percent=share, count=found.areas) if found.areas else texts("compare.nothing_changed")
    ]
    if found.tones:
        tones = ", ".join(texts(f"compare.tone.{tone.value}") for tone in found.tones)
        words.append(texts("compare.colours", tones=tones))
    return words


def pictures(texts: Texts, key: str, composites: Sequence[KeptPicture]) -> list[Picture]:
    """Return a result's kept composites as the viewer takes them."""
    made = []
    for kept in composites:
        name = texts("kept.name", number=kept.number)
        badge = texts("kept.badge.preview") if PREVIEW_NAME in kept.name else texts("kept.badge")
        width, height = kept.shown or (kept.width, kept.height)
        url = file_url(kept.shown_file(key))
        made.append(Picture(comparison.kept_key(key, kept.number), name, url, width, height, "kept", badge=badge))
    return made


def before_urls(key: str, composites: Sequence[KeptPicture], number: int) -> dict[str, str]:
    """Return the URLs of a reference in the frame of each kept composite that was made of it."""
    return {
        comparison.kept_key(key, kept.number): file_url(kept.before_file(key))
        for kept in composites
        if kept.before == number
    }


def kept_list(texts: Texts, key: str, composites: Sequence[KeptPicture]) -> str:
    """Return what can be done with a result's kept composites."""
    cards = [
        {
            "key": comparison.kept_key(key, kept.number),
            "number": kept.number,
            "name": texts("kept.name", number=kept.number),
            "facts": _kept_facts(texts, kept),
            "url": file_url(kept.file(key)),
            "file": kept.name,
        }
        for kept in composites
    ]
    return render("kept", texts=texts, key=key, cards=cards) if cards else ""


def _kept_facts(texts: Texts, kept: KeptPicture) -> str:
    engine: Sequence[str] = (texts("banner.sandbox.name"),) if PREVIEW_NAME in kept.name else ()
    return " · ".join([*engine, f"{kept.width} × {kept.height}", texts("kept.rest", number=kept.before)])
