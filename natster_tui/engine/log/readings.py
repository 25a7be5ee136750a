"""Live events of a log, opened and parsed once for all their readers.

The timeline and the projectors each have their own consumer, so each event reaches this process
several times. The first reader opens and parses it; the others reuse the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from natster_tui.events.event import Event, Record
from natster_tui.events.parking import ParkReason
from natster_tui.events.sealed_payload import Unopened
from natster_tui.events.system import EventSystem
from natster_tui.projections.api import Projection
from natster_tui.store.log import EventLog

KEPT = 4_000
"""Events kept; a reader that is further behind than that reads them itself."""


class Reading:
    """One record, opened, with what its subject says and which projections park it."""

    __slots__ = ("_parked", "event", "record")

    def __init__(self, record: Record, system: EventSystem) -> None:
        self.record = record
        self.event = system.read(record)
        self._parked: tuple[tuple[str, ParkReason], ...] | None = None

    def stands_for(self, record: Record) -> bool:
        """Whether this is a reading of that message, whose payload is still as it is stored."""
        known = self.record
        return (
            known.time_ns == record.time_ns
            and known.subject == record.subject
            and known.stored == record.payload
        )

    def parked_by(
        self, projections: Iterable[Projection[Any]]
    ) -> tuple[tuple[str, ParkReason], ...]:
        """The names of the projections that park the event, each with its reason.

        Each projection is asked once; `projections` must be the same at every call.
        """
        if self._parked is None:
            event = self.event
            if isinstance(event, Event):
                asked = ((each.name, each.parks(event)) for each in projections)
                self._parked = tuple((name, why) for name, why in asked if why is not None)
            else:
                self._parked = tuple((each.name, event) for each in projections)
        return self._parked


class Readings:
    """The newest readings of one log, shared by all that follow it."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._held: dict[int, Reading] = {}
        self._log: EventLog | None = None

    async def read(self, log: EventLog, batch: Sequence[Record]) -> list[Reading]:
        """The readings of records as a consumer delivered them, in their order."""
        if log is not self._log:
            # Other keys, or another log: what was opened before may not be shown any more.
            self._held.clear()
            self._log = log
        known = {
            record.seq: held
            for record in batch
            if (held := self._held.get(record.seq)) is not None and held.stands_for(record)
        }
        unread = [record for record in batch if record.seq not in known]
        opened = [Reading(record, log.system) for record in await log.sealing.open_records(unread)]
        if log is self._log:
            self._hold(opened)
        known |= {reading.record.seq: reading for reading in opened}
        return [known[record.seq] for record in batch]

    def of(self, record: Record, system: EventSystem) -> Reading:
        """The reading of a record that is opened already."""
        held = self._held.get(record.seq)
        if held is None or held.record is not record:
            held = Reading(record, system)
            self._hold((held,))
        return held

    def _hold(self, readings: Iterable[Reading]) -> None:
        for reading in readings:
            seal = reading.record.seal
            if seal is None or seal.unopened is not Unopened.UNAVAILABLE:
                # Its key may be there the next time.
                self._held[reading.record.seq] = reading
        while len(self._held) > self._kept:
            del self._held[next(iter(self._held))]
