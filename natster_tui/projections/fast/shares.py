"""The shares of one account in one direction, packed: sixteen bytes each.

A log of millions of events leaves millions of active shares in memory, each on both of its sides.
As entries of a dict, with the pair of names as the key, each side took about a hundred bytes. Here
a share is two 64-bit numbers: a key, made of the catalog's and the other account's number (see
`names`), and the time of its import. All keys of an account stand in one `bytes` object, in the
order in which they came, and all times in another.

- A share is found by searching for the eight bytes of its key, which C does at gigabytes per
  second. Most accounts have fewer than a hundred shares.
- Adding, changing or removing one copies the bytes, which for so few is as quick as changing them
  in place. An immutable `bytes` object also has no room to spare, and a copy of a state is free.
- From LARGE shares on, searching would take longer than a lookup. Then they become a dict from key
  to time, which they stay.

To all other code it is a mapping from (catalog, other account) to the import's unix seconds, None
if there was none. Only encoding looks at the numbers (`columns`): it compares long lists with what
they were before, and numbers are compared without making a tuple of names for each.

A rule asks and changes a few shares for each live event, so these methods are written out.
"""

from __future__ import annotations

from array import array
from collections.abc import (
    ItemsView,
    Iterator,
    Mapping,
    MutableMapping,
    Sequence,
    ValuesView,
)
from itertools import compress
from struct import Struct
from sys import byteorder
from typing import Any, Final, Self

from natster_tui.projections.fast.names import names, number_of, numbers

LARGE = 1_000
"""Shares from which on they are in a dict: searching 8,000 bytes takes about a microsecond."""

Pair = tuple[str, str]
"""A catalog and the other account."""

HALF: Final = 32
"""Bits of a name's number in a key, catalog first: more names than fit into memory."""
_ACCOUNT: Final = (1 << HALF) - 1
_SIZE: Final = 8
_NUMBERS: Final = "Q"
_packed = Struct("=Q").pack
_NO_IMPORT: Final = _packed(0)


def packed_time(imported: int | None) -> int:
    """The second number of a record: 0 for no import."""
    return 0 if imported is None else imported + 1


def _time(packed: int) -> int | None:
    return packed - 1 if packed else None


def pairs_of(keys: Sequence[int]) -> list[Pair]:
    """The pairs that keys stand for."""
    name = names
    return [(name[key >> HALF], name[key & _ACCOUNT]) for key in keys]


