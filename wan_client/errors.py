"""Everything that can go wrong, as one hierarchy.

An error knows three things a person needs: what happened, whether money was spent, and what to do. Its texts live
in `messages`, under its `code`; pages in other languages translate by that code.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

from .messages import MESSAGES

if TYPE_CHECKING:
    from datetime import datetime


class Charged(str, Enum):
    """What is known about the money."""

    NO = "no"
    YES = "yes"
    UNKNOWN = "unknown"


class WanError(Exception):
    """Base of all errors of this package.

    Attributes:
        code: The key of its sentence in `messages`. Stable.
        values: What the sentence names: numbers, names of pictures.
        charged: Whether the run was charged.
        request_id: The run, where there is one. It can be resumed with this.
        api_code: The API's own error code, such as ``400002``.
        http_status: The HTTP status of the answer, where there was one.
        api_message: The API's own words, for a developer. Never shown to a person, never holds the token.
        at: When the submit was sent, where its outcome is unknown (UTC).
        retry_after: How many seconds the API asks to wait, where it does.
        cost: What the API says the run cost, in USD, where it does.
    """

    default_charged: ClassVar[Charged] = Charged.NO

    def __init__(
        self,
        code: str,
        *,
        charged: Charged | None = None,
        request_id: str | None = None,
        api_code: int | str | None = None,
        http_status: int | None = None,
        api_message: str | None = None,
        at: datetime | None = None,
        retry_after: float | None = None,
        cost: float | None = None,
        **values: object,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.values = values
        self.charged = charged or self.default_charged
        self.request_id = request_id
        self.api_code = api_code
        self.http_status = http_status
        self.api_message = api_message
        self.at = at
        self.retry_after = retry_after
        self.cost = cost

    @property
    def summary(self) -> str:
        """What happened, in one English sentence."""
        return MESSAGES[f"error.{self.code}"].format(**self.values)

    @property
    def hint(self) -> str:
        """What to do about it, in one or two English sentences."""
        return MESSAGES[f"error.{self.code}.hint"].format(**self.values)

    def __str__(self) -> str:
        return self.full_message()

    def full_message(self, *, sandbox: bool = False) -> str:
        """Return the whole message in English, with the run's id. The sandbox never charges, whatever it simulates."""
        parts = [self.summary, MESSAGES["charged.sandbox" if sandbox else f"charged.{self.charged.value}"], self.hint]
        if self.cost is not None and not sandbox:
            parts.append(MESSAGES["error.cost"].format(cost=f"{self.cost:.4g}"))
        if self.request_id:
            parts.append(MESSAGES["error.request_id"].format(request_id=self.request_id))
        return " ".join(parts)

    def as_dict(self, *, sandbox: bool = False) -> dict[str, Any]:
        """Return what a script needs of the error, ready for JSON. The sandbox never charges, whatever it simulates."""
        return {
            "code": self.code,
            "message": self.full_message(sandbox=sandbox),
            "charged": (Charged.NO if sandbox else self.charged).value,
            "request_id": self.request_id,
            "api_code": self.api_code,
            "cost": None if sandbox else self.cost,
        }


class SettingsError(WanError, ValueError):
    """A setting of the environment or of ``.env`` can't be used. ``values["name"]`` is its name."""


class InvalidRequest(WanError, ValueError):
    """A value of the request is outside its limits. ``values["field"]`` is its name."""


class ImageError(InvalidRequest):
    """A picture can't be used. ``values["name"]`` says which."""


class Refused(WanError):
    """The API did not accept the request.

    Attributes:
        is_of_pictures: Whether it certainly refused the pictures, or their size: then it may be sent once more, with
            the pictures handed over another way.
    """

    is_of_pictures = False


class AuthenticationError(Refused):
    """The API did not accept the token, or the token is missing."""


class InsufficientBalance(Refused):
    """The account's balance is used up."""


class RunNotFound(WanError):
    """The API knows no such run: deleted, expired, or another account's."""

    default_charged = Charged.UNKNOWN


class ReadRefused(WanError):
    """The API refused to say where a run stands. The run itself is not affected and can be asked for again."""

    default_charged = Charged.UNKNOWN


class TransientError(WanError):
    """A temporary failure: reading again is safe."""


class Unreachable(TransientError):
    """No connection was made, so nothing was sent."""


class RateLimited(TransientError):
    """The API asked for fewer requests, and took none (429)."""


class ServerError(TransientError):
    """The connection broke, timed out, or the response was unusable."""

    default_charged = Charged.UNKNOWN


class UnknownOutcome(WanError):
    """A submit went out and no usable answer came back: it may have been accepted. It is not sent again."""

    default_charged = Charged.UNKNOWN


def unknown_outcome(at: datetime, **details: Any) -> UnknownOutcome:
    """Return the error of a submit sent at a time (UTC), whose response was lost."""
    return UnknownOutcome("unknown_outcome", at=at, time=f"{at:%H:%M:%S}", **details)


class RunFailed(WanError):
    """The run ended without a picture."""

    default_charged = Charged.UNKNOWN


class ModerationRefused(RunFailed):
    """The content check of the model refused the prompt or a picture. Sending it again changes nothing."""


class PictureNotFetched(RunFailed):
    """The model could not fetch a picture from the address that it was given. The content check did not object."""


class RunCancelled(WanError):
    """The run was cancelled before it ended."""


class DownloadFailed(WanError):
    """The run succeeded, but its picture could not be fetched yet. Resuming the run costs nothing."""

    default_charged = Charged.YES

    @property
    def is_retryable(self) -> bool:
        """Whether trying again soon is worth it: the connection or the server failed, not the picture."""
        status = self.http_status
        return self.code == "download_failed" and (status is None or status >= 500 or status in {408, 425, 429})


class DeadlineExceeded(WanError, TimeoutError):
    """The run did not end in the time given to it. It goes on, and can be resumed."""

    default_charged = Charged.UNKNOWN


class ExportError(WanError):
    """The export can't be made of this, or not on this machine."""
