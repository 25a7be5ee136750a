"""What happened over time: events and shares in equal spans, from one read of the log."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass

from natster_tui.domain.account import AccountState
from natster_tui.domain.events import Event, read_event
from natster_tui.domain.fold import Fold
from natster_tui.domain.parking import ParkReason
from natster_tui.domain.projections import ACCOUNTS
from natster_tui.store.log import EventLog


@dataclass(frozen=True, slots=True)
class Activity:
    """Counts per span. `first` and `last` are the event times (unix seconds) at both ends.

    `shares` is the number of active shares at the end of each span.
    """

    first: int
    last: int
    events: tuple[int, ...]
    shares: tuple[int, ...]


async def read_activity(log: EventLog, spans: int, instance: str) -> Activity:
    """Read the log once and count. Event times need not ascend: each event goes to its span."""
    moments: list[tuple[int, int]] = []
    accounts: Fold[AccountState] = Fold(ACCOUNTS)
    info = await log.refresh()
    async with aclosing(
        log.records(1, info.last_seq, purpose="activity", instance=instance)
    ) as batches:
        async for batch in batches:
            for record in batch:
                event = read_event(record)
                before = _shares_of(accounts, event)
                accounts.apply(record, event)
                change = _shares_of(accounts, event) - before
                moments.append((record.event_time, change))
            await asyncio.sleep(0)
    if not moments:
        return Activity(0, 0, (0,) * spans, (0,) * spans)
    first, last = min(moments)[0], max(moments)[0]
    width = max(1, last - first + 1)
    events, changes = [0] * spans, [0] * spans
    for time, change in moments:
        span = (time - first) * spans // width
        events[span] += 1
        changes[span] += change
    shares, total = [], 0
    for change in changes:
        total += change
        shares.append(max(0, total))
    return Activity(first, last, tuple(events), tuple(shares))


def _shares_of(accounts: Fold[AccountState], event: Event | ParkReason) -> int:
    """How many shares the account that acts has given; only its own events change that."""
    if isinstance(event, ParkReason):
        return 0
    state = accounts.states.get(event.origin)
    return 0 if state is None else len(state.out_shares)
