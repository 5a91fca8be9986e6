"""Which error the API's and the model's messages mean, whose fault it is, and whether the run was charged.

Whole codes are looked at before words: "InvalidParameter.DataInspection" says that a picture could not be fetched, and
has nothing to do with the content check that "DataInspectionFailed" speaks of.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .errors import (
    AuthenticationError,
    Charged,
    InsufficientBalance,
    ModerationRefused,
    PictureNotFetched,
    RateLimited,
    ReadRefused,
    Refused,
    RunCancelled,
    RunFailed,
    RunNotFound,
    ServerError,
    WanError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# The error code of a request for the result of a run that has not ended.
NOT_READY = "400005"

# By the API's own code, else by the HTTP status.
_ENVELOPES: dict[str, tuple[type[WanError], str]] = {
    "400004": (AuthenticationError, "authentication"),
    "401001": (AuthenticationError, "authentication"),
    "401": (AuthenticationError, "authentication"),
    "403001": (AuthenticationError, "forbidden"),
    "403003": (AuthenticationError, "forbidden"),
    "403": (AuthenticationError, "forbidden"),
    "400002": (InsufficientBalance, "balance"),
    "402": (InsufficientBalance, "balance"),
    "400001": (Refused, "model_unknown"),
    "404001": (RunNotFound, "run_not_found"),
    "404": (RunNotFound, "run_not_found"),
    "410": (RunNotFound, "run_not_found"),
    "413": (Refused, "too_large"),
}
# The keys under which an envelope may have its message, in order of preference.
MESSAGE_NAMES = ("error_message", "message", "error", "detail")
_PICTURES_FIELD = "image_urls"
# A refusal of the token or of the size is final even if it comes from a proxy in front of the API.
_FINAL_PAGE_STATUSES = {401, 413}
_TRANSIENT_STATUSES = {408, 425}
_SERVER_ERRORS = 500

# The model's own codes, by what they begin with, in the order in which they are tried.
_MODEL_CODES: tuple[tuple[type[RunFailed], str, tuple[str, ...]], ...] = (
    (ModerationRefused, "moderation", ("datainspectionfailed", "ipinfringementsuspect")),
    (PictureNotFetched, "image_not_fetched", ("invalidparameter.datainspection", "invalidurl")),
    (RunFailed, "image_format", ("invalidimage.fileformat",)),
    (RunFailed, "vendor_account", ("throttling.allocationquota", "arrearage")),
    (RunFailed, "model_busy", ("throttling",)),
    (RunFailed, "model_trouble", ("internalerror", "requesttimeout", "serviceunavailable")),
)
_MODEL_WORDS: tuple[tuple[type[RunFailed], str, re.Pattern[str]], ...] = (
    (PictureNotFetched, "image_not_fetched", re.compile(r"unable to download|download\b.*?\btimed? ?out", re.DOTALL)),
    (RunFailed, "image_format", re.compile(r"wrong content-type of multimodal url")),
    (ModerationRefused, "moderation", re.compile(r"datainspection|moderation|inappropriate|nsfw|content policy")),
)
_CODE = re.compile(r"[a-z]\w*(?:\.[a-z]\w*)*")
_INPUT = re.compile(r"\b(?:input|body)\.(\w+)(?:(?:\[|\.)(\d{1,3})\b)?")
_PICTURE = re.compile(r"\bimage_urls(?:\[|\.)(\d{1,3})\b")
_NUMBERED = re.compile(r"\bimage (\d)\b")


def error_of_response(
    status: int, envelope: Mapping[str, Any] | None, *, is_page: bool, submit: bool, retry_after: float | None
) -> WanError:
    """Return the error that an unsuccessful response means.

    Args:
        status: The HTTP status.
        envelope: The JSON object that came with it; None where none did.
        is_page: Whether a page for people came instead.
        submit: Whether the request was the paid one.
        retry_after: How many seconds the response asks to wait.
    """
    if status == 429:
        return RateLimited("rate_limited", retry_after=retry_after)
    api_code = error_code(envelope or {})
    if envelope is None and status not in _FINAL_PAGE_STATUSES:
        error = _error_of_proxy(status, is_page=is_page, submit=submit)
        return error or ServerError("server_trouble", retry_after=retry_after)
    is_trouble = status >= _SERVER_ERRORS or status in _TRANSIENT_STATUSES
    if is_trouble or (submit and 300 <= status < 400) or str(api_code).startswith(("5", "429")):
        return ServerError("server_trouble", retry_after=retry_after)
    return _error_of_envelope(status, api_code, (envelope or {}).get("detail"), submit=submit)


def _error_of_envelope(status: int, api_code: int | str | None, detail: object, *, submit: bool) -> WanError:
    """Return the error of a refusal by the API itself."""
    kind, code = _ENVELOPES.get(str(api_code or ""), _ENVELOPES.get(str(status), (Refused, "refused")))
    if submit and kind is RunNotFound:
        return Refused("model_unknown")
    if kind is Refused and not submit:
        return ReadRefused("read_refused")
    return _refusal(detail) if code == "refused" else kind(code)


def is_refusal_of_pictures(status: int, envelope: Mapping[str, Any] | None, *, is_page: bool) -> bool:
    """Return whether the response to a submit refuses its pictures, or their size, and certainly started nothing."""
    if is_page or (envelope or {}).get("request_id"):
        return False
    if status == 413:
        return True
    words = [(envelope or {}).get(name) for name in MESSAGE_NAMES]
    return status in {400, 422} and any(_names_pictures(word) for word in words)


def _names_pictures(value: object, depth: int = 4) -> bool:
    """Return whether a message, or a detail's place or message, names the input of the pictures."""
    if isinstance(value, str):
        return _PICTURES_FIELD in value
    if isinstance(value, list) and depth:
        return any(_names_pictures(item, depth - 1) for item in value)
    if isinstance(value, dict) and depth:
        return any(_names_pictures(value.get(name), depth - 1) for name in ("loc", "msg", "message"))
    return False


