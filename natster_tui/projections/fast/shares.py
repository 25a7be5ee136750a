"""The shares of one account in one direction, packed: sixteen bytes each.

A log of millions of events leaves millions of active shares in memory, each on both of its sides.
As entries of a dict, with the pair of names as the key, each side took about a hundred bytes. Here
a share is a record of two 64-bit numbers: the catalog's and the other account's number (see
`names`), and the time of its import. All records of an account stand in one `bytes` object, in the
order in which they came.

- A share is found by searching for its eight bytes, which C does at gigabytes per second: most
  accounts have fewer than a hundred shares, which is less than looking up a key in a dict that is
  not in the processor's cache.
- Adding, changing or removing one copies the bytes, which for so few is as quick as changing them
  in place. An immutable `bytes` object also has no room to spare, and a copy of a state is free.
- From LARGE records on, searching would take longer than a lookup. Then the records become a dict
  from the first number to the second, which it stays.

To all other code it is a mapping from (catalog, other account) to the import's unix seconds, None
if there was none. Only encoding looks at the numbers (`columns`): it compares long lists with what
they were before, and numbers are compared without making a tuple of names for each.
"""

from __future__ import annotations

from array import array
from collections.abc import ItemsView, Iterable, Iterator, Mapping, MutableMapping, ValuesView
from struct import Struct
from typing import Any, Final, Self

from natster_tui.projections.fast.names import names, number_of, numbers

LARGE = 1_000
"""Shares from which on they are in a dict: searching 16,000 bytes takes a microsecond or two."""

Pair = tuple[str, str]
"""A catalog and the other account."""

HALF: Final = 32
"""Bits of a name's number in a key, catalog first: more names than fit into memory."""
_ACCOUNT: Final = (1 << HALF) - 1
_RECORD: Final = Struct("=QQ")
_KEY: Final = Struct("=Q")
_SIZE: Final = _RECORD.size
_ARRAY: Final = "Q"


def packed_time(imported: int | None) -> int:
    """The second number of a record: 0 for no import."""
    return 0 if imported is None else imported + 1


def _time(packed: int) -> int | None:
    return packed - 1 if packed else None


def pairs_of(keys: Iterable[int]) -> list[Pair]:
    """The pairs that the first numbers of records stand for."""
    name = names
    return [(name[key >> HALF], name[key & _ACCOUNT]) for key in keys]


class Shares(MutableMapping[Pair, int | None]):
    """(catalog, the other account) in order of sharing, with the import's unix seconds if any."""

    __slots__ = ("_large", "_packed")

    def __init__(self, entries: Mapping[Pair, int | None] | None = None) -> None:
        self._packed = b""
        self._large: dict[int, int] | None = None
        if isinstance(entries, Shares):
            self._packed = entries._packed
            self._large = None if entries._large is None else dict(entries._large)
        elif entries:
            records = array(_ARRAY)
            for (catalog, account), imported in entries.items():
                key = number_of(catalog) << HALF | number_of(account)
                records.extend((key, packed_time(imported)))
            self._hold(records)

    @classmethod
    def of_records(cls, records: array[int]) -> Self:
        """The shares of records: for each a key, and its packed time. No key may repeat."""
        made = cls()
        made._hold(records)
        return made

    def _hold(self, records: array[int]) -> None:
        if len(records) < 2 * LARGE:
            self._packed = records.tobytes()
        else:
            self._large = dict(zip(records[::2], records[1::2], strict=True))

    def columns(self) -> tuple[list[int], list[int]]:
        """The first and the second numbers of all records, in order."""
        if self._large is not None:
            return list(self._large), list(self._large.values())
        words = memoryview(self._packed).cast(_ARRAY)
        return words[::2].tolist(), words[1::2].tolist()

    def _find(self, key: int) -> int:
        """Where the record of a key begins; -1 if there is none."""
        if key < 0:
            return -1
        sought, packed = _KEY.pack(key), self._packed
        at = packed.find(sought)
        while at > 0 and at % _SIZE:
            # Bytes of two numbers that only look like this one.
            at = packed.find(sought, at + 1)
        return at

    def _by_pair(self) -> dict[Pair, int | None]:
        keys, times = self.columns()
        return dict(zip(pairs_of(keys), map(_time, times), strict=True))

    # -- as a mapping ----------------------------------------------------------------------

    def _packed_time(self, pair: Pair) -> int | None:
        """The second number of a pair's record; None if there is none."""
        key = _known_key(pair)
        if self._large is not None:
            return self._large.get(key)
        at = self._find(key)
        return None if at < 0 else int(_RECORD.unpack_from(self._packed, at)[1])

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
        key, time = number_of(pair[0]) << HALF | number_of(pair[1]), packed_time(imported)
        if self._large is not None:
            self._large[key] = time
            return
        packed, record = self._packed, _RECORD.pack(key, time)
        at = self._find(key)
        if at >= 0:
            self._packed = packed[:at] + record + packed[at + _SIZE :]
        elif len(packed) < (LARGE - 1) * _SIZE:
            self._packed = packed + record
        else:
            self._large = dict(zip(*self.columns(), strict=True))
            self._large[key] = time
            self._packed = b""

    def __delitem__(self, pair: Pair) -> None:
        key = _known_key(pair)
        if self._large is not None:
            if self._large.pop(key, None) is None:
                raise KeyError(pair)
            return
        at = self._find(key)
        if at < 0:
            raise KeyError(pair)
        self._packed = self._packed[:at] + self._packed[at + _SIZE :]

    def __contains__(self, pair: object) -> bool:
        assert isinstance(pair, tuple)
        key = _known_key(pair)
        return self._find(key) >= 0 if self._large is None else key in self._large

    def __len__(self) -> int:
        return len(self._packed) // _SIZE if self._large is None else len(self._large)

    def __iter__(self) -> Iterator[Pair]:
        return iter(pairs_of(self.columns()[0]))

    def __repr__(self) -> str:
        return f"Shares({self._by_pair()})"

    def values(self) -> ValuesView[int | None]:
        """See `dict.values`; of the shares as they are now."""
        return self._by_pair().values()

    def items(self) -> ItemsView[Pair, int | None]:
        """See `dict.items`; of the shares as they are now."""
        return self._by_pair().items()


def _known_key(pair: Pair) -> int:
    """The key of a pair; -1 where one of its names is in no share."""
    catalog, account = numbers.get(pair[0], -1), numbers.get(pair[1], -1)
    return -1 if catalog < 0 or account < 0 else catalog << HALF | account
