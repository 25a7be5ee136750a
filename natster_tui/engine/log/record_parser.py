"""Live events of a log, opened and parsed once for all their readers.

The timeline and the projectors each have a consumer of their own, so each event reaches this
process several times. The first reader opens and parses it. The others get the same message, and
reuse the result.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any

from natster_tui.events.event import Event, Record, StoredMessage, as_records
from natster_tui.events.parking import ParkReason
from natster_tui.events.sealed_payload import Unopened
from natster_tui.events.system import EventSystem
from natster_tui.projections.api import Projection
from natster_tui.store.log import EventLog

KEPT = 20_000
"""Events kept; those that a reader lags further behind are parsed again."""


class ParsedRecord:
    """A record, opened and parsed, and which projections park it."""

    __slots__ = ("_parked", "event", "message", "record")

    def __init__(
        self, record: Record, system: EventSystem, message: StoredMessage | None = None
    ) -> None:
        self.message = message
        """The message that it was read from; None if not known."""
        self.record = record
        self.event = system.read(record)
        self._parked: tuple[tuple[str, ParkReason], ...] | None = None

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


class RecordParser:
    """Parses the records of one log, and keeps the newest for all that follow it."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._held: OrderedDict[int, ParsedRecord] = OrderedDict()
        self._log: EventLog | None = None

    async def parse(self, log: EventLog, messages: Sequence[StoredMessage]) -> list[ParsedRecord]:
        """The messages that a consumer delivered, opened and parsed, in their order."""
        if log is not self._log:
            # Another log, or other keys: what was opened before may no longer be shown.
            self._held.clear()
            self._log = log
        held = self._held
        known = [held.get(message[0]) for message in messages]
        unread = [
            message
            for message, each in zip(messages, known, strict=True)
            if each is None or each.message != message
        ]
        if unread:
            records = await log.sealing.open_records(as_records(unread))
            opened = [
                ParsedRecord(record, log.system, message)
                for record, message in zip(records, unread, strict=True)
            ]
            if log is self._log:
                self._hold(opened)
            new = {each.record.seq: each for each in opened}
            known = [new.get(message[0], old) for message, old in zip(messages, known, strict=True)]
        return [each for each in known if each is not None]

    def parsed(self, record: Record, system: EventSystem) -> ParsedRecord:
        """A record that is already opened, parsed."""
        held = self._held.get(record.seq)
        if held is None or held.record is not record:
            held = ParsedRecord(record, system)
            self._hold((held,))
        return held

    def _hold(self, records: Iterable[ParsedRecord]) -> None:
        for each in records:
            seal = each.record.seal
            if seal is None or seal.unopened is not Unopened.UNAVAILABLE:
                # Its key may be available next time.
                self._held[each.record.seq] = each
        while len(self._held) > self._kept:
            self._held.popitem(last=False)
