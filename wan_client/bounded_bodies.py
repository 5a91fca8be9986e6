"""The body of a reply, bounded while it is unpacked: a few kilobytes can be packed gigabytes."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

# Replies are small JSON, and pictures are packed already. Of the packings, only those are read that can be bounded.
HEADERS = {"Accept-Encoding": "identity"}

_PIECE = 64 * 1024
# With 32 added, zlib detects whether it is gzip or its own format.
_ANY_HEADER = 32 + zlib.MAX_WBITS


class BodyTooLarge(httpx.ReadError):
    """A body that is larger than what is accepted."""


async def read_body(response: httpx.Response, most: int) -> AsyncIterator[bytes]:
    """Yield the body piece by piece.

    Args:
        response: A response that is being streamed.
        most: How many bytes are accepted, packed or not.

    Raises:
        BodyTooLarge: There are more.
        httpx.HTTPError: The connection broke, or the body can't be unpacked.
    """
    packing = response.headers.get("Content-Encoding", "").strip().lower()
    if packing not in {"", "identity", "gzip", "x-gzip", "deflate"}:
        raise httpx.DecodingError(f"packed as {packing[:20]!r}, which was not asked for")
    unpacker = zlib.decompressobj(_ANY_HEADER) if packing not in {"", "identity"} else None
    received = unpacked = 0
    async for part in response.aiter_raw():
        received += len(part)
        for piece in _unpacked(unpacker, part) if unpacker else (part,):
            unpacked += len(piece)
            if max(received, unpacked) > most:
                raise BodyTooLarge("the reply is too large")
            yield piece
    if unpacker and not unpacker.eof:
        raise httpx.DecodingError("the packed body is incomplete")


def _unpacked(unpacker: zlib._Decompress, part: bytes) -> Iterator[bytes]:
    try:
        while part:
            yield unpacker.decompress(part, _PIECE)
            part = unpacker.unconsumed_tail
    except zlib.error as problem:
        raise httpx.DecodingError(str(problem)) from None
