"""What this page changes in how Gradio is imported, and why. `gradio_compat` has the rest, and imports Gradio itself.

Written against Gradio 6.31, like that.
"""

from __future__ import annotations

import inspect
import sys
from typing import Any

_getfile = inspect.getfile


def skip_stubs() -> None:
    """Keep Gradio from writing type stubs, which takes a third of the time of its import.

    It parses the source of each of its eighty components, and of ours, to write a ``.pyi`` file beside it. Only editors
    read those. Test: `tests/studio/test_blocks.py`.
    """
    inspect.getfile = _getfile_but_for_stubs  # type: ignore[assignment]  # its parameter has a name that hides another


def skip_tools() -> None:
    """Keep Gradio from importing the Model Context Protocol, which takes a tenth of the time of a start.

    It imports the protocol's package wherever that is installed, as on a Space, whether or not there are tools.
    """
    sys.modules.setdefault("mcp", None)  # type: ignore[arg-type]  # what Python takes for a missing module


def _getfile_but_for_stubs(found: Any) -> str:
    """Return the file of a class, as `inspect.getfile` does; Gradio writes no stub where there is none."""
    if sys._getframe(1).f_code.co_name == "create_or_modify_pyi":
        raise OSError
    return _getfile(found)
