"""Being told to stop from outside: the program then leaves as if somebody had asked it to."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine
from typing import Any


def on_stop(leave: Callable[[], object]) -> None:
    """Call `leave` in the running loop on SIGTERM.

    Killed by it, a dashboard would leave its terminal unusable, and a projector its lease taken.
    """
    with contextlib.suppress(NotImplementedError):  # on Windows, which has no such signal
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, leave)


async def until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Run what does not end by itself; that it is told to stop is no failure."""
    task = asyncio.ensure_future(work)
    told = False

    def leave() -> None:
        nonlocal told
        told = True
        task.cancel()

    on_stop(leave)
    try:
        await task
    except asyncio.CancelledError:
        if not told:
            raise
