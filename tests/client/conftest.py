from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

import pytest

from wan_sandbox import Sandbox, Settings

Serve = Callable[..., Sandbox]

OURS = ("RUNCOMFY_", "WAN_", "XDG_STATE_HOME")


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No setting of the machine reaches a test, and no test writes outside its folder."""
    import os

    for name in list(os.environ):
        if name.startswith(OURS):
            monkeypatch.delenv(name)
    place = tmp_path_factory.mktemp("place")
    monkeypatch.setenv("XDG_STATE_HOME", str(place / "state"))
    monkeypatch.chdir(place)


@pytest.fixture(scope="session")
def _stopping() -> Iterator[Executor]:
    """Where sandboxes are stopped, so that no test waits for it."""
    with ThreadPoolExecutor(4) as executor:
        yield executor


@pytest.fixture
def serve(_stopping: Executor) -> Iterator[Serve]:
    """Start sandboxes that answer at once and draw nothing, unless set otherwise."""
    started: list[Sandbox] = []

    def start(*faults: str, **settings: Any) -> Sandbox:
        quick: dict[str, Any] = {"run_time": (0.05, 0.05), "picture": "blank", "faults": faults, "speed": 20.0}
        started.append(Sandbox(Settings(**(quick | settings))).start())
        return started[-1]

    yield start
    for sandbox in started:
        _stopping.submit(sandbox.stop)
