"""The picture from before, on the left of the comparison: a reference in the result's frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wan_client.framing import framed as frame_picture

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wan_client import PreparedImage
    from wan_client.framing import Box


def before_number(extra: Mapping[str, Any], count: int) -> int:
    """Return the number of the reference to show as before: 1, unless the sandbox says that it edited another."""
    return stated_before_number(extra, count) or 1


def stated_before_number(extra: Mapping[str, Any], count: int) -> int | None:
    """Return the number of the edited reference where the sandbox says it; the hosted model does not."""
    frame = _preview_frame(extra, count)
    return frame[0] if frame else None


def framed(images: Sequence[PreparedImage], size: tuple[int, int], extra: Mapping[str, Any]) -> bytes:
    """Return image 1 as a JPEG of exactly the result's size, aligned with the result.

    The sandbox says which part of which picture its preview shows, and then that part is returned.

    Args:
        images: The references as they were sent; at least one.
        size: The result's width and height in pixels.
        extra: What the result says beyond the protocol.
    """
    number, box = _preview_frame(extra, len(images)) or (1, None)
    return frame_picture(images[number - 1].data, size, box)


def _preview_frame(extra: Mapping[str, Any], count: int) -> tuple[int, Box] | None:
    match extra.get("local_preview"):
        case {"frame": {"image": int(number), "box": [*sides]}} if 1 <= number <= count and len(sides) == 4:
            if all(isinstance(side, int | float) for side in sides) and sides[0] < sides[2] and sides[1] < sides[3]:
                return number, (sides[0], sides[1], sides[2], sides[3])
    return None
