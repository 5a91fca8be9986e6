"""A caller's own key for a request: the same key within a day leads to the same run, on every replica.

The key is claimed before anything is paid for. The store holds only hashes that are made with the key itself, so its
content reveals neither the caller, the key, the request nor the run, and opens no run.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter

from wan_client import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wan_client import EditRequest

# Only their keys distinguish callers behind one address, so a key must be too long to guess.
KEY_MIN: Final = 16
KEY_MAX: Final = 200
_KEY = re.compile(f"[!-~]{{{KEY_MIN},{KEY_MAX}}}")


@dataclass(frozen=True)
class _Claimed:
    """The content of a claim.

    Attributes:
        request: The hash of the request.
        salt: What the run's name is made from, beside the key.
        at: When the key was claimed, in seconds since 1970.
    """

    request: str
    salt: str
    at: float


_CLAIMED = TypeAdapter(_Claimed)


@dataclass(frozen=True)
class CallerKey:
    """A caller's key for a request, ready to be claimed.

    Attributes:
        name: What it is claimed under.
        salt: Random for each attempt, so that two attempts never have the same run's name.
        at: When it is claimed, in seconds since 1970.
    """

    _secret: bytes = field(repr=False)
    _request: str = field(repr=False)
    salt: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    at: float = field(default_factory=time.time)

    @property
    def name(self) -> str:
        """The name that the key is claimed under."""
        return self._derived("name").hex()

    @property
    def text(self) -> str:
        """The content of the claim, as JSON."""
        return json.dumps({"request": self._request, "salt": self.salt, "at": self.at})

    @property
    def run(self) -> str:
        """The name of the run that is started under this claim."""
        return self._run(self.salt)

    def earlier(self, text: str) -> tuple[str, float]:
        """Return the name of the run that was started under an earlier claim, and when that was.

        Args:
            text: What the earlier claim says.

        Raises:
            InvalidRequest: The key was used for another request.
        """
        claimed = _CLAIMED.validate_json(text)
        if not hmac.compare_digest(claimed.request, self._request):
            raise InvalidRequest("key_used", field="idempotency_key")
        return self._run(claimed.salt), claimed.at

    def _run(self, salt: str) -> str:
        return base64.urlsafe_b64encode(self._derived(f"run {salt}")[:16]).decode().rstrip("=")

    def _derived(self, text: str) -> bytes:
        return hmac.digest(self._secret, text.encode(), "sha256")


def caller_key(key: str, caller: str, account: bytes, request: EditRequest, pictures: Sequence[str]) -> CallerKey:
    """Return a caller's key, scoped to the caller and to the account that pays.

    Args:
        key: The key, checked.
        caller: What the caller's runs are counted under.
        account: A secret of the account.
        request: The request.
        pictures: The SHA-256 of its pictures.
    """
    secret = hmac.digest(account, f"{caller} {key}".encode(), "sha256")
    body = json.dumps(request.body(pictures), sort_keys=True)
    return CallerKey(secret, hmac.digest(secret, body.encode(), "sha256").hex())


def check_key(key: object) -> str:
    """Return a caller's key.

    Raises:
        InvalidRequest: It can't be one.
    """
    if not isinstance(key, str):
        raise InvalidRequest("text_expected", field="idempotency_key", given=type(key).__name__)
    if not _KEY.fullmatch(key):
        raise InvalidRequest("key_unusable", field="idempotency_key", low=KEY_MIN, high=KEY_MAX)
    return key
