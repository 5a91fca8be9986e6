"""A thin client for Wan 2.6 image-to-image behind RunComfy's Model API.

    from wan_client import edit
    edit("turn image 1 into a pencil sketch", "cat.jpg", out="sketch.png")

`WanClient` keeps connections open over several edits, `AsyncWanClient` gives each run as a stream of typed events.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from .version import __version__

if TYPE_CHECKING:
    from .api import CancelOutcome, ModelEntry
    from .client import AsyncWanClient, WanClient, edit
    from .errors import (
        AuthenticationError,
        Charged,
        DeadlineExceeded,
        DownloadFailed,
        ImageError,
        InsufficientBalance,
        InvalidRequest,
        ModerationRefused,
        PictureNotFetched,
        RateLimited,
        ReadRefused,
        Refused,
        RunCancelled,
        RunFailed,
        RunNotFound,
        ServerError,
        SettingsError,
        TransientError,
        UnknownOutcome,
        Unreachable,
        WanError,
    )
    from .events import Downloading, Event, Finished, Preparing, Queued, Result, Retrying, Running, Submitted, Uploading
    from .images import Change, PreparedImage, prepare
    from .run import Run
    from .schema import EditRequest, ImageSize
    from .settings import Backend, BucketSettings, Settings, Timeouts
    from .state.journal import Journal
    from .state.polling import PollSchedule

__all__ = [
    "AsyncWanClient",
    "AuthenticationError",
    "Backend",
    "BucketSettings",
    "CancelOutcome",
    "Change",
    "Charged",
    "DeadlineExceeded",
    "DownloadFailed",
    "Downloading",
    "EditRequest",
    "Event",
    "Finished",
    "ImageError",
    "ImageSize",
    "InsufficientBalance",
    "InvalidRequest",
    "Journal",
    "ModelEntry",
    "ModerationRefused",
    "PictureNotFetched",
    "PollSchedule",
    "PreparedImage",
    "Preparing",
    "Queued",
    "RateLimited",
    "ReadRefused",
    "Refused",
    "Result",
    "Retrying",
    "Run",
    "RunCancelled",
    "RunFailed",
    "RunNotFound",
    "Running",
    "ServerError",
    "Settings",
    "SettingsError",
    "Submitted",
    "Timeouts",
    "TransientError",
    "UnknownOutcome",
    "Unreachable",
    "Uploading",
    "WanClient",
    "WanError",
    "__version__",
    "edit",
    "prepare",
]

_MODULES = (
    "api",
    "client",
    "errors",
    "events",
    "images",
    "run",
    "schema",
    "settings",
    "state.journal",
    "state.polling",
)

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import a name when it is first asked for, so that the command can be interrupted while it starts."""
        if name in __all__:
            for module in _MODULES:
                if (found := getattr(import_module(f".{module}", __name__), name, None)) is not None:
                    globals()[name] = found
                    return found
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
