"""The columns of the accounts pane."""

from __future__ import annotations

from collections.abc import Iterable

from natster_tui.events.natster import BOUND, IMPORTED
from natster_tui.events.times import age
from natster_tui.projections.account import AccountState
from natster_tui.projections.fast.shares import imported_count
from natster_tui.projections.projection_sentences import short_key
from natster_tui.projections.registering.registry import ACCOUNTS
from natster_tui.text.counting import short_count
from natster_tui.text.masking import screen_text
from natster_tui.tui.panes.columns import Column, DocumentColumns, DocumentRow, Sort
from natster_tui.tui.widgets.cells import Cell

_NOT_YET = 1 << 62
"""Accounts that others shared with before they joined come last."""

_Row = DocumentRow[AccountState]


def _name(row: _Row) -> Cell:
    named = row.state is not None and row.state.account_name
    name = row.names.of(row.key)
    if row.key in row.view.hubs:
        name = f"{name} (hub)"
    return row.main_cell(name, "strong" if named else "")


def _key(row: _Row) -> Cell:
    return Cell(short_key(row.key), 0, "dim")


def _joined(row: _Row) -> Cell | None:
    if row.state is None:
        return None
    at = row.state.initialized_at
    return Cell(age(row.view.shown_at - at) if at else "new", 0, "dim")


def _bound(row: _Row) -> Cell | None:
    if row.state is None or row.state.bound_context is None:
        return None
    return Cell(row.view.glyphs.of(BOUND), 0, "second")


def _login(row: _Row) -> Cell | None:
    if row.state is None or row.state.bound_context is None:
        return None
    return Cell(screen_text(row.state.bound_context.oauth_id.split("|")[0], 16), 0, "second")


def _shares(row: _Row) -> Cell | None:
    if row.state is None:
        return None
    return Cell(f"{short_count(len(row.state.out_shares))}{row.view.glyphs.out}", 0, "marked")


def _received(row: _Row) -> Cell | None:
    if row.state is None:
        return None
    return Cell(f"{short_count(len(row.state.in_shares))}{row.view.glyphs.into}", 0, "accent")


def _imports(row: _Row) -> Cell | None:
    if row.state is None:
        return None
    count = _imported(row.state)
    style = "good" if count else "dim"
    return Cell(f"{short_count(count)}{row.view.glyphs.of(IMPORTED)}", 0, style)


def _imported(state: AccountState) -> int:
    return imported_count(state.in_shares)


def _search_text(key: str, state: AccountState | None) -> Iterable[str]:
    yield key
    if state is not None and state.account_name:
        yield state.account_name


ACCOUNT_COLUMNS: DocumentColumns[AccountState] = DocumentColumns(
    ACCOUNTS,
    id="accounts",
    title="Accounts",
    columns=(
        Column("account", _name, "the name it gave itself, or its key", "name", shrinks=True),
        Column("key", _key, "its key, shortened", yields=2, identifies=True),
        Column("age", _joined, "how long ago it joined", "joined", right=True),
        Column("", _bound, "tied to a web login"),
        Column("login", _login, "who ties the web login to it", yields=1),
        Column("out", _shares, "shares by it with other accounts", "shares", right=True),
        Column("in", _received, "shares with it by other accounts", "received", right=True),
        Column("imp", _imports, "how many of those it imported", "imported", right=True),
    ),
    sorts=(
        Sort("joined", lambda _key, state, _names: state.initialized_at or _NOT_YET),
        Sort("name", lambda key, state, _names: (state.account_name or key).lower()),
        Sort("shares", lambda _key, state, _names: -len(state.out_shares), falls=True),
        Sort("received", lambda _key, state, _names: -len(state.in_shares), falls=True),
        Sort("imported", lambda _key, state, _names: -_imported(state), falls=True),
    ),
    search_text=_search_text,
    search_hint="find an account: name or key, or hub",
    marks=lambda view, key, _state: ("hub", "(hub)") if key in view.hubs else (),
    nothing=("", " no accounts yet: the first", " natster_initialized makes one"),
)
