"""Rendering of what handlers return: in the visitor's language, and only what has changed."""

from __future__ import annotations

import asyncio
import inspect
from contextlib import aclosing
from functools import wraps
from typing import TYPE_CHECKING, Any

import gradio as gr

from studio.i18n.texts import texts_for
from studio.views import run as view

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from studio.i18n.texts import Texts

    from .components import Changes


def localised(function: Callable[..., Any], *values: Any, **named: Any) -> Callable[[Texts], Any]:
    """Return a component's value as a function of the visitor's texts: the function is called with these values."""
    return lambda texts: function(texts, *values, **named)


def status_note(key: str, **values: object) -> Callable[[Texts], str]:
    """Return the text of a key as a notice for the status line."""
    return lambda texts: view.notice(texts(key, **values))


def rendered(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Render what a handler returns, or each time yields, in the language of its request.

    A handler returns for each changed component its value, or a function of the visitor's `Texts` that returns it. The
    functions run in a thread. Of a handler that yields, a component is sent again only when its value has changed.

    Args:
        handler: A method of an object that has the page's components as `_components`. One of its arguments is the
            request.
    """
    if inspect.isasyncgenfunction(handler):

        @wraps(handler)
        async def stream(self: Any, *values: Any, **named: Any) -> AsyncIterator[Changes]:
            sent: Changes = {}
            async with aclosing(handler(self, *values, **named)) as views:
                async for changes in views:
                    now = await asyncio.to_thread(_render, changes, _texts(values, named))
                    changed = {part: value for part, value in now.items() if part not in sent or sent[part] != value}
                    if changed:
                        yield changed
                    sent |= changed
            if not sent:
                yield self._components.no_change

        return stream

    if inspect.iscoroutinefunction(handler):

        @wraps(handler)
        async def answer(self: Any, *values: Any, **named: Any) -> Changes:
            changes = await handler(self, *values, **named)
            return await asyncio.to_thread(_render, changes, _texts(values, named)) or self._components.no_change

        return answer

    # Gradio calls it in a thread.
    @wraps(handler)
    def answer_at_once(self: Any, *values: Any, **named: Any) -> Changes:
        return _render(handler(self, *values, **named), _texts(values, named)) or self._components.no_change

    return answer_at_once


def _render(changes: Changes, texts: Texts) -> Changes:
    return {part: value(texts) if inspect.isfunction(value) else value for part, value in changes.items()}


def _texts(values: tuple[Any, ...], named: dict[str, Any]) -> Texts:
    return texts_for(next(value for value in (*values, *named.values()) if isinstance(value, gr.Request)))
