"""An entry of ``image_urls`` → a checked picture on disk."""

from __future__ import annotations

import asyncio
import base64
import binascii
import io
import ipaddress
import re
import socket
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpx
from PIL import Image

from wan_sandbox.server import schema
from wan_sandbox.server.replies import Problem
from wan_sandbox.server.validation import broken_rules

FORMATS: Final = {"JPEG": "jpg", "PNG": "png", "BMP": "bmp", "WEBP": "webp"}
LONGEST_URL: Final = 4096
MOST_REDIRECTS: Final = 3
_DATA_URI = re.compile(r"data:image/[\w.+-]+(?:;[\w.+=-]+)*;base64,", re.IGNORECASE)

Loc = tuple[str | int, ...]


class BadPicture(Exception):
    """A picture that is refused, with every reason."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(problems)
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Picture:
    """The bytes of a checked picture."""

    data: bytes
    suffix: str
    media_type: str


def is_data_uri(uri: str) -> bool:
    """Return whether a picture is inside the request rather than to be fetched."""
    return uri[:5].lower() == "data:"


def is_loopback(host: str) -> bool:
    """Return whether a host to listen on is loopback; if not, strangers must not reach this computer's services."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def decode(uri: str, loc: Loc) -> bytes:
    """Return the bytes of a data URI."""
    match = _DATA_URI.match(uri)
    if match is None:
        raise BadPicture(Problem(loc, "data_uri"))
    try:
        return base64.b64decode(uri[match.end() :], validate=True)
    except (binascii.Error, ValueError):
        raise BadPicture(Problem(loc, "data_uri")) from None


def check(data: bytes, loc: Loc) -> Picture:
    """Check a picture against every rule of the schema, and that it can be read to its end.

    Its sides are judged from its header, so that nothing larger than the rules allow is ever decoded.
    """
    problems = list(broken_rules("image_urls", "file_size_mb", len(data) / 1_000_000, loc, of_items=True))
    if problems:
        raise BadPicture(*problems)
    try:
        with Image.open(io.BytesIO(data), formats=tuple(FORMATS)) as image:
            for measure, side in zip(("width_pixels", "height_pixels"), image.size, strict=True):
                problems += broken_rules("image_urls", measure, side, loc, of_items=True)
            if image.format == "PNG" and image.has_transparency_data:
                problems.append(Problem(loc, "image_alpha"))
            if problems:
                raise BadPicture(*problems)
            image.load()
            suffix = FORMATS[str(image.format)]
            return Picture(data, suffix, Image.MIME[str(image.format)])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise BadPicture(Problem(loc, "image_too_large")) from None
    except (OSError, ValueError, SyntaxError):
        raise BadPicture(Problem(loc, "image_unreadable")) from None


class Fetcher:
    """Fetches pictures from URLs: from public hosts over https, and, where that is wanted, from loopback over http."""

    def __init__(self, seconds: float, *, loopback: bool = True) -> None:
        self.seconds = seconds
        self.loopback = loopback
        # One byte over the rule is enough to know that it is broken.
        self.most_bytes = 1_000_000 * next(
            rule.limit for rule in schema.rules("image_urls", of_items=True) if rule.measure == "file_size_mb"
        )
        self._client: httpx.AsyncClient | None = None

    async def fetch(self, url: str, loc: Loc) -> bytes:
        """Return the bytes at a URL.

        Raises:
            BadPicture: The address isn't allowed, or the picture didn't come in time.
        """
        if len(url) > LONGEST_URL:
            raise BadPicture(Problem(loc, "url_too_long"))
        try:
            return await asyncio.wait_for(self._follow(url, loc), self.seconds)
        except (asyncio.TimeoutError, httpx.HTTPError, httpx.InvalidURL, ValueError, OSError):
            raise BadPicture(Problem(loc, "url_fetch")) from None

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()

    async def _follow(self, url: str, loc: Loc) -> bytes:
        for _ in range(MOST_REDIRECTS + 1):
            url, found = await self._get(url, loc)
            if found is not None:
                return found
        raise BadPicture(Problem(loc, "url_fetch"))

    async def _get(self, url: str, loc: Loc) -> tuple[str, bytes | None]:
        """Return the picture, or the address that it has moved to."""
        if self._client is None:
            # The environment's proxies and .netrc would carry secrets to hosts that a stranger names.
            self._client = httpx.AsyncClient(trust_env=False, headers={"accept-encoding": "identity"})
        address = await _allowed_address(url, loc, loopback=self.loopback)
        parts = urlsplit(url)
        # The address that was checked is the one connected to: a second look-up could return another.
        pinned = httpx.URL(url).copy_with(host=address, fragment=None, userinfo=b"")
        request = self._client.build_request(
            "GET",
            pinned,
            headers={"host": parts.netloc.rpartition("@")[2], "accept": "image/*"},
        )
        request.extensions["sni_hostname"] = str(parts.hostname)
        response = await self._client.send(request, stream=True)
        try:
            if response.is_redirect:
                return urljoin(url, response.headers.get("location", "")), None
            # What is packed can't be bounded while it is unpacked.
            packed = response.headers.get("content-encoding", "identity") != "identity"
            if response.status_code != httpx.codes.OK or packed:
                raise BadPicture(Problem(loc, "url_fetch"))
            found = bytearray()
            async for chunk in response.aiter_raw():
                found += chunk
                if len(found) > self.most_bytes:
                    break
            return url, bytes(found)
        finally:
            await response.aclose()


async def _allowed_address(url: str, loc: Loc, *, loopback: bool) -> str:
    """Return the IP address to fetch a URL from."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise BadPicture(Problem(loc, "url_scheme")) from None
    if parts.scheme not in {"http", "https"} or not host:
        raise BadPicture(Problem(loc, "url_scheme"))
    found = await asyncio.get_running_loop().getaddrinfo(
        host, port or (443 if parts.scheme == "https" else 80), type=socket.SOCK_STREAM
    )
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    if parts.scheme == "http":
        if not loopback or not all(address.is_loopback for address in addresses):
            raise BadPicture(Problem(loc, "url_scheme"))
    elif not all(address.is_global and not address.is_multicast for address in addresses):
        raise BadPicture(Problem(loc, "url_address"))
    return str(addresses[0])
