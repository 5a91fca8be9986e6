"""Validation of the form before anything is queued; the problems show beside the inputs."""

from __future__ import annotations

from collections.abc import Iterator  # noqa: TC003  # Gradio reads annotations
from dataclasses import replace
from typing import Any

import gradio as gr

from studio.i18n.texts import Texts, texts_for
from studio.prompt.form import PENDING, Form
from studio.uploads import is_upload
from wan_client import ImageError, WanError
from wan_client.schema import DEFAULT_SEED, check_negative_prompt, check_prompt, check_seed

from .components import FIELDS, Shown  # Gradio reads annotations


def validate(
    kept: str, token: str, shown: Shown, engine: str, variations: int, request: gr.Request, **fields: Any
) -> list[dict[str, Any]]:
    """Return Gradio's validation result for each of the inputs of Generate, in their order."""
    wrong = dict(problems(Form(**fields), texts_for(request)))
    fine = gr.validate(True, "")
    return [fine, fine, fine, fine, fine, *(gr.validate(name not in wrong, wrong.get(name, "")) for name in FIELDS)]


def problems(form: Form, texts: Texts) -> Iterator[tuple[str, str]]:
    """Yield what can't be sent: the name of the field, and a sentence."""
    for name, check in (("prompt", check_prompt), ("negative_prompt", check_negative_prompt), ("seed", _check_seed)):
        try:
            check(getattr(form, name))
        except WanError as problem:
            yield name, _words(texts, problem)
    for place, path in enumerate(form.slots, 1):
        if path and not is_upload(path):
            code = "image_pending" if path == PENDING else "image_gone"
            yield f"image_{place}", _words(texts, WanError(code, number=place))
    try:
        replace(form, prompt="-", negative_prompt="", seed=DEFAULT_SEED).request()
    except ImageError:
        # Reported above, for each picture.
        return
    except WanError as problem:
        number = problem.values.get("empty", problem.values.get("number", 1))
        yield f"image_{number}" if problem.values.get("field") == "images" else "image_size", _words(texts, problem)


def _check_seed(seed: float | None) -> int:
    return check_seed(DEFAULT_SEED if seed is None else seed)


def _words(texts: Texts, problem: WanError) -> str:
    key = f"error.{problem.code}"
    return f"{texts(key, **problem.values)} {texts(f'{key}.hint', **problem.values)}"
