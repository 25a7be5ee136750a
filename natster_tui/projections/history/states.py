"""All versions of a projection's states, for going back to any of them.

A fold changes its states in place, so the next event overwrites the previous state. A
`StateHistory` folds a log once and notes what each event set or removed in the states. A `Past` is
the states as they were after one event. It costs nothing to make: each state in it is built from
the notes when it is first read. Nothing is folded a second time, no copies of states are kept, and
this module knows no rule.

A projection must meet the requirements in `observer`, and must never remove a state.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import ItemsView, Iterator, Mapping
from itertools import islice
from typing import Any, Generic

from natster_tui.events.event import Event, Record
from natster_tui.events.parking import RECENT_KEPT, ParkedEvent, ParkedTally, ParkReason
from natster_tui.projections.api import Projection, State
from natster_tui.projections.fold import Fold
from natster_tui.projections.history.dicts import DictHistory, PastDict, Position
from natster_tui.projections.history.observer import ObservedDict, StateShape

_KEYS_AT_ONCE = 500

_REASONS = tuple(ParkReason)


class _KeyHistory:
    """The versions of one key's state, the first of them made by event `born`."""

    __slots__ = ("_dicts", "_last", "_seqs", "_shape", "_versions", "born")

    def __init__(self, shape: StateShape, born: int, dicts: tuple[DictHistory, ...]) -> None:
        self.born = born
        self._shape = shape
        self._dicts = dicts
        self._last: tuple[Any, ...] = ()
        self._seqs = array("Q")
        self._versions: list[tuple[Any, ...]] = []

    def note(self, state: Any, seq: int) -> None:
        """An event changed the state."""
        values = self._shape.values_of(state)
        replaced = False
        for index, history in zip(self._shape.dicts, self._dicts, strict=True):
            entries = values[index]
            if type(entries) is not ObservedDict or entries.notes is not history:
                history.replaced(entries)
                setattr(state, self._shape.names[index], ObservedDict(entries, history))
                replaced = True
        # If only the content of the dicts changed, it is noted already.
        if replaced or values != self._last:
            self._last = values = self._shape.values_of(state)
            self._seqs.append(seq)
            self._versions.append(
                tuple(
                    [None if type(value) is ObservedDict else value for value in values],
                )
            )

    def at(self, seq: int) -> Any:
        """The state after event `seq`; do not change it."""
        values = list(self._versions[bisect_right(self._seqs, seq) - 1])
        for index, history in zip(self._shape.dicts, self._dicts, strict=True):
            values[index] = PastDict(history, seq)
        return self._shape.make(*values)

    def since(self, seq: int) -> _KeyHistory:
        """The history that begins with what was after event `seq`; the fold notes there now."""
        later = _KeyHistory(self._shape, self.born, tuple(each.since(seq) for each in self._dicts))
        begin = max(0, bisect_right(self._seqs, seq) - 1)
        later._seqs, later._versions = self._seqs[begin:], self._versions[begin:]
        later._last = self._last
        for index, history in zip(self._shape.dicts, later._dicts, strict=True):
            self._last[index].notes = history
        return later


class PastStates(Mapping[str, State]):
    """The states as they were after an event, by key, in the order in which they were made."""

    def __init__(
        self, keys: dict[str, _KeyHistory], count: int, seq: int, seen: dict[str, State]
    ) -> None:
        self._keys = keys
        self._count = count
        self._seq = seq
        self.seen = seen
        """The states that were read so far."""

    def __getitem__(self, key: str) -> State:
        state = self.seen.get(key)
        if state is None:
            history = self._keys[key]
            if history.born > self._seq:
                raise KeyError(key)
            state = self.seen[key] = history.at(self._seq)
        return state

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        return islice(self._keys, self._count)

    def items(self) -> ItemsView[str, State]:
        """See `Mapping.items`."""
        return _PastItems(self)

    def is_beside(self, other: PastStates[State]) -> bool:
        """Whether both are from the same history, so that only changes by events differ."""
        return self._keys is other._keys


class _PastItems(ItemsView[str, State]):
    """Keys and states; a screen asks for all of them at every step of time travel."""

    def __init__(self, states: PastStates[State]) -> None:
        super().__init__(states)
        self._states = states

    def __iter__(self) -> Iterator[tuple[str, State]]:
        states = self._states
        seen = states.seen.get
        for key in states:
            state = seen(key)
            yield key, states[key] if state is None else state


