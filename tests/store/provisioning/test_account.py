"""How full an account is, by the server's answer."""

from __future__ import annotations

import pytest

from natster_tui.events.log.hazards import Fill, Limit
from natster_tui.store.connection.answers.servers import (
    AccountInfoAnswer,
    AccountLimits,
    AccountTier,
)
from natster_tui.store.provisioning.account import fill_of, tier_of

LIMITS = AccountLimits(max_storage=100, max_memory=10)


@pytest.mark.parametrize(
    ("storage", "fill"),
    [
        ("file", Fill(Limit.ACCOUNT_STORAGE, 90, 100)),
        ("memory", Fill(Limit.ACCOUNT_MEMORY, 7, 10)),
    ],
)
def test_a_log_is_held_to_the_limit_of_its_kind_of_storage(storage: str, fill: Fill) -> None:
    assert fill_of(AccountTier(storage=90, memory=7, limits=LIMITS), storage) == fill


def test_without_a_limit_nothing_is_full() -> None:
    assert fill_of(AccountTier(storage=90), "file") is None


def test_tiers_are_chosen_by_the_number_of_replicas() -> None:
    one, three = AccountTier(storage=1), AccountTier(storage=3)
    account = AccountInfoAnswer(tiers={"R1": one, "R3": three})
    assert (tier_of(account, 1), tier_of(account, 3)) == (one, three)
    assert tier_of(AccountInfoAnswer(), 1) is None
