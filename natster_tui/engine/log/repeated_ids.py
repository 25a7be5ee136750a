"""Repeated message ids: a hazard of a log that other programs write.

The server refuses a repeated id only within its duplicate window. A later event with the id of an
earlier one was sent twice, or its writer's ids are not unique. An import keeps it under another
id. Each event is compared with at least the last 25,000 that have an id.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence

from natster_tui.events.event import MESSAGE_ID, Record, StoredMessage
from natster_tui.events.log.hazards import Hazard, repeated_id

KEPT = 25_000
"""Ids in each of two generations; both together take about ten megabytes."""
_HITS_KEPT = 1_000

_ID = re.compile(rb"\r\n" + MESSAGE_ID.encode() + rb": *([^ \r][^\r]*)")


class RepeatedIds:
    """Counts the events whose message id an earlier one had. Add each event once."""

    def __init__(self) -> None:
        self.seq = 0
        """The sequence of the last event that was added."""
        self.count = 0
        self._hits: deque[tuple[int, int]] = deque(maxlen=_HITS_KEPT)
        """The last such events, each with the earlier one whose id it has."""
        self._newer: dict[bytes, int] = {}
        self._older: dict[bytes, int] = {}

    def add(self, records: Iterable[Record]) -> None:
        """Check events, in order."""
        for record in records:
            stored = record.stored_headers
            if isinstance(stored, bytes):
                self._add_block(record.seq, stored)
            elif name := record.header(MESSAGE_ID):
                self._add_id(record.seq, name.encode("utf-8", "surrogateescape"))
            self.seq = record.seq

    def add_messages(self, messages: Sequence[StoredMessage]) -> None:
        """Check a slice of a replay, without parsing each header, which would take too long."""
        ids = _ID.findall(b"".join([message[4] for message in messages]))
        if ids:
            slice_ = dict(zip(ids, [message[0] for message in messages], strict=False))
            if len(slice_) == len(messages) and self._are_new(slice_):
                self._newer.update(slice_)
                self._age()
            else:
                # Some have no id, or one is repeated: check each.
                for message in messages:
                    self._add_block(message[0], message[4])
        self.seq = messages[-1][0]

    def continue_from(self, read: RepeatedIds) -> None:
        """Replace the counts by those of a read of the whole log, and keep what came after it."""
        later = [hit for hit in self._hits if hit[0] > read.seq]
        self._hits = deque([*read._hits, *later], maxlen=_HITS_KEPT)
        self.count = read.count + len(later)

    def _are_new(self, ids: dict[bytes, int]) -> bool:
        return self._newer.keys().isdisjoint(ids) and self._older.keys().isdisjoint(ids)

    def _add_block(self, seq: int, block: bytes) -> None:
        if found := _ID.search(block):
            self._add_id(seq, found[1])

    def _add_id(self, seq: int, message_id: bytes) -> None:
        earlier = self._newer.get(message_id) or self._older.get(message_id)
        if earlier is not None:
            self.count += 1
            self._hits.append((seq, earlier))
        self._newer[message_id] = seq
        self._age()

    def _age(self) -> None:
        if len(self._newer) > KEPT:
            self._older, self._newer = self._newer, {}

    @property
    def hazard(self) -> Hazard | None:
        """The hazard for the last repeated id; None if no id was repeated."""
        return repeated_id(self.count, *self._hits[-1]) if self._hits else None