class Past(Generic[State]):
    """A projection as it was after event `seq`: what a `Fold` of the log up to there holds."""

    def __init__(
        self,
        projection: Projection[State],
        seq: int,
        states: PastStates[State],
        parked: ParkedTally,
    ) -> None:
        self.projection = projection
        self.seq = seq
        self.states = states
        self.parked = parked

    def document(self, key: str) -> bytes | None:
        """The document of a key, or None if there was none."""
        state = self.states.get(key)
        return None if state is None else self.projection.encode(key, state)

    def documents(self) -> dict[str, bytes]:
        """Every document."""
        encode = self.projection.encode
        return {key: encode(key, state) for key, state in self.states.items()}


class StateHistory(Generic[State]):
    """The versions of all states of one projection from `begins` to `seq`.

    `seq` is the last sequence folded, `begins` the first one that can be gone back to.
    """

    def __init__(self, projection: Projection[State]) -> None:
        self.projection = projection
        self.begins = 0
        self._fold = Fold(projection)
        self._position = Position()
        self._shape: StateShape | None = None
        self._keys: dict[str, _KeyHistory] = {}
        self._births = array("Q")
        self._changed_seqs = array("Q")
        self._changed_keys: list[str] = []
        self._parked_seqs = array("Q")
        self._parked_reasons = bytearray()

    @property
    def seq(self) -> int:
        """The last sequence folded."""
        return self._fold.seq

    @property
    def changes(self) -> int:
        """How many changes are kept; memory follows it."""
        return self._position.changes

    def apply(self, record: Record, event: Event | ParkReason) -> None:
        """Fold one record, read with the system it belongs to, and note what it changes."""
        fold, seq = self._fold, record.seq
        self._position.seq = seq
        parked = fold.parked_count
        for key in fold.apply(record, event):
            history = self._keys.get(key)
            if history is None:
                history = self._begin_key(key, seq)
            history.note(fold.states[key], seq)
            self._changed_seqs.append(seq)
            self._changed_keys.append(key)
        fold.dirty.clear()
        if fold.parked_count != parked:
            self._parked_seqs.append(seq)
            self._parked_reasons.append(_REASONS.index(fold.parked.recent[-1].reason))

    def _begin_key(self, key: str, seq: int) -> _KeyHistory:
        if self._shape is None:
            self._shape = StateShape(self._fold.states[key])
        dicts = tuple(DictHistory(self._position) for _ in self._shape.dicts)
        history = self._keys[key] = _KeyHistory(self._shape, seq, dicts)
        self._births.append(seq)
        return history

    def at(self, seq: int, coming_from: Past[State] | None = None) -> Past[State]:
        """The projection after event `seq`.

        States that were read in the previous moment and did not change in between are reused. `seq`
        must not be below `begins`; any earlier `Past` stays valid.
        """
        seen: dict[str, State] = {}
        if coming_from is not None and coming_from.seq >= self.begins:
            low, high = sorted((coming_from.seq, seq))
            start = bisect_right(self._changed_seqs, low)
            end = bisect_right(self._changed_seqs, high)
            if end - start < len(coming_from.states.seen):
                seen = dict(coming_from.states.seen)
                for key in self._changed_keys[start:end]:
                    seen.pop(key, None)
        states = PastStates(self._keys, bisect_right(self._births, seq), seq, seen)
        return Past(self.projection, seq, states, self._parked_at(seq))

    def changed_by(self, seq: int) -> frozenset[str]:
        """The keys whose documents event `seq` changed."""
        start = bisect_left(self._changed_seqs, seq)
        end = bisect_right(self._changed_seqs, seq)
        return frozenset(self._changed_keys[start:end])

    def _parked_at(self, seq: int) -> ParkedTally:
        count = bisect_right(self._parked_seqs, seq)
        recent = [
            ParkedEvent(self._parked_seqs[at], _REASONS[self._parked_reasons[at]])
            for at in range(max(0, count - RECENT_KEPT), count)
        ]
        return ParkedTally(count, tuple(recent))

    def forget(self, seq: int) -> Iterator[None]:
        """Free memory: moments before event `seq` cannot be reached any more.

        Iterate to the end; it yields now and then, so that the caller can let other tasks run.
        """
        self.begins = max(self.begins, seq)
        past = bisect_left(self._changed_seqs, seq)
        del self._changed_seqs[:past], self._changed_keys[:past]
        kept: dict[str, _KeyHistory] = {}
        for key, history in self._keys.items():
            kept[key] = history.since(seq)
            if len(kept) % _KEYS_AT_ONCE == 0:
                yield
        # Replaced, not changed: an earlier `Past` still holds the old one.
        self._keys = kept
