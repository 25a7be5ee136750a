"""The inspector's page of a catalog: its owner, its recipients, and its history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import islice

from natster_tui.engine.history.document_story import Share
from natster_tui.projections.account import AccountState
from natster_tui.projections.catalog import CatalogState
from natster_tui.projections.registering.registry import CATALOGS
from natster_tui.text.masking import screen_text
from natster_tui.tui.places.place import DocumentPlace, account_place
from natster_tui.tui.sheets.account_sheet import AnyFold
from natster_tui.tui.sheets.shares import History, add_recipients, history_section
from natster_tui.tui.sheets.sheet import Formatter, Section, Sheet, Tone, document_title

_LISTED = 20
"""Accounts and names that are warned of, one by one."""


def catalog_sheet(
    name: str,
    fold: AnyFold,
    formatter: Formatter,
    history: History,
    *,
    twins: Sequence[str] = (),
    accounts: Mapping[str, AccountState],
    share: Share | None = None,
) -> Sheet:
    """A catalog's page; `accounts` says when a recipient imported it.

    `twins` are the catalogs whose names differ from this one's in letter case only. `share` is the
    share that the selected row shows, if it shows one.
    """
    facts = Section("catalog")
    title = document_title(fold.projection, name, formatter.names)
    if share is not None:
        _add_share(facts, share, formatter, history, accounts)
    state: CatalogState | None = fold.states.get(name)
    if state is None:
        facts.add("", "only shared in ways that make no catalog", Tone.DIM)
        return Sheet(title, (facts, history_section(history, formatter)))
    facts.add("owner", formatter.briefly(state.owner), place=account_place(state.owner))
    _add_warnings(facts, state, twins, formatter)
    shares = Section("shares")
    add_recipients(
        shares,
        name,
        state.owner,
        state.shared_with,
        partial(_imported_at, accounts),
        history,
        formatter,
    )
    shares.add("", "")
    return Sheet(title, (facts, shares, history_section(history, formatter)))


def _add_warnings(
    facts: Section, state: CatalogState, twins: Sequence[str], formatter: Formatter
) -> None:
    """The accounts that share the same name, and the names that look like it."""
    for other in islice(state.contested_by, _LISTED):
        warning = f"{formatter.briefly(other)} shares one of that name, and grants no access here"
        facts.add("contested", warning, Tone.WARN, account_place(other))
    for twin in twins[:_LISTED]:
        warning = f"{screen_text(twin, 60)} differs in letter case only: importers confuse them"
        facts.add("looks like", warning, Tone.WARN, DocumentPlace(CATALOGS.name, twin))


def _add_share(
    facts: Section,
    share: Share,
    formatter: Formatter,
    history: History,
    accounts: Mapping[str, AccountState],
) -> None:
    """The share of the selected row: who shared it with whom, and when."""
    names = formatter.names
    shared = history.shared_at(share, formatter)
    imported = history.imported_at(share, _imported_at(accounts, share), formatter)
    parties = f"{names.of(share.origin)} → {names.of(share.target)}"
    facts.add("this share", parties, Tone.STRONG, account_place(share.target))
    facts.add("shared at", shared.text, place=shared.place)
    facts.add("imported at", imported.text, imported.tone, imported.place)


def _imported_at(accounts: Mapping[str, AccountState], share: Share) -> int | None:
    recipient = accounts.get(share.target)
    return None if recipient is None else recipient.in_shares.get((share.catalog, share.origin))
