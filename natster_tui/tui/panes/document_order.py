"""The order of the documents in a pane, kept from one refresh to the next.

Sorting ten thousand documents would take as long as a whole step of time travel may take. One event
changes few of them, so between neighbouring moments, and between two refreshes, only the documents
that changed get new places.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Generic, TypeVar

from natster_tui.engine.history.time_travel import Moment
from natster_tui.engine.projecting.recent_changes import RecentChanges
from natster_tui.projections.projection_sentences import Names
from natster_tui.tui.panes.columns import Sort

State = TypeVar("State")

MANY = 4
"""If more than a quarter of the documents moved, sorting all is as quick as placing these."""
MOST = 1_000
"""If more documents moved, all are sorted: each insertion shifts all that follow it."""

_Place = tuple[Any, str]
"""The value that a document is sorted by, then its key, so that no two places are equal."""


class DocumentOrder(Generic[State]):
    """The keys of all documents of the projection named `projection`, sorted."""

    def __init__(self, projection: str) -> None:
        self._projection = projection
        self._sort: Sort[State] | None = None
        self._names = Names({})
        self._places: list[_Place] = []
        self._place_of: dict[str, _Place] = {}
        self._moment: Moment | None = None
        self._mark: int | None = None

    def keys(
        self,
        states: Mapping[str, State],
        sort: Sort[State],
        names: Names,
        moment: Moment | None,
        changes: RecentChanges | None = None,
    ) -> list[str]:
        """The keys in an order, as of a moment; None is now, whose `changes` are recorded."""
        # Before the moment is replaced, because the changes are those since the previous one.
        is_known = sort is self._sort and not sort.uses_names
        changed = self._changed(moment, changes) if is_known else None
        self._sort, self._names, self._moment = sort, names, moment
        self._mark = changes.mark if moment is None and changes is not None else None
        if changed is None:
            self._place_of = {key: self._place(sort, key, state) for key, state in states.items()}
            self._places = sorted(self._place_of.values())
        else:
            self._move(sort, changed, states)
        return [key for _value, key in self._places]

    def _place(self, sort: Sort[State], key: str, state: State) -> _Place:
        return sort.by(key, state, self._names), key

    def _changed(
        self, moment: Moment | None, changes: RecentChanges | None
    ) -> Collection[str] | None:
        """The documents that changed since `keys` was last called, None if unknown."""
        before = self._moment
        if moment is before is None and self._mark is not None and changes is not None:
            return changes.since(self._mark)
        if moment is None or before is None or abs(moment.seq - before.seq) > 1:
            return None
        here = moment.pasts[self._projection].states
        if not here.is_beside(before.pasts[self._projection].states):
            return None
        if moment.seq == before.seq:
            return ()
        return max(moment, before, key=lambda each: each.seq).changed[self._projection]

    def _move(self, sort: Sort[State], changed: Iterable[str], states: Mapping[str, State]) -> None:
        left, taken = [], []
        for key in changed:
            state = states.get(key)
            place = None if state is None else self._place(sort, key, state)
            before = self._place_of.get(key)
            if place == before:
                continue
            if before is not None:
                left.append(before)
                del self._place_of[key]
            if place is not None:
                taken.append(place)
                self._place_of[key] = place
        if len(taken) > MOST or len(taken) * MANY > len(self._places):
            self._places = sorted(self._place_of.values())
            return
        for place in left:
            del self._places[bisect_left(self._places, place)]
        for place in taken:
            insort(self._places, place)
