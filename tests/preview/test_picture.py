"""What a picture from the preview must be."""

from __future__ import annotations

import json
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from wan_sandbox.preview import OPERATIONS, Operation, Plan, draw, read, render
from wan_sandbox.preview.render.frame import fit, shown

SIZES = [(1024, 1024), (800, 1200), (1200, 800), (960, 1280), (1280, 960), (720, 1280), (1280, 720), (1344, 576)]
SMALL = (160, 128)
SEEDED = {
    "pencil_sketch", "ink", "watercolour", "oil_painting", "sepia", "noir", "vintage_film", "snow", "rain", "fog",
    "mosaic", "blueprint", "glitch", "grain",
}  # fmt: skip
PARAMETERS: dict[str, dict[str, object]] = {
    "colours_of": {"source": 2},
    "background": {"source": 2},
    "inset": {"source": 2, "corner": "top_left"},
    "tint": {"colour": "green"},
    "duotone": {"colours": ["blue", "orange"]},
}


def photo(width: int = 300, height: int = 200) -> Image.Image:
    """Something with gradients, colours and edges in every part."""
    y, x = np.mgrid[0:height, 0:width]
    channels = [x * 255 // width, y * 255 // height, (x * 3 + y * 2) % 256]
    picture = Image.fromarray(np.stack(channels, -1).astype(np.uint8))
    ImageDraw.Draw(picture).ellipse((width // 4, height // 4, width // 2, height * 3 // 4), fill=(240, 230, 20))
    return picture


def plain(colour: tuple[int, int, int], width: int = 300, height: int = 200) -> Image.Image:
    return Image.new("RGB", (width, height), colour)


def one(op: str) -> Plan:
    return Plan((Operation(op, 1, "normal", PARAMETERS.get(op, {})),), (), op)


def pixels(
    plan: Plan, *, seed: int = 0, size: tuple[int, int] = SMALL
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(draw(plan, [photo(), photo(200, 260).transpose(Image.Transpose.ROTATE_180)], size, seed=seed))


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
def test_the_size_is_exactly_what_was_asked_for(size: tuple[int, int]) -> None:
    preview = render([photo()], prompt="sepia", size=size)
    picture = Image.open(BytesIO(preview.png))
    assert picture.size == size
    assert picture.mode == "RGB"


@pytest.mark.parametrize("source", [(5, 400), (400, 5), (1, 1), (4999, 385), (385, 4999)])
def test_odd_pictures_are_drawn_too(source: tuple[int, int]) -> None:
    for prompt in ("sepia", "side by side", "use image 2 as the background"):
        assert draw(read(prompt, images=2), [photo(*source), photo()], (144, 112)).size == (144, 112)


@pytest.mark.parametrize("op", OPERATIONS)
def test_every_operation_draws_something_of_its_own(op: str) -> None:
    untouched = pixels(Plan((), (), ""))
    drawn = pixels(one(op))
    assert drawn.shape == untouched.shape
    assert np.abs(drawn.astype(int) - untouched).mean() > 0.2


@pytest.mark.slow
@pytest.mark.parametrize("op", OPERATIONS)
def test_the_seed_moves_grain_brush_and_particles_only(op: str) -> None:
    first, again, other = pixels(one(op)), pixels(one(op)), pixels(one(op), seed=7)
    assert np.array_equal(first, again)
    assert np.array_equal(first, other) == (op not in SEEDED)


@pytest.mark.parametrize("op", ["watercolour", "snow", "warmer", "neon", "blueprint"])
def test_stronger_is_further_from_the_picture(op: str) -> None:
    untouched = pixels(Plan((), (), "")).astype(int)
    slight, strong = (
        np.abs(pixels(Plan((Operation(op, 1, strength),), (), "")) - untouched).mean()
        for strength in ("slight", "strong")
    )
    assert slight < strong


def test_the_same_request_gives_the_same_bytes() -> None:
    first, again = (render([photo()], prompt="a watercolour in the rain", size=SMALL, seed=3).png for _ in range(2))
    assert first == again


def test_the_file_says_that_it_is_a_preview_and_how_it_came_about() -> None:
    preview = render([photo()], prompt="이미지 1을 수채화로, 모자를 씌워줘", size=SMALL)
    facts = Image.open(BytesIO(preview.png)).info
    assert facts["Title"] == "Local preview"
    assert "not made by the model" in facts["Comment"]
    assert "preview" in facts["Software"]
    assert json.loads(facts["Plan"]) == preview.plan.to_json()
    assert preview.plan.not_understood == ("모자를 씌워줘",)


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (128, 128, 128), (230, 40, 40)])
def test_the_label_is_legible_on_any_ground(colour: tuple[int, int, int]) -> None:
    drawn = np.asarray(draw(Plan((), (), ""), [plain(colour)], (512, 512)).convert("L"), int)
    corner = drawn[-60:, -150:]
    assert corner.max() > 235
    assert np.percentile(corner, 5) < 105
    assert np.ptp(drawn[200:300, 100:400]) <= 1


@pytest.mark.parametrize("source", [(400, 400), (600, 400), (300, 600)])
@pytest.mark.parametrize("size", [(256, 256), (320, 180), (180, 320)])
def test_a_circle_stays_a_circle(source: tuple[int, int], size: tuple[int, int]) -> None:
    picture = plain((10, 10, 10), *source)
    x, y, radius = source[0] // 2, source[1] // 2, 90
    ImageDraw.Draw(picture).ellipse((x - radius, y - radius, x + radius, y + radius), fill=(250, 250, 250))
    drawn = np.asarray(draw(Plan((), (), ""), [picture], size).convert("L"))[: size[1] * 4 // 5] > 128
    rows, columns = np.flatnonzero(drawn.any(1)), np.flatnonzero(drawn.any(0))
    if rows[0] > 0 and rows[-1] < drawn.shape[0] - 1 and columns[0] > 0 and columns[-1] < size[0] - 1:
        assert abs(len(rows) - len(columns)) <= 3


def test_a_crop_keeps_what_there_is_to_see() -> None:
    picture = plain((120, 120, 120), 900, 300)
    ImageDraw.Draw(picture).rectangle((40, 60, 240, 240), fill=(220, 40, 30))
    drawn = np.asarray(draw(Plan((), (), ""), [picture], (200, 200)))
    assert (drawn[..., 0].astype(int) - drawn[..., 1] > 100).mean() > 0.2


def test_edges_are_extended_where_a_crop_would_lose_too_much() -> None:
    picture = plain((0, 0, 0), 300, 900)
    for top in range(0, 900, 100):
        ImageDraw.Draw(picture).rectangle((0, top, 299, top + 49), fill=(255, 255, 255))
    drawn = np.asarray(draw(Plan((), (), ""), [picture], (600, 200)).convert("L"), int)
    stripes = (np.abs(np.diff(drawn[:, 300])) > 100).sum()
    assert stripes >= 8


SIDES = st.tuples(st.integers(120, 700), st.integers(120, 700))


@pytest.mark.slow
@settings(max_examples=40)
@given(SIDES, SIDES, st.sampled_from([0.3, 0.45, 0.66, 0.95]))
def test_the_frame_tells_what_is_shown(source: tuple[int, int], size: tuple[int, int], keep: float) -> None:
    """Whoever cuts the frame's box out of the reference has what the preview shows, pixel by pixel."""
    y, x = np.mgrid[0 : source[1], 0 : source[0]]
    waves = [127 + 120 * np.sin(x / 17), 127 + 120 * np.cos(y / 23), 127 + 120 * np.sin((x + y) / 31)]
    reference = Image.fromarray(np.stack(waves, -1).astype(np.uint8))
    left, top, right, bottom = shown(reference, size, keep)
    width, height = size
    # The frame in pixels of the reference, and the reference in pixels of the frame.
    wide, tall = (right - left) * source[0], (bottom - top) * source[1]
    assert wide / tall == pytest.approx(width / height, rel=0.02)
    inside = (max(0.0, left), max(0.0, top), min(1.0, right), min(1.0, bottom))
    columns = [round((side - left) / (right - left) * width) for side in (inside[0], inside[2])]
    rows = [round((side - top) / (bottom - top) * height) for side in (inside[1], inside[3])]
    box = (inside[0] * source[0], inside[1] * source[1], inside[2] * source[0], inside[3] * source[1])
    cut = reference.resize((columns[1] - columns[0], rows[1] - rows[0]), Image.Resampling.LANCZOS, box=box)
    seen = fit(reference, size, keep)[rows[0] : rows[1], columns[0] : columns[1]]
    assert np.abs(np.asarray(cut, np.float32) / 255 - seen)[2:-2, 2:-2].mean() < 0.03


@pytest.mark.parametrize(
    ("prompt", "image"),
    [("pencil sketch", 1), ("image 2 as a comic", 2), ("mirror it", None), ("side by side", None)],
)
def test_a_result_says_which_reference_it_shows(prompt: str, image: int | None) -> None:
    frame = render([photo(), photo(200, 260)], prompt=prompt, size=SMALL).to_json()["frame"]
    assert (frame["image"] if isinstance(frame, dict) else frame) == image


def test_pencil_and_ink_keep_colours_that_are_to_be_kept() -> None:
    for op in ("pencil_sketch", "ink"):
        grey, coloured = (
            pixels(Plan((Operation(op, 1, "normal", {"in_colour": kept}),), (), "")) for kept in (False, True)
        )
        spread = [np.ptp(drawn[:100].astype(int), axis=-1).mean() for drawn in (grey, coloured)]
        assert spread[1] > spread[0] + 20


def test_pictures_stand_in_the_order_of_the_prompt() -> None:
    red, blue = plain((220, 20, 20)), plain((20, 20, 220))
    drawn = np.asarray(draw(read("image 2 next to image 1", images=2, prompt_extend=False), [red, blue], (300, 200)))
    left, right = drawn[100, 75].astype(int), drawn[100, 225].astype(int)
    assert left[2] > left[0]
    assert right[0] > right[2]


def test_a_background_is_behind_and_an_inset_in_its_corner() -> None:
    references = [plain((220, 20, 20)), plain((20, 20, 220))]
    behind = np.asarray(draw(read("use image 2 as the background", images=2), references, (300, 200)))
    assert behind[100, 150, 0] > 150
    assert behind[5, 150, 2] > 120
    small = np.asarray(draw(read("image 2 in the top right corner of image 1", images=2), references, (300, 200)))
    assert small[40, 260, 2] > 150
    assert small[150, 100, 0] > 150


def test_borrowed_colours_lean_towards_their_source() -> None:
    plan = read("apply the colours of image 2 to image 1", images=2, prompt_extend=False)
    before = np.asarray(photo().resize((300, 200)), float).mean((0, 1))
    drawn = np.asarray(draw(plan, [photo(), plain((20, 40, 230))], (300, 200)), float).mean((0, 1))
    assert drawn[2] - drawn[0] > before[2] - before[0] + 20


def test_a_plan_for_more_pictures_than_there_are_is_refused() -> None:
    with pytest.raises(ValueError, match="image 2"):
        draw(one("background"), [photo()], SMALL)
    with pytest.raises(ValueError, match="at least one"):
        draw(one("sepia"), [], SMALL)
