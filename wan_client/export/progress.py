"""How far an export is, and what can go wrong with one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from wan_client.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Sequence

Progress: TypeAlias = Callable[[float], None]
"""Called with the share of the work that is done, 0 to 1. What it raises ends the export."""


class Steps:
    """Counts the steps of an export as they end.

    Args:
        items: What is exported.
        on_progress: Called with the share of the steps that are done.
        each: How many steps an item takes.
        more: How many steps there are beside those of the items.

    Raises:
        ExportError: There is nothing to export.
    """

    def __init__(self, items: Sequence[object], on_progress: Progress | None, *, each: int = 1, more: int = 0) -> None:
        if not items:
            raise ExportError("export_empty")
        self._total = len(items) * each + more
        self._done = 0
        self._on_progress = on_progress

    def done(self) -> None:
        """Count one step."""
        self._done += 1
        if self._on_progress:
            self._on_progress(self._done / self._total)
