"""Which headers an imported event takes along."""

from __future__ import annotations

import pytest
from hypothesis import given

from natster_tui.events.event import MESSAGE_ID, OCCURRED_AT, Record
from natster_tui.events.log.carried import DroppedHeaders, HeaderFate, fate_of, imported_headers
from natster_tui.events.log.identity import import_id
from natster_tui.events.times import format_timestamp
from tests.events.log.test_lines import SUBJECT, TIME_NS, records

ACTED_ON = (
    "Nats-Trace-Dest", "Nats-Trace-Only", "Nats-Batch-Id", "Nats-Batch-Sequence",
    "Nats-Batch-Commit", "Nats-Rollup", "Nats-TTL", "nats-ttl", "NATS-ROLLUP", "Nats-Msg-ID",
    "nats-msg-id", "Nats-Schedule", "Nats-Incr", "Nats-Marker-Reason", "Nats-Whatever-Comes",
    "traceparent", "Traceparent", "TRACEPARENT",
)  # fmt: skip


@pytest.mark.parametrize("name", ACTED_ON)
def test_what_a_server_acts_on_is_not_carried(name: str) -> None:
    assert fate_of(name) is HeaderFate.ACTED_ON


@pytest.mark.parametrize(
    "name", ["Nats-Expected-Last-Sequence", "Nats-Expected-Stream", "nats-expected-last-msg-id"]
)
def test_what_a_publish_expected_is_not_carried(name: str) -> None:
    assert fate_of(name) is HeaderFate.EXPECTATION


@pytest.mark.parametrize("name", ["", "a b", "x/y", "a:b", "a\r\nb", "é", "a\x00", "\ufffd"])
def test_a_name_that_no_client_sends_is_not_carried(name: str) -> None:
    assert fate_of(name) is HeaderFate.UNSENDABLE


@pytest.mark.parametrize("name", [MESSAGE_ID, OCCURRED_AT, "X", "Natsy", "x-nats-ttl", "$a_b"])
def test_everything_else_is_carried(name: str) -> None:
    assert fate_of(name) is HeaderFate.CARRIED


def test_the_others_keep_their_order_and_repetitions() -> None:
    kept = ((OCCURRED_AT, "2021-03-04T05:06:07Z"), ("X", "1"), ("Y", "é"), ("X", "2"))
    record = Record(
        1, TIME_NS, SUBJECT, b"", ((MESSAGE_ID, "m"), *((name, "1") for name in ACTED_ON), *kept)
    )
    assert imported_headers(record, "n") == ((MESSAGE_ID, "n"), *kept)


def test_an_event_keeps_its_time() -> None:
    moment = (OCCURRED_AT, format_timestamp(TIME_NS))
    assert imported_headers(Record(1, TIME_NS, SUBJECT), "m") == ((MESSAGE_ID, "m"), moment)
    # An invalid time counts as absent, and must not come to count in the other log either.
    odd = ((OCCURRED_AT, "soon"), (OCCURRED_AT, "2001-01-01T00:00:00Z"))
    told = imported_headers(Record(1, TIME_NS, SUBJECT, b"", odd), "m")
    assert told == ((MESSAGE_ID, "m"), moment)
    valid = ((OCCURRED_AT, "2001-01-01T00:00:00Z"), (OCCURRED_AT, "soon"))
    assert imported_headers(Record(1, TIME_NS, SUBJECT, b"", valid), "m")[1:] == valid


@given(records)
def test_an_imported_event_has_the_same_time_wherever_it_lands(record: Record) -> None:
    headers = imported_headers(record, import_id(record))
    landed = Record(99, 42 * 10**9, record.subject, record.payload, headers)
    # A log whose clock stands before 1970-01-01T00:00:01Z has no time that a header can carry.
    if record.event_time >= 1:
        assert landed.event_time_ns == record.event_time_ns
        assert imported_headers(landed, import_id(record)) == headers


def test_what_is_left_out_is_counted_and_named() -> None:
    left_out = DroppedHeaders()
    assert left_out.sentences("left out") == []
    headers = (("Nats-TTL", "1"), ("Nats-TTL", "2"), ("x/y", "3"), ("Nats-Expected-Stream", "s"))
    left_out.count(Record(1, TIME_NS, SUBJECT, b"", (*headers, ("X", "1"))))
    assert left_out.total == 3
    assert left_out.sentences("left out") == [
        "left out 2 headers that a server would act on: Nats-TTL",
        "left out 1 header with a name that cannot be sent: 'x/y'",
    ]
    for number in range(7):
        left_out.count(Record(1, TIME_NS, SUBJECT, b"", ((f"a {number}", ""),)))
    assert left_out.sentences("x")[1].endswith("'a 3' and 3 other names")
