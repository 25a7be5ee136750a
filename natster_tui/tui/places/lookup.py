"""Finding what a text in the go-to box names: moments, and documents by name or key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from natster_tui.events.moments import AtSequence, BadMomentError, parse_moment
from natster_tui.tui.panes.columns import DocumentColumns
from natster_tui.tui.places.name_index import NameIndex
from natster_tui.tui.places.place import DocumentPlace, EventPlace, MomentPlace
from natster_tui.tui.view import View

MOST = 60
"""How many documents are listed."""
_AT_ONCE = 2_000
"""Names taken before other work may go on."""
_WORDS = ("yesterday", "today", "now")


@dataclass(frozen=True, slots=True)
class Unreachable:
    """A moment that the log does not have; `sentence` says why."""

    sentence: str


Found = EventPlace | MomentPlace | DocumentPlace | Unreachable


def moments_named(text: str, now: float, first: int, head: int) -> list[Found]:
    """The moment that a text names, if it names one. The log holds sequences `first` to `head`."""
    try:
        moment = parse_moment(text, now, local=True)
    except BadMomentError:
        return []
    if isinstance(moment, AtSequence):
        if first <= moment.seq <= head:
            return [EventPlace(moment.seq)]
        return [Unreachable(f"{moment.seq:,} is not in the log: {holds(first, head)}")]
    if moment.seconds > now:
        return [Unreachable("that is in the future")]
    return [MomentPlace(moment.seconds)]


def moments_begun(text: str, now: float) -> list[Found]:
    """The moments whose word begins with a text, such as `yest`."""
    begun = text.strip().lower()
    words = [word for word in _WORDS if begun and begun != word and word.startswith(begun)]
    return [found for word in words for found in moments_named(word, now, 0, 0)]


def holds(first: int, head: int) -> str:
    """The sequences of the log, in words."""
    return f"it holds {first:,} to {head:,}" if head >= first else "it is empty"


class Documents:
    """Finds documents of all projections by name, as of now or of the moment travelled to.

    Reading many names is done in steps, so that keys are answered meanwhile.
    """

    def __init__(self, view: View, declared: Sequence[DocumentColumns[Any]]) -> None:
        self._view = view
        self._declared = declared
        self._indexes: Mapping[str, NameIndex] = {}
        self._taken_of: tuple[object, ...] = ()

    @property
    def is_current(self) -> bool:
        """Whether the names are those of now, or of the moment travelled to."""
        return self._taken_of == self._view.version

    def take(self) -> Iterator[None]:
        """Read the names. Iterate to the end; it yields now and then, so that others can run."""
        version, indexes = self._view.version, {}
        for columns in self._declared:
            index = indexes[columns.projection.name] = NameIndex()
            states = self._view.fold(columns.projection.name).states
            for number, (key, state) in enumerate(list(states.items()), 1):
                index.add(key, columns.search_text(key, state))
                if number % _AT_ONCE == 0:
                    yield
            index.finish()
        self._indexes, self._taken_of = indexes, version

    def find(self, text: str) -> list[DocumentPlace]:
        """The documents that match best, best first."""
        ranked = [
            (match, order, name)
            for order, (name, index) in enumerate(self._indexes.items())
            for match in index.find(text, MOST)
        ]
        ranked.sort()
        return [DocumentPlace(name, match.key) for match, _order, name in ranked[:MOST]]
