"""Ending tasks without losing their errors.

A task that is cancelled may still fail, and so may one whose result is no longer needed. A
`NatsterError` is then just the end of a request that no caller waits for. Any other error is a bug
in the program, and must be reported.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from natster_tui.errors import ConnectionLostError, KeysChangedError, NatsterError


async def end_all(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks, and wait until all have ended; raises as `settled` does."""
    tasks = tuple(tasks)
    for task in tasks:
        task.cancel()
    await settled(tasks)


async def settled(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Wait until all tasks have ended, whatever their results.

    Raises the first error in that order that is not a `NatsterError`.
    """
    tasks = tuple(tasks)
    await asyncio.gather(*tasks, return_exceptions=True)
    for task in tasks:
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, NatsterError):
            raise error


def cause_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The most significant error of a group: a lost link, for example, causes the others."""
    flat: list[BaseException] = []
    waiting: list[BaseException] = [group]
    while waiting:
        error = waiting.pop(0)
        if isinstance(error, BaseExceptionGroup):
            waiting.extend(error.exceptions)
        else:
            flat.append(error)
    unexpected = [error for error in flat if not isinstance(error, NatsterError)]
    changed = [error for error in flat if isinstance(error, KeysChangedError)]
    lost = [error for error in flat if isinstance(error, ConnectionLostError)]
    return (unexpected or changed or lost or flat)[0]
