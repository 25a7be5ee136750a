"""The widths of a list's columns: fixed columns get what they need, names share the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from natster_tui.tui.widgets.fitting import fair_widths


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """The behaviour of a column when there is not enough room.

    A column that `shrinks` is cut, such as a name; others, such as numbers, never are. A column
    with `yields` above 0 is left out before names are cut, the lowest number first.
    """

    heading: str = ""
    shrinks: bool = False
    yields: int = 0


class Arrangement:
    """The widths of some columns, from the texts seen in them so far.

    A column's needs only grow, so that scrolling seldom changes the widths. `version` changes
    whenever the widths may change.
    """

    def __init__(self, rules: Sequence[ColumnRule]) -> None:
        self._rules = tuple(rules)
        self._needs = [cell_len(rule.heading) for rule in self._rules]
        self._fitted: tuple[int, int] = (-1, -1)
        self._widths: list[int] = []
        self.version = 0

    def see(self, texts: Sequence[str]) -> None:
        """Measure a row's texts, one for each column."""
        for index, text in enumerate(texts):
            if len(text) * 2 > self._needs[index] and (need := cell_len(text)) > self._needs[index]:
                self._needs[index] = need
                self.version += 1

    def widths(self, room: int) -> Sequence[int]:
        """The width of each column, 0 for one that is left out; one blank between columns."""
        if self._fitted != (room, self.version):
            self._fitted = (room, self.version)
            self._widths = self._fit(room)
        return self._widths

    def _fit(self, room: int) -> list[int]:
        shown = [index for index, need in enumerate(self._needs) if need]
        yielding = sorted(
            (index for index in shown if self._rules[index].yields),
            key=lambda index: self._rules[index].yields,
        )
        while yielding and sum(self._needs[index] + 1 for index in shown) - 1 > room:
            shown.remove(yielding.pop(0))
        names = [index for index in shown if self._rules[index].shrinks]
        fixed = sum(self._needs[index] for index in shown if index not in names)
        left = room - fixed - max(0, len(shown) - 1)
        fair = fair_widths([self._needs[index] for index in names], left)
        widths = [need if index in shown else 0 for index, need in enumerate(self._needs)]
        for index, width in zip(names, fair, strict=True):
            widths[index] = width
        if names and (spare := left - sum(fair)) > 0:
            # Names take what is left, so that numbers are at the right edge.
            share, extra = divmod(spare, len(names))
            for number, index in enumerate(names):
                widths[index] += share + (number < extra)
        return widths
