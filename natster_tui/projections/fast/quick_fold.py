"""Folding a log from its beginning by the shares as a relation, where projections have that form.

The events that the relation does not take are folded by the projections' own rules, in order, into
states that hold no shares. `finish` brings both together. See `share_relation` for why that gives
the same states as folding every event by the rules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from natster_tui.events.event import Event, Record, StoredMessage
from natster_tui.events.system import EventSystem
from natster_tui.projections.api import Projection
from natster_tui.projections.fast.share_relation import ShareRelation
from natster_tui.projections.fold import Fold


class QuickFold:
    """The folds of projections that have a fast form, from the log's beginning."""

    def __init__(
        self, projections: Sequence[Projection[Any]], system: EventSystem, *, tombstones: str
    ) -> None:
        self._read = system.read
        self._relation = ShareRelation()
        self._folds = [Fold(projection, tombstones=tombstones) for projection in projections]
        self._others: Counter[str] = Counter()
        self._seq = self._time_ns = 0

    def take(self, messages: Sequence[StoredMessage]) -> list[StoredMessage]:
        """Fold the events of a slice of the log that the relation takes.

        Returns the rest. Open their payloads and pass them to `apply` before the next slice.
        """
        others = self._relation.take(messages)
        self._seq, self._time_ns = messages[-1][0], messages[-1][1]
        return others

    def apply(self, records: Sequence[Record]) -> None:
        """Fold records by the rules. After BlockedEventError, discard this fold."""
        for record in records:
            event = self._read(record)
            for fold in self._folds:
                for account in fold.apply(record, event):
                    self._relation.place(account, record.seq)
            self._others[event.type if isinstance(event, Event) else event] += 1

    @property
    def counts(self) -> Counter[str]:
        """How many events there were by type, or by the reason why they are parked."""
        return self._others + Counter(self._relation.counts)

    def parked(self) -> dict[str, int]:
        """How many events each projection parked."""
        return {fold.projection.name: fold.parked_count for fold in self._folds}

    def finish(self) -> Iterable[Fold[Any]]:
        """The folds of the whole log so far, one by one. Nothing can be added afterwards."""
        self._relation.close()
        for fold in self._folds:
            form = fold.projection.fast_form
            assert form is not None
            fold.states = form(self._relation, fold.states)
            fold.dirty = dict.fromkeys(fold.states, fold.seq)
            fold.seq, fold.time_ns = self._seq, self._time_ns
            yield fold
