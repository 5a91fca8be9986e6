"""The event handler for the programme's cards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator  # noqa: TC003  # Gradio reads a handler's annotations as the page is built
from dataclasses import asdict
from typing import TYPE_CHECKING

import gradio as gr  # noqa: TC002  # Gradio reads the annotations

from studio.browser import store
from studio.page.components import Changes, Shown  # noqa: TC001  # Gradio reads the annotations

if TYPE_CHECKING:
    from studio.page.components import Components
    from studio.page.run_handlers import RunHandlers

    from .programme import Programme


class StageHandlers:
    """The programme's event handlers.

    Args:
        programme: The programme.
        components: The page's components.
        run_handlers: What runs a form.
    """

    def __init__(self, programme: Programme, components: Components, run_handlers: RunHandlers) -> None:
        self._programme = programme
        self._components = components
        self._run_handlers = run_handlers

    async def play(
        self, kept: str, token: str, shown: Shown, engine: str, event: gr.EventData, request: gr.Request
    ) -> AsyncIterator[Changes]:
        """Put an edit of the programme into the form, and run it, whether or not it was run before."""
        number, session = str(getattr(event, "number", "")), request.session_hash or ""
        form = await asyncio.to_thread(self._programme.uploaded, number, session)
        if form is None:
            yield self._components.no_change
            return
        yield {
            **self._components.filled(form),
            self._components.size_chosen: True,
            self._components.notes: store.storage_patch(uploads=[slot for slot in form.slots if slot]),
        }
        async for changes in self._run_handlers.generate_anyway(kept, token, shown, engine, 1, request, **asdict(form)):
            yield changes
