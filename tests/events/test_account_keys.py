from __future__ import annotations

import base64
from binascii import crc_hqx

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from natster_tui.events.account_keys import account_key_problem, encode_account_key

# Made by the real nkeys library: the accounts of the reference recordings.
RECORDED = (
    "AC5V4OC2POUAX4W4H7CKN5TQ5AKVJJ4AJ7XZKNER6P6DHKBYGVGJHSNC",
    "ACB4B3IAFNI6NUNGYCLUG5WXAAIAZSWMJSQUT5HQS4OKOD5P2RJ2NGDT",
    "AA33U5HNMJFHIX63KYLTK3J3MMPWQHBUMYDYQQGDS5O3WNCL5GDFQ462",
    "ADEOEMJCAV46YW2UH2SH4RH5N63AAXB6PQSGGNRP7BIPXFQTWDN2VOWJ",
    "ACTBBWKP7PY2Q3UT6NZ6QDO34DJPC63Y2GV75WNTAVQOLJJMXX6QN3YT",
)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

raw_keys = st.binary(min_size=32, max_size=32)


@pytest.mark.parametrize("key", RECORDED)
def test_recorded_keys_are_valid_and_encode_to_themselves(key: str) -> None:
    assert account_key_problem(key) is None
    assert encode_account_key(base64.b32decode(key)[1:33]) == key


@settings(max_examples=50)
@given(raw_keys)
def test_what_is_encoded_is_valid_and_begins_with_a(raw: bytes) -> None:
    key = encode_account_key(raw)
    assert len(key) == 56
    assert key[0] == "A"
    assert key[1] in "ABCD"
    assert base64.b32decode(key)[1:33] == raw
    assert account_key_problem(key) is None


@settings(max_examples=50)
@given(raw_keys, st.integers(0, 55), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_noticed(raw: bytes, place: int, wrong: str) -> None:
    key = encode_account_key(raw)
    changed = key[:place] + wrong + key[place + 1 :]
    assert (account_key_problem(changed) is None) == (changed == key)


@given(st.text(max_size=60))
def test_any_text_gets_an_answer(text: str) -> None:
    assert account_key_problem(text)


@given(st.text(alphabet=st.characters(), min_size=56, max_size=56))
def test_any_text_of_the_right_length_gets_an_answer(text: str) -> None:
    assert account_key_problem(text)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_only_32_bytes_can_be_encoded(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        encode_account_key(b"\0" * length)


@pytest.mark.parametrize("text", ["", "A", RECORDED[0][:-1], RECORDED[0] + "A", " " + RECORDED[0]])
def test_wrong_length(text: str) -> None:
    assert account_key_problem(text) == f"it has {len(text)} characters instead of 56"


@pytest.mark.parametrize(
    "text",
    [
        RECORDED[0].lower(),
        RECORDED[0][:-1] + "1",
        RECORDED[0][:-6] + "======",
        RECORDED[0][:-1] + "\n",
        RECORDED[0][:-1] + "Å",
    ],
)
def test_not_base32(text: str) -> None:
    assert account_key_problem(text) == "it has characters other than A-Z and 2-7"


# Operator, server, cluster, user and curve keys; and 1, whose first letter is an A all the same.
@pytest.mark.parametrize("prefix", [14 << 3, 13 << 3, 2 << 3, 20 << 3, 23 << 3, 1])
def test_a_key_of_another_kind(prefix: int) -> None:
    body = bytes([prefix]) + bytes(32)
    key = base64.b32encode(body + crc_hqx(body, 0).to_bytes(2, "little")).decode()
    assert account_key_problem(key) == "its prefix is that of another kind of key"


def test_wrong_checksum() -> None:
    assert account_key_problem(RECORDED[0][:-1] + "D") == "its checksum does not match"
    body = bytes(33)
    swapped = base64.b32encode(body[:-1] + b"\1" + crc_hqx(body[:-1] + b"\1", 0).to_bytes(2, "big"))
    assert account_key_problem(swapped.decode()) == "its checksum does not match"
