"""The log as JSON lines and the identity of events, DESIGN section 8."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from natster_tui.events.event import MESSAGE_ID, OCCURRED_AT, Record
from natster_tui.events.log.lines import (
    BadLineError,
    decode_line,
    encode_line,
    event_identity,
    imported_headers,
)
from natster_tui.events.times import format_timestamp

TIME_NS = 1_795_403_595_770_778_175
SUBJECT = "natster.events.AA.BB.kevbuzz.catalog_shared"

# What a header may hold: the server ends values at a line's end, and reading strips blanks.
_value = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=8).map(str.strip)
_name = st.sampled_from([MESSAGE_ID, OCCURRED_AT, "X", "x", "Nats-Expected-Stream"])
records = st.builds(
    Record,
    st.integers(1, 2**63),
    st.integers(0, 253_402_300_799 * 10**9),
    st.text(st.characters(codec="utf-8", exclude_characters=" \t\r\n"), min_size=1, max_size=12),
    st.binary(max_size=20) | st.text(st.characters(codec="utf-8"), max_size=8).map(str.encode),
    st.lists(st.tuples(_name, _value), max_size=5).map(tuple),
)


def by_name(record: Record) -> dict[str, list[str]]:
    """A record's headers as far as their order means anything: the values of each name."""
    found: dict[str, list[str]] = {}
    for name, value in record.headers:
        found.setdefault(name, []).append(value)
    return found


@given(records)
@example(Record(1, 0, SUBJECT, b"\x00\xff", (("X", "1"), ("Y", "2"), ("X", "3"))))
def test_round_trip(record: Record) -> None:
    line = encode_line(record)
    assert "\n" not in line
    assert line.isascii()
    again = decode_line(line)
    assert (again.seq, again.time_ns, again.subject, again.payload) == (
        record.seq, record.time_ns, record.subject, record.payload,
    )  # fmt: skip
    assert by_name(again) == by_name(record)
    assert event_identity(again) == event_identity(record)


def test_the_form_of_a_line() -> None:
    record = Record(7, TIME_NS, SUBJECT, "é".encode(), (("X", "1"), ("Y", "2"), ("X", "3")))
    assert encode_line(record) == (
        '{"seq": 7, "time": "2026-11-23T03:13:15.770778175Z", '
        f'"subject": "{SUBJECT}", '
        '"headers": {"X": ["1", "3"], "Y": "2"}, "payload": "\\u00e9"}'
    )
    binary = json.loads(encode_line(Record(7, TIME_NS, SUBJECT, b"\xff\xfe")))
    assert "payload" not in binary
    assert base64.b64decode(binary["payload_base64"]) == b"\xff\xfe"
    assert json.loads(encode_line(Record(7, TIME_NS, SUBJECT)))["payload"] == ""


def test_another_payload_may_stand_in_for_the_stored_one() -> None:
    record = Record(7, TIME_NS, SUBJECT, b"\xffsealed")
    assert decode_line(encode_line(record, b"{}")).payload == b"{}"


def line(**change: Any) -> str:
    value = {
        "seq": 1,
        "time": "2026-11-23T03:13:15Z",
        "subject": SUBJECT,
        "headers": {},
        "payload": "",
        **change,
    }
    return json.dumps({name: told for name, told in value.items() if told is not ...})


def test_headers_may_be_missing_and_unknown_names_are_ignored() -> None:
    assert decode_line(line(headers=..., more=1)) == decode_line(line())
    assert decode_line(line(headers=None)).headers == ()


def test_header_values_are_read_as_the_wire_will_carry_them() -> None:
    odd = line(headers={MESSAGE_ID: " m\r\n", "X": ["a\r\nNats-Rollup: all", "\tb"]})
    assert decode_line(odd).headers == (
        (MESSAGE_ID, "m"), ("X", "a  Nats-Rollup: all"), ("X", "b"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("", "JSON"), ("{", "JSON"), ("[]", "object"), ("null", "object"), ("[" * 100_000, "JSON"),
        (line(seq=0), "seq"), (line(seq=-1), "seq"), (line(seq="1"), "seq"), (line(seq=1.5), "seq"),
        (line(seq=True), "seq"), (line(seq=...), "seq"),
        (line(time="yesterday"), "time"), (line(time=1), "time"), (line(time=...), "time"),
        (line(time="2026-11-23T03:13:15"), "time"),
        (line(subject=""), "subject"), (line(subject="a b"), "subject"),
        (line(subject=7), "subject"), (line(subject="\ud800"), "subject"),
        (line(subject="a\r\nPUB x 0"), "subject"), (line(subject=...), "subject"),
        (line(payload=...), "payload"), (line(payload_base64=""), "payload"),
        (line(payload=7), "payload"), (line(payload={}), "payload"),
        (line(payload="\ud800"), "payload"),
        (line(payload=..., payload_base64="*"), "payload"),
        (line(payload=..., payload_base64="YQ"), "payload"),
        (line(payload=..., payload_base64="é"), "payload"),
        (line(payload=..., payload_base64=7), "payload"),
        (line(headers=[]), "headers"), (line(headers={"X": 1}), "X"),
        (line(headers={"X": [1]}), "X"), (line(headers={"X": None}), "X"),
        (line(headers={"X": "\ud800"}), "X"), (line(headers={"": "x"}), "headers"),
        (line(headers={"a b": "x"}), "headers"), (line(headers={"a:b": "x"}), "headers"),
        (line(headers={"a\r\nb": "x"}), "headers"), (line(headers={"\ud800": "x"}), "headers"),
    ],
)  # fmt: skip
def test_a_line_that_is_no_event_says_what_is_wrong(bad: str, why: str) -> None:
    with pytest.raises(BadLineError, match=why):
        decode_line(bad)


