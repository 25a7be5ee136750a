"""Counts of events and shares over time, in equal spans, from one read of the log."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from itertools import accumulate

from natster_tui.events.event import Event
from natster_tui.events.parking import ParkReason
from natster_tui.projections.account import AccountState
from natster_tui.projections.fold import Fold
from natster_tui.projections.registering.registry import ACCOUNTS
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


async def read_activity(
    log: EventLog, spans: int, instance: str, upto: int | None = None
) -> Activity:
    """Read the log once, to its end or to `upto`, and count.

    Event times need not ascend: each event goes to its span.
    """
    moments = _Moments()
    accounts: Fold[AccountState] = Fold(ACCOUNTS)
    last = (await log.refresh()).last_seq if upto is None else upto
    async with aclosing(log.records(1, last, purpose="activity", instance=instance)) as batches:
        async for batch in batches:
            for record in batch:
                event = log.system.read(record)
                before = _shares_of(accounts, event)
                accounts.apply(record, event)
                moments.add(record.event_time, _shares_of(accounts, event) - before)
            await asyncio.sleep(0)
    return moments.in_spans(spans)


class _Moments:
    """Counts events and changes of shares by time, in stretches that grow with their number."""

    _KEPT = 4_096

    def __init__(self) -> None:
        self._width = 1
        self._stretches: dict[int, tuple[int, int]] = {}
        self._first = self._last = 0

    def add(self, time: int, change: int) -> None:
        if not self._stretches:
            self._first = self._last = time
        self._first, self._last = min(self._first, time), max(self._last, time)
        self._count(time // self._width, 1, change)
        if len(self._stretches) > self._KEPT:
            self._width *= 2
            before, self._stretches = self._stretches, {}
            for stretch, (events, changes) in before.items():
                self._count(stretch // 2, events, changes)

    def _count(self, stretch: int, events: int, changes: int) -> None:
        counted = self._stretches.get(stretch, (0, 0))
        self._stretches[stretch] = (counted[0] + events, counted[1] + changes)

    def in_spans(self, spans: int) -> Activity:
        if not self._stretches:
            return Activity(0, 0, (0,) * spans, (0,) * spans)
        width = max(1, self._last - self._first + 1)
        events, changes = [0] * spans, [0] * spans
        for stretch, counted in self._stretches.items():
            at = max(self._first, stretch * self._width)
            span = (at - self._first) * spans // width
            events[span] += counted[0]
            changes[span] += counted[1]
        shares = (max(0, total) for total in accumulate(changes))
        return Activity(self._first, self._last, tuple(events), tuple(shares))


def _shares_of(accounts: Fold[AccountState], event: Event | ParkReason) -> int:
    """The number of active shares of the event's origin; only its own events change it."""
    if isinstance(event, ParkReason):
        return 0
    state = accounts.states.get(event.origin)
    return 0 if state is None else len(state.out_shares)
