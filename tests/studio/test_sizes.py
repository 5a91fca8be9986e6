"""The size that is like a picture, from the picture's header alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PIL import Image

from studio.i18n.texts import Texts
from studio.prompt.sizes import frame_html, nearest, size_of
from wan_client import ImageSize, prepare

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("size", ImageSize)
def test_each_size_is_nearest_to_itself_at_any_scale(size: ImageSize) -> None:
    width, height = size.pixels
    assert nearest(width, height) is size
    assert nearest(width * 3, height * 3) is size


@pytest.mark.parametrize(
    ("width", "height", "ratio"),
    [
        (4000, 3000, "4:3"),
        (3024, 4032, "3:4"),
        (1920, 1080, "16:9"),
        (1170, 2532, "9:16"),
        (5000, 200, "21:9"),
        (1, 999, "9:16"),
    ],
)
def test_what_cameras_and_screens_make(width: int, height: int, ratio: str) -> None:
    assert nearest(width, height).ratio == ratio


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_the_size_is_the_one_that_is_seen_and_sent(tmp_path: Path, kind: str, orientation: int) -> None:
    file = tmp_path / "a.picture"
    size_of(str(file))  # the client knows all formats from its first look on
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (640, 480), "teal").save(file, kind, exif=exif)
    ready = prepare(file)
    assert size_of(str(file)) == (ready.width, ready.height)


@pytest.mark.parametrize("content", [b"", b"no picture", b"\xff\xd8\xff"])
def test_what_is_no_picture_has_no_size(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.jpg"
    file.write_bytes(content)
    assert size_of(str(file)) is None
    assert size_of(str(tmp_path / "missing.jpg")) is None


@pytest.mark.parametrize("size", ImageSize)
def test_the_drawn_frame_has_the_ratio_and_fits_its_line(size: ImageSize) -> None:
    shown = frame_html(Texts("en"), size)
    width, height = (int(part.split('"')[1]) for part in shown.split("<rect ")[1].split()[:2])
    assert max(width - 62, height - 42) <= 0
    assert width / height == pytest.approx(size.pixels[0] / size.pixels[1], rel=0.03)
    assert f"{size.ratio} · {size.pixels[0]} × {size.pixels[1]} px" in shown
