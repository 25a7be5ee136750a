"""Laying a sheet out for a width: which text is where on which line.

Lines are wrapped when the layout is made. A table's rows take one line each and are made when they
are asked for, so a table of a hundred thousand rows costs what its visible ones do.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

from rich.cells import cell_len

from natster_tui.tui.sheets.sheet import HISTORY, Line, Sheet, Span, Table, Target, Tone
from natster_tui.tui.theme import Glyphs, plain
from natster_tui.tui.widgets.cells import fit
from natster_tui.tui.widgets.fitting import fair_widths, needed

LABEL = 12
"""Cells for the labels on the left."""
_GAP = 2
"""Cells between two columns of a table."""
_FURTHER = 4
"""Extra indentation of a continued line, in cells."""
BESIDE_FROM = 130
"""The least width for two halves side by side."""
_BETWEEN = 4
_MEASURED = 200
"""How many rows are measured to find how wide a table's columns are."""

Wrap = Callable[[str, int], Sequence[str]]
"""Breaks a text into lines of so many cells."""


class Piece(NamedTuple):
    """A text on a line: its first cell, its look, and what it leads to."""

    x: int
    text: str
    tone: Tone
    target: Target | None
    goes_on: bool = False
    """Whether it continues the line above. Keys choose the link there, not here."""

    @property
    def end(self) -> int:
        """The cell after its last one; blanks at its end do not count."""
        return self.x + cell_len(self.text.rstrip())


class Lines(ABC):
    """Lines of text, `height` of them."""

    height: int

    @abstractmethod
    def pieces(self, y: int) -> Sequence[Piece]:
        """The pieces of a line; none below the last one."""

    def links(self, y: int) -> list[Piece]:
        """The links on a line that keys can choose, from left to right."""
        return [each for each in self.pieces(y) if each.target is not None and not each.goes_on]

    def lines_with(self, text: str, most: int) -> Iterator[int]:
        """The lines that contain a text, in any letter case, among the first `most`."""
        wanted = text.lower()
        for y in range(min(self.height, most)):
            if wanted in " ".join(piece.text for piece in self.pieces(y)).lower():
                yield y


def laid_out(sheet: Sheet, width: int, glyphs: Glyphs, wrap: Wrap) -> Lines:
    """A sheet laid out for a width; its history is beside the rest if there is room."""
    *others, last = sheet.sections
    if width < BESIDE_FROM or last.name != HISTORY or not others:
        return SheetLayout(sheet, width, glyphs, wrap)
    half = (width - _BETWEEN) // 2
    left = SheetLayout(replace(sheet, sections=tuple(others)), half, glyphs, wrap)
    return _Beside(left, SheetLayout(replace(sheet, sections=(last,)), half, glyphs, wrap), half)


class SheetLayout(Lines):
    """All lines of a sheet, one below the other."""

    def __init__(self, sheet: Sheet, width: int, glyphs: Glyphs, wrap: Wrap) -> None:
        self._width = max(1, width)
        self._glyphs = glyphs
        self._wrap = wrap
        self._blocks: list[_Wrapped | _Rows] = []
        self._starts: list[int] = []
        self.height = 0
        for item in sheet.items:
            self._append(_Rows(item, self._width, glyphs) if isinstance(item, Table) else item)

    def _append(self, item: _Rows | Line) -> None:
        if isinstance(item, _Rows):
            block: _Wrapped | _Rows = item
        elif self._blocks and isinstance(last := self._blocks[-1], _Wrapped):
            before = len(last.lines)
            last.lines += self._wrapped(item)
            self.height += len(last.lines) - before
            return
        else:
            block = _Wrapped(self._wrapped(item))
        self._blocks.append(block)
        self._starts.append(self.height)
        self.height += block.height

    def _wrapped(self, line: Line) -> list[tuple[Piece, ...]]:
        text, indent = plain(line.text, self._glyphs), 0 if line.wide else LABEL
        room = max(1, self._width - indent)
        rows = [text]
        if "\n" in text or cell_len(text) > room:
            rows = self._broken(text, room) if line.wide else list(self._wrap(text, room))
        label = Piece(0, fit(line.label, LABEL - 1), Tone.DIM, None)
        pieces: list[tuple[Piece, ...]] = []
        for number, row in enumerate(rows or [""]):
            piece = Piece(indent, row, line.tone, line.place, number > 0)
            pieces.append((label, piece) if number == 0 and line.label else (piece,))
        return pieces

    def _broken(self, text: str, room: int) -> list[str]:
        """A text wrapped on several lines; all but the first are indented a little more."""
        indent = min(len(text) - len(text.lstrip(" ")), room // 2)
        further = indent + _FURTHER if indent + _FURTHER < room else indent
        first, *others = self._wrap(text.lstrip(" "), room - further)
        return [" " * indent + first, *(" " * further + other for other in others)]

    def pieces(self, y: int) -> Sequence[Piece]:
        """The pieces of a line; none below the last one."""
        if not 0 <= y < self.height:
            return ()
        number = bisect_right(self._starts, y) - 1
        return self._blocks[number].pieces(y - self._starts[number])


class _Beside(Lines):
    """Two layouts side by side, the first `width` cells wide."""

    def __init__(self, left: Lines, right: Lines, width: int) -> None:
        self._left = left
        self._right = right
        self._start = width + _BETWEEN
        self.height = max(left.height, right.height)

    def pieces(self, y: int) -> Sequence[Piece]:
        """See `Lines.pieces`."""
        moved = (each._replace(x=each.x + self._start) for each in self._right.pieces(y))
        return [*self._left.pieces(y), *moved]


class _Wrapped:
    """Lines that were wrapped already."""

    def __init__(self, lines: list[tuple[Piece, ...]]) -> None:
        self.lines = lines

    @property
    def height(self) -> int:
        return len(self.lines)

    def pieces(self, y: int) -> Sequence[Piece]:
        return self.lines[y]


class _Rows:
    """A table: its headings, then its rows."""

    def __init__(self, table: Table, width: int, glyphs: Glyphs) -> None:
        self._table = table
        self._glyphs = glyphs
        measured = [self._texts(table.spans(row)) for row in islice(table.rows, _MEASURED)]
        needs = [
            needed([plain(column.heading, glyphs), *(texts[index] for texts in measured)])
            for index, column in enumerate(table.columns)
        ]
        self._widths = fair_widths(needs, width - _GAP * (len(needs) - 1))

    def _texts(self, spans: Sequence[Span]) -> list[str]:
        return [plain(span.text, self._glyphs) for span in spans]

    @property
    def height(self) -> int:
        return 1 + len(self._table.rows)

    def pieces(self, y: int) -> Sequence[Piece]:
        columns = self._table.columns
        if y == 0:
            spans: Sequence[Span] = [Span(column.heading, Tone.DIM) for column in columns]
        else:
            spans = self._table.spans(self._table.rows[y - 1])
        pieces: list[Piece] = []
        x = 0
        for span, column, width in zip(spans, columns, self._widths, strict=True):
            text = plain(span.text, self._glyphs)
            shown = fit(text, width, self._glyphs.ellipsis, right=column.right)
            start = len(shown) - len(shown.lstrip()) if column.right else 0
            pieces.append(Piece(x + start, shown[start:], span.tone, span.place))
            x += width + _GAP
        return pieces
