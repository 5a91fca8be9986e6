"""A short part of the kill test with each run of the tests; all of it is ``python -m benchmarks.kills``."""

from __future__ import annotations

import sys

import pytest

from benchmarks.kills import kill

pytestmark = pytest.mark.slow


@pytest.mark.skipif(sys.platform == "win32", reason="folders in use can't be removed there")
def test_killed_at_seeded_moments_nothing_is_paid_twice() -> None:
    trials = kill(kills=8, seed=20)
    assert {trial.mode for trial in trials} == {"single", "batch", "resume"} or len(trials) < 6
    assert [fault for trial in trials for fault in trial.faults] == []