# -- identity ----------------------------------------------------------------------------------


def test_an_event_is_its_message_id() -> None:
    record = Record(7, TIME_NS, SUBJECT, b"", ((MESSAGE_ID, "first"), (MESSAGE_ID, "second")))
    assert event_identity(record) == "first"
    assert event_identity(Record(8, 0, "other", b"x", ((MESSAGE_ID, "first"),))) == "first"


@pytest.mark.parametrize("headers", [(), ((MESSAGE_ID, ""),), ((MESSAGE_ID.lower(), "x"),)])
def test_without_one_it_is_the_digest_of_sequence_time_subject_and_payload(
    headers: tuple[tuple[str, str], ...],
) -> None:
    def framed(part: bytes) -> bytes:
        return len(part).to_bytes(8, "big") + part

    told = b"".join(
        map(framed, (b"7", b"2026-11-23T03:13:15.770778175Z", SUBJECT.encode(), b"\xff"))
    )
    identity = event_identity(Record(7, TIME_NS, SUBJECT, b"\xff", headers))
    assert identity == f"imp-{hashlib.sha256(told).hexdigest()}"
    # Written down once, so that another version or program can be held against it.
    assert identity == ("imp-45e12028c34cbd75a59e39bf56002086f3ff0e7dbb54b3f53b8bbcd626ea7260")


@given(records, records)
def test_events_without_an_id_are_the_same_only_if_all_four_are(one: Record, other: Record) -> None:
    def essence(record: Record) -> tuple[object, ...]:
        return record.seq, record.time_ns, record.subject, record.payload

    def bare(record: Record) -> Record:
        return Record(record.seq, record.time_ns, record.subject, record.payload)

    same = event_identity(bare(one)) == event_identity(bare(other))
    assert same == (essence(one) == essence(other))


# -- what is carried ---------------------------------------------------------------------------


def test_headers_that_speak_to_the_server_are_not_carried() -> None:
    dropped = (
        "Nats-Expected-Last-Sequence", "Nats-Expected-Last-Subject-Sequence",
        "Nats-Expected-Last-Subject-Sequence-Subject", "Nats-Expected-Stream",
        "Nats-Expected-Last-Msg-Id", "Nats-Rollup", "Nats-TTL", "nats-ttl", "NATS-ROLLUP",
    )  # fmt: skip
    kept = ((OCCURRED_AT, "2021-03-04T05:06:07Z"), ("X", "1"), ("Nats-Expect", "x"), ("X", "2"))
    record = Record(
        1, TIME_NS, SUBJECT, b"", ((MESSAGE_ID, "m"), *((name, "1") for name in dropped), *kept)
    )
    assert imported_headers(record) == ((MESSAGE_ID, "m"), *kept)


def test_an_event_keeps_its_time() -> None:
    moment = (OCCURRED_AT, format_timestamp(TIME_NS))
    bare = Record(1, TIME_NS, SUBJECT)
    assert imported_headers(bare) == ((MESSAGE_ID, event_identity(bare)), moment)
    # An invalid time counts as absent, and must not come to count in the other log either.
    odd = ((MESSAGE_ID, "m"), (OCCURRED_AT, "soon"), (OCCURRED_AT, "2001-01-01T00:00:00Z"))
    assert imported_headers(Record(1, TIME_NS, SUBJECT, b"", odd)) == ((MESSAGE_ID, "m"), moment)
    valid = ((OCCURRED_AT, "2001-01-01T00:00:00Z"), (OCCURRED_AT, "soon"))
    assert imported_headers(Record(1, TIME_NS, SUBJECT, b"", valid))[1:] == valid


@given(records)
def test_an_imported_event_has_the_same_time_and_identity_wherever_it_lands(record: Record) -> None:
    landed = Record(99, 42 * 10**9, record.subject, record.payload, imported_headers(record))
    assert event_identity(landed) == event_identity(record)
    # A log whose clock stands before 1970-01-01T00:00:01Z has no time that a header can carry.
    if record.event_time >= 1:
        assert landed.event_time == record.event_time
        assert imported_headers(landed) == imported_headers(record)
