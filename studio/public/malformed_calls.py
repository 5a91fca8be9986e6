"""Answers to malformed calls. The page never sends them, so they come from programs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from studio.i18n.texts import Texts, texts_for
from wan_client import WanError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

API = "/gradio_api/"


def malformed_calls(app: ASGIApp) -> ASGIApp:
    """Return middleware that answers calls that make Gradio fail."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        answered = False

        async def send_and_note(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        try:
            await app(scope, receive, send_and_note)
        except Exception as problem:
            if scope["type"] != "http" or API not in scope["path"]:
                raise
            if answered and isinstance(problem.__cause__, HTTPException):
                # Gradio has reported an unknown session in a response that it does not complete.
                await send({"type": "http.response.body"})
                return
            if answered:
                raise
            words = explain(texts_for(Request(scope)), problem)
            await JSONResponse({"detail": words}, 400)(scope, receive, send)

    return call


def explain(texts: Texts, problem: Exception) -> str:
    """Log a malformed call, and return the sentence that answers it."""
    log.info("a malformed call: %s", type(problem).__name__)
    return texts.sentences(WanError("call_malformed"), sandbox=False)
