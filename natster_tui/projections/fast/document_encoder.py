"""Encoding documents again after a small change: only the list entries that changed are encoded.

A live event adds one entry to a list, or changes or removes one, and the list may have hundreds.
Encoding all of them again takes most of the time of a live event. So the JSON of the entries that
were encoded lately is kept, in blocks, with the names and values that they were made of.

No rule of a projection has to say what it changed. The names and values of a list are compared
with those that were encoded, from the front and from the back, and only blocks that are not in one
of the equal parts are encoded. Python compares lists of the same objects, or of numbers, at some
ten nanoseconds an entry, a tenth of what encoding takes. The result is always the same bytes as
`Projection.encode` gives.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic

from natster_tui.projections.api import PageableList, Projection, State
from natster_tui.projections.documents import encode_document, encoded_json

ENTRIES_KEPT = 200_000
"""List entries whose JSON is kept: some 30 MB. The documents used longest ago go first."""
BLOCK = 32
"""Entries encoded together. Larger blocks mean more to encode again, smaller ones more to join."""
WORTHWHILE = 40
"""Documents with fewer list entries are encoded as a whole, which takes no longer."""


@dataclass(slots=True)
class _List:
    """A list as it was encoded: its names and values, and the JSON of each block of entries.

    `sizes` says how many entries each block has.
    """

    names: Sequence[Any]
    values: Sequence[Any]
    sizes: list[int]
    blocks: list[bytes]

    @property
    def json(self) -> bytes:
        """All of it."""
        return b"[%b]" % b",".join(self.blocks)


class DocumentEncoder(Generic[State]):
    """Encodes the documents of a projection as they change."""

    def __init__(self, projection: Projection[State]) -> None:
        self._projection = projection
        self._pageable = tuple(projection.pageable.items())
        self._kept: OrderedDict[str, tuple[int, dict[str, _List]]] = OrderedDict()
        self._entries = 0

    def encode(self, key: str, state: State) -> bytes:
        """The whole document of a state, the same as `Projection.encode`."""
        projection = self._projection
        contents = [each.of(state) for _name, each in self._pageable]
        count = sum(map(len, contents))
        before_count, before = self._kept.pop(key, _NOTHING)
        self._entries -= before_count
        if count < WORTHWHILE:
            return projection.encode(key, state)
        lists: dict[str, _List] = {}
        parts: dict[str, Any] = {}
        for (name, each), content in zip(self._pageable, contents, strict=True):
            lists[name] = made = _encoded(each, content, before.get(name))
            parts[name] = encoded_json(made.json)
        self._kept[key] = count, lists
        self._entries += count
        while self._entries > ENTRIES_KEPT:
            self._entries -= self._kept.popitem(last=False)[1][0]
        return encode_document(projection.document(key, state, parts))


_NOTHING: tuple[int, dict[str, _List]] = (0, {})


def _encoded(each: PageableList[Any], content: Mapping[Any, Any], before: _List | None) -> _List:
    """A list, encoded where it is not as before."""
    names, values = each.columns(content)
    if before is None:
        return _List(names, values, *_in_blocks(each, names, values))
    known = len(before.names)
    most = min(len(names), known)
    front, back = most, 0
    if names[:most] != before.names[:most] or values[:most] != before.values[:most]:
        front = _common(names, before.names, _common(values, before.values, most))
    if front < known:
        back = _common(values[::-1], before.values[::-1], most - front)
        back = _common(names[::-1], before.names[::-1], back)
    elif len(names) == known:
        return before
    first, start = _blocks_within(before.sizes, front)
    last, end = _blocks_within(before.sizes[first:][::-1], back)
    last, end = len(before.sizes) - last, len(names) - end
    sizes, blocks = _in_blocks(each, names[start:end], values[start:end])
    return _List(
        names,
        values,
        [*before.sizes[:first], *sizes, *before.sizes[last:]],
        [*before.blocks[:first], *blocks, *before.blocks[last:]],
    )


def _blocks_within(sizes: list[int], entries: int) -> tuple[int, int]:
    """How many full blocks the first entries make up, and how many entries those have.

    A small block at the end is not counted: what is added goes into it.
    """
    within = 0
    for number, size in enumerate(sizes):
        if within + size > entries or (within + size == entries and size < BLOCK):
            return number, within
        within += size
    return len(sizes), within


def _in_blocks(
    each: PageableList[Any], names: Sequence[Any], values: Sequence[Any]
) -> tuple[list[int], list[bytes]]:
    """Entries as JSON in blocks, without brackets, and the sizes of the blocks."""
    entries = each.as_json(names, values)
    parts = [entries[at : at + BLOCK] for at in range(0, len(entries), BLOCK)]
    return list(map(len, parts)), [encode_document(part)[1:-1] for part in parts]


def _common(one: Sequence[Any], other: Sequence[Any], most: int) -> int:
    """How many entries two lists have in common at their beginning, at most so many."""
    low = 0
    if one[:most] == other[:most]:
        return most
    while low < most:
        middle = (low + most + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            most = middle - 1
    return low
