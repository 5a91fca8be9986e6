"""Compare a result with the picture it was made of: align them, map what changed, keep the rest.

    from wan_client.compare import align, change_map, keep
    alignment = align("cat.jpg", "result.png")
    changes = change_map("cat.jpg", "result.png", alignment)
    kept = keep("cat.jpg", "result.png", changes.mask(), alignment=alignment, size="original")

It needs the extra ``compare``. All of it computes for a while: an event loop calls it in a thread.
"""

from .alignment import Alignment, Doubt, Resemblance, align, find_reference, unaligned
from .changes import ChangeMap, ColourShift, Region, Tone, change_map, warp_to_after
from .keeping import Kept, keep

__all__ = [
    "Alignment",
    "ChangeMap",
    "ColourShift",
    "Doubt",
    "Kept",
    "Region",
    "Resemblance",
    "Tone",
    "align",
    "change_map",
    "find_reference",
    "keep",
    "unaligned",
    "warp_to_after",
]
