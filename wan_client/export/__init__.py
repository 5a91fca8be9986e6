"""What can be shared: a page, a proof sheet, a wipe, or all of it in one ZIP.

    from wan_client.export import ExportItem, page
    item = ExportItem.of(read("sketch.recipe.png"), after=..., before=...)
    Path("show.html").write_bytes(page([item]))

It needs the extra ``export``.
"""

from wan_client.errors import ExportError

from .bundle import bundle, stem
from .html_page import page
from .item import ExportItem
from .progress import Progress
from .sheet import Paper, sheet
from .texts import LANGUAGES
from .wipe import WIPE_BYTES_MAX, Destination, WipeFormat, video_available, wipe

__all__ = [
    "LANGUAGES",
    "WIPE_BYTES_MAX",
    "Destination",
    "ExportError",
    "ExportItem",
    "Paper",
    "Progress",
    "WipeFormat",
    "bundle",
    "page",
    "sheet",
    "stem",
    "video_available",
    "wipe",
]
