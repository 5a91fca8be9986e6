"""What picture files say that Pillow does not pass on: chunks of a PNG, boxes of an AVIF, directories of a TIFF."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

_CHUNKS_MAX = 1000
_CHUNK_BYTES_MAX = 64
_META_BYTES_MAX = 1_000_000
_DIRECTORIES_MAX = 16

_RAW_SIGNATURES = (
    (0, b"FUJIFILMCCD-RAW"),
    (0, b"IIRO"),  # Olympus, in its three forms
    (0, b"IIRS"),
    (0, b"MMOR"),
    (0, b"IIU\x00"),  # Panasonic
    (0, b"FOVb"),  # Sigma
    (0, b"\x00MRM"),  # Minolta
    (6, b"HEAPCCDR"),  # Canon, from the oldest to the newest
    (8, b"CR\x02"),
    (4, b"ftypcrx "),
)
_SUBDIRECTORIES, _PHOTOMETRIC, _DNG_VERSION = 330, 262, 50706
_COLOUR_FILTER_ARRAY, _LINEAR_RAW = 32803, 34892


def png_chunks(file: BinaryIO, wanted: set[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield the small chunks of these names that stand before the pixels."""
    place = 8
    for _ in range(_CHUNKS_MAX):
        file.seek(place)
        head = file.read(8)
        if len(head) < 8:
            return
        length, name = struct.unpack(">I4s", head)
        if name == b"IDAT":
            return
        if name in wanted:
            yield name, file.read(min(length, _CHUNK_BYTES_MAX))
        place += length + 12


def colour_box(file: BinaryIO) -> tuple[int, int] | None:
    """Return the code points for primaries and transfer of the primary picture of an AVIF or HEIF file."""
    try:
        meta = _meta(file)
        boxes = dict(_boxes(meta, 4))
        properties = dict(_boxes(boxes[b"iprp"]))
        kept = [body for _, body in _boxes(properties[b"ipco"])]
        kinds = [name for name, _ in _boxes(properties[b"ipco"])]
        wide = boxes[b"pitm"][0] > 0
        primary = int.from_bytes(boxes[b"pitm"][4 : 8 if wide else 6], "big")
        for index in _property_numbers(properties[b"ipma"], primary):
            if kinds[index - 1] == b"colr" and kept[index - 1][:4] == b"nclx":
                primaries, transfer = struct.unpack_from(">HH", kept[index - 1], 4)
                return primaries, transfer
    except (KeyError, IndexError, struct.error):
        pass
    return None


def _meta(file: BinaryIO) -> bytes:
    place = 0
    for _ in range(_DIRECTORIES_MAX):
        file.seek(place)
        length, name = struct.unpack(">I4s", file.read(8))
        if name == b"meta":
            return file.read(min(length - 8, _META_BYTES_MAX))
        if length < 8:
            break
        place += length
    raise KeyError("meta")


def _boxes(data: bytes, place: int = 0) -> Iterator[tuple[bytes, bytes]]:
    while place + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, place)
        if length < 8:
            return
        yield name, data[place + 8 : place + length]
        place += length


def _property_numbers(data: bytes, item: int) -> list[int]:
    """Return the numbers of an item's properties."""
    version, flags = data[0], data[3]
    (entries,) = struct.unpack_from(">I", data, 4)
    place, name = 8, ">I" if version else ">H"
    wide = flags & 1
    for _ in range(entries):
        (number,) = struct.unpack_from(name, data, place)
        place += struct.calcsize(name)
        many = data[place]
        numbers = struct.unpack_from(f">{many}{'H' if wide else 'B'}", data, place + 1)
        place += 1 + many * (2 if wide else 1)
        if number == item:
            return [value & (0x7FFF if wide else 0x7F) for value in numbers]
    return []


def is_camera_raw(file: BinaryIO) -> bool:
    """Return whether a file holds a camera's raw data, of which decoders find a small preview alone."""
    file.seek(0)
    head = file.read(24)
    if any(head.startswith(words, place) for place, words in _RAW_SIGNATURES):
        return True
    try:
        return any(_is_raw(tags) for tags in _directories(file, head))
    except struct.error:
        return False


def _is_raw(tags: dict[int, tuple[int, ...]]) -> bool:
    photometric = tags.get(_PHOTOMETRIC, (0,))[:1]
    return _DNG_VERSION in tags or photometric in {(_COLOUR_FILTER_ARRAY,), (_LINEAR_RAW,)}


def _directories(file: BinaryIO, head: bytes) -> Iterator[dict[int, tuple[int, ...]]]:
    """Yield the first directories of a TIFF file and those inside them, with the tags that mark a camera raw."""
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or struct.unpack_from(order + "H", head, 2)[0] not in {42, 43}:
        return
    big = struct.unpack_from(order + "H", head, 2)[0] == 43
    offset, count, entry = ("Q", "Q", 20) if big else ("I", "H", 12)
    places = [struct.unpack_from(order + offset, head, 8 if big else 4)[0]]
    for _ in range(_DIRECTORIES_MAX):
        if not places or not (place := places.pop(0)):
            return
        file.seek(place)
        (entries,) = struct.unpack(order + count, file.read(struct.calcsize(count)))
        data = file.read(min(entries, 1000) * entry)
        following = file.read(struct.calcsize(offset))
        tags = dict(_tags(file, order, data, big=big))
        yield tags
        places += tags.get(_SUBDIRECTORIES, ())[:_DIRECTORIES_MAX]
        if len(following) == struct.calcsize(offset):
            places.append(struct.unpack(order + offset, following)[0])


def _tags(file: BinaryIO, order: str, data: bytes, *, big: bool) -> Iterator[tuple[int, tuple[int, ...]]]:
    layout, step = (order + "HHQ", 20) if big else (order + "HHI", 12)
    inside = 8 if big else 4
    for place in range(0, len(data) - step + 1, step):
        tag, kind, count = struct.unpack_from(layout, data, place)
        if tag not in {_SUBDIRECTORIES, _PHOTOMETRIC, _DNG_VERSION}:
            continue
        unit = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}.get(kind, "B")
        count = min(count, _DIRECTORIES_MAX)
        size = count * struct.calcsize(unit)
        value = data[place + step - inside : place + step]
        if size > inside:
            file.seek(struct.unpack(order + ("Q" if big else "I"), value)[0])
            value = file.read(size)
        yield tag, struct.unpack_from(f"{order}{count}{unit}", value)
