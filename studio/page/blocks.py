"""Gradio's blocks, as the page changes them."""

from __future__ import annotations

from copy import copy
from typing import Any
from urllib.parse import unquote

import gradio as gr
from gradio.processing_utils import check_all_files_in_cache
from gradio_client.utils import is_file_obj_with_meta, traverse

from studio.gradio_compat import adapt_queue
from studio.i18n.texts import DEFAULT_LANGUAGE, Texts
from studio.public.malformed_calls import API, explain
from studio.public.upload_limits import TEXT_MAX
from studio.settings import can_sign_in
from studio.uploads import is_elsewhere, is_upload
from wan_client import WanError


class Page(gr.Blocks):
    """The page's blocks, with a sentence for inputs that no component takes and for files that can't be read."""

    @property
    def expects_oauth(self) -> bool:
        """Whether Gradio shall serve the routes to sign in and out, which the page links to."""
        return can_sign_in()

    def get_config_file(self) -> Any:
        """Return the page's configuration without the Space's name, with which Gradio would load Google's fonts."""
        config: Any = super().get_config_file()
        config["space_id"] = None
        return config

    def queue(self, *given: Any, **named: Any) -> Page:
        """Create the queue, with limits on what waits in it."""
        super().queue(*given, **named)
        adapt_queue(self._queue)
        return self

    async def process_api(self, *given: Any, **named: Any) -> dict[str, Any]:
        """Handle a call. Its event data is dropped unless it is an object that names no files but uploads."""
        event = named.get("event_data")
        if event and not _is_valid_event(event._data):
            event._data = {}
        answer: dict[str, Any] = await super().process_api(*given, **named)
        return answer

    async def preprocess_data(self, block_fn: Any, inputs: list[Any], *given: Any, **named: Any) -> list[Any]:
        """Return the inputs for a handler, of what a caller sent.

        Raises:
            gradio.Error: They can't be used. Gradio would log a traceback for each, and give the caller no reason.
        """
        try:
            if block_fn.fn is None:
                raise ValueError("only the browser does that")
            _check_texts(block_fn, inputs)
            local = traverse(_with_defaults(block_fn, inputs), _local_file, is_file_obj_with_meta)
            processed: list[Any] = await super().preprocess_data(block_fn, local, *given, **named)
        except Exception as problem:  # noqa: BLE001  # a caller's input may raise anything
            raise gr.Error(explain(Texts(DEFAULT_LANGUAGE), problem), print_exception=False) from None
        return processed

    async def call_function(self, *given: Any, **named: Any) -> dict[str, Any]:
        """Run a handler.

        Raises:
            gradio.Error: A `WanError`, which is a sentence for the caller and no fault of the program.
        """
        try:
            called: dict[str, Any] = await super().call_function(*given, **named)
        except WanError as problem:
            raise gr.Error(Texts(DEFAULT_LANGUAGE).sentences(problem, sandbox=False), print_exception=False) from None
        return called

    async def postprocess_data(self, block_fn: Any, predictions: Any, state: Any) -> list[Any]:
        """Return the values for the browser, of what a handler returned: only those are processed.

        Gradio builds a component anew for each output that is skipped, at each update. A page that waits is updated
        every second, so that would be most of its cost.
        """
        outputs = block_fn.outputs
        if not isinstance(predictions, dict) or not predictions or not set(predictions) <= set(outputs):
            processed: list[Any] = await super().postprocess_data(block_fn, predictions, state)
            return processed
        narrowed = copy(block_fn)
        narrowed.outputs = [part for part in outputs if part in predictions]
        # Gradio empties the updates that it is given, and a handler may compare the next ones with them.
        values = [dict(value) if isinstance(value := predictions[part], dict) else value for part in narrowed.outputs]
        processed = await super().postprocess_data(narrowed, values if len(values) > 1 else values[0], state)
        named = dict(zip(narrowed.outputs, processed, strict=True))
        return [named.get(part, None if part.stateful else gr.skip()) for part in outputs]


def _check_texts(block_fn: Any, inputs: list[Any]) -> None:
    """Check that no text is longer than any that a person enters.

    Raises:
        ValueError: One is. The browser's storage is exempt: it is the first input, from a hidden box.
    """
    for place, (component, value) in enumerate(zip(block_fn.inputs, inputs, strict=False)):
        kept = place == 0 and component.visible is False
        if isinstance(value, str) and len(value) > TEXT_MAX and not kept:
            raise ValueError("a text is too long")


def _with_defaults(block_fn: Any, inputs: list[Any]) -> list[Any]:
    """Return the arguments of an endpoint's call, with the defaults of those that its list leaves out at the end."""
    if block_fn.api_visibility != "public":
        return inputs
    return inputs + [component.value for component in block_fn.inputs[len(inputs) :]]


def _local_file(file: dict[str, Any]) -> dict[str, Any]:
    """Return a file by its path where its URL is of this server, so that Gradio does not fetch it.

    Raises:
        ValueError: It is another URL. Gradio would fetch it whole, whatever its size, and no limit would count it.
    """
    given = str(file["path"])
    _, _, path = given.partition(f"{API}file=")
    local = unquote(path)
    if path and is_upload(local):
        return {**file, "path": local, "url": None}
    if is_elsewhere(given):
        raise ValueError("an address is no uploaded file")
    return {**file, "url": None}


def _is_valid_event(data: Any) -> bool:
    try:
        check_all_files_in_cache(data)
    except Exception:  # noqa: BLE001  # as above
        return False
    return isinstance(data, dict)
