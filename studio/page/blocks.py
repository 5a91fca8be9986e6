"""Gradio's blocks, for handlers that change a few of many components."""

from __future__ import annotations

from copy import copy
from typing import Any

import gradio as gr


class Blocks(gr.Blocks):
    """Blocks that process only those outputs that a handler returns.

    Gradio builds a component anew for each output that is skipped, at each update. A page that waits is updated every
    second, so that would be most of its cost.
    """

    async def postprocess_data(self, block_fn: Any, predictions: Any, state: Any) -> list[Any]:
        """Return the values for the browser, of what a handler returned."""
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
