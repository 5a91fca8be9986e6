"""OpenCV, imported when it is first used: it is large, and an extra."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from wan_client.errors import SettingsError

if TYPE_CHECKING:
    from types import ModuleType


@cache
def opencv() -> ModuleType:
    """Return OpenCV.

    Raises:
        SettingsError: It is not installed.
    """
    try:
        import cv2  # noqa: PLC0415
    except ImportError:
        raise SettingsError("compare_missing") from None
    return cv2
