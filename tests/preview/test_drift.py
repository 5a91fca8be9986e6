"""A preview that moves and zooms, as models do, by an amount that is known."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from wan_sandbox import Settings
from wan_sandbox.cli import _parser, _settings
from wan_sandbox.preview import render
from wan_sandbox.preview.render.colour import to_array
from wan_sandbox.preview.render.drift import Drift

pytestmark = pytest.mark.slow

SIZES = [(1024, 1024), (1344, 576), (720, 1280)]


@pytest.mark.parametrize("size", SIZES)
def test_the_seed_decides_and_nothing_else(size: tuple[int, int]) -> None:
    amounts = [Drift.of(seed, size) for seed in range(20)]
    assert amounts == [Drift.of(seed, size) for seed in range(20)]
    assert len(set(amounts)) == 20
    assert all(1.05 <= amount.scale <= 1.09 and 0 < abs(amount.rotation) <= 0.8 for amount in amounts)


@pytest.mark.parametrize("size", SIZES)
def test_no_part_of_the_frame_stays_empty(size: tuple[int, int]) -> None:
    white = to_array(Image.new("RGB", size, "white"))
    assert all((Drift.of(seed, size).applied(white, white) > 0.99).all() for seed in range(8))


def test_only_one_area_changes() -> None:
    size = (400, 300)
    black, white = (to_array(Image.new("RGB", size, colour)) for colour in ("black", "white"))
    for seed in range(8):
        drift = Drift.of(seed, size)
        changed = drift.applied(black, white)[..., 0] > 0.5
        x, y, across, down = drift.area
        assert changed.sum() == pytest.approx(np.pi * across * down * drift.scale**2 * 0.9, rel=0.1)
        rows, columns = np.nonzero(changed)
        middle = (x - 200) * drift.scale + 200 + drift.dx, (y - 150) * drift.scale + 150 + drift.dy
        assert (columns.mean(), rows.mean()) == pytest.approx(middle, abs=3)


def test_it_is_off_unless_it_is_wanted() -> None:
    picture = Image.new("RGB", (200, 200), "red")
    still, moving = (render([picture], prompt="sepia", size=(200, 200), drift=on) for on in (False, True))
    assert "drift" not in still.to_json()
    assert still.frame is not None
    assert moving.frame is None
    assert moving.drift is not None
    assert moving.to_json()["drift"] == moving.drift.to_json()
    assert not Settings().drift
    assert _settings(_parser().parse_args(["--drift"])).drift
