"""Finding what each event changes in one document, without copying the document.

A hub's document grows with each of its shares, so comparing whole documents for each event would
take quadratic time. Instead, the state reports what an event changed in it (`observer`), and two
documents with only the changed list entries are compared. Time and memory for a step depend only on
what the event changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic

from natster_tui.events.event import Event, Record
from natster_tui.events.parking import ParkReason
from natster_tui.projections.api import Projection, State
from natster_tui.projections.diff import FieldChange, document_changes
from natster_tui.projections.fold import Fold
from natster_tui.projections.history.observer import ABSENT, ObservedDict, StateShape


@dataclass(frozen=True, slots=True)
class Effect:
    """What an event changes in one document; `made` says that the event created it."""

    projection: Projection[Any]
    key: str
    made: bool
    fields: tuple[FieldChange, ...]


class _Touched:
    """The entries of one dict that an event set or removed, each with its previous value."""

    def __init__(self) -> None:
        self.before: dict[Any, Any] = {}

    def note(self, key: Any, before: Any, _after: Any, _size: int) -> None:
        """See `Notes.note`."""
        self.before.setdefault(key, before)


class DocumentSteps(Generic[State]):
    """A fold that reports what each event changed in the document of one key.

    It changes the fold and the states in it: do not use them elsewhere.
    """

    def __init__(self, fold: Fold[State], key: str) -> None:
        self.fold = fold
        self._key = key
        self._shape: StateShape | None = None
        self._touched: tuple[_Touched, ...] = ()
        self._noted: State | None = None
        if key in fold.states:
            self._begin_noting(fold.states[key])

    def apply(self, record: Record, event: Event | ParkReason) -> Effect:
        """Fold one record, read with the system it belongs to. See `Fold.apply`."""
        fold, key = self.fold, self._key
        before, shape = self._noted, self._shape
        values = () if before is None or shape is None else shape.values_of(before)
        if key not in fold.apply(record, event):
            return Effect(fold.projection, key, False, ())
        state = fold.states[key]
        if before is None or shape is None:
            self._begin_noting(state)
            fields = document_changes(None, fold.projection.whole(key, state))
            return Effect(fold.projection, key, True, fields)
        old, new = list(values), list(shape.values_of(state))
        for index, touched in zip(shape.dicts, self._touched, strict=True):
            if new[index] is old[index]:
                entries, was, touched.before = new[index], touched.before, {}
                old[index] = {name: value for name, value in was.items() if value is not ABSENT}
                new[index] = {name: entries[name] for name in was if name in entries}
        self._begin_noting(state)
        whole = fold.projection.whole
        fields = document_changes(whole(key, shape.make(*old)), whole(key, shape.make(*new)))
        return Effect(fold.projection, key, False, fields)

    def _begin_noting(self, state: State) -> None:
        """Make every dict of the state report its changes from now on."""
        if self._shape is None:
            self._shape = StateShape(state)
            self._touched = tuple(_Touched() for _ in self._shape.dicts)
        values = self._shape.values_of(state)
        for index, touched in zip(self._shape.dicts, self._touched, strict=True):
            entries = values[index]
            if type(entries) is not ObservedDict or entries.notes is not touched:
                touched.before = {}
                setattr(state, self._shape.names[index], ObservedDict(entries, touched))
        self._noted = state
