"""Any picture in, the right picture out, and nothing of its past."""

from __future__ import annotations

import io
import os
import random
import struct
import sys
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image, ImageCms

from benchmarks.pictures import measure
from wan_client import ImageError, PreparedImage, prepare
from wan_client.images import size_of
from wan_client.images.opening import MEMORY_MEGABYTES_MAX
from wan_client.schema import SIDE_MAX, SIDE_MIN

from .support import noise, picture

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

pillow_heif = pytest.importorskip("pillow_heif")
pillow_heif.register_heif_opener()
pytestmark = pytest.mark.filterwarnings("ignore")

GPS = b"Exif\x00\x00"


@cache
def quarters(width: int = 480, height: int = 640) -> Image.Image:
    """Red, green, blue and yellow, so that every turn looks different."""
    image = Image.new("RGB", (width, height))
    for box, colour in (
        ((0, 0), (220, 30, 30)),
        ((width // 2, 0), (30, 200, 30)),
        ((0, height // 2), (30, 30, 220)),
        ((width // 2, height // 2), (220, 220, 30)),
    ):
        image.paste(colour, (*box, box[0] + width // 2, box[1] + height // 2))
    return image


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def exif(orientation: int = 1) -> Image.Exif:
    values = Image.Exif()
    values[0x0112] = orientation
    values[0x010F] = "SecretMaker"
    values.get_ifd(0x8825).update({1: "N", 2: (37.0, 33.0, 59.0), 3: "E", 4: (126.0, 58.0, 41.0)})
    return values


def opened(prepared: PreparedImage) -> Image.Image:
    image = Image.open(io.BytesIO(prepared.data))
    image.load()
    return image


def codes(prepared: PreparedImage) -> list[str]:
    assert all(str(change) for change in prepared.changes)
    return [change.code for change in prepared.changes]


def corners(image: Image.Image) -> list[str]:
    names = {"red": (220, 30, 30), "green": (30, 200, 30), "blue": (30, 30, 220), "yellow": (220, 220, 30)}
    width, height = image.size
    found = []
    for place in ((0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)):
        seen = image.getpixel((int(width * place[0]), int(height * place[1])))
        assert isinstance(seen, tuple)
        found.append(min(names, key=lambda name: sum(abs(a - b) for a, b in zip(names[name], seen, strict=True))))
        assert sum(abs(a - b) for a, b in zip(names[found[-1]], seen, strict=True)) < 60
    return found


def check(prepared: PreparedImage, *, of: list[str] | None = None) -> Image.Image:
    """Every rule of the model at once."""
    image = opened(prepared)
    assert image.mode == "RGB"
    assert image.size == (prepared.width, prepared.height)
    assert all(SIDE_MIN <= side <= SIDE_MAX for side in image.size)
    assert len(prepared.data) < 10_000_000
    assert image.format in {"JPEG", "PNG", "WEBP", "BMP"}
    assert prepared.media_type == Image.MIME[image.format]
    assert not image.has_transparency_data
    assert not image.getexif()
    assert not {"exif", "xmp", "icc_profile", "comment", "photoshop"} & set(image.info)
    assert getattr(image, "n_frames", 1) == 1
    assert b"SecretMaker" not in prepared.data
    if of:
        assert corners(image) == of
    return image


UPRIGHT = ["red", "green", "blue", "yellow"]


def a_palette() -> Image.Image:
    return quarters().quantize(8)


def a_see_through() -> Image.Image:
    image = quarters().convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 20, 20))
    return image


def frames() -> list[Image.Image]:
    return [quarters().transpose(Image.Transpose.ROTATE_180)] * 2


READABLE: dict[str, Any] = {
    "jpeg": lambda: saved(quarters(), "JPEG", quality=95),
    "jpeg-cmyk": lambda: saved(quarters().convert("CMYK"), "JPEG", quality=95),
    "jpeg-progressive": lambda: saved(quarters(), "JPEG", quality=95, progressive=True),
    "jpeg-comment": lambda: saved(quarters(), "JPEG", quality=95, comment=b"SecretMaker"),
    "jpeg-less-1": lambda: saved(quarters(), "JPEG", quality=95)[:-1],
    "jpeg-less-2": lambda: saved(quarters(), "JPEG", quality=95)[:-2],
    "jpeg-less-5": lambda: saved(quarters(), "JPEG", quality=95)[:-5],
    "png": lambda: saved(quarters(), "PNG"),
    "png-palette": lambda: saved(a_palette(), "PNG"),
    "png-palette-alpha": lambda: saved(a_see_through().quantize(16), "PNG"),
    "png-alpha": lambda: saved(a_see_through(), "PNG"),
    "png-key-colour": lambda: saved(quarters(), "PNG", transparency=(1, 2, 3)),
    "png-text": lambda: saved(quarters(), "PNG", pnginfo=text_chunk()),
    "png-less-12": lambda: saved(quarters(), "PNG")[:-12],
    "png-animated": lambda: saved(quarters(), "PNG", save_all=True, append_images=frames()),
    "webp": lambda: saved(quarters(), "WEBP", quality=95),
    "webp-lossless": lambda: saved(quarters(), "WEBP", lossless=True),
    "webp-alpha": lambda: saved(a_see_through(), "WEBP", lossless=True),
    "webp-animated": lambda: saved(quarters(), "WEBP", save_all=True, append_images=frames(), lossless=True),
    "avif": lambda: saved(quarters(), "AVIF", quality=90),
    "heic": lambda: saved(quarters(), "HEIF", quality=90),
    "bmp": lambda: saved(quarters(), "BMP"),
    "tiff": lambda: saved(quarters(), "TIFF"),
    "tiff-lzw": lambda: saved(quarters(), "TIFF", compression="tiff_lzw"),
    "tiff-pages": lambda: saved(quarters(), "TIFF", save_all=True, append_images=frames()),
    "tiff-alpha": lambda: saved(a_see_through(), "TIFF"),
    "gif": lambda: saved(a_palette(), "GIF"),
    "gif-animated": lambda: saved(quarters(), "GIF", save_all=True, append_images=frames()),
    "mpo": lambda: saved(quarters(), "MPO", save_all=True, append_images=frames(), quality=95),
    "tga": lambda: saved(quarters(), "TGA"),
    "jpeg2000": lambda: saved(quarters(), "JPEG2000"),
    "ppm": lambda: saved(quarters(), "PPM"),
}


def text_chunk() -> Any:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Author", "SecretMaker")
    return info


@pytest.mark.parametrize("name", list(READABLE))
def test_whatever_people_have_comes_out_right(name: str) -> None:
    check(prepare(READABLE[name]()), of=UPRIGHT)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("png-animated", "frame"),
        ("webp-animated", "frame"),
        ("tiff-pages", "frame"),
        ("gif-animated", "frame"),
        ("png-alpha", "flattened"),
        ("jpeg-less-2", "repaired"),
        ("jpeg-comment", "metadata"),
        ("png-text", "metadata"),
        ("jpeg-cmyk", "mode"),
    ],
)
def test_what_was_done_is_told(name: str, code: str) -> None:
    assert code in codes(prepare(READABLE[name]()))


@pytest.mark.parametrize("name", ["jpeg", "jpeg-progressive", "png", "webp", "webp-lossless", "bmp"])
def test_a_picture_that_satisfies_every_rule_is_passed_on_byte_for_byte(name: str) -> None:
    data = READABLE[name]()
    prepared = prepare(data)
    assert prepared.data == data
    assert prepared.changes == ()


def jfxx(data: bytes) -> bytes:
    body = b"JFXX\x00\x10" + b"thumbnail"
    return data[:2] + b"\xff\xe0" + struct.pack(">H", len(body) + 2) + body + data[2:]


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


@pytest.mark.parametrize(
    "hide",
    [
        lambda: READABLE["jpeg"]() + b"SecretMaker",
        lambda: READABLE["jpeg"]() + saved(quarters(), "JPEG", exif=exif()),
        lambda: jfxx(READABLE["jpeg"]()),
        lambda: READABLE["png"]() + b"SecretMaker",
        lambda: READABLE["png"]()[:-12] + chunk(b"tIME", b"\x07\xea\x0b\x16\x0f\x0a\x00") + READABLE["png"]()[-12:],
        lambda: READABLE["png"]()[:-12] + chunk(b"caBX", b"SecretMaker") + READABLE["png"]()[-12:],
        lambda: READABLE["webp"]() + b"SecretMaker",
        lambda: READABLE["bmp"]() + b"SecretMaker",
    ],
)
def test_nothing_hidden_behind_or_between_is_passed_on(hide: Any) -> None:
    data = hide()
    prepared = prepare(data)
    check(prepared, of=UPRIGHT)
    assert prepared.data != data
    assert b"thumbnail" not in prepared.data


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_every_turn_of_a_phone_is_undone(orientation: int, kind: str) -> None:
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    stored = quarters().transpose(undo[orientation]) if orientation in undo else quarters()
    prepared = prepare(saved(stored, kind, exif=exif(orientation)))
    image = check(prepared, of=UPRIGHT)
    assert image.size == (480, 640)
    assert ("turned" in codes(prepared)) == (orientation > 1)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF", "MPO"])
def test_where_it_was_taken_never_leaves(kind: str) -> None:
    data = saved(quarters(), kind, exif=exif().tobytes())
    assert b"SecretMaker" in data
    prepared = prepare(data)
    check(prepared, of=UPRIGHT)
    assert "metadata" in codes(prepared)


@pytest.mark.parametrize(
    "mode", ["L", "LA", "1", "P", "PA", "CMYK", "YCbCr", "HSV", "RGBX", "RGBa", "La", "I", "F", "I;16"]
)
def test_a_picture_of_a_program_in_any_mode(mode: str) -> None:
    grey = Image.new("L", (400, 400), 100)
    if mode in {"RGBa", "La"}:
        image = grey.convert(mode.upper()).convert(mode)
    elif mode == "PA":
        image = grey.convert("LA").convert("PA")
    elif mode in {"YCbCr", "HSV", "CMYK", "RGBX"}:
        image = grey.convert("RGB").convert(mode)
    elif mode == "I;16":
        image = Image.new(mode, (400, 400), 100 * 257)
    else:
        image = grey.convert(mode)
    seen = check(prepare(image)).getpixel((200, 200))
    if mode != "1":
        assert isinstance(seen, tuple)
        assert all(abs(value - 100) <= 3 for value in seen)


def test_a_picture_of_a_program_is_left_as_it_was() -> None:
    image = a_see_through()
    image.info["note"] = "mine"
    before = image.tobytes()
    prepare(image)
    assert (image.tobytes(), image.info["note"], image.mode) == (before, "mine", "RGBA")


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: saved(Image.new("I;16", (400, 400), 32768), "PNG"), 128),
        (lambda: saved(Image.new("I;16", (400, 400), 32768), "TIFF"), 128),
        (lambda: saved(Image.new("F", (400, 400), 0.5), "TIFF"), 128),
        (lambda: saved(Image.new("F", (400, 400), 64.0), "TIFF"), 64),
        (lambda: saved(Image.new("L", (400, 400), 77), "PNG"), 77),
        (lambda: saved(Image.new("LA", (400, 400), (77, 255)), "PNG"), 77),
        (lambda: saved(Image.new("LA", (400, 400), (0, 128)), "PNG"), 127),
        (lambda: saved(Image.new("1", (400, 400), 1), "PNG"), 255),
        (lambda: png16(400, 0x8000), 128),
    ],
)
def test_depths_keep_their_brightness(make: Any, expected: int) -> None:
    seen = check(prepare(make())).getpixel((200, 200))
    assert isinstance(seen, tuple)
    assert all(abs(value - expected) <= 2 for value in seen)


def png16(side: int, value: int) -> bytes:
    """An RGB PNG of 16 bits a channel, which Pillow can read and not write."""
    row = b"\x00" + struct.pack(">H", value) * 3 * side
    head = struct.pack(">IIBBBBB", side, side, 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(row * side)) + chunk(b"IEND", b"")


def interlaced(side: int, colour: tuple[int, int, int]) -> bytes:
    """An Adam7 PNG of one colour."""
    rows = bytearray()
    for x0, y0, dx, dy in (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ):
        columns, lines = len(range(x0, side, dx)), len(range(y0, side, dy))
        rows += (b"\x00" + bytes(colour) * columns) * lines
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 1)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(rows))) + chunk(b"IEND", b"")
    )


