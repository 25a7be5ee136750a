"""Message ids that come again: a hazard of a log that somebody else writes.

The server refuses a repeated id within its duplicate window only. An event that comes with an
earlier one's id later on was sent twice, or its writer's ids are not unique. An import keeps it,
under another id. Only what comes in while the log is watched is looked at, against the last ids
that did.
"""

from __future__ import annotations

from collections.abc import Iterable

from natster_tui.events.event import MESSAGE_ID, Record
from natster_tui.events.log.hazards import Hazard, repeated_id

KEPT = 50_000
"""Ids remembered; some five megabytes."""


class RepeatedIds:
    """Counts the events whose message id an earlier one had."""

    def __init__(self) -> None:
        self.count = 0
        self.last: tuple[int, int] | None = None
        """The last such event's sequence, and that of the one whose id it has."""
        self._seqs: dict[int, int] = {}

    def look_at(self, records: Iterable[Record]) -> None:
        """Take note of what came in, in order, each once."""
        seqs = self._seqs
        for record in records:
            name = record.header(MESSAGE_ID)
            if not name:
                continue
            # A number takes a fraction of what the id does; two ids with the same are unheard of.
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
        """What was seen; None while nothing was."""
        return None if self.last is None else repeated_id(self.count, *self.last)
