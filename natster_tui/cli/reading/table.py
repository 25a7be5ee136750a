"""Tables on the terminal, with columns as wide as their content."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from unicodedata import combining, east_asian_width

from natster_tui.projections.projection_sentences import short_key

_KEY = 56
_GAP = 2


@dataclass(frozen=True, slots=True)
class Table:
    """Headings and rows. The columns in `keys` hold keys, which are shortened to fit a line."""

    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    keys: frozenset[int]
    numbers: frozenset[int]


def table_lines(table: Table) -> list[str]:
    """The table's lines; keys are shortened if the terminal is too narrow, numbers never."""
    rows = [table.headings, *table.rows]
    if sys.stdout.isatty() and sum(_widths(rows)) + _GAP * len(table.headings) > (
        shutil.get_terminal_size().columns
    ):
        rows = [
            tuple(short_key(x) if at in table.keys and len(x) == _KEY else x for at, x in cells)
            for cells in map(tuple, map(enumerate, rows))
        ]
    widths = _widths(rows)
    return [
        (" " * _GAP)
        .join(
            padded(cell, width, right=at in table.numbers)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        .rstrip()
        for row in rows
    ]


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(cell_count, column)) for column in zip(*rows, strict=True)]


def cell_count(text: str) -> int:
    """How many cells of a terminal a text takes: wide characters two, combining ones none."""
    return sum(
        0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text
    )


def padded(text: str, width: int, *, right: bool = False) -> str:
    """The text in `width` cells."""
    blanks = " " * (width - cell_count(text))
    return blanks + text if right else text + blanks
