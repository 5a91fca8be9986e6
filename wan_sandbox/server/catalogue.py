"""The catalogue: the one model there is, listed as clients of the API ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from wan_sandbox.messages import say
from wan_sandbox.server import schema

if TYPE_CHECKING:
    from collections.abc import Mapping

CATEGORIES: Final = ("image-to-image",)
LONGEST_PAGE: Final = 100


def entry(price: float, language: str) -> dict[str, Any]:
    """Describe the model, with the price of a rehearsal."""
    return {
        "model_id": schema.MODEL_ID,
        "display_name": schema.DISPLAY_NAME,
        "categories": list(CATEGORIES),
        "base_price_usd": price,
        # The vendor's own clients expect this of a model that makes pictures.
        "price_unit": "output",
        "pricing_note": say("rehearsed_price" if price else "free", language),
        "input_schema": schema.input_schema(language),
    }


def listing(query: Mapping[str, str], price: float, language: str) -> dict[str, Any]:
    """Return the page of the catalogue that a query asks for."""
    wanted = query.get("search", "").strip().casefold()
    found = wanted in f"{schema.MODEL_ID} {schema.DISPLAY_NAME}".casefold()
    found = found and query.get("category", CATEGORIES[0]) in CATEGORIES
    limit = _number(query.get("limit"), LONGEST_PAGE, LONGEST_PAGE)
    offset = _number(query.get("offset"), 0)
    models = [entry(price, language)] if found else []
    return {"models": models[offset : offset + limit], "total": len(models), "limit": limit, "offset": offset}


def _number(text: str | None, default: int, most: int | None = None) -> int:
    if text is None or not text.isascii() or not text.isdigit():
        return default
    number = int(text[:9])
    return number if most is None else min(number, most)
