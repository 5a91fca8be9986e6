"""The map of changes: all of what was changed, and nothing of what was not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from wan_client.compare import Tone, align, change_map

from .support import Move, Pixels, jpeg, moved, noised, patched, photo, recoloured

FRAME = (1024, 1024)
NAMES = ("astronaut", "brick", "cheetah2", "coffee", "hubble_deep_field", "moon", "rocket", "tower")
CASES = (
    (Move(), (1.0, 1.0, 1.0)),
    (Move(-9, 6, 0.95, 2.5), (1.08, 1.0, 0.9)),
    (Move(8, -12, 1.1, -3), (0.9, 0.95, 1.05)),
)


def made(name: str, case: int, *, patch: bool = True) -> tuple[bytes, Pixels]:
    """A photograph that was moved, recoloured, noised, compressed, and where it is patched."""
    move, gains = CASES[case]
    rng = np.random.default_rng([NAMES.index(name), case])
    after = recoloured(moved(photo(name), move, FRAME), gains)
    left, top = (int(place) for place in rng.integers(280, 500, 2))
    where = np.zeros(FRAME[::-1], np.uint8)
    if patch:
        after = patched(after, photo("cat"), (left, top, left + 220, top + 220))
        where[top : top + 220, left : left + 220] = 1
    return jpeg(noised(after, rng), 90), where


@pytest.mark.parametrize(("name", "case"), [(name, index % len(CASES)) for index, name in enumerate(NAMES)])
def test_the_patch_is_found_and_nothing_else(name: str, case: int) -> None:
    after, where = made(name, case)
    found = change_map(photo(name), after, align(photo(name), after))
    mask = (np.asarray(found.mask()) > 0).astype(np.uint8)
    assert (mask & where).sum() / (mask | where).sum() >= 0.8
    # The edge is known to a few pixels: the map is made on a reduced copy.
    assert not mask[cv2.dilate(where, np.ones((25, 25), np.uint8)) == 0].any()
    share = 100 * where.mean() / (found.compared / 100)
    assert found.share == pytest.approx(share, rel=0.25)


@pytest.mark.parametrize("name", NAMES[::2])
def test_noise_and_a_change_of_all_colours_are_no_change(name: str) -> None:
    after, _ = made(name, 1, patch=False)
    found = change_map(photo(name), after, align(photo(name), after))
    assert found.share == 0
    assert found.regions == ()


@pytest.mark.parametrize(
    ("gains", "offset", "tone"),
    [
        ((1.1, 1.0, 0.85), 0, Tone.WARMER),
        ((0.88, 1.0, 1.1), 0, Tone.COOLER),
        ((1, 1, 1), 16, Tone.LIGHTER),
        ((0.9, 0.9, 0.9), -6, Tone.DARKER),
    ],
)
def test_the_change_of_all_colours_has_a_name(gains: tuple[float, float, float], offset: float, tone: Tone) -> None:
    before = np.asarray(photo("coffee"))
    found = change_map(before, recoloured(before, gains, offset))
    assert found.colours is not None
    assert tone in found.colours.tones


def test_stronger_colours_have_a_name() -> None:
    before = np.asarray(photo("astronaut"))
    grey = before.mean(2, keepdims=True)
    strong, weak = (np.clip(grey + (before - grey) * factor, 0, 255).astype(np.uint8) for factor in (1.4, 0.6))
    stronger, weaker = (change_map(before, after).colours for after in (strong, weak))
    assert stronger is not None
    assert weaker is not None
    assert Tone.MORE_SATURATED in stronger.tones
    assert Tone.LESS_SATURATED in weaker.tones


def test_the_same_picture_has_no_changes() -> None:
    found = change_map(photo("astronaut"), photo("astronaut"))
    assert (found.share, found.regions, found.compared) == (0, (), 100)
    assert found.colours is not None
    assert found.colours.tones == ()


def test_another_picture_has_no_change_of_all_colours() -> None:
    found = change_map(photo("cat"), photo("gravel"))
    assert found.colours is None
    assert found.share > 50


def test_regions_are_numbered_from_the_largest_and_shown_alone() -> None:
    before = photo("astronaut").resize(FRAME)
    after = patched(np.asarray(before), photo("cat"), (100, 100, 400, 300))
    after = patched(after, photo("coffee"), (650, 600, 800, 780))
    found = change_map(before, after)
    large, small = found.regions
    assert (large.number, small.number) == (1, 2)
    assert large.box == pytest.approx((100, 100, 400, 300), abs=12)
    assert small.box == pytest.approx((650, 600, 800, 780), abs=12)
    taken = np.asarray(found.mask([2]))
    assert taken[700, 720] == 255
    assert not taken[:500].any()
    assert found.share == pytest.approx(large.share + small.share)
