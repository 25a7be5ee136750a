"""A reliable timeout."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

_Result = TypeVar("_Result")
_CANCELLED_S = 1.0


async def within(seconds: float, work: Coroutine[Any, Any, _Result]) -> _Result:
    """Wait for some work, but no longer than `seconds`; raises TimeoutError.

    `asyncio.timeout` and `wait_for` are not enough: they cancel the work once, and nats-py (and
    Python 3.11's own `wait_for`) may swallow that and continue.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
        if task.done():
            return task.result()
        raise TimeoutError
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=_CANCELLED_S)
        if task.done() and not task.cancelled():
            # Mark the exception as retrieved.
            task.exception()
