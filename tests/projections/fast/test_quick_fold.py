"""The fast form of a fold from the log's beginning gives what folding event by event gives."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natster_tui.demo.community import DemoCommunity
from natster_tui.errors import UnopenedEventError
from natster_tui.events.event import OCCURRED_AT, Record, StoredMessage, as_records
from natster_tui.events.natster import NATSTER, EventType
from natster_tui.events.sealed_payload import Seal, Unopened
from natster_tui.projections.fast.quick_fold import QuickFold
from natster_tui.projections.fold import Fold
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS, PROJECTIONS
from tests.folding import advance, fold_all
from tests.making_logs import (
    A,
    B,
    C,
    bound,
    event,
    imported,
    in_batches,
    initialized,
    logs,
    records_of,
    shared,
    unshared,
)

cuts = st.lists(st.integers(0, 40), max_size=4)


def messages_of(records: list[Record]) -> list[StoredMessage]:
    """The records as a stream delivers them, headers as a block."""
    return [
        (
            record.seq,
            record.time_ns,
            record.subject.encode(),
            record.payload,
            b"".join(
                (
                    b"NATS/1.0\r\n",
                    *(f"{name}: {value}\r\n".encode() for name, value in record.headers),
                    b"\r\n",
                )
            )
            if record.headers
            else b"",
        )
        for record in records
    ]


def quickly(records: list[Record], at: list[int] | None = None) -> dict[str, Fold[Any]]:
    quick = QuickFold(PROJECTIONS, NATSTER, tombstones="")
    for batch in in_batches(records, at or []):
        if batch:
            quick.apply(as_records(quick.take(messages_of(batch))))
    return {fold.projection.name: fold for fold in quick.finish()}


def assert_equal(records: list[Record], folds: dict[str, Fold[Any]]) -> None:
    for projection in PROJECTIONS:
        quick, ordinary = folds[projection.name], fold_all(projection, records)
        assert list(quick.documents().items()) == list(ordinary.documents().items())
        assert quick.states == ordinary.states
        assert quick.parked == ordinary.parked
        assert (quick.seq, quick.time_ns) == (ordinary.seq, ordinary.time_ns)
        assert set(quick.take_dirty()) == set(ordinary.take_dirty())


@given(records=logs(), at=cuts)
def test_documents_their_order_and_parked_tallies_are_those_of_the_rules(
    records: list[Record], at: list[int]
) -> None:
    assert_equal(records, quickly(records, at))


@given(records=logs(), more=logs())
def test_the_rules_go_on_from_what_was_folded_quickly(
    records: list[Record], more: list[Record]
) -> None:
    last = records[-1].seq if records else 0
    for record in more:
        record.seq += last
    folds = quickly(records)
    for fold in folds.values():
        advance(fold, more)
    assert_equal([*records, *more], folds)


def test_the_demo_community_comes_out_the_same() -> None:
    records = [
        Record(seq, (made.time or 0) * 10**9, made.subject, made.payload)
        for seq, made in enumerate(DemoCommunity(7).history(5_000, 1_795_403_396), 1)
    ]
    assert_equal(records, quickly(records, [900, 2_000, 4_999]))


@pytest.mark.parametrize(
    "events",
    [
        # A binding that is parked creates no account; the share behind it does.
        [bound(A, b"{}"), shared(B, C), initialized(A, "a"), shared(A, B)],
        # An account that a share created before its initialization keeps its place.
        [shared(B, A), shared(C, A), initialized(A, "a"), initialized(C, "c")],
        # A share that comes again stands last, and without its import.
        [shared(A, B), shared(A, C), imported(B, A), unshared(A, B), shared(A, B)],
        # The second account to use a name is given nothing, and stays on record.
        [shared(A, B), shared(C, B), unshared(C, B), unshared(A, B), shared(A, C)],
        [shared(A, A), imported(A, A), unshared(A, A), shared("bad$name", B), shared(A, "none")],
        [
            shared(A, B),
            imported(B, A, "kevbuzz", (OCCURRED_AT, "2026-11-29T06:58:43Z")),
            imported(B, A, "kevbuzz", (OCCURRED_AT, "2026-11-30T06:58:43Z")),
        ],
        [shared(A, B), imported(B, A, "kevbuzz", ("X", f"{OCCURRED_AT}: 2026-11-29T06:58:43Z"))],
        [shared(A, B), event(EventType.UNSHARED, A, B, "kevbuzz", b"", ("Nats-Marker-Reason", ""))],
        [
            shared(A, B),
            event(EventType.UNSHARED, A, B, "kevbuzz", b"", ("X-Nats-Marker-Reason", "x")),
        ],
        [event("catalog_renamed", A, B, "kevbuzz"), event(EventType.SHARED, A, B, "a.b")],
    ],
)
def test_odd_events_are_folded_as_the_rules_do(events: list[Any]) -> None:
    records = records_of(*events)
    assert_equal(records, quickly(records))


def test_an_event_that_does_not_open_is_not_passed() -> None:
    record = records_of(bound(A))[0]
    record.payload, record.seal = b"", Seal(b"sealed", "k1", Unopened.UNAVAILABLE, "no key file")
    with pytest.raises(UnopenedEventError):
        QuickFold((ACCOUNTS, CATALOGS), NATSTER, tombstones="").apply([record])
