"""Pictures that lie on the page itself for a while, under addresses that nobody can guess.

A file's name on the disk is made of a hash of its public name, so that a listing of the folder leads to no address, and
of the run that it belongs to, so that any process with the same folder can remove what a run has there.
"""

from __future__ import annotations

import logging
import re
import secrets
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_address
from typing import TYPE_CHECKING

import httpx

from wan_client.addresses import parse_address
from wan_client.errors import WanError
from wan_client.files import write_whole
from wan_client.log_privacy import unlogged
from wan_client.settings import is_loopback
from wan_client.version import USER_AGENT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wan_client.images import PreparedImage

log = logging.getLogger(__name__)

ROUTE = "/hosted"
NAME_BYTES = 24
PICTURES_MAX = 300
BYTES_MAX = 1_000_000_000
ENDED_KEPT = 1000
PROBE_SECONDS = 5.0
# After a probe that failed: when it is worth trying again. A Space, for one, can't be reached while it starts.
PROBE_AGAIN_SECONDS = 120.0

_SUFFIXES = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/bmp": "bmp"}
_TYPES = {suffix: media_type for media_type, suffix in _SUFFIXES.items()}
_NAME = re.compile(rf"([A-Za-z0-9_-]{{32}})\.({'|'.join(_TYPES)})")
_INSIDE = (".local", ".localhost", ".internal", ".lan", ".home.arpa", ".test", ".invalid")


@dataclass(frozen=True)
class HostedPicture:
    """A picture as it is served."""

    path: Path
    media_type: str


class PublicUrl:
    """The pictures of a page's runs, in a folder that all of its replicas share.

    Its methods block; call them in a thread.

    Args:
        folder: Where the pictures lie.
        seconds: For how long a picture may lie there: longer than a run.
        clock: The time, in seconds since 1970.

    Attributes:
        base: The page's own address, without a slash at its end; None while it has none.
    """

    def __init__(self, folder: Path, *, seconds: float, clock: Callable[[], float] = time.time) -> None:
        self.base: str | None = None
        self._folder = folder
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._probed: tuple[str, bool, float] | None = None
        self._preferred: set[str] = set()
        # Remember ended runs: a picture still being stored for one is refused.
        self._ended: deque[str] = deque(maxlen=ENDED_KEPT)

    def is_usable(self, api: str) -> bool:
        """Return whether the API at an address can fetch pictures from here, as far as that can be seen.

        The page's address is trusted once a picture could be fetched by it from outside this process: a private Space
        has an address too. An address on this machine serves an API on this machine alone.
        """
        base = self.base
        if base is None or not (_is_outside(base) or (is_loopback(base) and is_loopback(api))):
            return False
        with self._lock:
            known = self._probed
            if known is None or known[0] != base or not (known[1] or time.monotonic() < known[2]):
                known = self._probed = (base, self._probe(base), time.monotonic() + PROBE_AGAIN_SECONDS)
            return known[1]

    def prefer(self, api: str) -> None:
        """Remember that the API at an address takes no pictures inside a request."""
        self._preferred.add(api)

    def is_preferred(self, api: str) -> bool:
        """Return whether the API at an address is known to take no pictures inside a request."""
        return api in self._preferred

    def put(self, data: bytes, media_type: str, owner: str) -> str:
        """Keep a picture, and return its address.

        Args:
            data: The picture.
            media_type: Such as ``image/png``.
            owner: What the names of the run's files begin with.

        Raises:
            WanError: There is no room for it, or no public address, or the run has ended.
        """
        self.sweep()
        sizes = [size for file in self._files() if (size := _size(file)) is not None]
        if self.base is None or len(sizes) >= PICTURES_MAX or sum(sizes) + len(data) > BYTES_MAX:
            raise WanError("hosting_full")
        suffix = _SUFFIXES[media_type]
        secret = secrets.token_urlsafe(NAME_BYTES)
        file = self._folder / f"{owner}.{_digest(secret)}.{suffix}"
        try:
            _write(data, file)
        except OSError:
            raise WanError("hosting_full") from None
        if owner in self._ended:
            file.unlink(missing_ok=True)
            raise WanError("hosting_full")
        return f"{self.base}{ROUTE}/{secret}.{suffix}"

    def find(self, name: str) -> HostedPicture | None:
        """Return the picture of a public name; None where there is none, or no longer."""
        match = _NAME.fullmatch(name)
        if match is None:
            return None
        ending = f".{_digest(match[1])}.{match[2]}"
        found = next((file for file in self._files() if file.name.endswith(ending)), None)
        return HostedPicture(found, _TYPES[match[2]]) if found and not self._is_old(found) else None

    def forget(self, owner: str) -> None:
        """Remove the pictures of a run, and refuse further ones."""
        self._ended.append(owner)
        for file in self._files():
            if file.name.startswith(f"{owner}."):
                file.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove expired pictures that a killed process left behind."""
        for file in self._files():
            if self._is_old(file):
                file.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        try:
            return list(self._folder.iterdir())
        except OSError:
            return []

    def _is_old(self, file: Path) -> bool:
        try:
            age = self._clock() - file.stat().st_mtime
        except OSError:
            return True
        return not -self._seconds < age <= self._seconds

    def _probe(self, base: str) -> bool:
        """Fetch a file of random bytes by the public address."""
        data, owner = secrets.token_bytes(64), secrets.token_hex(16)
        try:
            address = self.put(data, "image/png", owner)
            with (
                unlogged(),
                httpx.Client(timeout=PROBE_SECONDS, trust_env=not is_loopback(base)) as client,
                client.stream("GET", address, headers={"User-Agent": USER_AGENT}) as reply,
            ):
                received = b""
                for part in reply.iter_raw():
                    received += part
                    if len(received) > len(data):
                        break
            is_believed = reply.status_code == httpx.codes.OK and secrets.compare_digest(received, data)
        except (httpx.HTTPError, httpx.InvalidURL, WanError, ValueError):
            is_believed = False
        finally:
            self.forget(owner)
        log.info("the page's public address %s", "can be opened" if is_believed else "can't be opened from outside")
        return is_believed


class PublicHost:
    """The pictures of one run at a public address.

    Args:
        store: Where they lie.
        key: The run's own key. It can't be derived from the files.
    """

    def __init__(self, store: PublicUrl, key: str) -> None:
        self.store = store
        self._owner = owner_of(key)

    def host(self, picture: PreparedImage) -> str:
        """Keep a picture, and return its address.

        Raises:
            WanError: There is no room for it.
        """
        return self.store.put(picture.data, picture.media_type, self._owner)

    def release(self) -> None:
        """Remove the run's pictures."""
        self.store.forget(self._owner)


def owner_of(key: str) -> str:
    """Return what the names of a run's files begin with."""
    return sha256(f"hosted {key}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()[:32]


def _is_outside(base: str) -> bool:
    """Return whether an address looks reachable from outside this network."""
    url = parse_address(base)
    if url is None or url.scheme != "https":
        return False
    try:
        return ip_address(url.host).is_global
    except ValueError:
        return "." in url.host.strip(".") and not url.host.rstrip(".").endswith(_INSIDE)


def _size(file: Path) -> int | None:
    with suppress(OSError):
        return file.stat().st_size
    return None


def _write(data: bytes, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(file, data, mode=0o600)
