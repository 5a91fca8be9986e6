"""The picture beside the result lines up with it."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageDraw

from studio.runs.before_picture import framed
from wan_client import PreparedImage, prepare
from wan_sandbox.preview import render


def picture(width: int, height: int) -> PreparedImage:
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((width * 0.3, height * 0.3, width * 0.4, height * 0.4), fill="black")
    draw.ellipse((width * 0.6, height * 0.5, width * 0.8, height * 0.8), fill="pink")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return prepare(buffer.getvalue())


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize("size", [(1024, 1024), (720, 1280), (1344, 576)])
@pytest.mark.parametrize("source", [(600, 600), (800, 500), (500, 900)])
def test_it_has_the_results_size(size: tuple[int, int], source: tuple[int, int]) -> None:
    assert opened(framed([picture(*source)], size, {})).size == size


@pytest.mark.parametrize(
    ("source", "size"), [((900, 600), (400, 400)), ((600, 900), (600, 400)), ((600, 600), (300, 300))]
)
def test_it_lines_up_with_the_preview(source: tuple[int, int], size: tuple[int, int]) -> None:
    reference = picture(*source)
    preview = render([opened(reference.data)], prompt="make it black and white", size=size, prompt_extend=False)
    before = opened(framed([reference], size, {"local_preview": preview.to_json()})).convert("L")
    after = opened(preview.png).convert("L")
    inner = (8, 8, size[0] - 8, int(size[1] * 0.85))
    dark = [image.crop(inner).point(lambda value: 255 if value < 60 else 0).getbbox() for image in (before, after)]
    assert dark[0]
    assert dark[1]
    assert max(abs(one - other) for one, other in zip(dark[0], dark[1], strict=True)) <= 3


def test_without_word_from_the_engine_nothing_is_stretched_and_little_is_lost() -> None:
    shown = opened(framed([picture(1200, 400)], (400, 400), {})).convert("L")
    left, top, right, bottom = shown.point(lambda value: 255 if value < 60 else 0).getbbox() or (0, 0, 0, 1)
    # A tenth of either side of the picture, which fills the frame's width.
    assert abs((right - left) - 40) <= 2
    assert abs((bottom - top) - 13) <= 2


@pytest.mark.parametrize(
    "extra",
    [
        {"local_preview": None},
        {"local_preview": {"frame": {"image": 9, "box": [0, 0, 1, 1]}}},
        {"local_preview": "?"},
        {"local_preview": {"frame": {"image": 1, "box": ["a", 0, 1, 1]}}},
        {"local_preview": {"frame": {"image": 1, "box": [1, 0, 1, 1]}}},
    ],
)
def test_nonsense_from_the_engine_is_ignored(extra: dict[str, object]) -> None:
    assert opened(framed([picture(600, 600)], (200, 200), extra)).size == (200, 200)
