"""The Model API on loopback: for people without a token, for tests, for rehearsal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from wan_sandbox.queue.counters import Counters
    from wan_sandbox.sandbox import Sandbox
    from wan_sandbox.settings import Settings

__all__ = ["Counters", "Sandbox", "Settings"]


_MODULES: Final = {"Counters": "queue.counters", "Sandbox": "sandbox", "Settings": "settings"}


def __getattr__(name: str) -> Any:
    # A drawing process imports this package too, and needs no server.
    if name in _MODULES:
        from importlib import import_module  # noqa: PLC0415

        return getattr(import_module(f"wan_sandbox.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
