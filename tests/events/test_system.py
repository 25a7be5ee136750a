from __future__ import annotations

from dataclasses import replace

import pytest

from natster_tui.events.event import Event, Record
from natster_tui.events.natster import NATSTER, EventType
from natster_tui.events.parking import ParkReason
from tests.depot import DEPOT, DepotType

A, B = "A" * 56, "A" + "B" * 55


def test_subjects_are_made_and_read_by_the_grammar() -> None:
    assert NATSTER.subjects == "natster.events.*.*.*.*"
    assert NATSTER.subject_of(EventType.INITIALIZED, A) == (
        f"natster.events.{A}.none.none.natster_initialized"
    )
    assert DEPOT.subjects == "depot.*.*.*"
    subject = DEPOT.subject_of(DepotType.STORED, "north", catalog="nails")
    assert subject == "depot.north.nails.stored"
    event = DEPOT.read(Record(1, 1, subject))
    assert isinstance(event, Event)
    assert (event.type, event.origin, event.target, event.catalog) == (
        DepotType.STORED,
        "north",
        "none",
        "nails",
    )
    assert event.usable


@pytest.mark.parametrize(
    ("subject", "reason"),
    [
        ("depot.north.nails", ParkReason.SUBJECT),
        ("depot.north.nails.stored.more", ParkReason.SUBJECT),
        ("other.north.nails.stored", ParkReason.SUBJECT),
        ("depotnorth.a.nails.stored", ParkReason.SUBJECT),
        ("depot.north.nails.eaten", ParkReason.UNKNOWN_TYPE),
    ],
)
def test_what_the_grammar_does_not_make_is_parked(subject: str, reason: ParkReason) -> None:
    assert DEPOT.read(Record(1, 1, subject)) is reason


@pytest.mark.parametrize("subject", ["natster.events.A.B.C", "natster.events.A..C.d", "x.A.B.C.d"])
def test_other_subjects_are_not_the_logs(subject: str) -> None:
    assert not NATSTER.has_subject(subject)
    assert NATSTER.has_subject("natster.events.A.B.C.d")


@pytest.mark.parametrize(
    "grammar",
    [
        "{origin}.{event}",
        "depot.{event}",
        "depot.{event}.{origin}",
        "depot.{origin}.{item}.{event}",
        "depot.{origin}.{event}",
    ],
)
def test_a_grammar_that_cannot_be_read_is_refused(grammar: str) -> None:
    with pytest.raises(ValueError, match=r"subjects"):
        replace(DEPOT, grammar=grammar)


def test_two_kinds_of_one_word_are_refused() -> None:
    first, second = DEPOT.kinds
    with pytest.raises(ValueError, match="one name or word"):
        replace(DEPOT, kinds=(first, replace(second, word=first.word)))


def test_all_events_of_an_origin_are_found_with_any_tokens() -> None:
    assert NATSTER.of_origin(A) == f"natster.events.{A}.>"
    assert NATSTER.subject(target=B) == f"natster.events.*.{B}.*.*"
