"""Gradio's blocks, for handlers that change a few of many parts."""

from __future__ import annotations

from copy import copy
from typing import Any

import gradio as gr


class Blocks(gr.Blocks):
    """Blocks that leave alone what a handler does not name.

    Gradio makes a part anew for each output that is skipped, for each page and each time. A page that waits gets
    something every second, so that would be most of what it costs.
    """

    async def postprocess_data(self, block_fn: Any, predictions: Any, state: Any) -> list[Any]:
        """What the browser gets, from what a handler gave back."""
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
