"""The catalog projection's rules."""

from __future__ import annotations

import json
from typing import Any

import pytest

from natster_tui.events.event import MARKER_REASON
from natster_tui.events.natster import EventType
from natster_tui.events.parking import ParkedEvent, ParkReason
from natster_tui.projections.fold import Fold
from natster_tui.projections.registering.registry import CATALOGS
from natster_tui.store.log import Append
from tests.folding import fold_all
from tests.making_logs import (
    WEIRD_TOKENS,
    A,
    B,
    C,
    bound,
    event,
    imported,
    initialized,
    records_of,
    shared,
    unshared,
)


def fold(*events: Append) -> Fold[Any]:
    return fold_all(CATALOGS, records_of(*events))


def documents(*events: Append) -> dict[str, Any]:
    return {key: json.loads(document) for key, document in fold(*events).documents().items()}


def parked(*events: Append) -> list[tuple[int, str]]:
    return [(event.seq, event.reason.value) for event in fold(*events).parked.recent]


def test_a_document_is_json_without_spaces_with_its_names_in_the_contracts_order() -> None:
    made = fold(shared(A, B), shared(B, C), shared(A, C))
    assert made.document("kevbuzz") == (
        b'{"catalog_name":"kevbuzz","owner":"AA","shared_with":["BB","CC"],"contested_by":["BB"]}'
    )
    assert fold(shared(A, B), unshared(A, B)).document("kevbuzz") == (
        b'{"catalog_name":"kevbuzz","owner":"AA","shared_with":[]}'
    )


def test_only_a_share_to_another_account_creates_a_catalog() -> None:
    assert documents(shared(A, A), unshared(A, B), imported(B, A), initialized(A), bound(A)) == {}
    assert documents(shared(A, A), shared(B, C)).keys() == {"kevbuzz"}


def test_the_first_sharer_owns_the_name_for_good() -> None:
    made = documents(shared(A, A), shared(B, C), shared(A, C), unshared(B, C), shared(A, B))
    assert made["kevbuzz"]["owner"] == B
    assert made["kevbuzz"]["shared_with"] == []


def test_recipients_keep_their_order_and_stand_once() -> None:
    made = documents(shared(A, C), shared(A, B), shared(A, C), unshared(A, C), shared(A, C))
    assert made["kevbuzz"]["shared_with"] == [B, C]


def test_an_unshare_by_another_account_or_of_an_absent_recipient_changes_nothing() -> None:
    before = documents(shared(A, B), shared(C, B))
    after = documents(shared(A, B), shared(C, B), unshared(C, B), unshared(B, B), unshared(A, C))
    assert after == before
    assert after["kevbuzz"] == {
        "catalog_name": "kevbuzz",
        "owner": A,
        "shared_with": [B],
        "contested_by": [C],
    }


def test_contesting_accounts_stand_once_in_order_and_stay() -> None:
    made = documents(
        shared(A, B), shared(C, A), shared(B, A), shared(C, B), unshared(C, A), unshared(A, B)
    )
    assert made["kevbuzz"]["contested_by"] == [C, B]
    assert made["kevbuzz"]["shared_with"] == []


def test_a_recipient_may_contest_the_name_it_was_given() -> None:
    made = documents(shared(A, B), shared(B, A))
    assert (made["kevbuzz"]["shared_with"], made["kevbuzz"]["contested_by"]) == ([B], [B])


def test_names_that_differ_in_letter_case_are_different_catalogs() -> None:
    made = documents(shared(A, B, "kevbuzz"), shared(B, A, "KevBuzz"))
    assert made.keys() == {"kevbuzz", "KevBuzz"}
    assert not any("contested_by" in document for document in made.values())


def test_a_share_to_oneself_contests_nothing() -> None:
    assert "contested_by" not in documents(shared(A, B), shared(B, B))["kevbuzz"]


@pytest.mark.parametrize(
    "token", [t for t in WEIRD_TOKENS if t in ("none", "_x", "a$b", "*", ">", "é")]
)
def test_it_parks_what_it_uses_and_cannot_use(token: str) -> None:
    for make in (shared, unshared, imported):
        for made in (make(token, B), make(A, token), make(A, B, token), make(token, token)):
            assert parked(made) == [(1, "token")]
    # What it does not use it does not park.
    assert parked(event(EventType.INITIALIZED, token), bound(token)) == []


def test_it_opens_no_payload() -> None:
    made = documents(shared(A, B, "kevbuzz", b"{not json"), shared(A, C, "kevbuzz", b"\xff"))
    assert made["kevbuzz"]["shared_with"] == [B, C]
    assert parked(bound(A, b"null")) == []


def test_subjects_that_are_not_ours_and_unknown_types_are_parked() -> None:
    made = fold(Append("natster.events.AA", b""), event("catalog_deleted", A, B), shared(A, B))
    assert made.parked.recent == (
        ParkedEvent(1, ParkReason.SUBJECT),
        ParkedEvent(2, ParkReason.UNKNOWN_TYPE),
    )
    assert made.seq == 3


def test_a_delete_marker_shares_nothing() -> None:
    marker = event(EventType.SHARED, A, B, "kevbuzz", b"", (MARKER_REASON, "MaxAge"))
    assert parked(marker) == [(1, "marker")]
    assert documents(shared(A, B), unshared(A, B), marker)["kevbuzz"]["shared_with"] == []


def test_events_it_does_not_use_move_its_position() -> None:
    assert fold(shared(A, B), initialized(A), bound(A, b"null")).seq == 3
