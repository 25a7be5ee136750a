"""Equal values that many states hold are one object."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from natster_tui.events.event import StoredMessage
from natster_tui.projections.account import AccountState, states_with_shares
from natster_tui.projections.fast import sharing
from natster_tui.projections.fast.share_relation import ShareRelation
from natster_tui.projections.fast.sharing import same
from natster_tui.projections.registering.registry import ACCOUNTS
from tests.folding import fold_all
from tests.making_logs import A, B, C, imported, records_of, shared

LOG = [shared(A, B), shared(A, C), imported(B, A), imported(C, A)]


def by_rule() -> dict[str, AccountState]:
    return fold_all(ACCOUNTS, records_of(*LOG)).states


def by_relation() -> dict[str, AccountState]:
    relation = ShareRelation()
    messages: list[StoredMessage] = [
        (seq, 10**18, each.subject.encode(), each.payload, b"") for seq, each in enumerate(LOG, 1)
    ]
    assert not relation.take(messages)
    return states_with_shares(relation, {})


def by_documents() -> dict[str, AccountState]:
    return {
        key: ACCOUNTS.decode(ACCOUNTS.encode(key, state)) for key, state in by_relation().items()
    }


@pytest.mark.parametrize("make", [by_rule, by_relation, by_documents])
def test_a_share_costs_one_pair_and_one_time(make: Callable[[], dict[str, AccountState]]) -> None:
    states = make()
    (ours,), (theirs,) = states[B].in_shares, states[C].in_shares
    assert ours is theirs
    for recipient in (B, C):
        outgoing = states[A].out_shares["kevbuzz", recipient]
        assert outgoing is states[recipient].in_shares[ours]


def test_no_more_than_the_newest_values_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "_values", {})
    monkeypatch.setattr(sharing, "_KEPT", 3)
    for number in range(1_000, 1_010):
        assert same(number) == number
        assert len(sharing._values) <= 3