def test_interlaced_png() -> None:
    assert check(prepare(interlaced(400, (10, 120, 230)))).getpixel((399, 399)) == (10, 120, 230)


# ---------------------------------------------------------------- colours


def matrix_profile(name: str, primaries: list[tuple[float, float, float]]) -> bytes:
    """An ICC profile of three primaries (D50 XYZ) and a gamma of 2.2."""

    def tag(kind: bytes, body: bytes) -> bytes:
        data = kind + bytes(4) + body
        return data + bytes(-len(data) % 4)

    def s15(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    description = name.encode() + b"\x00"
    tags = [
        (b"desc", tag(b"desc", struct.pack(">I", len(description)) + description + bytes(78))),
        (b"cprt", tag(b"text", b"none\x00")),
        (b"wtpt", tag(b"XYZ ", s15(0.9642) + s15(1.0) + s15(0.8249))),
        *((f"{c}XYZ".encode(), tag(b"XYZ ", b"".join(map(s15, xyz)))) for c, xyz in zip("rgb", primaries, strict=True)),
        *((f"{c}TRC".encode(), tag(b"curv", struct.pack(">IH", 1, round(2.2 * 256)))) for c in "rgb"),
    ]
    place, index, bodies = 128 + 4 + 12 * len(tags), b"", b""
    for signature, body in tags:
        index += signature + struct.pack(">II", place + len(bodies), len(body))
        bodies += body
    whole = place + len(bodies)
    head = struct.pack(">I4sI4s4s4s", whole, b"\0\0\0\0", 0x02100000, b"mntr", b"RGB ", b"XYZ ").ljust(36, b"\0")
    head += b"acsp".ljust(32, b"\0") + s15(0.9642) + s15(1.0) + s15(0.8249)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + index + bodies


WIDE = matrix_profile("Wide", [(0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)])


def expected_srgb(colour: tuple[int, int, int]) -> tuple[float, ...]:
    """The same conversion by hand: Adobe's primaries (D50) → XYZ → sRGB."""
    linear = [(value / 255) ** 2.2 for value in colour]
    rows = [(0.60974, 0.20528, 0.14919), (0.31111, 0.62567, 0.06322), (0.01947, 0.06087, 0.74457)]
    xyz = [sum(a * b for a, b in zip(row, linear, strict=True)) for row in rows]
    back = [(3.1338561, -1.6168667, -0.4906146), (-0.9787684, 1.9161415, 0.0334540), (0.0719453, -0.2289914, 1.4052427)]
    out = [min(1.0, max(0.0, sum(a * b for a, b in zip(row, xyz, strict=True)))) for row in back]
    return tuple(255 * (12.92 * v if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055) for v in out)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("colour", [(200, 80, 60), (60, 160, 90), (90, 90, 200), (128, 128, 128)])
def test_a_wide_gamut_becomes_srgb_by_number(kind: str, colour: tuple[int, int, int]) -> None:
    options: dict[str, Any] = {"quality": 100} if kind in {"JPEG", "WEBP"} else {}
    prepared = prepare(saved(Image.new("RGB", (400, 400), colour), kind, icc_profile=WIDE, **options))
    seen = check(prepared).getpixel((200, 200))
    assert "colours" in codes(prepared)
    assert isinstance(seen, tuple)
    assert all(abs(a - b) <= 4 for a, b in zip(seen, expected_srgb(colour), strict=True)), expected_srgb(colour)


def test_alpha_and_a_profile_together() -> None:
    image = Image.new("RGBA", (400, 400), (200, 80, 60, 255))
    image.paste((0, 0, 0, 0), (0, 0, 50, 50))
    prepared = prepare(saved(image, "PNG", icc_profile=WIDE))
    seen = check(prepared)
    assert seen.getpixel((10, 10)) == (255, 255, 255)
    assert codes(prepared)[:2] == ["colours", "flattened"]


def test_srgb_profiles_and_broken_ones_change_no_colour() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (srgb, b"nonsense" * 40):
        prepared = prepare(saved(Image.new("RGB", (400, 400), (200, 80, 60)), "PNG", icc_profile=profile))
        assert check(prepared).getpixel((5, 5)) == (200, 80, 60)
        assert "metadata" in codes(prepared)


CASES = Path(__file__).parent / "cases"
RED_FIELD, GREEN_FIELD, GREY = (100, 180), (100, 300), (500, 60)


@pytest.mark.parametrize(
    ("name", "red", "green", "grey"),
    [
        ("hdr_plain.png", (150, 60, 60), (60, 140, 80), 117),
        ("hdr_pq.png", (241, 0, 2), (0, 173, 0), 108),
        ("hdr_pq.avif", (187, 0, 24), (0, 153, 33), 108),
        ("p3_nclx.avif", (146, 60, 63), (43, 135, 81), 117),
    ],
)
def test_colours_by_code_points_are_as_chromium_shows_them(
    name: str, red: tuple[int, ...], green: tuple[int, ...], grey: int
) -> None:
    prepared = prepare(CASES / name)
    image = check(prepared)
    assert ("colours" in codes(prepared)) == (name != "hdr_plain.png")
    for place, expected in ((RED_FIELD, red), (GREEN_FIELD, green), (GREY, (grey,) * 3)):
        assert close(image.getpixel(place), expected, 3 if name.endswith("png") else 9), (place, image.getpixel(place))


def close(seen: object, expected: tuple[int, ...], most: int) -> bool:
    assert isinstance(seen, tuple)
    return all(abs(a - b) <= most for a, b in zip(seen, expected, strict=True))


def png(colour: tuple[int, ...], *chunks: tuple[bytes, bytes], depth: int = 8, kind: int = 2) -> bytes:
    """A PNG of one colour, 400 px wide and high."""
    row = b"".join(struct.pack(">H" if depth == 16 else "B", value) for value in colour) * 400
    if depth < 8:
        row = bytes([colour[0] * (0xFF // (2**depth - 1))]) * (400 * depth // 8)
    head = struct.pack(">IIBBBBB", 400, 400, depth, kind, 0, 0, 0)
    extra = b"".join(chunk(name, data) for name, data in chunks)
    data = zlib.compress((b"\0" + row) * 400)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def gamma(value: float) -> tuple[bytes, bytes]:
    return b"gAMA", struct.pack(">I", round(value * 100_000))


DISPLAY_P3 = (
    b"cHRM",
    struct.pack(">8I", *(round(v * 100_000) for v in (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06))),
)


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([(b"cICP", b"\x09\x10\0\1")], (241, 0, 2)),
        ([(b"cICP", b"\x0c\x10\0\1")], (212, 0, 0)),
        ([(b"cICP", b"\x01\x10\0\1")], (194, 26, 26)),
        ([(b"cICP", b"\x09\x12\0\1")], (137, 21, 41)),
        ([(b"cICP", b"\x0c\x0d\0\1")], (162, 52, 56)),
        ([(b"cICP", b"\x09\x01\0\1")], (178, 0, 45)),
        ([(b"cICP", b"\x01\x08\0\1")], (202, 133, 133)),
        ([(b"cICP", b"\x05\x04\0\1")], (154, 57, 57)),
        ([(b"cICP", b"\x0b\x11\0\1")], (152, 33, 40)),
        ([gamma(1.0)], (202, 133, 133)),
        ([gamma(1 / 1.8)], (167, 77, 77)),
        ([gamma(0.45455), DISPLAY_P3], (164, 48, 53)),
    ],
)
def test_a_pngs_own_words_on_its_colours_are_followed(
    chunks: list[tuple[bytes, bytes]], expected: tuple[int, ...]
) -> None:
    prepared = prepare(png((150, 60, 60), *chunks))
    assert close(check(prepared).getpixel((5, 5)), expected, 2)
    assert codes(prepared)[0] == "colours"


@pytest.mark.parametrize(
    "chunks",
    [
        [(b"cICP", b"\x01\x0d\0\1")],
        [(b"cICP", b"\x02\x02\0\1")],
        [(b"cICP", b"\x01\x63\0\1")],
        [(b"cICP", b"\x01")],
        [gamma(0.45455)],
        [gamma(0)],
        [gamma(1.0), (b"sRGB", b"\0")],
        [gamma(1.0), (b"cICP", b"\x01\x0d\0\1")],
        [DISPLAY_P3],
        [gamma(0.5), (b"cHRM", bytes(32))],
    ],
)
def test_what_says_nothing_of_colours_or_says_srgb_changes_none(chunks: list[tuple[bytes, bytes]]) -> None:
    seen = check(prepare(png((150, 60, 60), *chunks))).getpixel((5, 5))
    assert close(seen, (150, 60, 60), 0 if chunks[-1][0] != b"cHRM" or len(chunks) == 1 else 12)


def test_grey_and_alpha_follow_a_gamma_too() -> None:
    assert close(check(prepare(png((50,), gamma(1.0), kind=0))).getpixel((5, 5)), (122,) * 3, 1)
    assert close(check(prepare(png((50, 255), gamma(1.0), kind=4))).getpixel((5, 5)), (122,) * 3, 1)
    assert close(check(prepare(png((50 * 257,), gamma(1.0), depth=16, kind=0))).getpixel((5, 5)), (122,) * 3, 1)


# ---------------------------------------------------------------- depths and keys


@pytest.mark.parametrize(
    ("colour", "key", "depth", "kind"),
    [
        ((40_000,), struct.pack(">H", 40_000), 16, 0),
        ((200,), struct.pack(">H", 200), 8, 0),
        ((1,), struct.pack(">H", 1), 1, 0),
        ((5,), struct.pack(">H", 5), 4, 0),
        ((9, 8, 7), struct.pack(">3H", 9, 8, 7), 8, 2),
        ((40_000, 5, 6), struct.pack(">3H", 40_000, 5, 6), 16, 2),
    ],
)
def test_a_colour_that_stands_for_transparent_becomes_white(
    colour: tuple[int, ...], key: bytes, depth: int, kind: int
) -> None:
    prepared = prepare(png(colour, (b"tRNS", key), depth=depth, kind=kind))
    assert check(prepared).getpixel((5, 5)) == (255, 255, 255)
    assert {"flattened", "transparent"} <= set(codes(prepared))
    other = prepare(png(colour, (b"tRNS", bytes(len(key))), depth=depth, kind=kind))
    assert "flattened" not in codes(other)


def tiff(values: Sequence[int], *, bits: int = 16, photometric: int = 1, order: str = "<") -> bytes:
    """A grey TIFF of 400 × 400 px, each row of one value."""
    rows = b""
    for value in (values[row * len(values) // 400] for row in range(400)):
        pair = (
            struct.pack(order + "HH", value, value)
            if bits == 16
            else bytes((value >> 4, (value & 15) << 4 | value >> 8, value & 255))
        )
        rows += pair * 200
    tags = [(256, 400), (257, 400), (258, bits), (259, 1), (262, photometric), (273, 8), (277, 1), (278, 400)]
    entries = b"".join(
        struct.pack(order + "HHI", tag, 3, 1) + struct.pack(order + "HH", value, 0) for tag, value in tags
    ) + struct.pack(order + "HHII", 279, 4, 1, len(rows))
    start = 8 + len(rows)
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, start)
    return head + rows + struct.pack(order + "H", len(tags) + 1) + entries + bytes(4)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (lambda: tiff([0, 2048, 4095], bits=12), (0, 128, 255)),
        (lambda: tiff([0, 32768, 65535]), (0, 128, 255)),
        (lambda: tiff([0, 16384, 65535], photometric=0), (255, 191, 0)),
        (lambda: tiff([0, 32768, 65535], order=">"), (0, 128, 255)),
        (lambda: tiff([0, 16384, 65535], photometric=0, order=">"), (255, 191, 0)),
        (lambda: tiff([0, 2048, 4095], bits=12, order=">"), (0, 128, 255)),
        (lambda: tiff([0, 1024, 4095], bits=12, photometric=0), (255, 191, 0)),
        (lambda: tiff([0, 1024, 4095], bits=12, photometric=0, order=">"), (255, 191, 0)),
    ],
)
def test_a_tiff_keeps_its_brightness(data: Callable[[], bytes], expected: tuple[int, ...]) -> None:
    prepared = prepare(data())
    image = check(prepared)
    for row, value in zip((10, 200, 390), expected, strict=True):
        assert close(image.getpixel((200, row)), (value,) * 3, 1)
    assert "depth" in codes(prepared)


# ---------------------------------------------------------------- what is reported


def test_a_picture_of_which_nothing_can_be_seen_is_reported() -> None:
    prepared = prepare(saved(Image.new("RGBA", (400, 400), (10, 20, 30, 0)), "PNG"))
    assert codes(prepared)[:2] == ["flattened", "transparent"]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_an_empty_first_frame_is_reported(kind: str) -> None:
    empty = Image.new("RGBA", (480, 640), (0, 0, 0, 0))
    shown = quarters().convert("RGBA")
    prepared = prepare(saved(empty, kind, save_all=True, append_images=[shown]))
    assert {"frame", "frame_empty"} <= set(codes(prepared))
    full = prepare(saved(shown, kind, save_all=True, append_images=[empty]))
    assert "frame" in codes(full)
    assert "frame_empty" not in codes(full)


def test_frames_and_pages_are_not_counted_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a file of very many frames no more than the second is looked for."""
    looked: list[int] = []
    for plugin in ("GifImagePlugin.GifImageFile", "TiffImagePlugin.TiffImageFile"):
        module, name = plugin.split(".")
        kind = getattr(__import__(f"PIL.{module}", fromlist=[name]), name)
        seek = kind._seek

        def noted(image: Any, frame: int, *rest: Any, seek: Any = seek) -> Any:
            looked.append(frame)
            return seek(image, frame, *rest)

        monkeypatch.setattr(kind, "_seek", noted)
    for kind in ("GIF", "TIFF"):
        frames = [Image.new("L", (400, 400), shade) for shade in range(50)]
        data = saved(quarters(), kind, save_all=True, append_images=frames)
        looked.clear()
        assert "frame" in codes(prepare(data))
        assert max(looked) <= 1


@pytest.mark.parametrize("name", ["png_bad_exif.png", "webp_bad_exif.webp"])
def test_broken_metadata_is_ignored(name: str) -> None:
    assert size_of(CASES / name) == (640, 480)
    prepared = prepare(CASES / name)
    assert check(prepared).size == (640, 480)
    assert "metadata" in codes(prepared)


def raw_tiff(tag: int, value: int, *, inside: bool, order: str = "<") -> bytes:
    """A TIFF whose directory, or one inside it, has a tag."""

    def directory(tags: list[tuple[int, int]]) -> bytes:
        entries = b"".join(struct.pack(order + "HHII", tag, 4, 1, value) for tag, value in tags)
        return struct.pack(order + "H", len(tags)) + entries + bytes(4)

    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8)
    first = directory([(262, 2), (330, 1000)] if inside else [(tag, value)])
    return (head + first).ljust(1000, b"\0") + directory([(tag, value)])


@pytest.mark.parametrize(
    "data",
    [
        (CASES / "photo.dng").read_bytes,
        lambda: raw_tiff(262, 32803, inside=False),
        lambda: raw_tiff(262, 32803, inside=True),
        lambda: raw_tiff(262, 34892, inside=True, order=">"),
        lambda: raw_tiff(50706, 1, inside=False, order=">"),
        lambda: b"II*\0\x10\0\0\0CR\x02\0" + bytes(100),
        lambda: b"\0\0\0\x18ftypcrx " + bytes(100),
        lambda: b"FUJIFILMCCD-RAW 0201" + bytes(100),
        lambda: b"IIRO\x08\0\0\0" + bytes(100),
        lambda: b"IIU\0\x18\0\0\0" + bytes(100),
        lambda: b"FOVb" + bytes(100),
        lambda: b"\0MRM" + bytes(100),
        lambda: b"II\x1a\0\0\0HEAPCCDR" + bytes(100),
    ],
)
def test_a_camera_raw_file_is_refused_by_its_content(tmp_path: Path, data: Callable[[], bytes]) -> None:
    (tmp_path / "holiday.jpg").write_bytes(data())
    for ask in (prepare, size_of):
        with pytest.raises(ImageError) as caught:
            ask(tmp_path / "holiday.jpg", number=2)
        assert (caught.value.code, caught.value.values["number"]) == ("image_raw", 2)


@pytest.mark.slow
def test_a_picture_of_a_program_that_is_opened_lazily_may_be_given_three_times(tmp_path: Path) -> None:
    noise(700, 700).save(tmp_path / "a.jpg", quality=90)
    expected = prepare(Image.open(tmp_path / "a.jpg")).data
    for _ in range(5):
        with Image.open(tmp_path / "a.jpg") as image, ThreadPoolExecutor(3) as threads:
            assert {prepared.data for prepared in threads.map(prepare, [image] * 3)} == {expected}


# ---------------------------------------------------------------- sizes


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "after", "code"),
    [
        ((385, 385), (385, 385), None),
        ((384, 385), (385, 386), "enlarged"),
        ((1, 1), (385, 385), "enlarged"),
        ((100, 50), (770, 385), "enlarged"),
        ((4999, 400), (4999, 400), None),
        ((5000, 4000), (4999, 3999), "reduced"),
        ((8000, 400), (4999, 385), "padded"),
        ((400, 8000), (385, 4999), "padded"),
        ((2000, 100), (4999, 385), "padded"),
        ((20000, 1), (4999, 385), "padded"),
    ],
)
def test_sides_are_brought_within_the_limits(size: tuple[int, int], after: tuple[int, int], code: str | None) -> None:
    prepared = prepare(saved(Image.new("RGB", size, (10, 120, 230)), "PNG"))
    image = check(prepared)
    assert image.size == after
    seen = image.getpixel((after[0] // 2, after[1] // 2))
    assert isinstance(seen, tuple)
    assert all(abs(a - b) <= 2 for a, b in zip(seen, (10, 120, 230), strict=True))
    assert code is None or code in codes(prepared)
    assert (codes(prepared) == []) == (code is None)


def test_a_file_that_is_too_heavy_is_made_lighter() -> None:
    prepared = prepare(noise(1800, 1500), bytes_max=2_000_000)
    check(prepared)
    assert len(prepared.data) <= 2_000_000
    assert "encoded" in codes(prepared)


def test_bombs_are_refused_before_they_are_decoded() -> None:
    head = struct.pack(">IIBBBBB", 30000, 30000, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    gif = (
        b"GIF89a"
        + struct.pack("<HH", 65535, 65535)
        + b"\xf0\x00\x00"
        + bytes(6)
        + b",\0\0\0\0\xff\xff\xff\xff\0\2\2L\1\0;"
    )
    for data in (png, gif):
        with pytest.raises(ImageError) as caught:
            prepare(data, number=2)
        assert caught.value.code == "image_too_many_pixels"
        assert "Image 2" in str(caught.value)


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "image_empty"),
        (b"no picture", "image_unreadable"),
        (b"\x00" * 5000, "image_unreadable"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image_unreadable"),
        (b"%PDF-1.7\n", "image_unreadable"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 400 400\n", "image_unreadable"),
    ],
)
def test_what_is_no_picture_is_named(data: bytes, code: str) -> None:
    with pytest.raises(ImageError) as caught:
        prepare(data, number=3)
    assert caught.value.code == code
    assert caught.value.values["number"] == 3


def test_a_photo_cut_in_half_is_refused() -> None:
    whole = saved(noise(900, 900), "JPEG")
    with pytest.raises(ImageError) as caught:
        prepare(whole[: len(whole) // 2])
    assert caught.value.code == "image_truncated"
    png = saved(noise(400, 400), "PNG")
    with pytest.raises(ImageError):
        prepare(png[: len(png) // 2])


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for source in (tmp_path / "none.png", tmp_path, tmp_path / "pipe", "/dev/zero", "a\0b", "x" * 5000):
        with pytest.raises(ImageError) as caught:
            prepare(source)
        assert caught.value.code == "image_missing_file", source
    with (tmp_path / "big.png").open("wb") as file:
        file.truncate(300_000_000)
    with pytest.raises(ImageError) as caught:
        prepare(tmp_path / "big.png")
    assert caught.value.code == "image_file_too_large"


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(READABLE))
def test_a_broken_file_is_a_picture_or_an_image_error(name: str) -> None:
    """Bytes flipped, dropped and repeated at random, the same at every run."""
    data, chance = READABLE[name](), random.Random(f"fuzz {name}")
    for _ in range(12):
        broken = bytearray(data)
        for _ in range(chance.randint(1, 12)):
            place = chance.randrange(min(len(broken), 2000)) if chance.random() < 0.7 else chance.randrange(len(broken))
            broken[place] = chance.randrange(256)
        if chance.random() < 0.4:
            del broken[chance.randrange(len(broken)) :]
        try:
            check(prepare(bytes(broken)))
        except ImageError as problem:
            assert str(problem)  # noqa: PT017  # either end is right


def test_three_pictures_at_once_are_the_same_as_one_by_one() -> None:
    data = [READABLE[name]() for name in ("heic", "png-alpha", "jpeg-cmyk")]
    alone = [prepare(each).data for each in data]
    together: dict[int, bytes] = {}
    threads = [threading.Thread(target=lambda n=n: together.update({n: prepare(data[n]).data})) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[n] for n in range(3)] == alone
    assert Image.MAX_IMAGE_PIXELS is not None


# ---------------------------------------------------------------- memory


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("kind", "size", "mode", "options"),
    [
        ("JPEG", (12240, 9180), "RGB", {"quality": 50}),
        ("PNG", (8500, 8500), "RGB", {"compress_level": 1}),
        ("WEBP", (6000, 4000), "RGB", {"quality": 50, "method": 0}),
        ("PNG", (100_000, 900), "P", {"compress_level": 1}),
        ("PNG", (1_000_000, 90), "1", {"compress_level": 1}),
        ("PNG", (100_000, 900), "I;16", {"compress_level": 1}),
        ("TIFF", (100_000, 900), "1", {"compression": "group4"}),
    ],
)
def test_memory_is_bounded(
    tmp_path: Path, kind: str, size: tuple[int, int], mode: str, options: dict[str, Any]
) -> None:
    file = tmp_path / f"large.{kind.lower()}"
    colour = (10, 120, 230, 200)[: len(mode)] if mode.startswith("RGB") else 1
    Image.new(mode, size, colour).save(file, kind, **options)
    peak = measure(file)
    assert max(peak.width, peak.height) <= SIDE_MAX
    assert peak.megabytes < 1.05 * MEMORY_MEGABYTES_MAX


def test_together_they_take_no_more_memory_than_one_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for one of them, three pictures are opened one after the other."""
    data = saved(Image.new("RGBA", (900, 900), (10, 120, 230, 200)), "PNG")
    monkeypatch.setattr("wan_client.images.opening.MEMORY_MEGABYTES_MAX", 9)
    convert, at_once, most = Image.Image.convert, [0], [0]

    def watched(image: Image.Image, *values: Any) -> Image.Image:
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        time.sleep(0.001)
        try:
            return convert(image, *values)
        finally:
            at_once[0] -= 1

    monkeypatch.setattr(Image.Image, "convert", watched)
    with ThreadPoolExecutor(3) as threads:
        assert len(list(threads.map(prepare, [data] * 3))) == 3
    assert most == [1]


@pytest.mark.slow
def test_a_picture_that_is_divided_is_never_passed_on_as_it_was() -> None:
    prepared = prepare(saved(Image.new("RGB", (5200, 4900), (10, 120, 230)), "PNG"))
    assert check(prepared).size == (2600, 2450)
    assert codes(prepared)[0] == "decoded_smaller"


def test_a_small_picture_is_prepared_from_a_path(tmp_path: Path) -> None:
    (tmp_path / "고양이.png").write_bytes(picture())
    assert prepare(str(tmp_path / "고양이.png")).data == picture()
