from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natster_tui.store.sealing import envelope
from natster_tui.store.sealing.envelope import (
    MAGIC,
    Key,
    OpenError,
    OpenProblem,
    is_sealed,
    key_id,
    key_id_of,
)

RAW = bytes(range(32))
NONCE = bytes(range(0x40, 0x4C))
EVENT = ("event", "natster.events.AAA.none.none.context_bound", "m1")
DOCUMENT = ("document", "PROJ_ACCOUNT", "AAA")


def problem(key: Key, stored: bytes, *place: str) -> OpenProblem:
    with pytest.raises(OpenError) as caught:
        key.open(stored, *place)
    assert str(caught.value) == caught.value.problem.value
    return caught.value.problem


def test_the_documented_vectors_are_what_is_written_and_read() -> None:
    text = envelope.__doc__ or ""
    event, document = (
        bytes.fromhex(re.sub(r"\s", "", found))
        for found in re.findall(r":\n((?: {17}[0-9a-f]+\n)+)", text)
    )
    key = Key(RAW)
    assert key.id in text
    assert key.seal(b'{"a":1}', *EVENT, nonce=NONCE) == event
    assert key.seal(b"", *DOCUMENT, nonce=NONCE) == document
    assert key.open(event, *EVENT) == b'{"a":1}'
    assert key.open(document, *DOCUMENT) == b""


@given(st.binary(max_size=2000), st.lists(st.text(max_size=20), max_size=4))
def test_what_is_sealed_opens_at_its_place(value: bytes, place: list[str]) -> None:
    key = Key(RAW)
    stored = key.seal(value, *place)
    assert is_sealed(stored)
    assert key.open(stored, *place) == value
    assert value not in stored or len(value) < 8
    assert key.seal(value, *place) != stored, "a nonce of its own every time"


@pytest.mark.parametrize(
    "elsewhere",
    [
        ("event", "natster.events.BBB.none.none.context_bound", "m1"),
        ("event", "natster.events.AAA.none.none.context_bound", "m2"),
        ("event", "natster.events.AAA.none.none.context_boundm", "1"),
        ("document", "natster.events.AAA.none.none.context_bound", "m1"),
        ("event", "natster.events.AAA.none.none.context_bound"),
        ("event", "natster.events.AAA.none.none.context_bound", "m1", ""),
    ],
)
def test_an_event_moved_to_another_place_does_not_open(elsewhere: tuple[str, ...]) -> None:
    key = Key(RAW)
    assert problem(key, key.seal(b"x", *EVENT), *elsewhere) is OpenProblem.ALTERED


def test_a_document_moved_to_another_key_or_bucket_does_not_open() -> None:
    key = Key(RAW)
    stored = key.seal(b"x", *DOCUMENT)
    for place in (("document", "PROJ_ACCOUNT", "BBB"), ("document", "PROJ_CATALOG", "AAA")):
        assert problem(key, stored, *place) is OpenProblem.ALTERED


@given(st.data())
def test_any_flipped_bit_is_noticed_and_named(data: st.DataObject) -> None:
    key = Key(RAW)
    stored = bytearray(key.seal(b"some value", *EVENT))
    at = data.draw(st.integers(len(MAGIC), len(stored) - 1))
    stored[at] ^= 1 << data.draw(st.integers(0, 7))
    found = problem(key, bytes(stored), *EVENT)
    head = len(MAGIC) + 2
    if at == len(MAGIC):
        assert found is OpenProblem.UNKNOWN_VERSION
    elif head <= at < head + len(key.id):
        assert found in (OpenProblem.WRONG_KEY, OpenProblem.ALTERED)
    elif at >= head:
        assert found is OpenProblem.ALTERED


def test_what_ends_early_is_truncated() -> None:
    key = Key(RAW)
    stored = key.seal(b"", *EVENT)
    for length in range(len(MAGIC), len(stored)):
        assert problem(key, stored[:length], *EVENT) is OpenProblem.TRUNCATED


def test_another_key_is_a_wrong_key_and_not_an_altered_value() -> None:
    stored = Key(RAW).seal(b"x", *EVENT)
    assert problem(Key(bytes(32)), stored, *EVENT) is OpenProblem.WRONG_KEY
    assert key_id_of(stored) == key_id(RAW)


def test_a_key_never_shows_itself() -> None:
    key = Key(RAW)
    assert RAW.hex() not in repr(key)
    assert repr(RAW) not in repr(key)
    assert repr(key) == f"Key({key.id})"


@pytest.mark.parametrize("plain", [b"", b"null", b"{}", "é".encode(), b"\xff\xfe"])
def test_nothing_readable_is_taken_for_sealed(plain: bytes) -> None:
    assert not is_sealed(plain)
