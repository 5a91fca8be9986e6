"""How a local picture reaches the API: inside the request, through a bucket, or from the page's own public address."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeGuard, TypeVar
from weakref import WeakValueDictionary

from wan_client.addresses import parse_address
from wan_client.errors import ImageError
from wan_client.images import prepare
from wan_client.settings import is_loopback

from .data_uri import DATA_URI_BYTES_MAX

if TYPE_CHECKING:
    from collections.abc import Callable

    from wan_client.images import PreparedImage
    from wan_client.schema import ImageSource

Value = TypeVar("Value")

# Preparing a large picture takes seconds: with threads of its own, it does not delay other work in threads.
PREPARING_THREADS = 2
# Variations of one edit, which are sent at the same time, have their pictures in common.
_in_use: WeakValueDictionary[tuple[object, bool], PreparedImage] = WeakValueDictionary()
_preparing = ThreadPoolExecutor(PREPARING_THREADS, thread_name_prefix="prepare")


class Host(Protocol):
    """Where the pictures of one run lie. Both methods block; call them in a thread."""

    def host(self, picture: PreparedImage) -> str:
        """Return the address that the API is given for a picture."""

    def release(self) -> None:
        """Remove the run's pictures. Doing it again changes nothing."""


def is_address(source: object) -> TypeGuard[str]:
    """Return whether the source is an address for the API to fetch, rather than a picture."""
    return isinstance(source, str) and source[:8].lower().startswith(("https://", "http://"))


def check_address(address: str, *, number: int) -> str:
    """Return the address, if the API can be given it: ``https``, or ``http`` on this machine.

    Raises:
        ImageError: It is another kind of address, or names a user.
    """
    url = parse_address(address)
    allowed = url is not None and (url.scheme == "https" or (url.scheme == "http" and is_loopback(address)))
    if url is not None and allowed and not url.userinfo:
        return address
    raise ImageError("image_url_refused", field="images", number=number)


async def in_preparing_thread(function: Callable[..., Value], *given: object, **named: object) -> Value:
    """Call a function that prepares a picture in one of the few threads for that, and return what it returns."""
    return await asyncio.get_running_loop().run_in_executor(_preparing, partial(function, *given, **named))


def prepared(source: ImageSource, *, number: int, by_address: bool) -> PreparedImage:
    """Prepare a picture for the way in which it is handed over.

    Args:
        source: The picture.
        number: Its place among the references, for messages.
        by_address: Whether it is fetched from an address. Inside a request the vendor's own nodes send PNG alone, of at
            most 6 MiB, and whether anything else is taken there is not known.

    Raises:
        ImageError: It can't be read, is incomplete, or is too large to be opened.
    """
    key = _file(source), by_address
    image = _in_use.get(key) if key[0] else None
    if image is None:
        if by_address:
            image = prepare(source, number=number)
        else:
            image = prepare(source, number=number, bytes_max=DATA_URI_BYTES_MAX, png_first=True)
        if key[0]:
            _in_use[key] = image
    return image


def _file(source: ImageSource) -> tuple[int, ...] | None:
    """Return what distinguishes a file and its content, under whatever name; None for a picture in memory."""
    try:
        found = Path(source).stat()  # type: ignore[arg-type]  # prepare() reports what is no path
    except (OSError, TypeError, ValueError):
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
