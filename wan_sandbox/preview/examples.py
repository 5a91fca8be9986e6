"""The page's example pictures, drawn by the preview: `python -m wan_sandbox.preview.examples`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from wan_sandbox.preview.reader import read
from wan_sandbox.preview.render.picture import draw
from wan_sandbox.server import schema

_ASSETS = Path(__file__).resolve().parents[2] / "assets"
_CARD = (360, 240)
_LINE = 4
# The first example's pictures are seen by every visitor, so they are small.
_READY = (900, 900)


def draw_example(example: dict[str, Any]) -> tuple[Image.Image, Image.Image]:
    """Return an example's first picture in the result's frame, and the labelled preview of the result."""
    photos = [Image.open(_ASSETS / "photos" / name).convert("RGB") for name in example["images"]]
    ratio = f"({example['image_size']})"
    size = next(schema.pixels(known) for known in schema.choices("image_size") if known.endswith(ratio))
    return ImageOps.fit(photos[0], size), draw(read(example["prompt"], images=len(photos)), photos, size)


def card(before: Image.Image, after: Image.Image) -> Image.Image:
    """Return the left half of one picture beside the right half of the other."""
    drawn, right = ImageOps.fit(before, _CARD), ImageOps.fit(after, _CARD)
    middle = _CARD[0] // 2
    drawn.paste(right.crop((middle, 0, *_CARD)), (middle, 0))
    drawn.paste((255, 255, 255), (middle - _LINE // 2, 0, middle + _LINE // 2, _CARD[1]))
    return drawn


def main() -> None:
    """Write a card of each example, and the first one's before and after."""
    for number, example in enumerate(json.loads((_ASSETS / "examples.json").read_text("utf-8"))):
        before, after = draw_example(example)
        card(before, after).save(_ASSETS / example["thumbnail"], quality=82, optimize=True)
        if number == 0:
            for name, picture in (("before.jpg", before), ("after-local-preview.jpg", after)):
                file = _ASSETS / "ready" / name
                file.parent.mkdir(exist_ok=True)
                picture.thumbnail(_READY)
                picture.save(file, quality=76, optimize=True, progressive=True)


if __name__ == "__main__":
    main()
