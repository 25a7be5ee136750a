"""Hubs: accounts that share a catalog with most other accounts, such as the operator's own.

Clients import a hub's catalog for each new account, so an import from a hub says nothing about
the importer. Hubs are labelled on screen and left out when prize candidates are counted.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from natster_tui.projections.account import AccountState
from natster_tui.projections.catalog import CatalogState
from natster_tui.projections.projection_sentences import key_named

FEWEST_RECIPIENTS = 10
"""A catalog shared with fewer initialized accounts makes no hub, however small the community."""


def hubs_of(
    accounts: Mapping[str, AccountState],
    catalogs: Mapping[str, CatalogState],
    named: Collection[str] = (),
) -> frozenset[str]:
    """The keys of the hubs in two states.

    `named` are keys or names of accounts; when given, those are the hubs. Otherwise a hub is an
    account that owns a catalog shared with at least FEWEST_RECIPIENTS initialized accounts, and
    with more than half of all initialized accounts but the hub itself.
    """
    if named:
        return frozenset(key_named(name, accounts) for name in named)
    widely_shared = [
        state for state in catalogs.values() if len(state.shared_with) >= FEWEST_RECIPIENTS
    ]
    if not widely_shared:
        return frozenset()
    initialized = {key for key, state in accounts.items() if state.initialized_at}
    hubs = set()
    for state in widely_shared:
        recipients = sum(key in initialized for key in state.shared_with)
        others = len(initialized) - (state.owner in initialized)
        if recipients >= FEWEST_RECIPIENTS and recipients * 2 > others:
            hubs.add(state.owner)
    return frozenset(hubs)
