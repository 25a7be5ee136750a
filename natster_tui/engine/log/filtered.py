"""Which events of the log pass a filter: found in the background, kept up with live ones.

The whole log is read once, forward; where one wildcard filter leaves out nothing that passes,
the server does the leaving out. Sequences are all that is kept.
"""

from __future__ import annotations

import asyncio
from array import array
from bisect import bisect_left
from collections.abc import Callable, Mapping
from contextlib import aclosing

from natster_tui.events.event import Record
from natster_tui.events.filter.language import EventFilter
from natster_tui.projections.account import AccountState
from natster_tui.projections.registering.registry import parked_reason
from natster_tui.store.log import EventLog


class FilteredLog:
    """The sequences that pass `wanted`, ascending; `scanned` is how far the log was looked at."""

    def __init__(
        self,
        wanted: EventFilter,
        accounts: Callable[[], Mapping[str, AccountState]],
        notify: Callable[[], None],
        *,
        names_at: int = 0,
    ) -> None:
        self.wanted = wanted
        self.names_at = names_at
        """Until the accounts are folded so far, names that it asks for may be missing."""
        self.seqs: array[int] = array("Q")
        self.scanned = 0
        self.version = 0
        self._accounts = accounts
        self._cancelled = False
        self._notify = notify

    def cancel(self) -> None:
        """Stop looking; another filter took this one's place."""
        self._cancelled = True

    def has(self, seq: int) -> bool:
        """Whether an event passes, as far as was looked at."""
        row = bisect_left(self.seqs, seq)
        return row < len(self.seqs) and self.seqs[row] == seq

    def is_complete(self, head: int) -> bool:
        """Whether everything up to the head was looked at."""
        return self.scanned >= head

    async def scan(self, log: EventLog, instance: str) -> None:
        """Scan all events that were not scanned yet, up to the head as it is now."""
        head = (await log.refresh()).last_seq
        first = max(self.scanned + 1, self.wanted.first)
        last = head if self.wanted.last is None else min(head, self.wanted.last)
        async with aclosing(
            log.records(
                first,
                last,
                purpose="filter",
                instance=instance,
                subject_filter=self.wanted.subject_filter,
            )
        ) as batches:
            async for batch in batches:
                if self._cancelled:
                    return
                self._look_at(batch)
                await asyncio.sleep(0)
        self.scanned = max(self.scanned, head)
        self._ring()

    def add_live(self, records: list[Record]) -> None:
        """Add live events, once the scan has reached them; before that it finds them itself."""
        if records and self.scanned >= records[0].seq - 1:
            self._look_at(records)

    def _look_at(self, records: list[Record]) -> None:
        accounts = self._accounts()

        def name_of(key: str) -> str:
            state = accounts.get(key)
            if state is None or not state.account_name:
                return key
            # With the key as rows show it: several accounts may have the same name.
            return f"{state.account_name} {key[:4]}…{key[-3:]}"

        for record in records:
            if record.seq > self.scanned and self.wanted.passes(record, name_of, parked_reason):
                self.seqs.append(record.seq)
        self.scanned = max(self.scanned, records[-1].seq)
        self._ring()

    def _ring(self) -> None:
        self.version += 1
        self._notify()
