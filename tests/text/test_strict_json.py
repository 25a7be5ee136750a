"""Readable JSON: which payloads count, the same for every reader."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natster_tui.text.strict_json import Number, UnreadableError, read_json


@pytest.mark.parametrize(
    "payload",
    [
        b"", b" ", b"{not json", b"{} {}", b"{}x", b"'x'", b"{a:1}", b'{"a":1,}', b"[1,]", b"[,]",
        b"NaN", b"Infinity", b"-Infinity", b'{"a":NaN}', b'[{"a":[Infinity]}]', b"nan", b"nul",
        b"01", b"+1", b".5", b"5.", b"1e", b"0x10", b"1_000", b"--1",
        b'"tab\tin text"', b'"line\nin text"', b'"\\x41"', b'"\\u12"', b'"open', b"// c\n{}",
        b"\xff", b'"\xff"', b'"\xc0\x80"', b'"\xed\xa0\x80"', '"é"'.encode("latin-1"),
        '{"a":1}'.encode("utf-16"), '{"a":1}'.encode("utf-32-le"),
        b"\xef\xbb\xbf{}", b"\xef\xbb\xbf", b"\x00", b"{}\x00", b"\xc2\xa0{}", b"\x0b{}",
        "[١]".encode(),
    ],
)  # fmt: skip
def test_what_is_not_json_is_unreadable(payload: bytes) -> None:
    with pytest.raises(UnreadableError):
        read_json(payload)


@pytest.mark.parametrize(
    ("payload", "value"),
    [
        (b"null", None), (b"true", True), (b'""', ""), (b"{}", {}), (b"[]", []),
        (b' \t\r\n{ "a" : [ 1 , null ] } \n', {"a": ["1", None]}),
        ('"é\U0001f600"'.encode(), "é\U0001f600"),
        (b'"\\u00e9\\ud83d\\ude00\\uD83D\\uDE00"', "é\U0001f600\U0001f600"),
        ('"\ufeff"'.encode(), "\ufeff"), (b'"\\/\\u0000"', "/\x00"),
        ('"\x7f\u2028"'.encode(), "\x7f\u2028"),
    ],
)  # fmt: skip
def test_readable_payloads(payload: bytes, value: object) -> None:
    assert read_json(payload) == value


def test_of_duplicate_names_the_last_wins_and_names_are_case_sensitive() -> None:
    assert read_json(b'{"a":"x","A":"y","a":"z"}') == {"a": "z", "A": "y"}
    assert read_json(b'{"a":"x","\\u0061":"z"}') == {"a": "z"}


@pytest.mark.parametrize("depth", [1, 2, 63, 64, 65, 66, 500, 100_000])
def test_nesting_of_64_is_the_deepest(depth: int) -> None:
    pairs = depth // 2
    for payload in (
        b"[" * depth + b"]" * depth,
        b'{"a":' * depth + b"1" + b"}" * depth,
        b'[{"a":' * pairs + (b"[0]" if depth % 2 else b"0") + b"}]" * pairs,
    ):
        if depth <= 64:
            assert read_json(payload) is not None
        else:
            with pytest.raises(UnreadableError, match="64"):
                read_json(payload)


def test_brackets_in_texts_and_beside_each_other_are_not_nesting() -> None:
    assert read_json(json.dumps(["[" * 100, *([] for _ in range(100))]).encode())
    assert read_json(b"[" + b"[1]," * 100 + b"[2]]")


@pytest.mark.parametrize(
    "payload",
    [
        b'"\\ud800"', b'"\\udc00"', b'"\\ude00\\ud83d"', b'"\\ud83d \\ude00"', b'{"\\ud800":1}',
        b'{"a":[{"b":"x\\udfff"}]}', b'"\\uD83D\\u0041"',
    ],
)  # fmt: skip
def test_half_a_surrogate_pair_is_unreadable(payload: bytes) -> None:
    with pytest.raises(UnreadableError, match="surrogate"):
        read_json(payload)


@pytest.mark.parametrize(
    "number", ["0", "-0", "1" * 10_000, "-" + "9" * 5_000, "1e400", "1E-999999", "0.10", "1e+2"]
)
def test_numbers_are_kept_as_they_were_written_however_long(number: str) -> None:
    value = read_json(number.encode())
    assert type(value) is Number
    assert value == number


def test_a_number_is_not_a_text() -> None:
    value = read_json(b'{"a":7,"b":"7"}')
    assert isinstance(value, dict)
    assert type(value["a"]) is Number
    assert type(value["b"]) is str


json_values = st.recursive(
    st.none() | st.booleans() | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=4), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(json_values, st.booleans(), st.sampled_from([None, 2]))
def test_json_that_python_writes_is_read_back(value: object, ascii_only: bool, indent: int) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert read_json(text.encode()) == value


@given(st.binary(max_size=30))
def test_any_bytes_are_read_or_unreadable(payload: bytes) -> None:
    with suppress(UnreadableError):
        read_json(payload)
