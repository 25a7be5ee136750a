"""The known catalogs: of the chosen account, in both directions, or of all accounts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from natster_tui.projections.catalog import CatalogState
from natster_tui.projections.figures import case_collisions
from natster_tui.projections.registry import ACCOUNTS, CATALOGS
from natster_tui.projections.wording import Names
from natster_tui.text.masking import screen_text
from natster_tui.tui.clock import row_time
from natster_tui.tui.view import View
from natster_tui.tui.widgets.cells import Cell
from natster_tui.tui.widgets.virtual_list import VirtualList


@dataclass(frozen=True, slots=True)
class _Row:
    """One row: a catalog, and where an account was chosen, with whom and since when."""

    catalog: str
    outgoing: bool = True
    other: str = ""
    imported_at: int | None = None


_SORTS = ("name", "sharing", "owner")


class Catalogs(VirtualList):
    """Catalogs. `of` is the chosen account's key, None for all."""

    def __init__(self, view: View) -> None:
        super().__init__(view, "Known catalogs", "catalogs")
        self.of: str | None = None
        self.search = ""
        self._sort = 0
        self._rows_shown: list[_Row] = []
        self._names: list[str] = []
        self._is_by_name_only = False
        self._collisions: dict[str, tuple[str, ...]] = {}

    @property
    def selected_name(self) -> str | None:
        """The catalog under the cursor."""
        return self._rows_shown[self.cursor].catalog if self._rows_shown else None

    def next_sort(self) -> None:
        """Sort by the next column."""
        self._sort = (self._sort + 1) % len(_SORTS)
        self.update_rows()

    def show(self, account: str | None) -> None:
        """Show the catalogs that an account knows, or all."""
        if account != self.of:
            self.of = account
            self.cursor = 0
            self.scroll_to(y=0, animate=False)
            self.update_rows()

    def sources(self) -> tuple[object, ...]:
        """See `VirtualList.sources`."""
        workspace = self.view.workspace
        return (self.view.version, workspace.connection, self.view.now() // 60)

    def update_rows(self) -> None:
        """Take the catalogs as they are now."""
        catalogs = self.view.catalogs
        names = list(catalogs)
        by_name_only = (self.of, self.search, self._sort) == (None, "", 0)
        if names != self._names:
            self._names, self._collisions = names, case_collisions(catalogs)
        elif by_name_only and self._is_by_name_only:
            # Ten thousands of names seldom differ, and sorting them takes a tenth of a second.
            self.refresh_rows()
            return
        self._is_by_name_only = by_name_only
        selected = (
            self._rows_shown[self.cursor] if self._rows_shown and self.chosen_by_user else None
        )
        rows = self._all_rows(catalogs) if self.of is None else self._rows_of(self.of)
        count = f"{len(rows):,}"
        if self.search:
            wanted = self.search.lower()
            rows = [row for row in rows if wanted in row.catalog.lower()]
            count = f"{len(rows):,} of {count}"
        rows.sort(key=self._sort_key(catalogs))
        self._rows_shown = rows
        self.set_row_count(len(rows))
        if selected is not None and selected in rows:
            self.place_cursor(rows.index(selected))
        whose = "" if self.of is None else f" of {Names(self.view.accounts).of(self.of)}"
        subtitle = f"by {_SORTS[self._sort]}"
        if self.search:
            subtitle = f"/{screen_text(self.search, 20)} · {subtitle}"
        self.caption(
            f"3 Known catalogs{whose} ({count})",
            subtitle if self.of is None else f"a all · {subtitle}",
        )
        self.refresh_rows()

    def _sort_key(
        self, catalogs: Mapping[str, CatalogState]
    ) -> Callable[[_Row], tuple[object, ...]]:
        if self._sort == 0:
            return lambda row: (not row.outgoing, row.catalog.lower(), row.catalog, row.other)

        def sharing(row: _Row) -> tuple[int, str]:
            state = catalogs.get(row.catalog)
            return (0 if state is None else -len(state.shared_with), row.catalog)

        def owner(row: _Row) -> tuple[str, str]:
            state = catalogs.get(row.catalog)
            return ("" if state is None else names.of(state.owner).lower(), row.catalog)

        names = Names(self.view.accounts)
        return sharing if self._sort == 1 else owner

    def _all_rows(self, catalogs: Mapping[str, CatalogState]) -> list[_Row]:
        return [_Row(name) for name in catalogs]

    def _rows_of(self, account: str) -> list[_Row]:
        state = self.view.accounts.get(account)
        if state is None:
            return []
        shared = [
            _Row(catalog, outgoing=True, other=other, imported_at=imported)
            for (catalog, other), imported in state.out_shares.items()
        ]
        received = [
            _Row(catalog, outgoing=False, other=other, imported_at=imported)
            for (catalog, other), imported in state.in_shares.items()
        ]
        return shared + received

    def row_cells(self, row: int) -> Sequence[Cell]:
        """See `VirtualList.row_cells`."""
        shown = self._rows_shown[row]
        glyphs = self.glyphs
        names = Names(self.view.accounts)
        state = self.view.catalogs.get(shown.catalog)
        warning = self._warning(shown.catalog, state)
        name = Cell(screen_text(shown.catalog, 60), 0, "strong")
        if self.view.just_changed(CATALOGS.name, shown.catalog):
            name = Cell(f"{glyphs.on} {screen_text(shown.catalog, 60)}", 0, "warn")
        mark = Cell(glyphs.warn if warning else " ", 2, "warn")
        if self.of is None:
            owner = "" if state is None else names.of(state.owner)
            count = 0 if state is None else len(state.shared_with)
            return [mark, name, Cell(owner), Cell(f"{count}{glyphs.out}", 5, "marked", right=True)]
        arrow = Cell(glyphs.out, 1, "marked") if shown.outgoing else Cell(glyphs.into, 1, "accent")
        if shown.imported_at is None:
            imported = Cell("not imported", 14, "dim")
        else:
            when = row_time(shown.imported_at, self.view.now()).strip()
            imported = Cell(f"{glyphs.imported} {when}", 14, "good")
        return [mark, name, arrow, Cell(names.of(shown.other)), imported]

    def _warning(self, name: str, state: CatalogState | None) -> bool:
        return name in self._collisions or bool(state is not None and state.contested_by)

    def warnings(self, name: str) -> list[str]:
        """What to warn of about a catalog's name."""
        names = Names(self.view.accounts)
        state = self.view.catalogs.get(name)
        said = []
        if state is not None and state.contested_by:
            others = ", ".join(names.of(key) for key in state.contested_by)
            said.append(f"duplicate name: also shared by {others}, who grants no access here")
        if name in self._collisions:
            others = ", ".join(screen_text(other, 40) for other in self._collisions[name])
            said.append(f"differs from {others} in letter case only: importers confuse them")
        return said

    def empty_lines(self) -> Sequence[str]:
        """See `VirtualList.empty_lines`."""
        if self.search:
            return (f" no catalog matches {screen_text(self.search, 30)}",)
        if self.view.is_connected and self.view.is_being_read(
            CATALOGS.name if self.of is None else ACCOUNTS.name
        ):
            return ("", " none known so far:", " the log is still being read")
        if self.of is not None:
            return ("", " this account neither shares a", " catalog nor was given one")
        if not self.view.is_connected:
            return ()
        if self.view.is_stopped(CATALOGS.name):
            return ("", " none known: the catalog", " projector stopped (4 says why)")
        return ("", " no catalogs yet: the first", " catalog_shared makes one known")
