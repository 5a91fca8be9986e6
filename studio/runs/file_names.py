"""Names of results' files, made of the picture's name and the prompt."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePath
from typing import TYPE_CHECKING

from wan_client.provenance import PREVIEW_NAME
from wan_client.schema import DEFAULT_SEED

if TYPE_CHECKING:
    from studio.prompt.form import Form

# Every file system takes names of 255 bytes, and a character may take four.
PART_MAX = 32
_PICTURE_NAMED = re.compile(
    r"\b(image|picture|photo)\s*\d\b|[图図]\s*(像|片)?\s*\d|画像\s*\d|이미지\s*\d|사진\s*\d", re.IGNORECASE
)
_FILLING = re.compile(r"\b(turn|make|show|into|as|a|an|the|in|with|of|and|it|to|please)\b", re.IGNORECASE)


def result_name(form: Form, *, preview: bool) -> str:
    """Return a file name without its suffix, such as ``cat-pencil-sketch-seed0``.

    Args:
        form: What was entered.
        preview: Whether the picture is a local preview, which its name then says.
    """
    picture = PurePath(form.image_1 or "").stem
    # A result that was edited again has a name that is made of these parts already.
    picture = re.split(r"-seed\d", picture.removeprefix(f"{PREVIEW_NAME}-"), maxsplit=1)[0]
    wanted = _FILLING.sub(" ", _PICTURE_NAMED.sub(" ", form.prompt or ""))
    seed = DEFAULT_SEED if form.seed is None else int(form.seed)
    parts = [PREVIEW_NAME if preview else "", _plain(picture), _plain(wanted), f"seed{seed}"]
    return "-".join(part for part in parts if part)


def _plain(text: str) -> str:
    """Return the first words of a text in letters and digits of any script, joined by hyphens."""
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFC", text).lower())
    plain = ""
    for word in words:
        longer = f"{plain}-{word}" if plain else word[:PART_MAX]
        if len(longer) > PART_MAX:
            break
        plain = longer
    return plain
