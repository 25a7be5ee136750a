"""The log as JSON lines."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from natster_tui.events.event import MESSAGE_ID, OCCURRED_AT, Record
from natster_tui.events.headers import parse_headers, read_value
from natster_tui.events.log.identity import import_id
from natster_tui.events.log.lines import BadLineError, decode_line, encode_line

TIME_NS = 1_795_403_595_770_778_175
SUBJECT = "natster.events.AA.BB.kevbuzz.catalog_shared"

# What a header may hold: the server ends values at a line's end, and reading strips blanks.
values = (
    st.text(st.characters(codec="utf-8"), max_size=8).map(str.encode) | st.binary(max_size=8)
).map(lambda value: read_value(value.replace(b"\r", b"").replace(b"\n", b"")))
_name = st.sampled_from([MESSAGE_ID, OCCURRED_AT, "X", "x", "Nats-Expected-Stream", "X Y"])
records = st.builds(
    Record,
    st.integers(1, 2**64 - 1),
    st.integers(0, 253_402_300_799 * 10**9),
    st.text(st.characters(codec="utf-8", exclude_characters=" \t\r\n"), min_size=1, max_size=12),
    st.binary(max_size=20) | st.text(st.characters(codec="utf-8"), max_size=8).map(str.encode),
    st.lists(st.tuples(_name, values), max_size=5).map(tuple),
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
    assert import_id(again) == import_id(record)
    assert decode_line(line.encode()) == again


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


def test_header_bytes_that_are_not_utf8_survive() -> None:
    block = b"NATS/1.0\r\nX: caf\xc3\xa9\r\nName: Jos\xe9\r\nTwo: 1\r\nTwo: \xff\r\n\r\n"
    line = encode_line(Record(7, TIME_NS, SUBJECT, b"", block))
    told = json.loads(line)
    assert list(told) == ["seq", "time", "subject", "headers", "headers_base64", "payload"]
    assert told["headers"] == {"X": "café"}
    assert told["headers_base64"] == {"Name": "Sm9z6Q==", "Two": ["MQ==", "/w=="]}
    assert decode_line(line).headers == parse_headers(block)


def test_a_line_of_before_headers_base64_is_read_as_ever() -> None:
    assert decode_line(line(headers={"X": ["1", "2"], "Y": "3"})).headers == (
        ("X", "1"), ("X", "2"), ("Y", "3"),
    )  # fmt: skip


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
        (line(seq=True), "seq"), (line(seq=...), "seq"), (line(seq=2**64), "seq"),
        (line(time="yesterday"), "time"), (line(time=1), "time"), (line(time=...), "time"),
        (line(time="2026-11-23T03:13:15"), "time"),
        (line(subject=""), "subject"), (line(subject="a b"), "subject"),
        (line(subject=7), "subject"), (line(subject="\ud800"), "JSON"),
        (line(subject="a\r\nPUB x 0"), "subject"), (line(subject=...), "subject"),
        (line(payload=...), "payload"), (line(payload_base64=""), "payload"),
        (line(payload=7), "payload"), (line(payload={}), "payload"),
        (line(payload="\ud800"), "JSON"),
        (line(payload=..., payload_base64="*"), "payload"),
        (line(payload=..., payload_base64="YQ"), "payload"),
        (line(payload=..., payload_base64="é"), "payload"),
        (line(payload=..., payload_base64=7), "payload"),
        (line(headers=[]), "headers"), (line(headers={"X": 1}), "X"),
        (line(headers={"X": [1]}), "X"), (line(headers={"X": None}), "X"),
        (line(headers={"X": "\ud800"}), "JSON"), (line(headers={"\ud800": "x"}), "JSON"),
        (line(headers_base64=[]), "headers_base64"), (line(headers_base64={"X": "*"}), "X"),
        (line(headers_base64={"X": [1]}), "X"), (line(headers_base64={"X": "YQ"}), "X"),
        (line(masked=True), "masked"),
    ],
)  # fmt: skip
def test_the_error_for_a_bad_line_says_what_is_wrong(bad: str, why: str) -> None:
    with pytest.raises(BadLineError, match=why):
        decode_line(bad)
