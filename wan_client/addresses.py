"""Reading an address that somebody else wrote."""

from __future__ import annotations

import re

import httpx

PORT_MAX = 65_535
_UNUSABLE = re.compile(r"[\x00-\x20\x7f-\xa0\ud800-\udfff\u2028\u2029]")


def parse_address(text: str) -> httpx.URL | None:
    """Return the address, or None where it is none: a space in it, a port or punycode that can't be, half a character.

    httpx reads some of these at first and raises errors of several libraries when their parts are asked for.
    """
    if _UNUSABLE.search(text):
        return None
    try:
        url = httpx.URL(text)
        usable = bool(url.host) and (url.port or 0) <= PORT_MAX
    except (httpx.InvalidURL, ValueError):  # the errors of idna are ValueErrors
        return None
    return url if usable else None
