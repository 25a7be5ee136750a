"""Holding a lease for as long as a piece of work takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from natster_tui.engine.leases.keeper import LeaseKeeper
from natster_tui.errors import NatsterError
from natster_tui.store.connection.reporting import waiting_for
from natster_tui.store.log import EventLog


@asynccontextmanager
async def holding(
    log: EventLog, keeper: LeaseKeeper, within_s: float, refusal: Callable[[], NatsterError]
) -> AsyncIterator[None]:
    """Hold a lease; raises `refusal` if another process still has it after `within_s` seconds.

    Raises ServerError when the server refuses the lease.
    """
    keeping = asyncio.create_task(keeper.run(log))
    acquiring = asyncio.create_task(keeper.acquired())
    try:
        with waiting_for(lambda: waited_for(keeper)):
            await asyncio.wait(
                {keeping, acquiring}, timeout=within_s, return_when=asyncio.FIRST_COMPLETED
            )
        if not keeping.done() and not acquiring.done():
            raise refusal()
        # The keeper ends first only if it failed.
        await (acquiring if acquiring.done() else keeping)
        yield
    finally:
        for task in (keeping, acquiring):
            task.cancel()
        await asyncio.gather(keeping, acquiring, return_exceptions=True)


def waited_for(keeper: LeaseKeeper) -> str:
    """What a keeper waits for, in a sentence; empty if it holds the lease."""
    waiting = keeper.waiting
    return "" if waiting is None else waiting.sentence
