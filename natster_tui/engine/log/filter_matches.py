"""Which events of the log pass a filter: a scan in the background, then live events.

The log is read once, forwards. If a wildcard filter on the subject covers everything that can pass,
the server applies it. Only sequences are kept.
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


class FilterMatches:
    """The sequences that pass `wanted`, ascending; `scanned` is the last sequence checked."""

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
        """Names that the filter asks for may be missing until the accounts are folded so far."""
        self.seqs: array[int] = array("Q")
        self.scanned = 0
        self.version = 0
        self._accounts = accounts
        self._cancelled = False
        self._notify = notify

    def cancel(self) -> None:
        """Stop the scan: another filter replaces this one."""
        self._cancelled = True

    def has(self, seq: int) -> bool:
        """Whether an event passes, as far as the log was scanned."""
        row = bisect_left(self.seqs, seq)
        return row < len(self.seqs) and self.seqs[row] == seq

    def is_complete(self, head: int) -> bool:
        """Whether everything up to the head was scanned."""
        return self.scanned >= head

    async def scan(self, log: EventLog, instance: str) -> None:
        """Scan all events that were not scanned yet, up to the present head."""
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
                self._check(batch)
                await asyncio.sleep(0)
        self.scanned = max(self.scanned, head)
        self._ring()

    def add_live(self, records: list[Record]) -> None:
        """Add live events if the scan has reached them; otherwise it finds them itself."""
        if records and self.scanned >= records[0].seq - 1:
            self._check(records)

    def _check(self, records: list[Record]) -> None:
        accounts = self._accounts()

        def name_of(key: str) -> str:
            state = accounts.get(key)
            if state is None or not state.account_name:
                return key
            # Several accounts may have the same name, so the key is included as rows show it.
            return f"{state.account_name} {key[:4]}…{key[-3:]}"

        for record in records:
            if record.seq > self.scanned and self.wanted.passes(record, name_of, parked_reason):
                self.seqs.append(record.seq)
        self.scanned = max(self.scanned, records[-1].seq)
        self._ring()

    def _ring(self) -> None:
        self.version += 1
        self._notify()
