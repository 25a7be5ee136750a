"""Repeated message ids: a hazard of a log that other programs write.

The server refuses a repeated id only within its duplicate window. A later event with the id of an
earlier one was sent twice, or its writer's ids are not unique. An import keeps it under another
id. Only live events are checked, against the last 50,000 ids.
"""

from __future__ import annotations

from collections.abc import Iterable

from natster_tui.events.event import MESSAGE_ID, Record
from natster_tui.events.log.hazards import Hazard, repeated_id

KEPT = 50_000
"""Number of ids remembered; about five megabytes."""


class RepeatedIds:
    """Counts the events whose message id an earlier one had."""

    def __init__(self) -> None:
        self.count = 0
        self.last: tuple[int, int] | None = None
        """The last such event's sequence, and that of the one whose id it has."""
        self._seqs: dict[int, int] = {}

    def look_at(self, records: Iterable[Record]) -> None:
        """Check live events, in order, each once."""
        seqs = self._seqs
        for record in records:
            name = record.header(MESSAGE_ID)
            if not name:
                continue
            # A hash takes a fraction of the memory of the id; a collision is very unlikely.
            mark = hash(name)
            earlier = seqs.pop(mark, None)
            if earlier is not None:
                self.count += 1
                self.last = (record.seq, earlier)
            seqs[mark] = record.seq
            if len(seqs) > KEPT:
                del seqs[next(iter(seqs))]

    @property
    def hazard(self) -> Hazard | None:
        """The hazard that was seen; None while none was."""
        return None if self.last is None else repeated_id(self.count, *self.last)
