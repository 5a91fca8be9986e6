"""A thread with an event loop for the synchronous client, and interrupts that end its work in order."""

from __future__ import annotations

import asyncio
import signal
import threading
from concurrent.futures import wait
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from concurrent.futures import Future

Value = TypeVar("Value")

_STOP_SECONDS = 5.0
_SIGNAL_SECONDS = 0.5


class Work(Generic[Value]):
    """A coroutine at work in another thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Value]) -> None:
        self._loop = loop
        self._task: asyncio.Task[Any] | None = None
        self._is_cancelled = False
        self._future: Future[Value] = asyncio.run_coroutine_threadsafe(self._run(coroutine), loop)

    def cancel(self) -> None:
        """Cancel the coroutine. `result` still waits for its end, and returns or raises its outcome."""
        self._loop.call_soon_threadsafe(self._cancel)

    def result(self) -> Value:
        """Wait until the coroutine has ended, and return its value."""
        while not self._future.done():
            # Without a limit, Windows would not look at signals meanwhile.
            wait([self._future], timeout=_SIGNAL_SECONDS)
        return self._future.result()

    async def _run(self, coroutine: Coroutine[Any, Any, Value]) -> Value:
        if self._is_cancelled:
            coroutine.close()
            raise asyncio.CancelledError
        self._task = asyncio.current_task()
        return await coroutine

    def _cancel(self) -> None:
        self._is_cancelled = True
        if self._task is not None:
            self._task.cancel()


class LoopThread:
    """A thread that runs an event loop until it is stopped."""

    def __init__(self) -> None:
        self._ready = threading.Event()
        # A daemon: if an interrupt comes before it can be stopped, the process ends without waiting for it.
        self._thread = threading.Thread(target=lambda: asyncio.run(self._wait()), name="wan_client", daemon=True)
        self._thread.start()
        self._ready.wait()

    def start(self, coroutine: Coroutine[Any, Any, Value]) -> Work[Value]:
        """Run a coroutine in the thread."""
        return Work(self._loop, coroutine)

    def stop(self) -> None:
        """End the loop and the thread."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(_STOP_SECONDS)

    async def _wait(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        await self._stopping.wait()


class Interrupt:
    """State of Ctrl-C: whether it was pressed, and the callback that cancels the work."""

    def __init__(self) -> None:
        self.pressed = False
        self._cancel: Callable[[], object] | None = None

    def on_interrupt(self, cancel: Callable[[], object]) -> None:
        """Register the callback for Ctrl-C; call it now if it was pressed already."""
        self._cancel = cancel
        if self.pressed:
            cancel()

    def press(self, *_: object) -> None:
        """Note that Ctrl-C was pressed, and call the callback once."""
        if not self.pressed:
            self.pressed = True
            if self._cancel:
                self._cancel()


@contextmanager
def postponed_interrupt() -> Iterator[Interrupt]:
    """Keep Ctrl-C from raising `KeyboardInterrupt` in the block, whose end raises it instead.

    Where the program has a handler of its own, or this is not the main thread, nothing is changed.
    """
    interrupt = Interrupt()
    is_default = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not is_default or threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    signal.signal(signal.SIGINT, interrupt.press)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if interrupt.pressed:
            raise KeyboardInterrupt
