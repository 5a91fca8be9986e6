"""The example cards: data in ``assets/examples.json``, pictures in ``assets/photos``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from wan_client import ImageSize

ASSETS = Path(__file__).parents[2] / "assets"
THUMBNAILS = ASSETS / "examples"


@dataclass(frozen=True)
class Example:
    """One card: what it puts into the form."""

    name: str
    images: tuple[str, ...]
    prompt: str
    image_size: ImageSize
    thumbnail: Path


def load() -> list[Example]:
    """Return all examples, in the order in which they are shown."""
    return [
        Example(
            name=entry["name"],
            images=tuple(str(ASSETS / "photos" / image) for image in entry["images"]),
            prompt=entry["prompt"],
            image_size=ImageSize.parse(entry["image_size"]),
            thumbnail=ASSETS / entry["thumbnail"],
        )
        for entry in json.loads((ASSETS / "examples.json").read_text("utf-8"))
    ]
