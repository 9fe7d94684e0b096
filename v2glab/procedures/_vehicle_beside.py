"""Run a session's event loop beside the caller: a notebook's kernel has one under way already."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from v2glab.procedures._procedure import Sample

#: How long the caller sleeps between two looks; an interrupt is seen as soon.
_LOOK_S = 0.05


def run_beside(
    work: Callable[[Callable[[Sample], None]], Coroutine[Any, Any, None]], progress: Callable[[Sample], None]
) -> None:
    """Run a coroutine in a thread of its own until it ends.

    Parameters
    ----------
    work
        Given a function that takes samples; they reach ``progress`` in the caller's thread, where displays
        and cancellation live.
    progress
        What it raises, and an interrupt of the caller, cancels the work; its clean-up is waited for.

    Raises
    ------
    BaseException
        What the work or ``progress`` raised.
    """
    samples: queue.SimpleQueue[Mapping[str, float] | None] = queue.SimpleQueue()
    ended: list[BaseException] = []
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []

    async def guarded() -> None:
        task = asyncio.current_task()
        if task is not None:
            running.append((asyncio.get_running_loop(), task))
        await work(samples.put)

    def serve() -> None:
        try:
            asyncio.run(guarded())
        except BaseException as error:
            ended.append(error)
        finally:
            samples.put(None)

    thread = threading.Thread(target=serve, name="v2glab-vehicle")
    thread.start()
    try:
        _pass_on(samples, progress)
    except BaseException:
        for loop, task in running:
            with contextlib.suppress(RuntimeError):  # the loop may have just ended
                loop.call_soon_threadsafe(task.cancel)
        thread.join()
        raise
    thread.join()
    if ended:
        raise ended[0]


def _pass_on(
    samples: queue.SimpleQueue[Mapping[str, float] | None], progress: Callable[[Sample], None]
) -> None:
    while True:
        try:
            sample = samples.get(timeout=_LOOK_S)
        except queue.Empty:
            continue
        if sample is None:
            return
        progress(sample)
