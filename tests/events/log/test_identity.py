"""When two events are the same one, and under which id an imported one is stored."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from natster_tui.events.event import MESSAGE_ID, OCCURRED_AT, Record
from natster_tui.events.log.carried import imported_headers
from natster_tui.events.log.identity import Identities, Placement, import_id, is_import_id
from natster_tui.events.times import format_timestamp
from tests.events.log.test_lines import SUBJECT, TIME_NS, records

OTHER = "natster.events.BB.AA.kevbuzz.catalog_shared"


def record(
    seq: int = 1, message_id: str = "", subject: str = SUBJECT, time_ns: int = TIME_NS
) -> Record:
    headers = ((MESSAGE_ID, message_id),) if message_id else ()
    return Record(seq, time_ns, subject, b"", headers)


def placed(file: Sequence[Record], log: Iterable[Record] = ()) -> list[Placement | None]:
    identities = Identities()
    for each in file:
        identities.expect(each)
    for each in log:
        identities.stored(each)
    return [identities.place(each) for each in file]


def ids(file: Sequence[Record], log: Iterable[Record] = ()) -> list[str | None]:
    """The message id that each event of a file gets, None where it is there already."""
    return [None if place is None else place.message_id for place in placed(file, log)]


def landed(place: Placement | None, seq: int) -> Record:
    """The record as the other log holds it."""
    assert place is not None
    headers = imported_headers(place.record, place.message_id)
    return Record(seq, 42 * 10**18 // 10, place.record.subject, place.record.payload, headers)


# -- the import id -----------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [(), ((MESSAGE_ID, ""),), ((MESSAGE_ID.lower(), "x"),)])
def test_without_an_id_it_is_the_digest_of_sequence_time_subject_and_payload(
    headers: tuple[tuple[str, str], ...],
) -> None:
    def framed(part: bytes) -> bytes:
        return len(part).to_bytes(8, "big") + part

    told = b"".join(
        map(framed, (b"7", b"2026-11-23T03:13:15.770778175Z", SUBJECT.encode(), b"\xff"))
    )
    identity = import_id(Record(7, TIME_NS, SUBJECT, b"\xff", headers))
    assert identity == f"imp-{hashlib.sha256(told).hexdigest()}"
    # Written down once, so that another version or program can be held against it.
    assert identity == ("imp-45e12028c34cbd75a59e39bf56002086f3ff0e7dbb54b3f53b8bbcd626ea7260")
    assert is_import_id(identity)
    assert not is_import_id(identity[:-1])
    assert not is_import_id("imp-1")


@given(records, records)
def test_events_without_an_id_are_the_same_only_if_all_four_are(one: Record, other: Record) -> None:
    def essence(each: Record) -> tuple[object, ...]:
        return each.seq, each.time_ns, each.subject, each.payload

    assert (import_id(one) == import_id(other)) == (essence(one) == essence(other))


# -- which are the same ------------------------------------------------------------------------


def test_id_subject_and_time_make_two_events_the_same() -> None:
    first = record(1, "m")
    assert ids([first, record(2, "m")]) == ["m", None]
    assert ids([first], [record(9, "m")]) == [None]


@pytest.mark.parametrize(
    "second", [record(2, "m", subject=OTHER), record(2, "m", time_ns=TIME_NS + 1)]
)
def test_an_event_whose_id_another_one_has_gets_an_import_id(second: Record) -> None:
    first = record(1, "m")
    assert ids([first, second]) == ["m", import_id(second)]
    assert ids([second], [first]) == [import_id(second)]
    # A log that holds both knows both, in whatever order they are asked for.
    assert ids([second, first], [first, second]) == [None, None]


def test_the_time_is_the_events_and_not_the_streams() -> None:
    said = ((MESSAGE_ID, "m"), (OCCURRED_AT, format_timestamp(TIME_NS)))
    copy = Record(9, 5 * 10**18, SUBJECT, b"", said)
    assert ids([record(1, "m")], [copy]) == [None]
    assert ids([copy], [record(1, "m")]) == [None]


def test_an_import_id_alone_says_which_event_it_is() -> None:
    known = import_id(record(1))
    copy = record(9, known, subject=OTHER, time_ns=5)
    assert ids([copy], [record(1)]) == [None]
    assert ids([record(1)], [copy]) == [None]
    assert ids([record(1), copy]) == [known, None]


def test_an_event_that_got_an_import_id_is_recognised_in_its_original_log() -> None:
    first, second = record(1, "m"), record(2, "m", subject=OTHER)
    copies = [landed(place, seq) for seq, place in enumerate(placed([first, second]), 1)]
    assert ids(copies, [first, second]) == [None, None]
    assert ids([first, second], copies) == [None, None]


def test_an_event_of_a_time_that_no_header_can_carry_goes_by_its_import_id() -> None:
    early = record(1, "m", time_ns=5)
    assert ids([early]) == [import_id(early)]
    assert ids([early], [early]) == [None]
    assert ids([early], [landed(placed([early])[0], 1)]) == [None]


def test_a_placement_that_is_taken_back_leaves_nothing() -> None:
    first, second = record(1, "m"), record(2, "m", subject=OTHER)
    identities = Identities()
    for each in (first, second):
        identities.expect(each)
    places = [identities.place(first), identities.place(second)]
    for place in places:
        assert place is not None
        identities.take_back(place)
    # Meanwhile the second came in by itself.
    identities.stored(second)
    place = identities.place(first)
    assert place is not None
    assert place.message_id == import_id(first)
    assert place.has_lost_its_id
    assert identities.place(second) is None


EARLY = Record(1, 0, SUBJECT, b"", ((MESSAGE_ID, "\x00"),))


@given(st.lists(records, max_size=6), st.lists(records, max_size=6))
@example([EARLY, replace(EARLY, payload=b"x")], [])
def test_what_is_imported_twice_is_there_the_second_time(
    file: list[Record], before: list[Record]
) -> None:
    places = placed(file, before)
    log = before + [
        landed(place, len(before) + at) for at, place in enumerate(filter(None, places), 1)
    ]
    assert ids(file, log) == [None] * len(file)
    taken = [place.message_id for place in places if place is not None]
    assert len(set(taken)) == len(taken)
