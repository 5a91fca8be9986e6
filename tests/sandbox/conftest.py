from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from wan_sandbox import Sandbox, Settings

from .support import Caller

Serve = Callable[..., Caller]


@pytest.fixture(scope="session")
def closing() -> Iterator[Callable[[ExitStack], None]]:
    """Stop sandboxes while the next test runs: most of a stop is waiting. What goes wrong is raised in the end."""
    with ThreadPoolExecutor(1) as worker:
        closed: list[Future[None]] = []
        yield lambda stack: closed.append(worker.submit(stack.close))
    for future in closed:
        future.result()


@pytest.fixture
def serve(closing: Callable[[ExitStack], None]) -> Iterator[Serve]:
    """Start sandboxes that answer at once and draw nothing, unless set otherwise."""
    with ExitStack() as stack:

        def start(**settings: Any) -> Caller:
            quick: dict[str, Any] = {"run_time": (0.02, 0.02), "picture": "blank"}
            caller = Caller(stack.enter_context(Sandbox(Settings(**(quick | settings)))))
            stack.enter_context(caller.http)
            return caller

        yield start
        closing(stack.pop_all())


@pytest.fixture(scope="module")
def shared() -> Iterator[Caller]:
    """One sandbox for tests that leave nothing behind for each other."""
    with Sandbox(Settings(run_time=(0.02, 0.02), workers=8, picture="blank")) as sandbox:
        caller = Caller(sandbox)
        with caller.http:
            yield caller
