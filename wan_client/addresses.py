"""Parsing addresses (URLs) that others wrote, and redacting addresses and secrets in texts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterable

PORT_MAX = 65_535
# Anything shorter occurs in texts by chance.
_PART_MIN = 16
# Plain, escaped as in JSON, or percent-encoded inside another address. A host of the vendor's needs no scheme.
_ADDRESS = re.compile(
    r"\b[a-z][a-z0-9+.-]*(?::|%3a)(?://|\\/\\/|%2f%2f)\S+|(?<![\w.-])(?:[\w-]+\.)+runcomfy\.(?:net|com)\S*",
    re.IGNORECASE,
)
_UNUSABLE = re.compile(r"[\x00-\x20\x7f-\xa0\ud800-\udfff\u2028\u2029]")


def parse_address(text: str) -> httpx.URL | None:
    """Return the parsed address; None if it has a blank, an invalid port or punycode, or a lone surrogate in it.

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


def without_addresses(text: str, known: Iterable[str] = ()) -> str:
    """Return a text with ``[address]`` in the place of each address.

    Args:
        text: The text.
        known: Addresses of which no part may stand in it either, such as the path alone.
    """
    for part in sorted({part for address in known for part in _parts(address)}, key=len, reverse=True):
        text = text.replace(part, "[address]")
    return _ADDRESS.sub("[address]", text)


def without_secret(text: str, secret: str, word: str) -> str:
    """Return a text with a word in the place of a secret, in any of the encodings it may have there."""
    for spelling in sorted(_spellings(secret), key=len, reverse=True):
        text = text.replace(spelling, word)
    return text


def _parts(address: str) -> set[str]:
    """Return the parts that identify an address: all of it, what follows the host, and each long part of the path."""
    rest = address.partition("://")[2] or address
    path = rest.partition("/")[2].partition("?")[0]
    found = {address, rest, path, *path.split("/")}
    return {spelling for part in found if len(part) >= _PART_MIN for spelling in _spellings(part)}


def _spellings(part: str) -> set[str]:
    return {
        part,
        unquote(part),
        quote(part, safe="", errors="replace"),
        part.replace("\\", "\\\\").replace('"', '\\"'),
        part.replace("/", "\\/"),
    }
