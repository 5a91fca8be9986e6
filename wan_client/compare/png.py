"""Writing large PNG files quickly: rows are compressed in bands, several at a time."""

from __future__ import annotations

import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import numpy as np

from wan_client.provenance import make_chunk, text_chunk

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .pictures import Pixels

_BAND_BYTES: Final = 4_000_000
_THREADS: Final = 2
_UP: Final = 2  # PNG's filter that writes each row as its difference to the one above


def encode(pixels: Pixels, texts: Iterable[tuple[str, str]] = ()) -> bytes:
    """Write RGB pixels losslessly.

    Args:
        pixels: Rows, columns and RGB, 8 bits each.
        texts: What the file says about itself, as keywords and texts.
    """
    height, width = pixels.shape[:2]
    rows = np.ascontiguousarray(pixels).reshape(height, width * 3)
    step = max(1, _BAND_BYTES // (width * 3))
    tops = range(0, height, step)
    parts = [b"\x89PNG\r\n\x1a\n", make_chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0))]
    parts += [text_chunk(keyword, text) for keyword, text in texts]

    def compressed(top: int) -> tuple[bytes, bytes]:
        return _compressed(rows, top, min(top + step, height))

    check = 1
    with ThreadPoolExecutor(_THREADS) as threads:
        for top, (filtered, data) in zip(tops, threads.map(compressed, tops), strict=True):
            check = zlib.adler32(filtered, check)
            head = b"\x78\x01" if top == 0 else b""
            tail = struct.pack(">I", check) if top + step >= height else b""
            parts.append(make_chunk(b"IDAT", head + data + tail))
    parts.append(make_chunk(b"IEND", b""))
    return b"".join(parts)


def _compressed(rows: Pixels, top: int, bottom: int) -> tuple[bytes, bytes]:
    """Return some rows filtered, and compressed as a part of one stream."""
    filtered = np.empty((bottom - top, rows.shape[1] + 1), np.uint8)
    filtered[:, 0] = _UP
    filtered[:, 1:] = rows[top:bottom]
    if top == 0:
        filtered[1:, 1:] -= rows[: bottom - 1]
    else:
        filtered[:, 1:] -= rows[top - 1 : bottom - 1]
    stream = zlib.compressobj(1, zlib.DEFLATED, -15, 9)
    data = filtered.tobytes()
    last = bottom == rows.shape[0]
    return data, stream.compress(data) + stream.flush(zlib.Z_FINISH if last else zlib.Z_FULL_FLUSH)
