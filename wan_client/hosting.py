"""A prepared picture → a URI for ``image_urls``.

The API has no upload call. By default the picture travels inside the request as a data URI, as the vendor's own
nodes send it; an address that anyone can open is passed on as given.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, TypeGuard

import httpx

from .errors import ImageError
from .settings import is_loopback

if TYPE_CHECKING:
    from .images import PreparedImage

# The vendor's own nodes keep each picture inside a request at or under 6 MiB.
DATA_URI_BYTES_MAX = 6 * 1024 * 1024


def is_uri(source: object) -> TypeGuard[str]:
    """Whether the source is an address rather than a file."""
    return isinstance(source, str) and source.startswith(("https://", "http://", "data:"))


def check_uri(uri: str, *, number: int) -> str:
    """The address, if the API can be given it: ``https``, ``data``, or ``http`` on this machine.

    Raises:
        ImageError: It is another kind of address, or names a user.
    """
    if uri.startswith("data:image/"):
        return uri
    try:
        url = httpx.URL(uri)
        allowed = url.scheme == "https" or (url.scheme == "http" and is_loopback(uri))
        if allowed and url.host and not url.userinfo:
            return uri
    except httpx.InvalidURL:
        pass
    raise ImageError("image_url_refused", field="images", number=number)


def data_uri(image: PreparedImage) -> str:
    """The picture itself, as a ``data:`` URI."""
    return f"data:{image.media_type};base64,{base64.b64encode(image.data).decode()}"
