"""The words "local preview", in the picture and in its file."""

from __future__ import annotations

import json
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

if TYPE_CHECKING:
    from wan_sandbox.preview.plan import Plan

TEXT = "local preview"


def stamp(image: Image.Image) -> Image.Image:
    """Write the label on a dark translucent pill in the lower right corner."""
    height = max(9, round(0.019 * (image.width * image.height) ** 0.5))
    font = ImageFont.load_default(height)
    left, top, right, bottom = font.getbbox(TEXT)
    margin, inner = round(0.75 * height), (round(0.75 * height), round(0.42 * height))
    width, tall = round(right - left) + 2 * inner[0], round(bottom - top) + 2 * inner[1]
    # Drawn large and reduced: ImageDraw's own corners are jagged.
    pill = Image.new("L", (width * 4, tall * 4))
    ImageDraw.Draw(pill).rounded_rectangle((0, 0, width * 4 - 1, tall * 4 - 1), tall * 2, fill=170)
    pill = pill.resize((width, tall), Image.Resampling.BOX)
    corner = (image.width - width - margin, image.height - tall - margin)
    labelled = image.copy()
    labelled.paste((12, 14, 18), corner, pill)
    place = (corner[0] + inner[0] - left, corner[1] + inner[1] - top)
    ImageDraw.Draw(labelled).text(place, TEXT, (255, 255, 255), font)
    return labelled


def to_png(image: Image.Image, plan: Plan) -> bytes:
    """Write the picture losslessly, saying in its text what it is and how it came about."""
    facts = PngInfo()
    facts.add_text("Software", "wan_sandbox local preview")
    facts.add_text("Title", "Local preview")
    facts.add_text("Comment", "A local preview drawn by the sandbox. It was not made by the model.")
    facts.add_itxt("Plan", json.dumps(plan.to_json(), ensure_ascii=False))
    out = BytesIO()
    image.save(out, "PNG", pnginfo=facts, compress_level=1)
    return out.getvalue()
