"""Keeps Gradio from writing type stubs, which takes a third of the time that its import takes.

Gradio 6.31 parses the source of each of its eighty components, and of ours, to write a ``.pyi`` file beside it. Only
editors read those. Test: `tests/studio/test_blocks.py`.
"""

from __future__ import annotations

import inspect
import sys
from typing import Any

_getfile = inspect.getfile


def skip() -> None:
    """Let Gradio write no stubs, if it is imported after this."""
    inspect.getfile = _getfile_but_for_stubs  # type: ignore[assignment]  # its parameter has a name that hides another


def _getfile_but_for_stubs(found: Any) -> str:
    """Return the file of a class, as `inspect.getfile` does; Gradio writes no stub where there is none."""
    if sys._getframe(1).f_code.co_name == "create_or_modify_pyi":
        raise OSError
    return _getfile(found)
