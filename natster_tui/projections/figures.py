"""Figures derived from the two states, stored nowhere (DESIGN section 3, "Derived figures")."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from natster_tui.projections.account import AccountState
from natster_tui.projections.catalog import CatalogState


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
        return (
            (self.accounts_initialized, "accounts initialized"),
            (self.active_shares, "active shares"),
            (self.catalogs, "catalogs"),
            (self.duplicate_names, "duplicate catalog names"),
            (self.prize_candidates, "prize candidates: accounts that imported a catalog"),
        )


def community_figures(
    accounts: Mapping[str, AccountState], catalogs: Mapping[str, CatalogState]
) -> CommunityFigures:
    """The figures of two states."""
    return CommunityFigures(
        accounts_initialized=sum(1 for state in accounts.values() if state.initialized_at),
        active_shares=sum(len(state.out_shares) for state in accounts.values()),
        catalogs=len(catalogs),
        duplicate_names=sum(1 for state in catalogs.values() if state.contested_by),
        prize_candidates=len(prize_candidates(accounts)),
    )


def prize_candidates(accounts: Mapping[str, AccountState]) -> list[str]:
    """The accounts that imported at least one catalog shared with them, by name."""
    found = [
        (state.account_name or key, key)
        for key, state in accounts.items()
        if any(imported is not None for imported in state.in_shares.values())
    ]
    return [key for _name, key in sorted(found)]


def case_collisions(names: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    """Catalog names that collide with others for importers: they differ in letter case only."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        groups[name.lower()].append(name)
    return {
        name: tuple(other for other in group if other != name)
        for group in groups.values()
        if len(group) > 1
        for name in group
    }
