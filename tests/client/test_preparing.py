"""Large pictures keep nothing waiting but other pictures."""

from __future__ import annotations

import asyncio
import threading

from wan_client.hosting import PREPARING_THREADS, in_preparing_thread


async def test_pictures_at_work_leave_every_other_thread_free() -> None:
    begun, release = threading.Semaphore(0), threading.Event()

    def slow(number: int, *, named: int) -> int:
        begun.release()
        assert release.wait(60)
        return number + named

    pictures = [asyncio.create_task(in_preparing_thread(slow, number, named=1)) for number in range(64)]
    try:
        for _ in range(PREPARING_THREADS):
            assert await asyncio.to_thread(begun.acquire, timeout=60)
        assert await asyncio.wait_for(asyncio.to_thread(lambda: "not held up"), 60) == "not held up"
        assert not begun.acquire(blocking=False), "no more are prepared at once"
    finally:
        release.set()
    assert await asyncio.gather(*pictures) == [number + 1 for number in range(64)]
