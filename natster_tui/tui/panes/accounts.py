"""The accounts pane: every account's projection in a row."""

from __future__ import annotations

from collections.abc import Sequence

from natster_tui.projections.registry import ACCOUNTS
from natster_tui.projections.wording import Names, short_key
from natster_tui.text.masking import screen_text
from natster_tui.tui.clock import age
from natster_tui.tui.panes.account_order import SORTS, AccountOrder
from natster_tui.tui.view import View
from natster_tui.tui.widgets.cells import Cell
from natster_tui.tui.widgets.virtual_list import VirtualList


class Accounts(VirtualList):
    """All accounts, sorted and searched; `selected_key` is the one under the cursor."""

    def __init__(self, view: View) -> None:
        super().__init__(view, "Accounts", "accounts")
        self._sort = 0
        self.search = ""
        self._keys: list[str] = []
        self._order = AccountOrder()

    @property
    def selected_key(self) -> str | None:
        """The account under the cursor."""
        return self._keys[self.cursor] if self._keys else None

    def next_sort(self) -> None:
        """Sort by the next column."""
        self._sort = (self._sort + 1) % len(SORTS)
        self.update_rows()

    def sources(self) -> tuple[object, ...]:
        """See `VirtualList.sources`."""
        workspace = self.view.workspace
        now = self.view.now() // 60
        return (self.view.version, workspace.connection, now)

    def update_rows(self) -> None:
        """Take the accounts as they are now; the cursor stays on its account."""
        accounts = self.view.accounts
        selected = self.selected_key if self.chosen_by_user else None
        changes = self.view.workspace.projectors[ACCOUNTS.name].changes
        keys = self._order.keys(accounts, self._sort, self.view.moment, changes)
        if self.search:
            wanted = self.search.lower()
            keys = [
                key
                for key in keys
                if wanted in key.lower() or wanted in (accounts[key].account_name or "").lower()
            ]
        self._keys = keys
        self.set_row_count(len(self._keys))
        if selected is not None and self._keys:
            try:
                row = self._keys.index(selected)
            except ValueError:
                row = 0
            if row != self.cursor:
                self.place_cursor(row)
        shown = f"{len(keys):,} of {len(accounts):,}" if self.search else f"{len(accounts):,}"
        subtitle = f"by {SORTS[self._sort][0]}"
        if self.search:
            subtitle = f"/{screen_text(self.search, 20)} · {subtitle}"
        self.caption(f"2 Accounts ({shown})", subtitle)
        self.refresh_rows()

    def select(self, key: str) -> None:
        """Put the cursor on an account."""
        if key in self._keys:
            self.move_cursor(self._keys.index(key))

    def row_cells(self, row: int) -> Sequence[Cell]:
        """See `VirtualList.row_cells`."""
        key = self._keys[row]
        state = self.view.accounts.get(key)
        if state is None:
            return [Cell(short_key(key))]
        glyphs = self.glyphs
        width = self.scrollable_content_region.width
        imports = sum(1 for imported in state.in_shares.values() if imported is not None)
        name, style = Names({key: state}).of(key), "strong" if state.account_name else ""
        if self.view.just_changed(ACCOUNTS.name, key):
            name, style = f"{glyphs.on} {name}", "warn"
        cells = [Cell(name, 0, style)]
        if key in self.view.hubs:
            cells.append(Cell("hub", 3, "accent"))
        if width >= 46:
            cells.append(Cell(short_key(key), 8, "dim"))
        when = age(self.view.now() - state.initialized_at) if state.initialized_at else "new"
        cells.append(Cell(when, 4, "dim", right=True))
        if width >= 52:
            how = state.bound_context.oauth_id.split("|")[0] if state.bound_context else "-"
            cells.append(Cell(screen_text(how, 20), 7, "second" if state.bound_context else "dim"))
        else:
            cells.append(Cell(glyphs.bound if state.bound_context else " ", 2, "second"))
        cells += [
            Cell(f"{len(state.out_shares)}{glyphs.out}", 4, "marked", right=True),
            Cell(f"{len(state.in_shares)}{glyphs.into}", 4, "accent", right=True),
            Cell(f"{imports}{glyphs.imported}", 4, "good" if imports else "dim", right=True),
        ]
        return cells

    def empty_lines(self) -> Sequence[str]:
        """See `VirtualList.empty_lines`."""
        if self.search:
            return (f" no account matches {screen_text(self.search, 30)}",)
        if not self.view.is_connected:
            return ()
        if self.view.is_stopped(ACCOUNTS.name):
            return ("", " none known: the account", " projector stopped (4 says why)")
        if self.view.is_being_read(ACCOUNTS.name):
            return ("", " none known so far:", " the log is still being read")
        return ("", " no accounts yet: the first", " natster_initialized makes one")
