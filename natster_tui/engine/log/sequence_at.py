"""How a time becomes a sequence."""

from __future__ import annotations

from contextlib import aclosing

from natster_tui.engine.history.newest_first import records_backwards
from natster_tui.store.log import EventLog


async def sequence_at(log: EventLog, seconds: int, instance: str) -> int:
    """The highest sequence whose event time is not after a time in unix seconds; 0 before all.

    Event times need not ascend (an import keeps the old ones), so the log is looked at from its
    end: the cost follows the number of events since then.
    """
    head = (await log.refresh()).last_seq
    async with aclosing(
        records_backwards(log, 1, head, purpose="time", instance=instance)
    ) as records:
        async for record in records:
            if record.event_time <= seconds:
                return record.seq
    return 0
