"""A thin client for Wan 2.6 image-to-image behind RunComfy's Model API.

    from wan_client import edit
    edit("turn image 1 into a pencil sketch", "cat.jpg", out="sketch.png")

`WanClient` keeps connections open over several edits, `AsyncWanClient` gives each run as a stream of typed events.
"""

from . import mentions
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
    RateLimited,
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
from .images import Change, PreparedImage, prepare
from .run import Downloading, Event, Finished, Preparing, Queued, Result, Retrying, Run, Running, Submitted, Uploading
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
    "PollSchedule",
    "PreparedImage",
    "Preparing",
    "Queued",
    "RateLimited",
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
    "edit",
    "mentions",
    "prepare",
]
