"""The columns of the accounts pane."""

from __future__ import annotations

from collections.abc import Iterable

from natster_tui.events.natster import BOUND, IMPORTED
from natster_tui.events.times import age
from natster_tui.projections.account import AccountState
from natster_tui.projections.registering.registry import ACCOUNTS
from natster_tui.projections.wording import short_key
from natster_tui.text.masking import screen_text
from natster_tui.tui.panes.columns import Column, DocumentColumns, Shown, Sort
from natster_tui.tui.widgets.cells import Cell

_NOT_YET = 1 << 62
"""Accounts that others shared with before they joined come last."""
_KEY_FROM = 46
_LOGIN_FROM = 52

_Row = Shown[AccountState]


def _name(row: _Row) -> Cell:
    named = row.state is not None and row.state.account_name
    return row.main_cell(row.names.of(row.key), "strong" if named else "")


def _hub(row: _Row) -> Cell | None:
    return Cell("hub", 3, "accent") if row.key in row.view.hubs else None


def _key(row: _Row) -> Cell:
    return Cell(short_key(row.key), 8, "dim")


def _joined(row: _Row) -> Cell | None:
    if row.state is None:
        return None
    at = row.state.initialized_at
    return Cell(age(row.view.now() - at) if at else "new", 4, "dim", right=True)


def _login(row: _Row) -> Cell | None:
    if row.state is None:
        return None
    bound = row.state.bound_context
    if row.width < _LOGIN_FROM:
        return Cell(row.view.glyphs.of(BOUND) if bound else " ", 2, "second")
    how = screen_text(bound.oauth_id.split("|")[0], 20) if bound else "-"
    return Cell(how, 7, "second" if bound else "dim")


def _shares(row: _Row) -> Cell | None:
    if row.state is None:
        return None
    return Cell(f"{len(row.state.out_shares)}{row.view.glyphs.out}", 4, "marked", right=True)


def _received(row: _Row) -> Cell | None:
    if row.state is None:
        return None
    return Cell(f"{len(row.state.in_shares)}{row.view.glyphs.into}", 4, "accent", right=True)


def _imports(row: _Row) -> Cell | None:
    if row.state is None:
        return None
    count = sum(1 for imported in row.state.in_shares.values() if imported is not None)
    style = "good" if count else "dim"
    return Cell(f"{count}{row.view.glyphs.of(IMPORTED)}", 4, style, right=True)


def _search_text(key: str, state: AccountState | None) -> Iterable[str]:
    yield key
    if state is not None and state.account_name:
        yield state.account_name


ACCOUNT_COLUMNS: DocumentColumns[AccountState] = DocumentColumns(
    ACCOUNTS,
    id="accounts",
    title="Accounts",
    columns=(
        Column("account", _name),
        Column("", _hub),
        Column("key", _key, from_width=_KEY_FROM),
        Column("joined", _joined),
        Column("web login", _login),
        Column("shares", _shares),
        Column("received", _received),
        Column("imported", _imports),
    ),
    sorts=(
        Sort("joined", lambda _key, state, _names: state.initialized_at or _NOT_YET),
        Sort("name", lambda key, state, _names: (state.account_name or key).lower()),
        Sort("newest", lambda _key, state, _names: -state.initialized_at),
        Sort("shares", lambda _key, state, _names: -len(state.out_shares)),
        Sort("received", lambda _key, state, _names: -len(state.in_shares)),
    ),
    search_text=_search_text,
    search_hint="find an account: name or key",
    nothing=("", " no accounts yet: the first", " natster_initialized makes one"),
)
