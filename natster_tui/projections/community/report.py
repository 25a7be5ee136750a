"""The report on a community: figures, hubs, colliding names and prize candidates."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from natster_tui.projections.account import AccountState
from natster_tui.projections.catalog import CatalogState
from natster_tui.projections.community.figures import (
    CommunityFigures,
    case_collisions,
    community_figures,
    contested_names,
    prize_candidates,
)


@dataclass(frozen=True, slots=True)
class CommunityReport:
    """A community at one moment; accounts are given by key.

    `contested` are the catalogs whose name several accounts have shared. `case_collisions` are the
    names that differ from others in letter case only, each with those others.
    """

    figures: CommunityFigures
    hubs: tuple[str, ...]
    contested: Mapping[str, CatalogState]
    case_collisions: Mapping[str, tuple[str, ...]]
    candidates: tuple[str, ...]


def community_report(
    accounts: Mapping[str, AccountState],
    catalogs: Mapping[str, CatalogState],
    hubs: Collection[str],
) -> CommunityReport:
    """The report on two states; `hubs` are the keys of the hubs in them."""
    return CommunityReport(
        community_figures(accounts, catalogs, hubs),
        tuple(sorted(hubs)),
        {name: catalogs[name] for name in contested_names(catalogs)},
        dict(sorted(case_collisions(catalogs).items())),
        tuple(prize_candidates(accounts, hubs)),
    )
