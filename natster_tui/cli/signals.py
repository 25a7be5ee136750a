"""Stopping on a signal, in the same way as when the user quits."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine
from typing import Any

LEAVE_WITHIN_S = 5
"""Seconds after which a program that was told to stop ends in any case."""

_SIGNALS = ("SIGTERM", "SIGHUP")
"""The signals to handle; a projector that they killed would leave its lease held."""


def on_stop(leave: Callable[[], object]) -> None:
    """Call `leave` in the running loop when the process is told to stop.

    That is on SIGTERM, and on SIGHUP unless it is ignored, as under nohup. The process ends
    within `LEAVE_WITHIN_S` also when the loop is blocked, for example by a terminal that takes
    no more text: the system's alarm then kills it.
    """
    loop = asyncio.get_running_loop()
    is_told = False

    def on_signal(*_arguments: object) -> None:
        nonlocal is_told
        with contextlib.suppress(RuntimeError):  # the loop has ended, and the program is about to
            loop.call_soon_threadsafe(leave)
        if not is_told and hasattr(signal, "alarm"):
            # The watch over slow rules uses the same timer, and its handler would only count this.
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(LEAVE_WITHIN_S)
        is_told = True

    for name in _SIGNALS:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, on_signal)


async def until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Run work that does not end by itself. Being told to stop by a signal is not an error."""
    task = asyncio.ensure_future(work)
    stopped = False

    def leave() -> None:
        nonlocal stopped
        stopped = True
        task.cancel()

    on_stop(leave)
    try:
        await task
    except asyncio.CancelledError:
        if not stopped:
            raise
