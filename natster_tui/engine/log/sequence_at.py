"""Finding the sequence of the log at a time."""

from __future__ import annotations

from contextlib import aclosing

from natster_tui.engine.history.newest_first import records_newest_first
from natster_tui.store.log import EventLog


async def sequence_at(log: EventLog, seconds: int, instance: str) -> int:
    """The highest sequence whose event time is not after a time in unix seconds; 0 before all.

    Event times need not ascend, because an import keeps the old ones. So the log is read from its
    end, and the cost grows with the number of events since that time.
    """
    head = (await log.refresh()).last_seq
    async with aclosing(
        records_newest_first(log, 1, head, purpose="time", instance=instance)
    ) as records:
        async for record in records:
            if record.event_time <= seconds:
                return record.seq
    return 0
