"""The figures of the community in words."""

from __future__ import annotations

from natster_tui.projections.account import AccountState
from natster_tui.projections.community.figures import CommunityFigures, prize_candidates
from natster_tui.projections.fast.shares import Shares


def test_a_count_of_one_is_singular() -> None:
    labels = [label for _count, label in CommunityFigures(1, 1, 1, 1, 1).rows]
    assert labels[:4] == [
        "account initialized",
        "active share",
        "catalog",
        "duplicate catalog name",
    ]
    assert labels[4].startswith("prize candidate:")
    labels = [label for _count, label in CommunityFigures(2, 0, 2, 0, 2).rows]
    assert labels[:4] == [
        "accounts initialized", "active shares", "catalogs", "duplicate catalog names",
    ]  # fmt: skip
    assert labels[4].startswith("prize candidates:")


def test_an_import_of_a_catalog_that_is_not_a_hubs_makes_a_prize_candidate() -> None:
    taken: dict[str, dict[tuple[str, str], int | None]] = {
        "none": {},
        "shared only": {("a", "HUB"): None, ("b", "OWNER"): None},
        "from the hub": {("a", "HUB"): 0, ("b", "OWNER"): None},
        "from both": {("a", "HUB"): 7, ("b", "OWNER"): 0},
        "from another": {("b", "OWNER"): 7},
    }
    accounts = {key: AccountState(in_shares=Shares(shares)) for key, shares in taken.items()}
    assert prize_candidates(accounts, {"HUB"}) == ["from another", "from both"]
