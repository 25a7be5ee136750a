"""The columns of the catalogs pane: of all accounts, or of one account in both directions."""

from __future__ import annotations

from collections.abc import Iterator

from natster_tui.events.natster import IMPORTED
from natster_tui.projections.catalog import CatalogState
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS
from natster_tui.text.counting import short_count
from natster_tui.text.masking import screen_text
from natster_tui.tui.clock import row_time
from natster_tui.tui.panes.columns import (
    Column,
    DocumentColumns,
    DocumentRow,
    Link,
    Narrowing,
    Sort,
)
from natster_tui.tui.view import View
from natster_tui.tui.widgets.cells import Cell

_Row = DocumentRow[CatalogState]
_WARNED = "others share a catalog of that name, or of one that differs in letter case only"


def _marks(view: View, key: str, state: CatalogState | None) -> Iterator[str]:
    """The problems of a catalog's name, in the words of the pages that warn of them."""
    contested = state is not None and bool(state.contested_by)
    twins = key in view.collisions
    if contested:
        yield from ("contested", "duplicate", "duplicate name")
    if twins:
        yield "letter case"
    if contested or twins:
        yield view.glyphs.warn


def _warning_mark(row: _Row) -> Cell:
    warn = row.view.glyphs.warn
    return Cell(warn if warn in _marks(row.view, row.key, row.state) else "", 0, "warn")


def _name(row: _Row) -> Cell:
    return row.main_cell(screen_text(row.key, 60), "strong")


def _owner(row: _Row) -> Cell:
    return Cell("" if row.state is None else row.names.of(row.state.owner))


def _recipients(row: _Row) -> Cell:
    count = 0 if row.state is None else len(row.state.shared_with)
    return Cell(f"{short_count(count)}{row.view.glyphs.out}", 0, "marked")


def _direction(row: _Row) -> Cell:
    assert row.link is not None
    glyphs = row.view.glyphs
    if row.link.outgoing:
        return Cell(glyphs.out, 0, "marked")
    return Cell(glyphs.into, 0, "accent")


def _other(row: _Row) -> Cell:
    assert row.link is not None
    return Cell(row.names.of(row.link.other))


def _shared(row: _Row) -> Cell:
    if row.shared is None:
        return Cell("…", 0, "dim")
    return Cell(row_time(row.shared.time, row.view.now()).strip())


def _was_imported(row: _Row) -> Cell | None:
    assert row.link is not None
    if row.link.imported_at is None:
        return None
    return Cell(row.view.glyphs.of(IMPORTED), 0, "good")


def _imported(row: _Row) -> Cell:
    assert row.link is not None
    if row.link.imported_at is None:
        return Cell("not yet", 0, "dim")
    return Cell(row_time(row.link.imported_at, row.view.now()).strip(), 0, "good")


def _links_of(view: View, account: str) -> Iterator[tuple[str, Link]]:
    """The catalogs that an account shares and is given, each with the account on the other side."""
    state = view.accounts.get(account)
    if state is None:
        return
    for outgoing, shares in ((True, state.out_shares), (False, state.in_shares)):
        for (catalog, other), imported_at in shares.items():
            yield catalog, Link(outgoing, other, imported_at)


def catalog_warnings(view: View, name: str) -> list[str]:
    """The warnings about a catalog's name."""
    names = view.names
    state = view.catalogs.get(name)
    warnings = []
    if state is not None and state.contested_by:
        others = ", ".join(names.of(key) for key in state.contested_by)
        warnings.append(f"duplicate name: also shared by {others}, who grants no access here")
    if twins := view.collisions.get(name):
        others = ", ".join(screen_text(twin, 40) for twin in twins)
        warnings.append(f"differs from {others} in letter case only: importers confuse them")
    return warnings


CATALOG_COLUMNS: DocumentColumns[CatalogState] = DocumentColumns(
    CATALOGS,
    id="catalogs",
    title="Known catalogs",
    columns=(
        Column("", _warning_mark, _WARNED),
        Column("catalog", _name, "the name of the catalog", "name", shrinks=True),
        Column("owner", _owner, "the account that shared it first", "owner", shrinks=True),
        Column("out", _recipients, "how many accounts may see it", "sharing", right=True),
    ),
    sorts=(
        Sort("name", lambda key, _state, _names: key.lower()),
        Sort("sharing", lambda _key, state, _names: -len(state.shared_with), falls=True),
        Sort("owner", lambda _key, state, names: names.of(state.owner).lower(), uses_names=True),
    ),
    search_text=lambda key, _state: (key,),
    search_hint="find a catalog: name, or contested",
    marks=_marks,
    nothing=("", " no catalogs yet: the first", " catalog_shared makes one known"),
    narrowing=Narrowing(
        by=ACCOUNTS.name,
        links=_links_of,
        columns=(
            Column("", _warning_mark, _WARNED),
            Column("catalog", _name, "the name of the catalog", "name", shrinks=True),
            Column("", _direction, "shared by this account, or with it"),
            Column("other account", _other, "with whom it shares, or who shares", shrinks=True),
            Column("shared", _shared, "when it was shared", yields=2, right=True),
            Column("", _was_imported, "the recipient imported it"),
            Column("imported", _imported, "when the recipient imported it", yields=1, right=True),
        ),
        nothing=("", " this account neither shares a", " catalog nor was given one"),
    ),
)