def _error_of_proxy(status: int, *, is_page: bool, submit: bool) -> WanError | None:
    """Return the error of a response by a proxy in front of the API; None where that is temporary or unclear."""
    final = 400 <= status < _SERVER_ERRORS and status not in _TRANSIENT_STATUSES
    if not submit:
        return ReadRefused("read_refused") if final or 300 <= status < 400 else None
    if final and is_page:
        return Refused("firewall")
    return Refused("model_unknown") if status == 404 else None


def error_code(envelope: Mapping[str, Any]) -> int | str | None:
    """Return the error code of a response; None where it has no meaningful one."""
    for name in ("error_code", "code"):
        code = envelope.get(name)
        if isinstance(code, int | str) and code and code != "0":
            return code
    return None


def _refusal(detail: object) -> Refused:
    """Return a refusal that names the input which ``detail`` points at, as a list of places or as one string."""
    name, index = _place(detail)
    if name == "image_urls":
        return Refused("refused_image", field="images" if index is None else f"image {index + 1}")
    return Refused("refused_field", field=name) if name else Refused("refused")


def _place(detail: object) -> tuple[str, int | None]:
    match detail:
        case [{"loc": ["input" | "body", str(name), int(index), *_]}, *_]:
            return name, index
        case [{"loc": ["input" | "body", str(name), *_]}, *_]:
            return name, None
        case str() if found := _INPUT.search(detail):
            return found[1], None if found[2] is None else int(found[2])
    return "", None


def error_of_run(failure: str, *, cost: float | None = None, images: int | None = None) -> RunFailed:
    """Return the error that the model's message about a failed run means.

    Args:
        failure: The words, or the JSON that holds them.
        cost: What the API says the run cost.
        images: How many pictures were sent, where that is known.
    """
    words = failure.casefold()
    kind, code = _classified(words)
    charged = Charged.UNKNOWN if cost is None else Charged.YES if cost else Charged.NO
    error = kind(code, api_message=failure, charged=charged, cost=cost)
    if code in {"image_not_fetched", "image_format"}:
        error.values = {"field": _picture_named(words, images)}
    return error


def _classified(words: str) -> tuple[type[RunFailed], str]:
    codes = set(_codes(words))
    for kind, code, known in _MODEL_CODES:
        if any(found.startswith(known) for found in codes):
            return kind, code
    for kind, code, pattern in _MODEL_WORDS:
        if pattern.search(words):
            return kind, code
    return RunFailed, "run_failed"


def _codes(words: str) -> Iterator[str]:
    return (match[0] for match in _CODE.finditer(words))


def _picture_named(words: str, images: int | None) -> str:
    """Return the picture that the message names: ``image 2``, or ``images`` where it does not say which."""
    if found := _PICTURE.search(words):
        return f"image {int(found[1]) + 1}"
    if found := _NUMBERED.search(words):
        return f"image {found[1]}"
    return "image 1" if images == 1 else "images"


def cancelled(cost: float | None) -> RunCancelled:
    """Return the error of a run that was removed from the queue."""
    return RunCancelled("cancelled", charged=Charged.YES if cost else Charged.NO, cost=cost)
