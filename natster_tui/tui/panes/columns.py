"""How the documents of a projection are shown in a pane: its columns, orders and search text.

The pane itself is `documents.DocumentsPane`. Account and catalog bring a declaration of their own;
any other projection gets the one that `plain_columns` makes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from natster_tui.projections.api import Projection
from natster_tui.projections.wording import Names, compact_json, short_key
from natster_tui.text.masking import mask_json, screen_text
from natster_tui.tui.view import View
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
class Shown(Generic[State]):
    """One row: a document, and what its cells are written with.

    `state` is None for a document that a link names and the projection does not have. `width` is
    the pane's, in cells; `link` is there in a narrowed pane only.
    """

    view: View
    projection: Projection[State]
    key: str
    state: State | None
    width: int
    link: Link | None = None

    @property
    def names(self) -> Names:
        """What accounts are called."""
        return Names(self.view.accounts)

    def main_cell(self, text: str, style: str = "") -> Cell:
        """The cell that names the document; it is marked while travelling to its change."""
        if self.view.just_changed(self.projection.name, self.key):
            return Cell(f"{self.view.glyphs.on} {text}", 0, "warn")
        return Cell(text, 0, style)


@dataclass(frozen=True, slots=True)
class Column(Generic[State]):
    """One column. `cell` returns None for a row in which nothing stands there."""

    heading: str
    cell: Callable[[Shown[State]], Cell | None]
    from_width: int = 0
    """The least width of the pane, in cells, at which there is room for it."""


@dataclass(frozen=True, slots=True)
class Sort(Generic[State]):
    """An order of documents. `by` returns what a document is sorted by, ascending."""

    name: str
    by: Callable[[str, State, Names], Any]
    uses_names: bool = False
    """Whether it depends on accounts' names, and so on more than the document."""


@dataclass(frozen=True, slots=True)
class Narrowing(Generic[State]):
    """Shows only the documents that another projection's document links to."""

    by: str
    """The name of the other projection."""
    links: Callable[[View, str], Iterable[tuple[str, Link]]]
    """The linked keys of the other projection's document with that key."""
    columns: Sequence[Column[State]]
    nothing: Sequence[str]
    """What an empty pane says."""


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
    """What the prompt says while it asks for a search."""
    nothing: Sequence[str]
    """What an empty pane says."""
    narrowing: Narrowing[State] | None = None

    @property
    def noun(self) -> str:
        """What a document's key is called in a sentence."""
        return self.projection.key_noun


def plain_columns(projection: Projection[Any]) -> DocumentColumns[Any]:
    """The pane of a projection that declares no columns: key, and the document on one line."""

    def key_cell(row: Shown[Any]) -> Cell:
        return row.main_cell(short_key(row.key, 30), "strong")

    def fields_cell(row: Shown[Any]) -> Cell | None:
        if row.state is None:
            return None
        return Cell(_fields(projection, row.key, row.state), 0, "dim")

    name = projection.name.partition(".")[0].replace("_", " ").capitalize()
    return DocumentColumns(
        projection,
        # A dot in it would be taken for a class.
        id=f"documents-{projection.name.replace('.', '-')}",
        title=f"{name} documents" + (", tried: not stored" if projection.tried_from else ""),
        columns=(Column(projection.key_noun, key_cell), Column("fields", fields_cell)),
        sorts=(Sort(projection.key_noun, lambda key, _state, _names: key.lower()),),
        search_text=lambda key, _state: (key,),
        search_hint=f"find by {projection.key_noun}",
        nothing=("", " no documents yet"),
    )


def _fields(projection: Projection[State], key: str, state: State) -> str:
    """A document on one line: its fields with their values, of lists the number of entries."""
    lengths = {name: len(each.of(state)) for name, each in projection.pageable.items()}
    document = projection.document(key, state, dict.fromkeys(lengths))
    masked = mask_json(document)
    assert isinstance(masked, dict)
    told = []
    for name, value in masked.items():
        if value == key:
            continue  # the row begins with it
        count = lengths.get(name, len(value) if isinstance(value, list) else None)
        told.append(f"{name} {compact_json(value) if count is None else f'{count:,} entries'}")
    return screen_text(" · ".join(told), 200)
