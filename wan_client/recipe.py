"""The recipe that made a picture, stored inside the picture: a PNG that carries its recipe, and a clean copy beside it.

Both are made by moving whole chunks of the file: the pixel data stays byte for byte what the API gave.
"""

from __future__ import annotations

import struct
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Protocol

from PIL import Image, ImageOps
from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, TypeAdapter

from .api import check_request_id
from .files import write_whole
from .provenance import KEPT_TEXT, PREVIEW_NAME, PREVIEW_TEXTS, make_chunk, text_chunk
from .schema import (
    DEFAULT_SEED,
    IMAGES_MAX,
    IMAGES_MIN,
    MODEL_ID,
    SEED_MAX,
    SEED_MIN,
    SIDE_MAX,
    ImageSize,
    check_negative_prompt,
    check_prompt,
    check_seed,
)
from .settings import Backend

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

KEYWORD = b"wan-recipe"
PREVIEW_ENGINE = "local preview"

# Many times the longest prompt.
RECIPE_BYTES_MAX = 128 * 1024
# A recipe stands at the front of its file: no more than this is ever read to find one.
HEAD_BYTES_MAX = 1024 * 1024
MODEL_CHARACTERS_MAX = 200
MASK_CHARACTERS_MAX = 64 * 1024
COST_MAX = 1e6

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ITXT_HEAD = KEYWORD + b"\0\0\0\0\0"  # not compressed, no language, no translated keyword
# The chunks that decide how the picture looks; all others only describe it.
_RENDERING_CHUNKS = {
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"mDCV", b"cLLI",
    b"sBIT", b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT",
}  # fmt: skip


def _in_utc(moment: datetime) -> datetime:
    if moment.utcoffset() != timedelta(0):
        raise ValueError("not in UTC")
    return moment


def _check_mask(mask: str) -> str:
    """Return the mask, if its header is that of a PNG no larger than a picture can be."""
    head = b64decode(mask, validate=True)[:24]
    if len(head) < 24 or not head.startswith(_SIGNATURE) or head[12:16] != b"IHDR":
        raise ValueError("no PNG")
    if not all(1 <= side <= SIDE_MAX for side in struct.unpack_from(">II", head, 16)):
        raise ValueError("the mask is too large")
    return mask


class Inputs(Protocol):
    """The model's inputs as a form or a request holds them, the pictures aside."""

    @property
    def prompt(self) -> str: ...  # noqa: D102
    @property
    def negative_prompt(self) -> str: ...  # noqa: D102
    @property
    def image_size(self) -> str: ...  # noqa: D102
    @property
    def seed(self) -> float | None: ...  # noqa: D102
    @property
    def prompt_extend(self) -> bool: ...  # noqa: D102


@dataclass(frozen=True)
class KeptParts:
    """Which parts of a kept composite are the result's, and which the original's.

    Attributes:
        mask: A PNG in base64, white where the result was taken. It has the result's frame.
        image: Which of the references all the rest is.
        size: Whether the composite has the result's size, or the original's.
    """

    mask: Annotated[str, StringConstraints(max_length=MASK_CHARACTERS_MAX), AfterValidator(_check_mask)]
    image: Annotated[int, Field(ge=IMAGES_MIN, le=IMAGES_MAX)]
    size: Literal["result", "original"]


