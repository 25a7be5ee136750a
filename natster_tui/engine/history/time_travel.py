"""The projections as of any sequence of the log.

The log is read and folded once, as far as requested, and the changes of every state are kept
(`projections.history.states`). After that, the cost of a moment depends only on how many of its
documents are read. Memory grows with the changes, up to CHANGES_KEPT.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from natster_tui.events.event import Record
from natster_tui.projections.api import Projection
from natster_tui.projections.history.states import Past, StateHistory
from natster_tui.store.log import EventLog

CHANGES_KEPT = 8_000_000
"""Beyond this many changes the older half is dropped; going back there reads the log again."""
EVENTS_AT_ONCE = 250
"""Events folded before the rest of the program may run."""
LONG_READ = 50_000


@dataclass(frozen=True)
class Moment:
    """Everything as of `seq`. It stays valid when another moment is requested.

    `time` is that event's time in unix seconds, 0 if it was deleted. `pasts` are the projections by
    name, and `changed` the keys whose documents this event changed.
    """

    seq: int
    time: int
    pasts: dict[str, Past[Any]]
    changed: dict[str, frozenset[str]]


class TimeTravel:
    """Moments of one log. `log` may be replaced after a reconnect; what was read is kept."""

    def __init__(
        self,
        log: EventLog,
        instance: str,
        on_progress: Callable[[int, int], None],
        projections: Sequence[Projection[Any]],
    ) -> None:
        self.log = log
        self._projections = projections
        self._instance = instance
        self._on_progress = on_progress
        self._begin(log)

    def _begin(self, log: EventLog) -> None:
        self._known_as = log
        self._tombstones = log.sealing.tombstones
        self._histories: list[StateHistory[Any]] = [StateHistory(p) for p in self._projections]
        self._read = 0
        self._last: Record | None = None
        self._moment = Moment(0, 0, {}, {})

    async def at(self, seq: int) -> Moment:
        """The moment after event `seq`; limited to the head, and 0 is before the first event."""
        head = (await self.log.refresh()).last_seq
        seq = max(0, min(seq, head))
        if seq < self._histories[0].begins or not await self._is_still_the_log(head):
            self._begin(self.log)
        await self._read_to(seq)
        record = await self.log.record_at(seq) if seq else None
        here = self._moment.pasts
        histories = {history.projection.name: history for history in self._histories}
        self._moment = Moment(
            seq,
            0 if record is None else record.event_time,
            {name: history.at(seq, here.get(name)) for name, history in histories.items()},
            {name: history.changed_by(seq) for name, history in histories.items()},
        )
        return self._moment

    async def _is_still_the_log(self, head: int) -> bool:
        """Whether what was read is still the beginning of the log over the present link."""
        if head < self._read or self._tombstones != self.log.sealing.tombstones:
            # What was read may have been erased since, or can no longer be opened.
            return False
        if self._known_as is self.log or self._last is None:
            return True
        if self._known_as.info.created != self.log.info.created:
            return False
        stored = await self.log.record_at(self._last.seq)
        self._known_as = self.log
        return stored is not None and stored.time_ns == self._last.time_ns

    async def _read_to(self, seq: int) -> None:
        """Fold the log up to `seq`, from where it was left."""
        begin = self._read
        if begin < seq:
            async with aclosing(
                self.log.records(begin + 1, seq, purpose="travel", instance=self._instance)
            ) as batches:
                async for batch in batches:
                    for start in range(0, len(batch), EVENTS_AT_ONCE):
                        self._fold(batch[start : start + EVENTS_AT_ONCE])
                        self._on_progress(self._read, seq)
                        await asyncio.sleep(0)
                    await self._bound_memory()
            # The last of them may have been deleted.
            self._read = seq
        if self._read - begin > LONG_READ:
            # Millions of objects without cycles: each full garbage collection would scan them all
            # again, and the screen would freeze for most of a second.
            gc.freeze()

    def _fold(self, batch: list[Record]) -> None:
        read = self.log.system.read
        for record in batch:
            event = read(record)
            for history in self._histories:
                history.apply(record, event)
        self._last = batch[-1]
        self._read = self._last.seq

    async def _bound_memory(self) -> None:
        if sum(history.changes for history in self._histories) <= CHANGES_KEPT:
            return
        begins = self._histories[0].begins
        for history in self._histories:
            for _ in history.forget((begins + self._read) // 2):
                await asyncio.sleep(0)
