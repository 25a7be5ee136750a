"""The declaration of a documents pane: its columns, orders and search text.

The pane itself is `documents.DocumentsPane`. Account and catalog have declarations of their own;
any other projection gets the one that `model_columns` makes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from natster_tui.engine.history.document_story import Mark
from natster_tui.projections.api import Projection
from natster_tui.projections.projection_sentences import Names
from natster_tui.tui.theme import plain
from natster_tui.tui.view import View
from natster_tui.tui.widgets.arrangement import Arrangement, ColumnRule
from natster_tui.tui.widgets.cells import Cell

State = TypeVar("State")


@dataclass(frozen=True, slots=True)
class Link:
    """How a document is related to the account that a pane is narrowed to.

    `other` is the account on the other side, `imported_at` unix seconds, None if not imported.
    """

    outgoing: bool
    other: str
    imported_at: int | None

    def joins(self, link: Link) -> bool:
        """Whether both join the same accounts in the same direction, imported or not."""
        return (self.outgoing, self.other) == (link.outgoing, link.other)


@dataclass(frozen=True, slots=True)
class DocumentRow(Generic[State]):
    """One row: a document, and everything that its cells are made from.

    `state` is None for a document that a link names but the projection does not have. `width` is
    the pane's, in cells; `link` is set in a narrowed pane only.
    """

    view: View
    projection: Projection[State]
    key: str
    state: State | None
    width: int
    link: Link | None = None
    shared: Mark | None = None
    """The event that made the link's share, once the account's events have been read."""

    @property
    def names(self) -> Names:
        """The names of accounts."""
        return self.view.names

    def main_cell(self, text: str, style: str = "") -> Cell:
        """The cell that names the document, marked if the event travelled to changed it."""
        if self.view.just_changed(self.projection.name, self.key):
            return Cell(f"{self.view.glyphs.on} {text}", 0, "warn")
        return Cell(text, 0, style)


@dataclass(frozen=True, slots=True)
class Column(Generic[State]):
    """One column. `cell` returns None for a row in which the column is empty.

    `meaning` explains it under the mouse and in the help. `sort` names the order that its heading
    sorts by. For the other fields see `ColumnRule`.
    """

    heading: str
    cell: Callable[[DocumentRow[State]], Cell | None]
    meaning: str = ""
    sort: str = ""
    shrinks: bool = False
    yields: int = 0
    right: bool = False
    identifies: bool = False
    """Whether it distinguishes documents that have the same name."""


def arranged(columns: Sequence[Column[Any]], *, identified: bool = False) -> Arrangement:
    """The widths of columns; with `identified`, no column that `identifies` is left out."""
    return Arrangement(
        [
            ColumnRule(
                # Room for the sort mark, so that columns do not move when it appears.
                f"{each.heading}_" if each.sort else each.heading,
                each.shrinks,
                0 if identified and each.identifies else each.yields,
            )
            for each in columns
        ]
    )


def cells_of(
    columns: Sequence[Column[State]], row: DocumentRow[State], arrangement: Arrangement
) -> list[Cell]:
    """A row's cells, in columns that fit the width of `row`."""
    found = [column.cell(row) or _NOTHING for column in columns]
    arrangement.see([plain(cell.text, row.view.glyphs) for cell in found])
    return [
        Cell(cell.text, width, cell.style, column.right)
        for column, cell, width in zip(columns, found, arrangement.widths(row.width), strict=True)
        if width
    ]


_NOTHING = Cell("")
_MARK = "mark"
"""The name of a column without a heading in the settings."""


@dataclass(frozen=True, slots=True)
class Sort(Generic[State]):
    """An order of documents. `by` returns what a document is sorted by, ascending.

    With `falls` the largest come first: `by` then returns negative numbers.
    """

    name: str
    by: Callable[[str, State, Names], Any]
    uses_names: bool = False
    """Whether it depends on accounts' names, and so on more than the document."""
    falls: bool = False


@dataclass(frozen=True, slots=True)
class Narrowing(Generic[State]):
    """Shows only the documents that another projection's document links to."""

    by: str
    """The name of the other projection."""
    links: Callable[[View, str], Iterable[tuple[str, Link]]]
    """The linked keys of the other projection's document with that key."""
    columns: Sequence[Column[State]]
    nothing: Sequence[str]
    """The text of an empty pane."""


def _called(column: Column[Any]) -> str:
    return column.heading or _MARK


@dataclass(frozen=True, slots=True)
class DocumentColumns(Generic[State]):
    """The declaration of one documents pane. `id` is the widget's."""

    projection: Projection[State]
    id: str
    title: str
    columns: Sequence[Column[State]]
    sorts: Sequence[Sort[State]]
    search_text: Callable[[str, State | None], Iterable[str]]
    """The texts of a document in which the pane's search looks."""
    search_hint: str
    """The prompt's hint for a search."""
    nothing: Sequence[str]
    """The text of an empty pane."""
    narrowing: Narrowing[State] | None = None
    marks: Callable[[View, str, State | None], Iterable[str]] = lambda _view, _key, _state: ()
    """The marks of a row as words in lower case, by which a search finds it as well."""

    @property
    def headings(self) -> list[str]:
        """The names of its columns in the settings."""
        return [_called(column) for column in self.columns]

    def with_columns(self, wanted: Sequence[str]) -> DocumentColumns[State]:
        """A copy with only these columns, in order, after the one that names the document."""
        named = next(at for at, column in enumerate(self.columns) if column.heading)
        others = {_called(column): column for column in self.columns[named + 1 :]}
        chosen = [others[each] for each in dict.fromkeys(wanted) if each in others]
        return replace(self, columns=(*self.columns[: named + 1], *chosen))

    @property
    def noun(self) -> str:
        """The word for a document's key in a sentence."""
        return self.projection.key_noun
