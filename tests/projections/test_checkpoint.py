"""The checkpoint's stored form."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natster_tui.events.parking import ParkedEvent, ParkedTally, ParkReason
from natster_tui.projections.checkpoint import (
    BadCheckpointError,
    Checkpoint,
    RebuildMark,
    decode_checkpoint,
)

CREATED = "2026-11-23T03:13:15.1Z"

whole = st.integers(0, 2**63)
texts = st.text(max_size=20)
tallies = st.builds(
    ParkedTally,
    whole,
    st.lists(st.builds(ParkedEvent, whole, st.sampled_from(ParkReason)), max_size=5).map(tuple),
)
checkpoints = st.builds(
    Checkpoint,
    whole, whole, texts, texts, texts, texts, tallies,
    st.none() | st.builds(RebuildMark, whole, texts),
)  # fmt: skip


def test_the_stored_form_is_the_contracts_to_the_letter() -> None:
    parked = ParkedTally(
        7, (ParkedEvent(3, ParkReason.UNKNOWN_TYPE), ParkedEvent(9, ParkReason.TOKEN))
    )
    checkpoint = Checkpoint(12, 1, "NATSTER_EVENTS", CREATED, "2026-11-23T03:13:27.2Z", "", parked)
    plain = (
        b'{"seq":12,"version":1,"log":{"stream":"NATSTER_EVENTS","created":"2026-11-23T03:13:15.1Z",'
        b'"time":"2026-11-23T03:13:27.2Z"},"tombstones":"","parked":{"count":7,"recent":['
        b'{"seq":3,"reason":"unknown type"},{"seq":9,"reason":"token"}]}}'
    )
    assert checkpoint.encode() == plain
    marked = checkpoint.marked(RebuildMark(40, "cafe"))
    assert marked.encode() == plain[:-1] + b',"rebuild":{"to":40,"id":"cafe"}}'
    assert marked.marked(None) == checkpoint


@given(checkpoints)
def test_round_trip(checkpoint: Checkpoint) -> None:
    assert decode_checkpoint(checkpoint.encode()) == checkpoint


def test_every_reason_is_stored_in_the_contracts_words() -> None:
    assert {reason.value for reason in ParkReason} == {
        "subject", "marker", "unknown type", "token", "payload", "erased",
    }  # fmt: skip


def valid() -> dict[str, Any]:
    value: dict[str, Any] = json.loads(Checkpoint(1, 1, "S", CREATED, CREATED).encode())
    return value


def test_names_that_a_later_version_adds_are_ignored() -> None:
    assert decode_checkpoint(json.dumps({**valid(), "more": [1]}).encode()).seq == 1


@pytest.mark.parametrize(
    "stored",
    [
        b"", b"null", b"[]", b"7", b'"x"', b"{}", b"{not json", b"\xff\xfe", b"[" * 100_000,
        b'{"seq":1}', *(json.dumps({k: v for k, v in valid().items() if k != gone}).encode()
                        for gone in valid()),
    ],
)  # fmt: skip
def test_garbage_is_refused(stored: bytes) -> None:
    with pytest.raises(BadCheckpointError):
        decode_checkpoint(stored)


@pytest.mark.parametrize(
    "change",
    [
        {"seq": -1}, {"seq": "1"}, {"seq": 1.0}, {"seq": None}, {"seq": True}, {"version": "1"},
        {"log": None}, {"log": []}, {"log": {"stream": "S", "created": 1, "time": ""}},
        {"tombstones": None}, {"parked": None}, {"parked": {"count": -1, "recent": []}},
        {"parked": {"count": 1, "recent": [{"seq": 1, "reason": "boredom"}]}},
        {"parked": {"count": 1, "recent": [{"seq": "1", "reason": "token"}]}},
        {"parked": {"count": 1, "recent": None}}, {"parked": {"count": 1, "recent": [1]}},
        {"rebuild": {}}, {"rebuild": {"to": 1}}, {"rebuild": {"to": "1", "id": "x"}},
        {"rebuild": []}, {"rebuild": False},
    ],
)  # fmt: skip
def test_a_checkpoint_with_a_wrong_part_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadCheckpointError):
        decode_checkpoint(json.dumps({**valid(), **change}).encode())


def test_that_others_wrote_to_the_bucket_is_kept_and_not_mentioned_otherwise() -> None:
    checkpoint = decode_checkpoint(json.dumps(valid()).encode())
    assert "touched" not in json.loads(checkpoint.encode())
    assert decode_checkpoint(replace(checkpoint, touched=True).encode()).touched


@given(st.lists(st.lists(st.integers(1, 9), max_size=150), max_size=4))
def test_the_tally_counts_all_and_keeps_the_last_hundred(batches: list[list[int]]) -> None:
    tally = ParkedTally()
    for batch in batches:
        tally = tally.adding([ParkedEvent(seq, ParkReason.TOKEN) for seq in batch])
    seen = [seq for batch in batches for seq in batch]
    assert tally.count == len(seen)
    assert [event.seq for event in tally.recent] == seen[-100:]
