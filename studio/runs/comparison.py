"""The comparison of a result with the picture that it was made of, and kept composites of the two.

It is computed when a page first asks, and kept with the run's files. OpenCV is imported then, and not before.
"""

from __future__ import annotations

import io
import re
from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from PIL import Image
from pydantic import TypeAdapter

from studio.uploads import KEPT_MAX, RUN_FILES_LOCK, forget_run, is_upload, load_record, served_folder, write_record
from wan_client import InvalidRequest
from wan_client.compare import Alignment, Tone, align, change_map, find_reference, warp_to_after
from wan_client.compare import keep as keep_rest
from wan_client.errors import ImageError
from wan_client.files import write_whole
from wan_client.framing import jpeg
from wan_client.images import open_full
from wan_client.provenance import KEPT_NAME
from wan_client.recipe import KeptParts, embed, mask_text, read
from wan_client.schema import SIDE_MAX

from .before_picture import stated_before_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from wan_client.compare import Kept

    from .results import Outcome

COMPARISON = "compared.json"
KEPT = "kept.json"
# The page shows a larger composite in a smaller copy.
SHOWN_SIDE_MAX = 2048
KeptSize = Literal["result", "original"]


@dataclass(frozen=True)
class Comparison:
    """How a result differs from the reference that it was made of.

    Attributes:
        before: The number of that reference.
        alignment: Where the reference lies in the result.
        share: What changed, in per cent of what both pictures show.
        areas: In how many places.
        tones: How all colours changed.
    """

    before: int
    alignment: Alignment
    share: float = 0.0
    areas: int = 0
    tones: tuple[Tone, ...] = ()

    def aligned_file(self, key: str) -> Path | None:
        """Return the file of the reference's copy that is aligned with the result; None where that is not sure."""
        return served_folder(key, "aligned") / "aligned.jpg" if self.alignment.sure else None

    def map_file(self, key: str) -> Path | None:
        """Return the file of the map of what changed, white where it did; None where that can't be known."""
        return served_folder(key, "map") / "map.png" if self.alignment.sure else None


@dataclass(frozen=True)
class KeptPicture:
    """A kept composite.

    Attributes:
        number: Its number among the result's composites.
        name: The file's name.
        width: In pixels.
        height: In pixels.
        size: Whether it has the result's size, or the original's.
        before: The number of the reference that the rest is taken from.
        shown: Width and height of the smaller copy that the page shows; None where it shows the file itself.
        digest: The hash of the mask, the reference and the size that it was made from.
    """

    number: int
    name: str
    width: int
    height: int
    size: KeptSize
    before: int
    shown: tuple[int, int] | None
    digest: str

    def file(self, key: str) -> Path:
        """Return the composite's own file."""
        return served_folder(key, f"kept-{self.number}") / self.name

    def shown_file(self, key: str) -> Path:
        """Return the file that the page shows: a smaller copy of a large composite."""
        return served_folder(key, f"kept-shown-{self.number}") / "kept.jpg" if self.shown else self.file(key)

    def before_file(self, key: str) -> Path:
        """Return the file of the same part of the original, in the size of the file that the page shows."""
        return served_folder(key, f"kept-before-{self.number}") / "before.jpg"


_KEPT_KEY = re.compile(r"([^/]+)/kept-([0-9]{1,4})", re.ASCII)


def kept_key(key: str, number: int) -> str:
    """Return the name of a result's kept composite where a run's key stands for a picture."""
    return f"{key}/kept-{number}"


def split_kept_key(key: str) -> tuple[str, int | None]:
    """Split such a name into the run's key and the kept composite's number; None for the result itself."""
    found = _KEPT_KEY.fullmatch(key)
    return (found[1], int(found[2])) if found else (key, None)


_COMPARISON = TypeAdapter(Comparison)
_KEPT = TypeAdapter(tuple[KeptPicture, ...])


def load(key: str) -> Comparison | None:
    """Read the comparison of a result; None where there is none, or its files are gone."""
    found = load_record(_COMPARISON, key, COMPARISON)
    files = (found.aligned_file(key), found.map_file(key)) if found else ()
    return found if all(file is None or file.is_file() for file in files) else None


def compare(outcome: Outcome) -> Comparison:
    """Compare a result with the reference that it was made of, unless that has been done.

    Raises:
        ImageError: A picture can't be read, or the references are not here.
        SettingsError: OpenCV is not installed.
        OSError: The comparison can't be written.
    """
    if found := load(outcome.key):
        return found
    if not outcome.sent:
        raise ImageError("image_gone", field="images", number=1)
    after = open_full(outcome.path)
    references = [open_full(outcome.sent_file(number), number=number) for number in range(1, len(outcome.sent) + 1)]
    before = stated_before_number(outcome.extra, len(references)) or (1 if len(references) == 1 else None)
    if before:
        alignment = align(references[before - 1], after)
    else:
        resemblance = find_reference(after, references)
        before = resemblance.number or 1
        alignment = resemblance.alignments[before - 1]
    found = Comparison(before, alignment)
    files: dict[Path, bytes] = {}
    aligned, changed = found.aligned_file(outcome.key), found.map_file(outcome.key)
    if aligned and changed:
        found, drawn = _mapped(found, references[before - 1], after)
        files = {aligned: jpeg(warp_to_after(references[before - 1], alignment)), changed: drawn}
    _write(outcome, files, COMPARISON, _COMPARISON.dump_json(found))
    return found


