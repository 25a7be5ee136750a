"""Which accounts are hubs, and what that means for prize candidates."""

from __future__ import annotations

import pytest

from natster_tui.projections.account import AccountState
from natster_tui.projections.catalog import CatalogState
from natster_tui.projections.community.figures import community_figures, prize_candidates
from natster_tui.projections.community.hubs import hubs_of
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS
from natster_tui.store.log import Append
from tests.folding import fold_all
from tests.making_logs import imported, initialized, records_of, shared

MEMBERS = [f"M{number}" for number in range(19)]


def states(*events: Append) -> tuple[dict[str, AccountState], dict[str, CatalogState]]:
    records = records_of(*events)
    return fold_all(ACCOUNTS, records).states, fold_all(CATALOGS, records).states


def community(recipients: int, members: int = 19, *more: Append) -> list[Append]:
    """A hub that shares with the first `recipients` of so many initialized members."""
    return [
        initialized("HUB", "The Hub"),
        *(initialized(member) for member in MEMBERS[:members]),
        *(shared("HUB", member, "everything") for member in MEMBERS[:recipients]),
        *more,
    ]


@pytest.mark.parametrize(
    ("recipients", "members", "is_hub"),
    [(10, 19, True), (9, 19, False), (9, 9, False), (10, 10, True), (19, 19, True)],
)
def test_a_hub_shares_with_ten_initialized_accounts_and_more_than_half_of_the_others(
    recipients: int, members: int, is_hub: bool
) -> None:
    assert hubs_of(*states(*community(recipients, members))) == ({"HUB"} if is_hub else set())


def test_exactly_half_of_the_others_makes_no_hub() -> None:
    events = community(10, 19, initialized("ONE"))
    assert hubs_of(*states(*events)) == set()


def test_accounts_that_are_not_initialized_count_for_nothing() -> None:
    strangers = [shared("HUB", f"X{number}", "everything") for number in range(30)]
    assert hubs_of(*states(initialized("HUB"), *strangers)) == set()


def test_named_hubs_are_the_hubs_by_key_or_by_name() -> None:
    found = states(*community(19), initialized("B", "Bob"))
    assert hubs_of(*found, named=["bob"]) == {"B"}
    assert hubs_of(*found, named=["HUB", "M1"]) == {"HUB", "M1"}


def test_what_was_imported_from_a_hub_makes_no_prize_candidate() -> None:
    events = community(
        19, 19, imported("M1", "HUB", "everything"), shared("M2", "M3", "own"),
        imported("M3", "M2", "own"),
    )  # fmt: skip
    accounts, catalogs = states(*events)
    hubs = hubs_of(accounts, catalogs)
    assert prize_candidates(accounts, ()) == ["M1", "M3"]
    assert prize_candidates(accounts, hubs) == ["M3"]
    assert community_figures(accounts, catalogs, hubs).prize_candidates == 1
