"""Encoding documents again after a small change: only the list entries that changed are encoded.

A live event adds one entry to a list, or changes or removes one, and the list may have hundreds.
Encoding all of them again takes most of the time of a live event. So the JSON of the entries that
were encoded lately is kept, with the names and values that they were made of.

No rule of a projection has to say what it changed. The names and values of a list are compared
with those that were encoded, from the front and from the back, and what is between the equal parts
is encoded. Python compares lists of the same objects at about ten nanoseconds an entry, a tenth of
what encoding takes. The result is always the same bytes as `Projection.encode` gives.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Generic

from natster_tui.projections.api import PageableList, Projection, State
from natster_tui.projections.documents import encode_document, encoded_json

ENTRIES_KEPT = 50_000
"""List entries whose JSON is kept: some 10 MB. The documents used longest ago go first."""
WORTHWHILE = 16
"""Documents with fewer list entries are encoded as a whole, which takes no longer."""


@dataclass(slots=True)
class _List:
    """A list as it was encoded: its names and values, the JSON of each entry, and all of it."""

    names: list[Any]
    values: list[Any]
    entries: list[bytes]
    json: bytes


class DocumentEncoder(Generic[State]):
    """Encodes the documents of a projection as they change."""

    def __init__(self, projection: Projection[State]) -> None:
        self._projection = projection
        self._kept: OrderedDict[str, dict[str, _List]] = OrderedDict()
        self._entries = 0

    def encode(self, key: str, state: State) -> bytes:
        """The whole document of a state, the same as `Projection.encode`."""
        projection = self._projection
        before = self._take(key)
        count = sum(len(each.of(state)) for each in projection.pageable.values())
        if count < WORTHWHILE:
            return projection.encode(key, state)
        lists = {
            name: _encoded(each, each.of(state), before.get(name))
            for name, each in projection.pageable.items()
        }
        self._keep(key, lists, count)
        parts = {name: encoded_json(each.json) for name, each in lists.items()}
        return encode_document(projection.document(key, state, parts))

    def _take(self, key: str) -> dict[str, _List]:
        lists = self._kept.pop(key, {})
        self._entries -= sum(len(each.names) for each in lists.values())
        return lists

    def _keep(self, key: str, lists: dict[str, _List], count: int) -> None:
        self._kept[key] = lists
        self._entries += count
        while self._entries > ENTRIES_KEPT and self._kept:
            self._take(next(iter(self._kept)))


def _encoded(each: PageableList[Any], content: dict[Any, Any], before: _List | None) -> _List:
    """A list, encoded where it is not as before."""
    names, values = list(content), list(content.values())
    if before is None:
        entries = _entries(each, names, values)
        return _List(names, values, entries, _joined(entries))
    most = min(len(names), len(before.names))
    front = _common(names, before.names, _common(values, before.values, most))
    if front == len(names) == len(before.names):
        return before
    made = _entries(each, names[front:], values[front:]) if front == len(before.names) else None
    if made is not None and front:
        # Entries were added at the end, as nearly always.
        return _List(
            names, values, before.entries + made, b"%b,%b]" % (before.json[:-1], b",".join(made))
        )
    back = most - front
    back = _common(values[::-1], before.values[::-1], back)
    back = _common(names[::-1], before.names[::-1], back)
    end = len(names) - back
    made = _entries(each, names[front:end], values[front:end])
    entries = [*before.entries[:front], *made, *before.entries[len(before.entries) - back :]]
    return _List(names, values, entries, _joined(entries))


def _common(one: list[Any], other: list[Any], most: int) -> int:
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


def _entries(each: PageableList[Any], names: list[Any], values: list[Any]) -> list[bytes]:
    return [encode_document(entry) for entry in each.as_json(dict(zip(names, values, strict=True)))]


def _joined(entries: list[bytes]) -> bytes:
    return b"[%b]" % b",".join(entries)
