"""Holding a lease for as long as a piece of work takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from natster_tui.engine.leases.keeper import LeaseKeeper
from natster_tui.errors import NatsterError
from natster_tui.store.connection.reporting import waiting_for
from natster_tui.store.log import EventLog
from natster_tui.store.tasks import cause_of, end_all


@asynccontextmanager
async def holding(
    log: EventLog, keeper: LeaseKeeper, within_s: float, refusal: Callable[[], NatsterError]
) -> AsyncIterator[None]:
    """Hold a lease; raises `refusal` if another process still has it after `within_s` seconds.

    Raises ServerError when the server refuses the lease. When the keeper fails, the work is
    cancelled, and the keeper's error is raised: without it the lease would run out unnoticed.
    """
    try:
        async with asyncio.TaskGroup() as tasks:
            keeping = tasks.create_task(keeper.run(log))
            with waiting_for(lambda: waiting_sentence(keeper)):
                await _acquire(keeper, within_s, refusal)
            yield
            keeping.cancel()
    except BaseExceptionGroup as group:
        raise cause_of(group) from None


async def _acquire(
    keeper: LeaseKeeper, within_s: float, refusal: Callable[[], NatsterError]
) -> None:
    acquiring = asyncio.create_task(keeper.acquired())
    try:
        await asyncio.wait({acquiring}, timeout=within_s)
        if not acquiring.done():
            raise refusal()
        acquiring.result()
    finally:
        await end_all([acquiring])


def waiting_sentence(keeper: LeaseKeeper) -> str:
    """What a keeper waits for, in a sentence; empty if it holds the lease."""
    waiting = keeper.waiting
    return "" if waiting is None else waiting.sentence
