"""Results to export, drawn here: no photograph is needed to see where a file's bytes go."""

from __future__ import annotations

import io
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw

from wan_client import Backend, ImageSize
from wan_client.export import ExportItem
from wan_client.recipe import Recipe, embed, fingerprint

if TYPE_CHECKING:
    from pathlib import Path

MODEL = "wan-ai/wan-2-6/image-to-image"
RUN = "run-7f3a"
PROMPT = "Turn image 1 into a pencil sketch"
SIZE = (96, 64)


def picture(size: tuple[int, int] = SIZE, kind: str = "PNG", colour: str = "#7788aa", **options: Any) -> bytes:
    image = Image.effect_mandelbrot(size, (-2, -1.5, 1, 1.5), 60).convert("RGB")
    ImageDraw.Draw(image).ellipse((4, 4, size[0] // 2, size[1] // 2), colour)
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def recipe(prompt: str = PROMPT, *, preview: bool = False, **changes: Any) -> Recipe:
    values: dict[str, Any] = {
        "prompt": prompt,
        "negative_prompt": "blurry",
        "image_size": ImageSize.LANDSCAPE_3_2,
        "seed": 7,
        "prompt_extend": True,
        "engine": Backend.SANDBOX if preview else Backend.RUNCOMFY,
        "model": "local preview" if preview else MODEL,
        "request_id": RUN,
        "cost": None,
        "created": datetime(2026, 11, 22, 9, 30, tzinfo=timezone.utc),
        "references": ("a" * 64,),
        "version": 1,
    }
    return Recipe(**{**values, **changes})


def item(
    prompt: str = PROMPT,
    *,
    preview: bool = False,
    after: bytes | None = None,
    before: bytes | None = b"",
    prepared: bool = False,
    kept: bool = False,
) -> ExportItem:
    """A result; `before` is drawn unless one is given, or None."""
    return ExportItem.of(
        recipe(prompt, preview=preview),
        picture() if after is None else after,
        picture((120, 60), "JPEG", "#cc4444") if before == b"" else before,
        prepared=prepared,
        kept=kept,
    )


def write_result(folder: Path, name: str = "sketch.png", *, preview: bool = False) -> Path:
    """A picture with a recipe, and beside it the picture that it was made from."""
    before = folder / "cat.jpg"
    before.write_bytes(picture((480, 420), "JPEG"))
    made = recipe(preview=preview, references=(fingerprint(before),))
    file = folder / name
    file.write_bytes(embed(picture(), made))
    return file