class Shares(MutableMapping[Pair, int | None]):
    """(catalog, the other account) in order of sharing, with the import's unix seconds if any."""

    __slots__ = ("_keys", "_large", "_times")

    def __init__(self, entries: Mapping[Pair, int | None] | None = None) -> None:
        self._keys = self._times = b""
        self._large: dict[int, int] | None = None
        if isinstance(entries, Shares):
            self._keys, self._times = entries._keys, entries._times
            self._large = None if entries._large is None else dict(entries._large)
        elif entries:
            keys = [number_of(catalog) << HALF | number_of(other) for catalog, other in entries]
            self._hold(array(_NUMBERS, keys), array(_NUMBERS, map(packed_time, entries.values())))

    @classmethod
    def of_records(cls, records: array[int]) -> Self:
        """The shares of some records, each a key and a packed time. No key may repeat."""
        made = cls()
        made._hold(records[::2], records[1::2])
        return made

    def _hold(self, keys: array[int], times: array[int]) -> None:
        if len(keys) < LARGE:
            self._keys, self._times = keys.tobytes(), times.tobytes()
        else:
            self._large = dict(zip(keys, times, strict=True))

    def columns(self) -> tuple[Sequence[int], Sequence[int]]:
        """All keys and packed times, in order: values of now, whatever changes later."""
        if self._large is not None:
            return list(self._large), list(self._large.values())
        return memoryview(self._keys).cast(_NUMBERS), memoryview(self._times).cast(_NUMBERS)

    def _find(self, key: int) -> int:
        """Where in the bytes a key begins; -1 if it is not there."""
        sought, keys = _packed(key), self._keys
        at = keys.find(sought)
        while at > 0 and at % _SIZE:
            # The end of one key and the beginning of the next only look like this one.
            at = keys.find(sought, at + 1)
        return at

    def _packed_time(self, pair: Pair) -> int | None:
        """The packed time of a share; None if there is no such share."""
        try:
            key = numbers[pair[0]] << HALF | numbers[pair[1]]
        except KeyError:
            return None
        if self._large is not None:
            return self._large.get(key)
        at = self._find(key)
        return None if at < 0 else int.from_bytes(self._times[at : at + _SIZE], byteorder)

    def _by_pair(self) -> dict[Pair, int | None]:
        keys, times = self.columns()
        return dict(zip(pairs_of(keys), map(_time, times), strict=True))

    # -- as a mapping ----------------------------------------------------------------------

    def __contains__(self, pair: object) -> bool:
        assert isinstance(pair, tuple)
        catalog, other = pair
        try:
            key = numbers[catalog] << HALF | numbers[other]
        except KeyError:
            return False
        if self._large is not None:
            return key in self._large
        sought = _packed(key)
        at = self._keys.find(sought)
        return at >= 0 and (not at % _SIZE or self._find(key) >= 0)

    def __getitem__(self, pair: Pair) -> int | None:
        time = self._packed_time(pair)
        if time is None:
            raise KeyError(pair)
        return _time(time)

    def get(self, pair: Pair, default: Any = None) -> Any:
        """See `dict.get`."""
        time = self._packed_time(pair)
        return default if time is None else _time(time)

    def __setitem__(self, pair: Pair, imported: int | None) -> None:
        catalog, other = pair
        key = number_of(catalog) << HALF | number_of(other)
        time = 0 if imported is None else imported + 1
        if self._large is not None:
            self._large[key] = time
        elif (at := self._find(key)) >= 0:
            times = self._times
            self._times = times[:at] + _packed(time) + times[at + _SIZE :]
        elif len(self._keys) < (LARGE - 1) * _SIZE:
            self._keys += _packed(key)
            self._times += _packed(time) if time else _NO_IMPORT
        else:
            self._large = dict(zip(*self.columns(), strict=True))
            self._large[key] = time
            self._keys = self._times = b""

    def __delitem__(self, pair: Pair) -> None:
        if pair not in self:
            raise KeyError(pair)
        key = numbers[pair[0]] << HALF | numbers[pair[1]]
        if self._large is not None:
            del self._large[key]
            return
        at, keys, times = self._find(key), self._keys, self._times
        self._keys = keys[:at] + keys[at + _SIZE :]
        self._times = times[:at] + times[at + _SIZE :]

    def __len__(self) -> int:
        return len(self._keys) // _SIZE if self._large is None else len(self._large)

    def __iter__(self) -> Iterator[Pair]:
        return iter(pairs_of(self.columns()[0]))

    def __repr__(self) -> str:
        return f"Shares({self._by_pair()})"

    def values(self) -> ValuesView[int | None]:
        """See `dict.values`; of the shares as they are now."""
        keys, times = self.columns()
        return dict(zip(keys, map(_time, times), strict=True)).values()

    def items(self) -> ItemsView[Pair, int | None]:
        """See `dict.items`; of the shares as they are now."""
        return self._by_pair().items()


def imported_count(shares: Mapping[Pair, int | None]) -> int:
    """How many of the shares were imported, without looking at their names where packed."""
    if isinstance(shares, Shares):
        return sum(map(bool, shares.columns()[1]))
    return sum(1 for imported in shares.values() if imported is not None)


def imported_pairs(shares: Mapping[Pair, int | None]) -> Iterator[Pair]:
    """The shares that were imported, in order; others are passed over by their time alone."""
    if isinstance(shares, Shares):
        for key in compress(*shares.columns()):
            yield names[key >> HALF], names[key & _ACCOUNT]
        return
    for pair, imported in shares.items():
        if imported is not None:
            yield pair
