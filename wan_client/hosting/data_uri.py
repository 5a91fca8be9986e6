"""A picture inside the request itself."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wan_client.images import PreparedImage

# The vendor's own nodes keep each picture inside a request at or under 6 MiB.
DATA_URI_BYTES_MAX = 6 * 1024 * 1024


class DataUri:
    """Hands pictures over as ``data:`` URIs. Nothing is stored."""

    def host(self, picture: PreparedImage) -> str:
        """Return the picture as a URI."""
        return f"data:{picture.media_type};base64,{base64.b64encode(picture.data).decode()}"

    def release(self) -> None:
        """Do nothing."""
