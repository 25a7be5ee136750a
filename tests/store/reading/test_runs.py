"""Reading deliveries in columns gives the same as one by one, or nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natster_tui.events.event import StoredMessage
from natster_tui.store.connection.delivery_parser import Delivery
from natster_tui.store.reading.runs import read_run

SHORT, LONG = b"$JS.ACK.S.c.1.", b"$JS.ACK.domain.account.S.c.1."


def one_by_one(
    deliveries: list[Delivery], prefix: bytes, next_seq: int, consumer_seq: int
) -> tuple[list[StoredMessage], int] | None:
    """What reading every delivery by itself gives; None if one of them is odd."""
    messages: list[StoredMessage] = []
    pending = 0
    try:
        for number, (subject, reply, payload, block) in enumerate(deliveries, 1):
            words = reply.removeprefix(prefix).split(b".")
            seq, at, time_ns = map(int, words[:3])
            if at != consumer_seq + 1 or seq < next_seq:
                return None
            consumer_seq, next_seq = at, seq + 1
            messages.append((seq, time_ns, subject, payload, block or b""))
            if number == len(deliveries):
                pending = int(words[3])
    except (ValueError, IndexError):
        return None
    return messages, pending


def delivery(prefix: bytes, seq: int, at: int, headers: bytes | None) -> Delivery:
    token = b".token" if prefix == LONG else b""
    return b"natster.x", b"%b%d.%d.%d.7%b" % (prefix, seq, at, seq * 9, token), b"null", headers


@st.composite
def runs(draw: st.DrawFn) -> tuple[list[Delivery], bytes, int, int]:
    """Deliveries that follow each other, with or without gaps in the stream."""
    prefix = draw(st.sampled_from([SHORT, LONG]))
    seq = next_seq = draw(st.integers(1, 10**12))
    at = consumer_seq = draw(st.integers(0, 10**9))
    deliveries = []
    for gap in draw(st.lists(st.sampled_from([0, 0, 0, 5]), min_size=1, max_size=30)):
        seq, at = seq + gap, at + 1
        headers = draw(st.sampled_from([b"NATS/1.0\r\n\r\n", None]))
        deliveries.append(delivery(prefix, seq, at, headers))
        seq += 1
    return deliveries, prefix, next_seq, consumer_seq


@given(runs())
def test_a_run_is_read_as_one_by_one(run: tuple[list[Delivery], bytes, int, int]) -> None:
    assert read_run(*run) == one_by_one(*run)


@given(runs(), st.data())
def test_a_run_with_an_odd_delivery_is_left_alone(
    run: tuple[list[Delivery], bytes, int, int], data: st.DataObject
) -> None:
    deliveries, prefix, next_seq, consumer_seq = run
    at = data.draw(st.integers(0, len(deliveries) - 1))
    subject, reply, payload, block = deliveries[at]
    words = reply.split(b".")
    word = data.draw(st.integers(prefix.count(b"."), len(words) - 1))
    words[word] = data.draw(st.sampled_from([b"0", b"x", b"", b"3", b"-1", b"1.1", words[word]]))
    deliveries[at] = (subject, b".".join(words), payload, block)
    expected = one_by_one(deliveries, prefix, next_seq, consumer_seq)
    found = read_run(deliveries, prefix, next_seq, consumer_seq)
    assert found in (expected, ([], 0))


@pytest.mark.parametrize("order", [(0, 2, 1), (1, 0, 2), (0, 0, 1), (0, 2)])
def test_messages_out_of_turn_are_no_run(order: tuple[int, ...]) -> None:
    deliveries = [delivery(SHORT, 10 + at, 1 + at, None) for at in order]
    assert read_run(deliveries, SHORT, 10, 0) == ([], 0)


def test_a_sequence_that_was_read_before_is_no_run() -> None:
    assert read_run([delivery(SHORT, 9, 1, None)], SHORT, 10, 0) == ([], 0)


def test_a_position_that_is_cut_short_is_no_run() -> None:
    assert read_run([(b"x", SHORT + b"1.1.1", b"", None)], SHORT, 1, 0) == ([], 0)
