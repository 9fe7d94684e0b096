"""An event loop beside the caller: under a running loop, with errors, and cancelled by whoever watches."""

import asyncio
import threading

import pytest

from v2glab.procedures._vehicle_beside import run_beside


def test_it_runs_where_a_loop_is_under_way_and_tells_in_the_callers_thread():
    seen = []

    async def work(tell):
        for number in range(3):
            tell({"time_s": float(number)})
            await asyncio.sleep(0)

    async def kernel():
        run_beside(work, lambda sample: seen.append((sample["time_s"], threading.current_thread())))

    asyncio.run(kernel())
    assert seen == [(float(n), threading.current_thread()) for n in range(3)]


def test_what_the_work_raises_reaches_the_caller():
    async def work(tell):
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        run_beside(work, lambda sample: None)


def test_an_interrupt_cancels_the_work_and_waits_for_its_clean_up():
    cleaned = []

    async def work(tell):
        try:
            tell({"time_s": 0.0})
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)
            cleaned.append(True)

    def stop(sample):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_beside(work, stop)
    assert cleaned == [True]
