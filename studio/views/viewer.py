"""The viewer that compares two pictures: the HTML of `<wan-viewer>`, whose script is browser/static/viewer.js."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Literal

from .render import render

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

    from studio.i18n.texts import Texts

Kind = Literal["reference", "result", "kept", "history"]

# SVG paths on a field of 20 × 20.
_ICONS = {
    "slider": "M5 4h10a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2zM10 1.5v17",
    "side": "M4 4h2.5A1.5 1.5 0 0 1 8 5.5v9A1.5 1.5 0 0 1 6.5 16H4a1.5 1.5 0 0 1-1.5-1.5v-9A1.5 1.5 0 0 1 4 4z"
    "M13.5 4H16a1.5 1.5 0 0 1 1.5 1.5v9A1.5 1.5 0 0 1 16 16h-2.5a1.5 1.5 0 0 1-1.5-1.5v-9A1.5 1.5 0 0 1 13.5 4z",
    "flip": "M4.5 7h7A1.5 1.5 0 0 1 13 8.5v7a1.5 1.5 0 0 1-1.5 1.5h-7A1.5 1.5 0 0 1 3 15.5v-7A1.5 1.5 0 0 1 4.5 7z"
    "M7 4.5A1.5 1.5 0 0 1 8.5 3h7A1.5 1.5 0 0 1 17 4.5v7a1.5 1.5 0 0 1-1.5 1.5",
    "difference": "M13 10a5 5 0 1 1-10 0 5 5 0 0 1 10 0zM17 10a5 5 0 1 1-10 0 5 5 0 0 1 10 0z",
    "changes": "M4 4.5h12A1.5 1.5 0 0 1 17.5 6v8a1.5 1.5 0 0 1-1.5 1.5H4A1.5 1.5 0 0 1 2.5 14V6A1.5 1.5 0 0 1 4 4.5z"
    "M8 9.5c0-1.6 5-1.9 5 .6s-5 2.4-5-.6z",
    "swap": "M4 7h12M13 4l3 3-3 3M16 13H4M7 10l-3 3 3 3",
    "out": "M5 10h10",
    "in": "M5 10h10M10 5v10",
    "full": "M3 7.5V3h4.5M12.5 3H17v4.5M17 12.5V17h-4.5M7.5 17H3v-4.5",
}
_VIEWS = ("slider", "side", "flip", "difference", "changes")
# Texts that the browser announces to screen readers, with the values that it fills in itself.
_ANNOUNCED = {
    "comparing": {"a": "{a}", "b": "{b}"},
    "showing": {"picture": "{picture}"},
    "zoomed": {"percent": "{percent}"},
    "stage": {},
    "flip": {},
    "waiting": {},
}


@dataclass(frozen=True)
class Picture:
    """A picture that may be compared.

    Attributes:
        key: Its name among the pictures of one viewer. Keep it while the picture stays, so that a choice stays too.
        label: What a person calls it, such as "Image 1".
        url: Where the browser finds it.
        width: In pixels.
        height: In pixels.
        kind: Groups the pictures in the pickers. Beside a reference, the other picture's frame is the one shown.
        aligned: Another picture's key → the URL of this picture in that one's frame.
        comparable: Whether it is a run's result, of which the server can say what changed. Its key is then the run's.
        badge: What stands on the picture, such as "Before · Image 1"; the label if empty.
    """

    key: str
    label: str
    url: str
    width: int
    height: int
    kind: Kind
    aligned: Mapping[str, str] = field(default_factory=dict)
    badge: str = ""
    comparable: bool = False


def viewer(texts: Texts, pictures: Sequence[Picture], a: str, b: str) -> Markup:
    """Render the viewer of these pictures. A single one can only be zoomed into.

    Args:
        texts: The visitor's language.
        pictures: Every picture that may be chosen; at least one. Those of a kind stand together.
        a: The key of the one on the left at first.
        b: The key of the one on the right at first, and the frame's.
    """
    known = {picture.key: picture for picture in pictures}
    left, right = known[a], known[b]
    data = [
        {
            "key": picture.key,
            "label": picture.label,
            "badge": picture.badge or picture.label,
            "url": picture.url,
            "width": picture.width,
            "height": picture.height,
            "kind": picture.kind,
            "aligned": dict(picture.aligned),
            "comparable": picture.comparable,
        }
        for picture in pictures
    ]
    announced = {name: texts(f"viewer.{name}", **values) for name, values in _ANNOUNCED.items()}
    groups = [(kind, list(group)) for kind, group in groupby(pictures, lambda picture: picture.kind)]
    return render(
        "viewer",
        texts=texts,
        icons=_ICONS,
        views=(*_VIEWS, "swap"),
        single=len(pictures) == 1,
        choosing=len(pictures) > 2,
        comparing=any(picture.comparable for picture in pictures),
        left=left,
        left_url=left.aligned.get(b, left.url),
        right=right,
        groups=groups,
        pictures=json.dumps(data, ensure_ascii=False),
        said=json.dumps(announced, ensure_ascii=False),
    )
