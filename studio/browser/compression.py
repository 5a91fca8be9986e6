"""Compression of responses; Gradio compresses only its own scripts."""

from __future__ import annotations

import gzip

import brotli

# A good ratio within a few milliseconds.
_EFFORT = {"br": 4, "gzip": 6}


def encoding_for(accepted: str) -> str:
    """Return the best encoding of an ``Accept-Encoding`` header; empty where there is none."""
    names = {part.partition(";")[0].strip() for part in accepted.split(",")}
    return next((name for name in _EFFORT if name in names), "")


def compress(content: bytes, encoding: str) -> bytes:
    """Return the content in an encoding that `encoding_for` has named."""
    if encoding == "br":
        compressed: bytes = brotli.compress(content, quality=_EFFORT["br"])
        return compressed
    return gzip.compress(content, _EFFORT["gzip"]) if encoding else content