def _mapped(found: Comparison, before: Image.Image, after: Image.Image) -> tuple[Comparison, bytes]:
    """Return the comparison with what changed, and the map of that as a PNG."""
    changes = change_map(before, after, found.alignment)
    drawn = io.BytesIO()
    Image.fromarray(changes.labels > 0).save(drawn, "PNG")
    known = replace(
        found,
        share=changes.share,
        areas=len(changes.regions),
        tones=changes.colours.tones if changes.colours else (),
    )
    return known, drawn.getvalue()


def kept_pictures(key: str) -> tuple[KeptPicture, ...]:
    """Return the kept composites of a result, oldest first."""
    return tuple(picture for picture in load_record(_KEPT, key, KEPT) or () if picture.file(key).is_file())


def keep(outcome: Outcome, originals: Sequence[str | None], mask: str, size: KeptSize) -> KeptPicture:
    """Blend a result into its original where a mask allows it, unless the same composite is there already.

    A composite beyond `KEPT_MAX` replaces the oldest.

    Args:
        outcome: The result.
        originals: The references as they were uploaded, by their numbers.
        mask: A PNG in base64, white where the result shall be taken.
        size: Whether the composite has the result's size, or the original's.

    Raises:
        InvalidRequest: It is no mask, or an empty one.
        ImageError: A picture can't be read, or is no longer here.
        SettingsError: OpenCV is not installed.
        OSError: The composite can't be written.
    """
    key, compared = outcome.key, compare(outcome)
    parts = KeptParts(_normalised_mask(mask, outcome), compared.before, size)
    digest = sha256(f"{parts}".encode()).hexdigest()
    earlier = kept_pictures(key)
    if found := next((picture for picture in earlier if picture.digest == digest), None):
        return found
    source = originals[compared.before - 1] or ""
    if not is_upload(source):
        if size == "original":
            raise ImageError("image_gone", field="images", number=compared.before)
        source = str(outcome.sent_file(compared.before))
    original = open_full(source, number=compared.before)
    alignment = compared.alignment.from_resized(original.size)
    kept = keep_rest(original, outcome.path, b64decode(parts.mask), alignment=alignment, size=size)
    recipe = read(outcome.recipe_file) if outcome.recipe_file else None
    data = kept.png()
    free = set(range(1, KEPT_MAX + 1)) - {picture.number for picture in earlier}
    number = min(free) if free else earlier[0].number
    picture = KeptPicture(
        number=number,
        name=f"{outcome.path.stem}-{KEPT_NAME}{'-full-size' if size == 'original' else ''}.png",
        width=kept.size[0],
        height=kept.size[1],
        size=size,
        before=compared.before,
        shown=_shown_size(kept.size),
        digest=digest,
    )
    whole = embed(data, replace(recipe, kept=parts)) if recipe else data
    others = [other for other in earlier if other.number != number]
    files = {picture.file(key): whole} | _drawn(picture, key, kept, original)
    _write(outcome, files, KEPT, _KEPT.dump_json((*others, picture)))
    return picture


def _drawn(picture: KeptPicture, key: str, kept: Kept, original: Image.Image) -> dict[Path, bytes]:
    """Draw the files by which the page shows a composite; return them with their contents."""
    size, drawn = picture.shown or kept.size, {}
    if picture.shown:
        small = kept.image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2)
        drawn[picture.shown_file(key)] = jpeg(small)
    part = original.resize(size, Image.Resampling.LANCZOS, kept.box, reducing_gap=2)
    return drawn | {picture.before_file(key): jpeg(part)}


def _shown_size(size: tuple[int, int]) -> tuple[int, int] | None:
    share = SHOWN_SIDE_MAX / max(size)
    return (max(1, round(size[0] * share)), max(1, round(size[1] * share))) if share < 1 else None


def decoded_mask(text: str) -> Image.Image:
    """Decode a mask that a caller sent, to black and white.

    Raises:
        InvalidRequest: It is none.
    """
    try:
        with Image.open(io.BytesIO(b64decode(text, validate=True)), formats=["PNG"]) as opened:
            if max(opened.size) > SIDE_MAX:
                raise InvalidRequest("mask_unreadable", field="mask")
            return opened.convert("L").point(lambda value: 255 if value > 127 else 0).convert("1")
    except (Base64Error, OSError, ValueError, SyntaxError) as problem:
        raise InvalidRequest("mask_unreadable", field="mask") from problem


def _normalised_mask(text: str, outcome: Outcome) -> str:
    """Return a mask as it is used and recorded: black and white, and no larger than a recipe takes.

    Raises:
        InvalidRequest: It is no mask of this result.
    """
    mask = decoded_mask(text)
    if abs(mask.width * outcome.height - mask.height * outcome.width) > max(mask.size) * 2:
        given, wanted = "{} × {}".format(*mask.size), f"{outcome.width} × {outcome.height}"
        raise InvalidRequest("mask_shape", field="mask", given=given, wanted=wanted)
    return mask_text(mask)


def _write(outcome: Outcome, files: Mapping[Path, bytes], name: str, record: bytes) -> None:
    """Write files and a record of a run, unless it was deleted meanwhile: then nothing of it is left behind."""
    with RUN_FILES_LOCK:
        if outcome.path.is_file():
            for file, data in files.items():
                file.parent.mkdir(parents=True, exist_ok=True)
                write_whole(file, data)
            write_record(outcome.key, name, record)
    # Another server that shares the disk may have deleted it.
    if not outcome.path.is_file():
        forget_run(outcome.key)
