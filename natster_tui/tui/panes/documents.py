"""The documents pane: one row for each document of a projection.

This one class shows accounts, catalogs and all other projections. `columns.DocumentColumns`
declares what differs between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual.binding import BindingType

from natster_tui.engine.history.document_story import Mark, Share
from natster_tui.projections.api import Projection
from natster_tui.projections.keyed import KeyedProjection
from natster_tui.text.masking import screen_text
from natster_tui.tui.keys.key import bindings
from natster_tui.tui.keys.main_screen import DOCUMENTS, SEARCHED
from natster_tui.tui.panes.columns import (
    Column,
    DocumentColumns,
    DocumentRow,
    Link,
    Sort,
    arranged,
    cells_of,
)
from natster_tui.tui.panes.document_order import DocumentOrder
from natster_tui.tui.panes.model_columns import model_columns
from natster_tui.tui.panes.selection import DocumentSelection
from natster_tui.tui.sheets.stories import Stories
from natster_tui.tui.view import View
from natster_tui.tui.widgets.cells import Cell
from natster_tui.tui.widgets.virtual_list import Heading, VirtualList


def _model_of(projection: Projection[Any]) -> object:
    """The pydantic model of a projection that has one."""
    return projection.model if isinstance(projection, KeyedProjection) else None


class DocumentsPane(VirtualList):
    """All documents, sorted and searched. `number` is the key that goes to the pane.

    `narrowed_to` is the key of another projection's document whose linked documents are shown, None
    for all documents.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(SEARCHED)]
    KEYS = DOCUMENTS

    def __init__(self, view: View, columns: DocumentColumns[Any], number: str) -> None:
        super().__init__(view, columns.title, columns.id)
        self.declared = columns
        self.narrowed_to: str | None = None
        self.search = ""
        self._narrowed_before: str | None = None
        """What it was narrowed to before all documents were shown."""
        self._elsewhere = 0
        """Documents that the search finds, but the narrowing hides."""
        self.number = number
        self._sort: Sort[Any] = columns.sorts[0]
        self._keys: list[str] = []
        self._links: list[Link] | None = None
        """The link of each row to `narrowed_to`; None when all documents are shown."""
        self._order: DocumentOrder[Any] = DocumentOrder(columns.projection.name)
        self._is_reversed = False
        self._arrangement = arranged(columns.columns)
        self._model = _model_of(columns.projection)
        """The model that the columns are of; a tried file may be saved with another one."""
        self._stories = Stories(view, self, self.refresh_rows)
        """The events of the account that the rows are narrowed to: they say when it shared."""

    @property
    def projection(self) -> Projection[Any]:
        """The projection whose documents are shown."""
        return self.declared.projection

    @property
    def selected_key(self) -> str | None:
        """The document under the cursor."""
        return self._keys[self.cursor] if self._keys else None

    @property
    def shown_keys(self) -> Sequence[str]:
        """The documents of all rows, in their order."""
        return self._keys

    @property
    def selected_share(self) -> Share | None:
        """The share that the selected row shows, if the pane is narrowed to an account."""
        if self.narrowed_to is None or not self._keys:
            return None
        catalog, link = self._at(self.cursor)
        if link is None:
            return None
        return _share(self.narrowed_to, link, catalog)

    @property
    def order(self) -> tuple[str, bool]:
        """The name of the order in use, and whether it is reversed."""
        return self._sort.name, self._is_reversed

    def set_order(self, name: str, is_reversed: bool) -> None:
        """Use the order of that name, if there is one. Call it before rows are shown."""
        for sort in self.declared.sorts:
            if sort.name == name:
                self._sort, self._is_reversed = sort, is_reversed

    def next_sort(self) -> None:
        """Sort by the next order."""
        sorts = self.declared.sorts
        self.sort_by(sorts[(sorts.index(self._sort) + 1) % len(sorts)])

    def sort_by(self, sort: Sort[Any]) -> None:
        """Sort by an order; reverse it if it is in use already."""
        self._is_reversed = sort is self._sort and not self._is_reversed
        self._sort = sort
        self.update_rows()

    def reverse_sort(self) -> None:
        """Reverse the order in use."""
        self.sort_by(self._sort)

    def show(self, key: str | None) -> None:
        """Show only the documents that another projection's document links to, or all."""
        self._narrowed_before = None
        if key != self.narrowed_to:
            self.narrowed_to = key
            self._arrangement = arranged(self._columns)
            self.cursor = 0
            self.scroll_to(y=0, animate=False)
            self.update_rows()

    @property
    def is_narrowed(self) -> bool:
        """Whether it shows one account's documents, or did before all were shown."""
        return self.narrowed_to is not None or self._narrowed_before is not None

    def show_all(self) -> None:
        """Show all documents that the search matches; called again, undo that."""
        if self.narrowed_to is None:
            self.show(self._narrowed_before)
        else:
            before = self.narrowed_to
            self.show(None)
            self._narrowed_before = before
            self.update_rows()

    def select(self, key: str) -> None:
        """Put the cursor on a document."""
        if key in self._keys:
            self.move_cursor(self._keys.index(key))

    def reveal(self, key: str) -> None:
        """Put the cursor on a document, and end a search or a narrowing that hides it."""
        if key not in self._keys:
            self.search, self.narrowed_to = "", None
            self._arrangement = arranged(self._columns)
            self.update_rows()
        self.select(key)

    # -- rows ------------------------------------------------------------------------------

    def sources(self) -> tuple[object, ...]:
        """See `VirtualList.sources`."""
        view = self.view
        # Hubs are found a little later than the documents are read.
        named = (view.hubs, view.homonyms)
        narrowed_to = self._narrowing_document
        story = None if narrowed_to is None else self._stories.known_of(narrowed_to)
        return (view.version, named, id(story), view.workspace.connection, view.now() // 60)

    @property
    def _columns(self) -> Sequence[Column[Any]]:
        narrowing = self.declared.narrowing
        if self.narrowed_to is None or narrowing is None:
            return self.declared.columns
        return narrowing.columns

    @property
    def _sort_mark(self) -> str:
        rises = self._sort.falls == self._is_reversed
        return self.glyphs.rises if rises else self.glyphs.falls

    def headings(self) -> Sequence[Heading]:
        """See `VirtualList.headings`; the order in use is marked."""
        found = []
        widths = self._arrangement.widths(self.row_width)
        for column, width in zip(self._columns, widths, strict=True):
            mark = self._sort_mark if column.sort == self._sort.name else ""
            if width:
                heading = f"{column.heading}{mark}"
                cell = Cell(heading, width, "marked" if mark else "dim", column.right)
                found.append(Heading(cell, column.meaning))
        return found

    @property
    def columns_explained(self) -> Sequence[tuple[str, str]]:
        """See `VirtualList.columns_explained`; columns without room are included."""
        return [(each.heading or "(mark)", each.meaning) for each in self._columns if each.meaning]

    def choose_heading(self, number: int) -> None:
        """See `VirtualList.choose_heading`: sort by the column."""
        widths = self._arrangement.widths(self.row_width)
        shown = [each for each, width in zip(self._columns, widths, strict=True) if width]
        for sort in self.declared.sorts:
            if sort.name == shown[number].sort:
                self.sort_by(sort)

    def layout_version(self) -> object:
        """See `VirtualList.layout_version`."""
        return self._arrangement.version

    def update_rows(self) -> None:
        """Read the current documents; the cursor stays on its document."""
        self._follow_model()
        selected = self._at(self.cursor) if self._keys and self.chosen_by_user else None
        if self.narrowed_to is None:
            self._keys, self._links = self._all_keys(), None
        else:
            self._take_links(self.narrowed_to)
        total = len(self._keys)
        self._elsewhere = 0
        if self.search:
            self._narrow_to_search()
        self.set_row_count(len(self._keys))
        if selected is not None and self._keys:
            row = self._row_of(*selected)
            if row != self.cursor:
                self.place_cursor(row)
        self._describe(total)
        self.refresh_rows()

    def _follow_model(self) -> None:
        """Take the columns of a tried projection's new model, if its file was saved with one."""
        if not self.projection.tried_from or self._model is _model_of(self.projection):
            return
        self._model = _model_of(self.projection)
        self.declared = model_columns(self.projection)
        sorts = self.declared.sorts
        self._sort = next((each for each in sorts if each.name == self._sort.name), sorts[0])
        self._arrangement = arranged(self._columns)

    def _at(self, row: int) -> tuple[str, Link | None]:
        return self._keys[row], None if self._links is None else self._links[row]

    def _row_of(self, key: str, link: Link | None) -> int:
        """The row of a document, the first row if it is not shown any more."""
        for row, found in enumerate(self._keys):
            if found != key:
                continue
            here = None if self._links is None else self._links[row]
            if here is link or (here is not None and link is not None and here.joins(link)):
                return row
        return 0

    def _all_keys(self) -> list[str]:
        view = self.view
        projector = view.workspace.projectors[self.projection.name]
        states, names = view.fold(self.projection.name).states, view.names
        keys = self._order.keys(states, self._sort, names, view.moment, projector.changes)
        return keys[::-1] if self._is_reversed else keys

    def _take_links(self, of: str) -> None:
        narrowing = self.declared.narrowing
        assert narrowing is not None
        rows = sorted(narrowing.links(self.view, of), key=self._link_place)
        if self._is_reversed:
            rows.reverse()
        self._keys = [key for key, _link in rows]
        self._links = [link for _key, link in rows]

    def _link_place(self, row: tuple[str, Link]) -> tuple[Any, ...]:
        """The sort key of a narrowed row; in the first order, shared comes before received."""
        key, link = row
        if self._sort is self.declared.sorts[0]:
            return (not link.outgoing, key.lower(), key, link.other)
        state = self.view.fold(self.projection.name).states.get(key)
        if state is None:
            return (True, 0, key)
        return (False, self._sort.by(key, state, self.view.names), key)

    def _narrow_to_search(self) -> None:
        wanted = self.search.lower()
        states = self.view.fold(self.projection.name).states
        search_text, marks = self.declared.search_text, self.declared.marks

        def matches(key: str) -> bool:
            state = states.get(key)
            if any(_holds(text.lower(), wanted) for text in search_text(key, state)):
                return True
            return wanted in marks(self.view, key, state)

        found = [row for row, key in enumerate(self._keys) if matches(key)]
        self._keys = [self._keys[row] for row in found]
        if self._links is not None:
            self._links = [self._links[row] for row in found]
            here = set(self._keys)
            self._elsewhere = sum(1 for key in states if key not in here and matches(key))

    def _describe(self, total: int) -> None:
        count, subtitle = f"{len(self._keys):,}", f"by {self._sort.name}{self._sort_mark}"
        if self.search:
            count = f"{count} of {total:,}"
            subtitle = f"/{screen_text(self.search, 20)} · {subtitle}"
        whose, all_key = "", self.view.keymap.hint("documents.all")
        if self.narrowed_to is not None:
            whose = f" of {self.view.names.of(self.narrowed_to)}"
            more = f", {self._elsewhere:,} more" if self._elsewhere else ""
            subtitle = f"{all_key} all{more} · {subtitle}"
        elif self._narrowed_before is not None:
            whose = " of all accounts"
            subtitle = f"{all_key} only {self.view.names.of(self._narrowed_before)} · {subtitle}"
        self.caption(f"{self.number} {self.declared.title}{whose} ({count})".lstrip(), subtitle)

    def row_cells(self, row: int) -> Sequence[Cell]:
        """See `VirtualList.row_cells`."""
        key, link = self._at(row)
        width = self.row_width
        state = self.view.fold(self.projection.name).states.get(key)
        shared = None if link is None else self._shared(key, link)
        shown: DocumentRow[Any] = DocumentRow(
            self.view, self.projection, key, state, width, link, shared
        )
        return cells_of(self._columns, shown, self._arrangement)

    @property
    def _narrowing_document(self) -> DocumentSelection | None:
        """The document of the other projection that the rows are narrowed to."""
        narrowing = self.declared.narrowing
        if self.narrowed_to is None or narrowing is None:
            return None
        by = self.view.workspace.projectors[narrowing.by].projection
        return DocumentSelection(by, self.narrowed_to)

    def _shared(self, key: str, link: Link) -> Mark | None:
        """The event that made a share, once it is known.

        The account's events are read if the pane has the focus. Else it takes what the inspector
        has read: the cursor may be on its way over many accounts in another pane.
        """
        narrowed_to = self._narrowing_document
        if narrowed_to is None:
            return None
        if self.has_focus:
            story = self._stories.history_of(narrowed_to).story
        else:
            story = self._stories.known_of(narrowed_to)
        if story is None:
            return None
        at = self.view.fold(narrowed_to.projection.name).seq
        return story.shared(_share(narrowed_to.key, link, key), at)

    def empty_lines(self) -> Sequence[str]:
        """See `VirtualList.empty_lines`."""
        view, noun = self.view, self.declared.noun
        if self.search:
            nothing = f" no {noun} matches {screen_text(self.search, 30)}"
            if self.narrowed_to is None:
                return (nothing,)
            here = f" no {noun} of {self.view.names.of(self.narrowed_to)}"
            all_key = self.view.keymap.hint("documents.all")
            if not self._elsewhere:
                return (here, f" matches {screen_text(self.search, 30)}, and no other")
            return (here, f" matches, but {self._elsewhere:,} elsewhere: {all_key}")
        narrowing = self.declared.narrowing if self.narrowed_to is not None else None
        source = self.projection.name if narrowing is None else narrowing.by
        if view.is_connected and view.is_being_read(source):
            return ("", " none known so far:", " the log is still being read")
        if narrowing is not None:
            return narrowing.nothing
        if not view.is_connected:
            return ()
        if view.is_stopped(self.projection.name):
            key = view.keymap.hint("app.projectors")
            return ("", f" none known: the {noun}", f" projector stopped ({key} says why)")
        return self.declared.nothing


def _share(account: str, link: Link, catalog: str) -> Share:
    """The share that a row stands for in a pane that is narrowed to an account."""
    sides = (account, link.other) if link.outgoing else (link.other, account)
    return Share(*sides, catalog)


def _holds(text: str, wanted: str) -> bool:
    """Whether a text contains `wanted`, or is shortened to it: `acb4…gdt`. Both in lower case."""
    begin, cut, end = wanted.partition("…")
    return text.startswith(begin) and text.endswith(end) if cut else wanted in text
