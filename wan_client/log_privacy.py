"""Keeping secret addresses out of the log: httpx logs each address that it requests."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOGGERS = (
    "httpx",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore.socks",
)
_is_secret: ContextVar[bool] = ContextVar("_is_secret", default=False)


class _Filter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002  # which record it is does not matter
        return not _is_secret.get()


_FILTER = _Filter()


@contextmanager
def unlogged() -> Iterator[None]:
    """Let the HTTP libraries log nothing inside the block, in this task and those that it starts."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)  # adding it again changes nothing
    token = _is_secret.set(True)
    try:
        yield
    finally:
        _is_secret.reset(token)
