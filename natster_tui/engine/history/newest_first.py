"""Reading the log from its end, newest events first."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from natster_tui.events.event import Record
from natster_tui.store.log import EventLog

_FIRST_STRETCH = 500
_LONGEST_STRETCH = 16_000


async def records_newest_first(
    log: EventLog, first: int, last: int, *, purpose: str, instance: str
) -> AsyncGenerator[Record, None]:
    """Records from `last` down to `first`, read only as far as the caller iterates."""
    stretch = _FIRST_STRETCH
    first = max(first, log.info.first_seq)
    while last >= first:
        begin = max(first, last - stretch + 1)
        found: list[Record] = []
        async with aclosing(
            log.records(begin, last, purpose=purpose, instance=instance)
        ) as batches:
            async for batch in batches:
                found += batch
        for record in reversed(found):
            yield record
        last = begin - 1
        stretch = min(stretch * 2, _LONGEST_STRETCH)
