"""All versions of one dict of a state, kept as changes instead of copies."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from itertools import islice
from typing import Any

from natster_tui.projections.history.observer import ABSENT

_CLEARED = object()
"""Noted as the value when a dict was replaced by another."""


class Position:
    """The fold's position in the log, shared by all dict histories of a projection."""

    __slots__ = ("changes", "seq")

    def __init__(self) -> None:
        self.seq = 0
        self.changes = 0


class DictHistory:
    """The changes of one dict of one state, in order. Only ever added to."""

    __slots__ = ("_base", "_first_removal", "_keys", "_position", "_seqs", "_sizes", "_values")

    def __init__(self, position: Position, base: dict[Any, Any] | None = None) -> None:
        self._position = position
        self._base = base
        self._seqs = array("Q")
        self._sizes = array("L")
        self._keys: list[Any] = []
        self._values: list[Any] = []
        self._first_removal: int | None = None

    def note(self, key: Any, _before: Any, after: Any, size: int) -> None:
        """See `Notes.note`."""
        self._keep(self._position.seq, key, after, size)

    def replaced(self, entries: dict[Any, Any]) -> None:
        """The dict was replaced by another one with these entries."""
        seq = self._position.seq
        if self._seqs or self._base:
            self._keep(seq, None, _CLEARED, 0)
        for number, (key, value) in enumerate(entries.items(), 1):
            self._keep(seq, key, value, number)

    def _keep(self, seq: int, key: Any, value: Any, size: int) -> None:
        if self._first_removal is None and (value is ABSENT or value is _CLEARED):
            self._first_removal = len(self._seqs)
        self._seqs.append(seq)
        self._sizes.append(size)
        self._keys.append(key)
        self._values.append(value)
        self._position.changes += 1

    def size_at(self, seq: int) -> int:
        """How many entries the dict had after event `seq`."""
        count = bisect_right(self._seqs, seq)
        return self._sizes[count - 1] if count else len(self._base or ())

    def at(self, seq: int) -> dict[Any, Any]:
        """A new dict with the entries as they were after event `seq`."""
        count = bisect_right(self._seqs, seq)
        only_set = count if self._first_removal is None else min(count, self._first_removal)
        entries = dict(self._base or ())
        entries.update(zip(islice(self._keys, only_set), self._values, strict=False))
        for index in range(only_set, count):
            value = self._values[index]
            if value is ABSENT:
                del entries[self._keys[index]]
            elif value is _CLEARED:
                entries.clear()
            else:
                entries[self._keys[index]] = value
        return entries

    def since(self, seq: int) -> DictHistory:
        """The history that begins with what was after event `seq`."""
        later = DictHistory(self._position, self.at(seq))
        begin = bisect_right(self._seqs, seq)
        for index in range(begin, len(self._seqs)):
            later._keep(
                self._seqs[index], self._keys[index], self._values[index], self._sizes[index]
            )
        self._position.changes -= len(self._seqs)
        return later


class PastDict(Mapping[Any, Any]):
    """A state's dict as it was after an event, built when it is first read."""

    __slots__ = ("_entries", "_history", "_seq")

    def __init__(self, history: DictHistory, seq: int) -> None:
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
