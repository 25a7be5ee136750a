"""Every version that the states of a projection went through, for going back to any of them.

A fold changes its states in place, so what a state was is gone with the next event. A
`StateHistory` folds a log once and notes, beside the states, what each event set or removed in
them. A `Past` is the states as they were after one event. It costs nothing to make: each state
in it is put together from the notes when somebody looks at it. Nothing is folded a second time,
no rule is known here, and no copies of states are kept.

What it asks of a projection: states are dataclasses whose mutable parts are dicts, and a state
once made stays.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, ItemsView, Iterator, KeysView, Mapping, ValuesView
from dataclasses import fields
from itertools import islice
from operator import attrgetter
from typing import Any, Generic, NoReturn

from natster_tui.domain.events import Event, Record
from natster_tui.domain.fold import Fold
from natster_tui.domain.parking import RECENT_KEPT, ParkedEvent, ParkedTally, ParkReason
from natster_tui.domain.projection import Projection, State

_KEYS_AT_ONCE = 500

_REASONS = tuple(ParkReason)
_REMOVED = object()
_CLEARED = object()
"""Noted as the value of an entry that was removed, and when a dict was replaced by another."""


class _Position:
    """Where in the log the fold is; shared with every dict that notes its changes."""

    __slots__ = ("changes", "seq")

    def __init__(self) -> None:
        self.seq = 0
        self.changes = 0


class _DictHistory:
    """The changes of one dict of one state, in order. Only ever added to."""

    __slots__ = ("_base", "_first_removal", "_keys", "_position", "_seqs", "_sizes", "_values")

    def __init__(self, position: _Position, base: dict[Any, Any] | None = None) -> None:
        self._position = position
        self._base = base
        self._seqs = array("Q")
        self._sizes = array("L")
        self._keys: list[Any] = []
        self._values: list[Any] = []
        self._first_removal: int | None = None

    def note(self, key: Any, value: Any, size: int, seq: int | None = None) -> None:
        """An entry was set or removed, and the dict has `size` entries now."""
        if self._first_removal is None and (value is _REMOVED or value is _CLEARED):
            self._first_removal = len(self._seqs)
        position = self._position
        self._seqs.append(position.seq if seq is None else seq)
        self._sizes.append(size)
        self._keys.append(key)
        self._values.append(value)
        position.changes += 1

    def size_at(self, seq: int) -> int:
        """How many entries the dict had after event `seq`."""
        count = bisect_right(self._seqs, seq)
        return self._sizes[count - 1] if count else len(self._base or ())

    def at(self, seq: int) -> dict[Any, Any]:
        """The dict as it was after event `seq`; the caller's own."""
        count = bisect_right(self._seqs, seq)
        only_set = count if self._first_removal is None else min(count, self._first_removal)
        entries = dict(self._base or ())
        entries.update(zip(islice(self._keys, only_set), self._values, strict=False))
        for index in range(only_set, count):
            value = self._values[index]
            if value is _REMOVED:
                del entries[self._keys[index]]
            elif value is _CLEARED:
                entries.clear()
            else:
                entries[self._keys[index]] = value
        return entries

    def since(self, seq: int) -> _DictHistory:
        """The history that begins with what was after event `seq`."""
        later = _DictHistory(self._position, self.at(seq))
        begin = bisect_right(self._seqs, seq)
        for index in range(begin, len(self._seqs)):
            later.note(
                self._keys[index], self._values[index], self._sizes[index], self._seqs[index]
            )
        self._position.changes -= len(self._seqs)
        return later


class _NotingDict(dict[Any, Any]):
    """A state's dict that notes what a fold does to it."""

    __slots__ = ("history",)

    def __init__(self, entries: dict[Any, Any], history: _DictHistory) -> None:
        super().__init__(entries)
        self.history = history

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        self.history.note(key, value, len(self))

    def __delitem__(self, key: Any) -> None:
        super().__delitem__(key)
        self.history.note(key, _REMOVED, len(self))

    def _unnoted(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise NotImplementedError("a fold sets and deletes the entries of a state one by one")

    # Assigned, not overridden one by one: none of them may be called, whatever its signature.
    __ior__ = clear = pop = popitem = setdefault = update = _unnoted


class _PastDict(Mapping[Any, Any]):
    """A state's dict as it was after an event, put together when somebody looks inside."""

    __slots__ = ("_entries", "_history", "_seq")

    def __init__(self, history: _DictHistory, seq: int) -> None:
        self._history = history
        self._seq = seq
        self._entries: dict[Any, Any] | None = None

    def _look(self) -> dict[Any, Any]:
        if self._entries is None:
            self._entries = self._history.at(self._seq)
        return self._entries

    def __len__(self) -> int:
        return self._history.size_at(self._seq) if self._entries is None else len(self._entries)

    def __getitem__(self, key: Any) -> Any:
        return self._look()[key]

    def __contains__(self, key: object) -> bool:
        return key in self._look()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._look())

    def keys(self) -> KeysView[Any]:
        """See `dict.keys`."""
        return self._look().keys()

    def values(self) -> ValuesView[Any]:
        """See `dict.values`."""
        return self._look().values()

    def items(self) -> ItemsView[Any, Any]:
        """See `dict.items`."""
        return self._look().items()


