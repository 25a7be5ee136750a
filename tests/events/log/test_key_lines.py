"""The keys of a log as JSON lines."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natster_tui.events.log.key_lines import (
    KeyLine,
    decode_key_line,
    encode_key_line,
    is_key_line,
    is_key_name,
)
from natster_tui.events.log.lines import BadLineError

KEY = "AA.k0123456789abcdef"


@given(st.sampled_from(["_keyring", "_tombstone.AA", KEY, f"_nobody{KEY[2:]}"]), st.binary())
def test_round_trip(name: str, value: bytes) -> None:
    line = encode_key_line(KeyLine(name, value))
    assert line.isascii()
    assert is_key_line(line.encode())
    assert decode_key_line(line) == decode_key_line(line.encode()) == KeyLine(name, value)


def test_the_form_of_a_line() -> None:
    assert encode_key_line(KeyLine("_keyring", b'{"id":"r1"}')) == (
        '{"key": "_keyring", "value": "{\\"id\\":\\"r1\\"}"}'
    )
    assert encode_key_line(KeyLine(KEY, b"\xf5")) == f'{{"key": "{KEY}", "value_base64": "9Q=="}}'


@pytest.mark.parametrize(
    "name",
    ["", "_checkpoint", "AA", "AA.k1", "AA.K0123456789abcdef", "_tombstone", "_tombstone._x",
     "none..k0123456789abcdef", "a.b.k0123456789abcdef", "*.k0123456789abcdef", "_tombstone.>",
     "$JS.API.STREAM.DELETE.X", "_keyring\n", f"{KEY}.x"],
)  # fmt: skip
def test_no_other_entry_is_ever_written(name: str) -> None:
    assert not is_key_name(name)
    with pytest.raises(BadLineError, match="name of a key"):
        decode_key_line(json.dumps({"key": name, "value": ""}))


@pytest.mark.parametrize(
    "bad",
    ['{"key":1,"value":""}', '{"key":"_keyring"}', '{"key":"_keyring","value":1}', '{"key":',
     '{"key":"_keyring","value":"","value_base64":""}', '{"key":"_keyring","value_base64":"*"}'],
)  # fmt: skip
def test_a_line_that_is_not_a_key_is_an_error(bad: str) -> None:
    assert is_key_line(bad.encode())
    with pytest.raises(BadLineError):
        decode_key_line(bad)


def test_an_event_is_not_a_key_line() -> None:
    assert not is_key_line(b'{"seq":1,"headers":{"key":"x"}}')
