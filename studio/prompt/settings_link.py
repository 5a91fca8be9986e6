"""A link that carries the text settings, and nothing else: no picture, no run, no token."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from wan_client import ImageSize, InvalidRequest
from wan_client.schema import check_negative_prompt, check_prompt, check_seed

from .form import Form

if TYPE_CHECKING:
    from collections.abc import Mapping

# Longer than any prompt that people write, shorter than what servers accept as an address.
VALUE_CHARACTERS_MAX = 16_000

NAMES = ("prompt", "size", "seed", "negative_prompt", "prompt_extend")

_SWITCH = {"true": True, "false": False}


def to_query(form: Form) -> str:
    """Return the form's text settings as a query, such as ``prompt=pencil%20sketch&size=16:9&seed=7``.

    Values that are the form's defaults are left out, and so are those that the model would refuse.
    """
    usual, given = _texts(Form("")), _texts(from_query(_texts(form)))
    return urlencode({name: text for name, text in given.items() if text != usual[name]}, quote_via=quote, safe=":")


def from_query(params: Mapping[str, str]) -> Form:
    """Return the form that a link's query asks for, without pictures. Unusable values are ignored.

    Args:
        params: The query's parameters, decoded: anybody may have written them.
    """
    known = {name: text for name, text in params.items() if len(text) <= VALUE_CHARACTERS_MAX}
    values: dict[str, str | int | bool] = {"prompt": ""}
    with suppress(KeyError, InvalidRequest):
        values["prompt"] = check_prompt(known["prompt"])
    with suppress(KeyError, InvalidRequest):
        values["negative_prompt"] = check_negative_prompt(known["negative_prompt"])
    with suppress(KeyError, InvalidRequest):
        values["image_size"] = ImageSize.parse(known["size"]).value
    with suppress(KeyError, InvalidRequest, ValueError):
        values["seed"] = check_seed(int(known["seed"]))
    with suppress(KeyError):
        values["prompt_extend"] = _SWITCH[known["prompt_extend"]]
    return Form(**values)  # type: ignore[arg-type]  # each is what its own line made of it


def _texts(form: Form) -> dict[str, str]:
    ratios = {size.value: size.ratio for size in ImageSize}
    return {
        "prompt": form.prompt or "",
        "size": ratios.get(form.image_size, form.image_size),
        "seed": "" if form.seed is None else str(form.seed).removesuffix(".0"),
        "negative_prompt": form.negative_prompt or "",
        "prompt_extend": str(form.prompt_extend).lower(),
    }
