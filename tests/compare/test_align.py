"""Alignment: right to half a pixel where it is sure, and not sure of what has nothing in common."""

from __future__ import annotations

import itertools
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.conftest import ROOT
from wan_client.compare import Doubt, align, find_reference, unaligned
from wan_client.compare.alignment import look_at, match
from wan_client.compare.geometry import square
from wan_sandbox.preview import render

from .support import FILES, Move, corner_error, jpeg, moved, noised, patched, photo, recoloured

FRAME = (1024, 1024)
KNOWN = ("astronaut", "brick", "camera", "cat", "cheetah2", "coffee", "hubble_deep_field", "moon", "rocket", "tower")
MOVES = (Move(), Move(12, -7, 1.03), Move(-15, 9, 0.95, 3), Move(4, 14, 1.1, -3))


@pytest.mark.parametrize(
    ("name", "move"),
    [(name, MOVES[index % len(MOVES)]) for index, name in enumerate(KNOWN)]
    + [("astronaut", move) for move in MOVES[1:]],
)
def test_the_corners_are_right_to_half_a_pixel(name: str, move: Move) -> None:
    rng = np.random.default_rng([FRAME[0], KNOWN.index(name), MOVES.index(move)])
    before = photo(name)
    left, top = (int(place) for place in rng.integers(200, 600, 2))
    after = patched(moved(before, move, FRAME), photo("lion"), (left, top, left + 250, top + 250))
    found = align(before, jpeg(noised(recoloured(after, (1.06, 1, 0.92)), rng), 80))
    assert found.sure
    assert corner_error(square(found.matrix), move.transform(before.size, FRAME), FRAME) <= 0.5
    assert found.scale == pytest.approx(move.scale, abs=0.002)
    assert found.rotation == pytest.approx(move.rotation, abs=0.1)
    assert (found.dx, found.dy) == pytest.approx((move.dx, move.dy), abs=0.5)


@pytest.mark.parametrize(
    ("before", "after"),
    [((385, 385), (385, 385)), ((4999, 385), (1344, 576)), ((385, 4999), (720, 1280)), ((4999, 3333), (1280, 720)),
     ((640, 480), (4999, 2400)), ((900, 1600), (1024, 1024)), ((3000, 2000), (1200, 800))],
)  # fmt: skip
def test_sizes_and_ratios_of_all_kinds(before: tuple[int, int], after: tuple[int, int]) -> None:
    source = ImageOps.fit(photo("astronaut"), before)
    move = Move(0.01 * min(after), -0.005 * min(after), 1.04, 1)
    found = align(source, moved(source, move, after))
    assert found.sure
    error = corner_error(square(found.matrix), move.transform(source.size, after), after)
    assert error <= 0.5 * max(1, max(after) / 1024)


def _crop(name: str, rng: np.random.Generator) -> Image.Image:
    image = photo(name)
    width, height = (int(side * rng.uniform(0.5, 0.9)) for side in image.size)
    left, top = int(rng.integers(image.width - width + 1)), int(rng.integers(image.height - height + 1))
    return image.crop((left, top, left + width, top + height))


def test_crops_of_different_photographs_are_never_aligned() -> None:
    """Two crops of each photograph, in 200 pairs, all those of one kind of scene or texture among them."""
    rng = np.random.default_rng(16)
    views = {name: [look_at(_crop(name, rng)) for _ in range(2)] for name in FILES}
    pairs = list(itertools.combinations(FILES, 2))
    near = {("brick", "gravel"), ("gravel", "grass"), ("motorcycle_left", "motorcycle_right"), ("page", "text")}
    near |= set(itertools.combinations(("cheetah", "cheetah1", "cheetah2", "lion"), 2))
    chosen = [pair for pair in pairs if pair in near or pair[::-1] in near]
    rest = [pair for pair in pairs if pair not in chosen]
    chosen += [rest[int(index)] for index in rng.choice(len(rest), 200 - len(chosen), replace=False)]
    assert len(chosen) == 200
    assert not [(one, other) for one, other in chosen if match(views[one][0], views[other][1]).sure]


@pytest.mark.parametrize("name", list(FILES)[::2])
def test_what_a_photograph_shows_elsewhere_is_not_aligned_with_it(name: str) -> None:
    """Its halves, and the whole mirrored or upside down."""
    image = photo(name)
    width, height = image.size
    halves = image.crop((0, 0, width // 2, height)), image.crop((width // 2, 0, width, height))
    assert not align(*halves).sure
    whole = look_at(image)
    assert not match(whole, look_at(ImageOps.mirror(image))).sure
    assert not match(whole, look_at(image.transpose(Image.Transpose.ROTATE_180))).sure


@pytest.mark.parametrize("seed", range(4))
def test_a_pattern_that_repeats_has_no_place_of_its_own(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tile = Image.fromarray(rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)).resize((64, 64), Image.Resampling.BICUBIC)
    wall = np.tile(np.asarray(tile), (14, 14, 1))
    x, y = (int(place) for place in rng.integers(64, 300, 2))
    assert not align(noised(wall[:512, :512], rng), noised(wall[y : y + 512, x : x + 512], rng)).sure


@pytest.mark.parametrize("look", ["mosaic", "neon"])
def test_a_full_restyle_is_refused(look: str) -> None:
    size = (512, 512)
    found = align(photo("cat"), render([photo("cat")], prompt=f"turn image 1 into a {look}", size=size).png)
    assert not found.sure
    assert found.matrix == unaligned(photo("cat").size, size).matrix
    assert (found.moved, found.scale, found.rotation) == (0, 1, 0)


def test_the_reason_is_given() -> None:
    cat = photo("cat")
    assert align(cat, photo("coffee")).doubt is Doubt.NO_COMMON_GROUND
    assert align(cat, Image.new("RGB", (500, 500), "white")).doubt is Doubt.NO_COMMON_GROUND
    assert align(cat, cat.transpose(Image.Transpose.ROTATE_180)).doubt is Doubt.FAR_OFF
    assert align(photo("motorcycle_left"), photo("motorcycle_right")).doubt is Doubt.AMBIGUOUS


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_reference_that_a_result_was_made_of_is_found(number: int) -> None:
    references = [photo("cat"), photo("cheetah2"), photo("coffee")]
    result = moved(references[number - 1], Move(5, 5, 1.05), FRAME)
    found = find_reference(result, references)
    assert found.number == number
    assert [alignment.sure for alignment in found.alignments] == [place == number for place in (1, 2, 3)]


def test_a_new_scene_resembles_no_reference() -> None:
    assert find_reference(photo("tower"), [photo("cat"), photo("coffee")]).number is None


def test_what_the_sandbox_drifted_by_is_found() -> None:
    preview = render([photo("astronaut")], prompt="sepia", size=FRAME, seed=3, drift=True)
    assert preview.drift
    found = align(photo("astronaut"), preview.png)
    assert found.sure
    assert (found.dx, found.dy) == pytest.approx((preview.drift.dx, preview.drift.dy), abs=0.5)
    assert found.scale == pytest.approx(preview.drift.scale, abs=0.001)
    assert found.rotation == pytest.approx(preview.drift.rotation, abs=0.05)


def test_opencv_is_loaded_when_it_is_first_used() -> None:
    code = "import sys, studio.server, wan_client.cli.main, wan_client.compare; sys.exit('cv2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