class _Shape:
    """Which fields of a state's class are dicts; the others hold values that never change."""

    def __init__(self, state: Any) -> None:
        self.names = tuple(field.name for field in fields(state))
        self.make = type(state)
        self.values_of: Callable[[Any], tuple[Any, ...]] = attrgetter(*self.names)
        """All fields at once; every state has two or more."""
        is_dict = [isinstance(value, dict) for value in self.values_of(state)]
        self.dicts = tuple(i for i, yes in enumerate(is_dict) if yes)


class _KeyHistory:
    """The versions of one key's state, the first of them made by event `born`."""

    __slots__ = ("_dicts", "_last", "_seqs", "_shape", "_versions", "born")

    def __init__(self, shape: _Shape, born: int, dicts: tuple[_DictHistory, ...]) -> None:
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
            if type(entries) is not _NotingDict or entries.history is not history:
                self._begin_noting(state, index, entries, history)
                replaced = True
        # Where only the content of the dicts changed, it is noted already.
        if replaced or values != self._last:
            self._last = values = self._shape.values_of(state)
            self._seqs.append(seq)
            self._versions.append(
                tuple(
                    [None if type(value) is _NotingDict else value for value in values],
                )
            )

    def _begin_noting(
        self, state: Any, index: int, entries: dict[Any, Any], history: _DictHistory
    ) -> None:
        if self._versions:
            history.note(None, _CLEARED, 0)
        for number, (key, value) in enumerate(entries.items(), 1):
            history.note(key, value, number)
        setattr(state, self._shape.names[index], _NotingDict(entries, history))

    def at(self, seq: int) -> Any:
        """The state after event `seq`, to be looked at only."""
        values = list(self._versions[bisect_right(self._seqs, seq) - 1])
        for index, history in zip(self._shape.dicts, self._dicts, strict=True):
            values[index] = _PastDict(history, seq)
        return self._shape.make(*values)

    def since(self, seq: int) -> _KeyHistory:
        """The history that begins with what was after event `seq`; the fold notes there now."""
        later = _KeyHistory(self._shape, self.born, tuple(each.since(seq) for each in self._dicts))
        begin = max(0, bisect_right(self._seqs, seq) - 1)
        later._seqs, later._versions = self._seqs[begin:], self._versions[begin:]
        later._last = self._last
        for index, history in zip(self._shape.dicts, later._dicts, strict=True):
            self._last[index].history = history
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
        """The states that somebody looked at."""

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


class _PastItems(ItemsView[str, State]):
    """Keys and states; a screen asks for all of them at every step of a journey."""

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
        self._position = _Position()
        self._shape: _Shape | None = None
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
        """Fold one record, already read with `read_event`, and note what it changes."""
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
            self._shape = _Shape(self._fold.states[key])
        dicts = tuple(_DictHistory(self._position) for _ in self._shape.dicts)
        history = self._keys[key] = _KeyHistory(self._shape, seq, dicts)
        self._births.append(seq)
        return history

    def at(self, seq: int, coming_from: Past[State] | None = None) -> Past[State]:
        """The projection after event `seq`.

        What was looked at where one comes from, and did not change in between, is kept. `seq`
        must not be below `begins`; any `Past` taken before stays as it is.
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
        """Give back memory: what was before event `seq` cannot be gone back to any more.

        Exhaust it; it pauses now and then, so that the caller can let others run.
        """
        self.begins = max(self.begins, seq)
        past = bisect_left(self._changed_seqs, seq)
        del self._changed_seqs[:past], self._changed_keys[:past]
        kept: dict[str, _KeyHistory] = {}
        for key, history in self._keys.items():
            kept[key] = history.since(seq)
            if len(kept) % _KEYS_AT_ONCE == 0:
                yield
        # In the place of the old one, which whoever looks at the past still holds.
        self._keys = kept