@dataclass(frozen=True)
class Recipe:
    """What made a picture.

    Attributes:
        prompt: The instruction as it was sent.
        negative_prompt: What was to be kept out of the result.
        image_size: The frame of the result.
        seed: The seed that was sent.
        prompt_extend: Whether magic prompt was on.
        engine: The hosted model, or the sandbox, whose pictures are local previews.
        model: The model's id; for the sandbox the words "local preview", because no model was at work.
        request_id: The run at the API.
        cost: In USD, as the API reported it; None where it didn't, and for the sandbox.
        created: When the run was started, in UTC.
        references: The SHA-256 of each picture, in order, as it was uploaded: a person has that file, and dropping it
            again is recognised. What was sent was prepared from it, and may come out otherwise another day. File
            names are not kept: they say more about people than about pictures.
        version: Of this format.
        kept: For a kept composite, how it was put together from the result and an original.
    """

    prompt: Annotated[str, AfterValidator(check_prompt)]
    negative_prompt: Annotated[str, AfterValidator(check_negative_prompt)]
    image_size: ImageSize
    seed: Annotated[int, Field(ge=SEED_MIN, le=SEED_MAX)]
    prompt_extend: bool
    engine: Backend
    model: Annotated[str, StringConstraints(min_length=1, max_length=MODEL_CHARACTERS_MAX)]
    request_id: Annotated[str, AfterValidator(check_request_id)]
    cost: Annotated[float, Field(ge=0, le=COST_MAX)] | None
    created: Annotated[AwareDatetime, AfterValidator(_in_utc)]
    references: Annotated[
        tuple[Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")], ...],
        Field(min_length=IMAGES_MIN, max_length=IMAGES_MAX),
    ]
    version: Literal[1]
    kept: KeptParts | None = None

    @classmethod
    def of(
        cls,
        inputs: Inputs,
        *,
        engine: Backend,
        request_id: str,
        cost: float | None,
        created: datetime,
        references: tuple[str, ...],
    ) -> Recipe:
        """Return the recipe of a run with these inputs.

        Raises:
            InvalidRequest: They can't have been sent.
        """
        sandbox = engine is Backend.SANDBOX
        return cls(
            prompt=check_prompt(inputs.prompt),
            negative_prompt=check_negative_prompt(inputs.negative_prompt or ""),
            image_size=ImageSize.parse(inputs.image_size),
            seed=check_seed(DEFAULT_SEED if inputs.seed is None else inputs.seed),
            prompt_extend=inputs.prompt_extend,
            engine=engine,
            model=PREVIEW_ENGINE if sandbox else MODEL_ID,
            request_id=request_id,
            cost=None if sandbox else cost,
            created=created,
            references=references,
            version=1,
        )

    def to_json(self) -> bytes:
        """Return the recipe as JSON, in UTF-8.

        Raises:
            ValueError: It is too long to be read again.
        """
        text = _RECIPE.dump_json(self, exclude_defaults=True)
        if len(text) > RECIPE_BYTES_MAX:
            raise ValueError("the recipe is too long")
        return text

    @classmethod
    def from_json(cls, text: bytes) -> Recipe:
        """Read a recipe from any source. Unknown keys are ignored.

        Raises:
            ValueError: It is no recipe of this version, or a value is outside its limits.
        """
        return _RECIPE.validate_json(text, strict=True)


_RECIPE = TypeAdapter(Recipe)


def fingerprint(picture: str | PathLike[str]) -> str:
    """Return the SHA-256 of a picture's file, as ``sha256sum`` prints it.

    Raises:
        OSError: It can't be read.
    """
    return sha256(Path(picture).read_bytes()).hexdigest()


def mask_text(mask: Image.Image) -> str:
    """Return a mask as `KeptParts` holds it: black and white, and reduced until a recipe takes it."""
    while True:
        mask = mask.convert("L").point(lambda value: 255 if value > 127 else 0).convert("1")
        buffer = BytesIO()
        mask.save(buffer, "PNG", optimize=True)
        text = b64encode(buffer.getvalue()).decode()
        if len(text) <= MASK_CHARACTERS_MAX:
            return text
        mask = mask.convert("L").reduce(2)


def embed(png: bytes, recipe: Recipe) -> bytes:
    """Return the PNG with the recipe in a text chunk, in place of any that it had.

    Raises:
        ValueError: It is no complete PNG, or the recipe is too long.
    """
    text = make_chunk(b"iTXt", _ITXT_HEAD + recipe.to_json())
    labels = _labels(png, preview=recipe.engine is Backend.SANDBOX)
    header, *rest = _chunks(png)
    kept = [chunk for chunk in rest if chunk not in labels and not _is_recipe(chunk)]
    return b"".join([_SIGNATURE, header, text, *labels, *kept])


def says_preview(picture: bytes) -> bool:
    """Return whether a picture says of itself that it is a local preview."""
    return _has_label(picture, PREVIEW_TEXTS[0])


def says_kept(picture: bytes) -> bool:
    """Return whether a picture says of itself that it is a kept composite."""
    return _has_label(picture, KEPT_TEXT)


def _has_label(picture: bytes, text: tuple[str, str]) -> bool:
    label = text_chunk(*text)
    try:
        return any(chunk == label for chunk in _chunks(picture))
    except ValueError:
        return False


def strip(png: bytes, *, preview: bool = False) -> bytes:
    """Return the PNG with nothing but the picture in it, and the label of a local preview or a kept composite.

    Args:
        png: The file.
        preview: Whether it is a local preview. One that is labelled is recognised anyway.

    Raises:
        ValueError: It is no complete PNG.
    """
    labels = _labels(png, preview=preview)
    header, *rest = _chunks(png)
    return b"".join([_SIGNATURE, header, *labels, *(chunk for chunk in rest if chunk[4:8] in _RENDERING_CHUNKS)])


def read(picture: str | PathLike[str] | bytes) -> Recipe | None:
    """Return the recipe in a picture; None if there is none that can be used, whatever the file is.

    Only the head of the file is read, and no pixel is decoded.
    """
    try:
        head = picture[:HEAD_BYTES_MAX] if isinstance(picture, bytes) else _head(Path(picture))
        for chunk in _chunks(head):
            if _is_recipe(chunk):
                return Recipe.from_json(_text(chunk))
            if chunk[4:8] == b"IDAT":
                return None
    except (ValueError, OSError):
        pass
    return None


def write_copies(result: Path, recipe: Recipe) -> tuple[Path, Path]:
    """Write the recipe copy and the clean copy beside the API's own file, which stays as it is.

    Both are PNG. A result of another format is decoded and written losslessly: its pixels stay, its bytes don't.

    Args:
        result: The API's own file.
        recipe: What made it.

    Returns:
        The copy with the recipe, and the one without.

    Raises:
        ValueError: The file is no complete picture, or the recipe is too long.
        OSError: The file can't be read, or the copies can't be written.
    """
    data, preview = result.read_bytes(), recipe.engine is Backend.SANDBOX
    png = to_png(data)
    stem = result.stem if not preview or PREVIEW_NAME in result.stem else f"{PREVIEW_NAME}_{result.stem}"
    copies = result.with_name(f"{stem}.recipe.png"), result.with_name(f"{stem}.clean.png")
    for file, content in zip(copies, (embed(png, recipe), strip(png, preview=preview)), strict=True):
        # A page may be requesting the file at this moment.
        write_whole(file, content)
    return copies


def to_png(data: bytes) -> bytes:
    """Return the picture as a PNG: one that is a PNG as it is, another decoded and written losslessly.

    Raises:
        ValueError: It is no complete picture.
        OSError: It is no complete picture.
    """
    if data.startswith(_SIGNATURE):
        return data
    out = BytesIO()
    with Image.open(BytesIO(data), formats=["JPEG", "WEBP"]) as opened:
        try:
            image = ImageOps.exif_transpose(opened)
        except Exception:  # noqa: BLE001  # a broken EXIF block makes its parser raise anything at all
            image = opened
        if image.mode == "CMYK":  # which PNG does not have
            image.info.pop("icc_profile", None)
            image = image.convert("RGB")
        image.save(out, "PNG")
    return out.getvalue()


def _chunks(png: bytes) -> Iterator[bytes]:
    """Yield each chunk whole: length, name, content, checksum. Data after the last chunk is ignored."""
    if not png.startswith(_SIGNATURE):
        raise ValueError("not a PNG")
    place, name = len(_SIGNATURE), b""
    while name != b"IEND":
        if place + 12 > len(png):
            raise ValueError("the PNG is cut off")
        length, name = struct.unpack_from(">I4s", png, place)
        end = place + 12 + length
        if end > len(png):
            raise ValueError("the PNG is cut off")
        yield png[place:end]
        place = end


def _is_recipe(chunk: bytes) -> bool:
    return chunk[4:8] == b"iTXt" and chunk.startswith(KEYWORD + b"\0", 8)


def _text(chunk: bytes) -> bytes:
    """Return the text of a recipe's chunk. A compressed one is not ours: nothing is ever unpacked."""
    content = chunk[8:-4]
    if not content.startswith(_ITXT_HEAD) or chunk != make_chunk(b"iTXt", content):
        raise ValueError("a broken chunk")
    if len(content) > len(_ITXT_HEAD) + RECIPE_BYTES_MAX:
        raise ValueError("too long")
    return content[len(_ITXT_HEAD) :]


def _labels(png: bytes, *, preview: bool) -> list[bytes]:
    """Return the chunks that label the picture a local preview or a kept composite, where it is one."""
    said = [*(PREVIEW_TEXTS if preview or says_preview(png) else ()), *([KEPT_TEXT] if says_kept(png) else ())]
    return [text_chunk(keyword, text) for keyword, text in said]


def _head(file: Path) -> bytes:
    if not file.is_file():  # a pipe or a device may never end
        return b""
    with file.open("rb") as stream:
        return stream.read(HEAD_BYTES_MAX)
