"""One result to be shared, and its pictures without metadata."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PIL import Image

from wan_client import images
from wan_client.errors import ImageError
from wan_client.framing import framed
from wan_client.recipe import embed, says_kept, says_preview, strip, to_png
from wan_client.settings import Backend

if TYPE_CHECKING:
    from datetime import datetime

    from wan_client.recipe import Recipe
    from wan_client.schema import ImageSize

    from .texts import Words


@dataclass(frozen=True)
class ExportItem:
    """One result, with what made it.

    Attributes:
        after: The finished picture's file, as the API gave it or any copy of it.
        prompt: The instruction as it was sent.
        before: The picture from before: any file that can be opened. One that has the size of the finished picture is
            taken to lie over it; another is brought to its frame. None where there is none.
        negative_prompt: What was to be kept out of the result.
        image_size: The frame that was asked for; None where it is not known.
        seed: The seed that was sent; None where it is not known.
        prompt_extend: Whether magic prompt was on; None where it is not known.
        engine: The hosted model, or the sandbox, whose pictures are local previews.
        model: The model's id; empty where it is not known.
        created: When the run was started; None where it is not known.
        prepared: Whether the result was made beforehand, rather than in the show that it is taken from.
        kept: Whether parts of the picture from before were put back into the finished one. A file that says so of
            itself is recognised anyway.
        recipe: The recipe for files that are to carry it. Without one they have no metadata.
    """

    after: bytes = field(repr=False)
    prompt: str
    before: bytes | None = field(default=None, repr=False)
    negative_prompt: str = ""
    image_size: ImageSize | None = None
    seed: int | None = None
    prompt_extend: bool | None = None
    engine: Backend = Backend.RUNCOMFY
    model: str = ""
    created: datetime | None = None
    prepared: bool = False
    kept: bool = False
    recipe: Recipe | None = field(default=None, repr=False)

    @classmethod
    def of(
        cls, recipe: Recipe, after: bytes, before: bytes | None = None, *, prepared: bool = False, kept: bool = False
    ) -> ExportItem:
        """Return the item of a picture and its recipe."""
        return cls(
            after=after,
            prompt=recipe.prompt,
            before=before,
            negative_prompt=recipe.negative_prompt,
            image_size=recipe.image_size,
            seed=recipe.seed,
            prompt_extend=recipe.prompt_extend,
            engine=recipe.engine,
            model=recipe.model,
            created=recipe.created,
            prepared=prepared,
            kept=kept,
            recipe=recipe,
        )

    @property
    def preview(self) -> bool:
        """Whether it is a local preview, by its engine or by what the file says of itself."""
        return self.engine is Backend.SANDBOX or says_preview(self.after)

    @property
    def marks(self) -> tuple[str, ...]:
        """What must be said of it wherever it is shown, as keys of the texts."""
        marks = {"preview": self.preview, "prepared": self.prepared, "kept": self.kept or says_kept(self.after)}
        return tuple(name for name, holds in marks.items() if holds)


@dataclass(frozen=True)
class Pictures:
    """An item's pictures, ready to be shared: no metadata but the recipe where it is wanted.

    Attributes:
        after: The finished picture as a PNG, its pixels untouched.
        before: The picture from before in the same frame, as a JPEG, PNG or WebP.
        size: Of both, in pixels.
    """

    after: bytes = field(repr=False)
    before: bytes | None = field(repr=False)
    size: tuple[int, int]


def pictures_of(item: ExportItem, number: int = 1, *, with_recipe: bool = False) -> Pictures:
    """Return the pictures of an item.

    Args:
        item: The item.
        number: Its place among several, for messages.
        with_recipe: Whether the finished picture carries its recipe.

    Raises:
        ImageError: A picture can't be read, or is too large to be opened.
    """
    size = images.size_of(item.after, number=number)
    try:
        png = to_png(item.after)
        after = embed(png, item.recipe) if with_recipe and item.recipe else strip(png, preview=item.preview)
        before = None
        if item.before is not None:
            prepared = images.prepare(item.before, number=number)
            same = (prepared.width, prepared.height) == size
            before = prepared.data if same else framed(prepared.data, size)
    except ImageError:
        raise
    except Exception as problem:  # a broken file makes a decoder raise anything at all
        raise ImageError("image_unreadable", field="images", number=number) from problem
    return Pictures(after, before, size)


def decoded(picture: bytes, number: int = 1) -> Image.Image:
    """Return the pixels of a picture that `pictures_of` gave, without transparency.

    Raises:
        ImageError: It is incomplete.
    """
    try:
        with Image.open(io.BytesIO(picture)) as opened:
            image = opened.convert("RGBA" if opened.has_transparency_data else "RGB")
    except Exception as problem:  # a broken file makes a decoder raise anything at all
        raise ImageError("image_unreadable", field="images", number=number) from problem
    if image.mode == "RGB":
        return image
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")


def facts_of(item: ExportItem, words: Words, *, with_recipe: bool) -> list[tuple[str, str]]:
    """Return what is said about an item beside its prompt: labels and values."""
    engine = words("engine.sandbox") if item.preview else words("engine.runcomfy", model=item.model).strip(" ·")
    facts: list[tuple[str, str | None]] = [
        ("created", words.date(item.created) if item.created else None),
        ("image_size", _size(item.image_size) if item.image_size else None),
        ("seed", None if item.seed is None else str(item.seed)),
        ("prompt_extend", None if item.prompt_extend is None else words("on" if item.prompt_extend else "off")),
        ("engine", engine),
        ("request_id", item.recipe.request_id if with_recipe and item.recipe else None),
        ("negative_prompt", item.negative_prompt),
    ]
    return [(words(name), value) for name, value in facts if value]


def _size(size: ImageSize) -> str:
    width, height = size.pixels
    return f"{width} × {height} ({size.ratio})"
