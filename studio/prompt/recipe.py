"""Restoring the form from a recipe, and what the page says about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.views.render import render
from wan_client import Backend
from wan_client.schema import IMAGES_MAX

from .form import Form

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studio.i18n.texts import Texts
    from wan_client.recipe import Recipe


def settings_of(recipe: Recipe) -> Form:
    """Return the form with a recipe's settings, without pictures, which the visitor has to add."""
    return Form(
        prompt=recipe.prompt,
        negative_prompt=recipe.negative_prompt,
        image_size=recipe.image_size.value,
        seed=recipe.seed,
        prompt_extend=recipe.prompt_extend,
    )


def differing(recipe: Recipe, slots: Sequence[str | None]) -> tuple[int, ...]:
    """Return the numbers of the slots that do not hold the recipe's pictures.

    Args:
        recipe: What was used then.
        slots: The `fingerprint` of each slot's picture now; None for an empty one.
    """
    then = [*recipe.references, *[None] * IMAGES_MAX][:IMAGES_MAX]
    now = [*slots, *[None] * IMAGES_MAX][:IMAGES_MAX]
    return tuple(number for number, (old, new) in enumerate(zip(then, now, strict=True), 1) if old != new)


def restored(texts: Texts, recipe: Recipe, slots: Sequence[str | None]) -> str:
    """Render what the page says of a restored recipe: which pictures differ from those used then.

    Args:
        texts: The visitor's language.
        recipe: What was used then.
        slots: As for `differing`.
    """
    lines = [texts("recipe.restored")]
    if recipe.engine is Backend.SANDBOX:
        lines.append(texts("recipe.was_preview"))
    for number in differing(recipe, slots):
        filled = number <= len(slots) and slots[number - 1] is not None
        kind = "extra" if number > len(recipe.references) else "other" if filled else "missing"
        lines.append(texts(f"recipe.image_{kind}", number=number))
    if recipe.kept:
        lines.append(texts("recipe.kept"))
    return render("recipe_note", lines=lines, mask=recipe.kept.mask if recipe.kept else "")
