"""Counts and name collisions of a community, computed from its accounts and catalogs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from natster_tui.projections.account import AccountState
from natster_tui.projections.catalog import CatalogState
from natster_tui.projections.fast.shares import imported_pairs
from natster_tui.text.counting import plural


@dataclass(frozen=True, slots=True)
class CommunityFigures:
    """Counts over the whole community."""

    accounts_initialized: int
    active_shares: int
    catalogs: int
    duplicate_names: int
    prize_candidates: int

    @property
    def rows(self) -> tuple[tuple[int, str], ...]:
        """Each figure, and what it counts."""
        candidates = plural(self.prize_candidates, "prize candidate")
        return (
            (
                self.accounts_initialized,
                f"{plural(self.accounts_initialized, 'account')} initialized",
            ),
            (self.active_shares, plural(self.active_shares, "active share")),
            (self.catalogs, plural(self.catalogs, "catalog")),
            (self.duplicate_names, plural(self.duplicate_names, "duplicate catalog name")),
            (self.prize_candidates, f"{candidates}: imported a catalog that is not a hub's"),
        )


def community_figures(
    accounts: Mapping[str, AccountState],
    catalogs: Mapping[str, CatalogState],
    hubs: Collection[str],
) -> CommunityFigures:
    """The figures of two states; imports from `hubs` do not make prize candidates."""
    return CommunityFigures(
        accounts_initialized=sum(1 for state in accounts.values() if state.initialized_at),
        active_shares=sum(len(state.out_shares) for state in accounts.values()),
        catalogs=len(catalogs),
        duplicate_names=sum(1 for state in catalogs.values() if state.contested_by),
        prize_candidates=len(prize_candidates(accounts, hubs)),
    )


def prize_candidates(accounts: Mapping[str, AccountState], hubs: Collection[str]) -> list[str]:
    """The accounts that imported at least one catalog from an account that is no hub, by name."""
    found = [
        (state.account_name or key, key)
        for key, state in accounts.items()
        if any(owner not in hubs for _catalog, owner in imported_pairs(state.in_shares))
    ]
    return [key for _name, key in sorted(found)]


def contested_names(catalogs: Mapping[str, CatalogState]) -> list[str]:
    """The catalog names that more than one account has shared."""
    return [name for name, state in catalogs.items() if state.contested_by]


def case_collisions(names: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    """Catalog names that importers confuse because they differ in letter case only."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        groups[name.lower()].append(name)
    return {
        name: tuple(other for other in group if other != name)
        for group in groups.values()
        if len(group) > 1
        for name in group
    }
