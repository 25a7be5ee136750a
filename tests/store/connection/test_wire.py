"""Reading records raw gives the same as nats-py's own way of reading.

A nats-py whose internals changed must fail here, and not in a projection.
"""

from __future__ import annotations

import nats
import pytest
from hypothesis import given
from hypothesis import strategies as st

from natster_tui.events.event import MESSAGE_ID, OCCURRED_AT, Record
from natster_tui.events.headers import parse_headers
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.wire import (
    RepeatableHeaders,
    parse_status,
    position_prefix,
)
from natster_tui.store.connection.write_target import PublishedSubject
from natster_tui.store.log import Append, EventLog
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.store.settings.secrets import revealed
from tests.conftest import recording, until
from tests.jetstream import stored_record
from tests.making_logs import append, context, event, initialized, records_in, shared

LARGE = b"x" * 5_000_000
"""More than one pull request may bring, and less than the server's limit."""


def a_log_of_all_kinds() -> list[Append]:
    """Subjects, headers and payloads such as other programs may have written."""
    recorded = [
        Append(record.subject, record.payload, ((MESSAGE_ID, f"{name}-{record.seq}"),))
        for name in ("15", "16", "17")
        for record in recording(name)
    ]
    return [
        *recorded,
        initialized("AA", "Zoë"),
        event("context_bound", "é", payload=context("ü")),
        event("catalog_shared", ">", "*", "a$b", b"\x00\xff\r\n\r\n"),
        event(
            "catalog_shared", "AA", "BB", "k", b"NATS/1.0\r\nX: y\r\n\r\n", ("X", "NATS/1.0 404")
        ),
        event("x", "AA", "BB", "k", LARGE, (MESSAGE_ID, "large")),
        event(
            "x", "AA", "BB", "k", b"", ("X", "1"), ("x", "2"), ("Empty", ""), ("Colon", "a: b:c")
        ),
        event("x", "AA", "BB", "k", b"", (OCCURRED_AT, "2021-03-04T05:06:07Z"), ("U", "é\u2028.")),
        shared("AA", "BB"),
    ]


async def read_with_nats_py(settings: ConnectionSettings, stream: str, count: int) -> list[Record]:
    """A stream as the stock pull subscription delivers it."""
    client = await nats.connect(
        list(settings.servers), user=settings.user, password=revealed(settings.password)
    )
    try:
        subscription = await client.jetstream().pull_subscribe("", stream=stream)
        records: list[Record] = []
        while len(records) < count:
            for message in await subscription.fetch(50, timeout=5):
                about = message.metadata
                records.append(
                    Record(
                        about.sequence.stream,
                        int(about.timestamp.timestamp() * 1_000_000) * 1000,
                        message.subject,
                        message.data,
                        tuple((message.headers or {}).items()),
                    )
                )
        return records
    finally:
        await client.close()


async def test_reading_raw_and_reading_with_nats_py_give_the_same(
    log: EventLog, settings: ConnectionSettings
) -> None:
    made = a_log_of_all_kinds()
    head = await append(log, made)
    ours = await records_in(log)
    theirs = await read_with_nats_py(settings, log.stream, head)
    assert len(ours) == len(theirs) == head
    for our, their, was in zip(ours, theirs, made, strict=True):
        assert our.seq == their.seq
        assert our.subject == their.subject == was.subject
        assert our.payload == their.payload == was.payload
        assert our.headers == their.headers
        assert our.headers == (("Nats-Expected-Stream", log.stream), *was.headers)
        # datetime holds microseconds, and through a float not always the last of them.
        assert abs(our.time_ns - their.time_ns) < 2_000


async def test_reading_by_sequence_gives_the_same_as_reading_along(log: EventLog) -> None:
    head = await append(log, a_log_of_all_kinds())
    assert [await log.record_at(seq) for seq in range(1, head + 1)] == await records_in(log)
    assert await log.record_at(head + 1) is None


async def test_repeated_headers_are_sent_and_read_in_order(log: EventLog) -> None:
    headers = (("X", "1"), (MESSAGE_ID, "m"), ("X", "2"), ("x", "3"), ("X", "1"))
    await append(log, [event("x", "AA", "none", "none", b"", *headers)])
    (record,) = await records_in(log)
    assert record.headers[1:] == headers
    assert record.header("X") == "1"
    assert (await log.record_at(1)) == record


async def test_what_is_delivered_counts_as_a_sign_of_life(link: Link) -> None:
    # The answer to a ping waits behind megabytes of events; the link must not be given up for it.
    arrived: list[bytes] = []
    inbox = await link.subscribe_raw(lambda deliveries: arrived.extend(d[2] for d in deliveries))
    link.client._pings_outstanding = 2
    await link.publish(PublishedSubject(f"{inbox.prefix}.1"), b"an event")
    await until(lambda: arrived)
    assert link.client._pings_outstanding < 2
    await inbox.close()


async def test_stock_subscriptions_work_beside_raw_ones(link: Link) -> None:
    seen: list[bytes] = []
    inbox = await link.subscribe_raw(lambda arrived: seen.extend(each[2] for each in arrived))
    stock = await link.client.subscribe("plain")
    await link.publish(PublishedSubject(f"{inbox.prefix}.1"), b"raw")
    await link.publish(PublishedSubject("plain"), b"stock", {"X": "y"})
    message = await stock.next_msg(5)
    assert (message.data, message.headers) == (b"stock", {"X": "y"})
    # The server delivers in order, so the other one has been here.
    assert seen == [b"raw"]
    await inbox.close()
    await link.publish(PublishedSubject(f"{inbox.prefix}.1"), b"late")
    await link.client.flush()
    assert seen == [b"raw"]


# -- delivery replies --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        b"$JS.ACK.NATSTER_EVENTS.natster-tui-x.1.42.7.1795403595770778175.3",
        b"$JS.ACK.hub.AHASH.NATSTER_EVENTS.natster-tui-x.1.42.7.1795403595770778175.3.random",
        b"$JS.ACK._.AHASH.NATSTER_EVENTS.natster-tui-x.1.42.7.1795403595770778175.3.random",
        # ADR-15: what comes after the known tokens is to be ignored.
        b"$JS.ACK.hub.AHASH.NATSTER_EVENTS.natster-tui-x.1.42.7.1795403595770778175.3.random.more",
        b"$JS.ACK.hub.AHASH.NATSTER_EVENTS.natster-tui-x.1.42.7.1795403595770778175.3",
    ],
)
def test_the_position_is_read_from_both_forms_of_the_reply_subject(reply: bytes) -> None:
    prefix = position_prefix(reply)
    assert prefix.endswith(b".NATSTER_EVENTS.natster-tui-x.1.")
    assert reply.startswith(prefix)
    assert reply[len(prefix) :].split(b".")[:4] == [b"42", b"7", b"1795403595770778175", b"3"]


# -- headers and statuses ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("block", "pairs"),
    [
        (b"NATS/1.0\r\n\r\n", ()),
        (b"NATS/1.0\r\nX: 1\r\nx:2\r\nX:3 \r\n\r\n", (("X", "1"), ("x", "2"), ("X", "3"))),
        (b"NATS/1.0\r\nX: a: b\r\nEmpty:\r\n\r\n", (("X", "a: b"), ("Empty", ""))),
        (b"NATS/1.0\r\nno colon\r\nX: 1\r\n\r\n", (("X", "1"),)),
        ("NATS/1.0\r\nX: é\r\n\r\n".encode(), (("X", "é"),)),
        (
            b"NATS/1.0 100 Idle Heartbeat\r\nNats-Last-Stream: 5\r\n\r\n",
            (("Nats-Last-Stream", "5"),),
        ),
    ],
)
def test_header_blocks(block: bytes, pairs: tuple[tuple[str, str], ...]) -> None:
    assert parse_headers(block) == pairs


@pytest.mark.parametrize(
    ("block", "status"),
    [
        (b"NATS/1.0 404 No Messages\r\n\r\n", (404, "No Messages", ())),
        (b"NATS/1.0 503\r\n\r\n", (503, "", ())),
        (b"NATS/1.0 100 Idle Heartbeat\r\n\r\n", (100, "Idle Heartbeat", ())),
        (
            b"NATS/1.0 408 Request Timeout\r\nNats-Pending-Messages: 7\r\nX: 0\r\n\r\n",
            (408, "Request Timeout", (("Nats-Pending-Messages", "7"), ("X", "0"))),
        ),
        (b"NATS/1.0 409 Consumer Deleted\r\n\r\n", (409, "Consumer Deleted", ())),
        (b"NATS/1.0\r\nX: 1\r\n\r\n", (0, "", ())),
        (b"NATS/1.0 \r\n\r\n", (0, "", ())),
        (b"NATS/1.0 abc\r\n\r\n", (0, "", ())),
        (b"", (0, "", ())),
    ],
)
def test_statuses(block: bytes, status: tuple[int, str, tuple[tuple[str, str], ...]]) -> None:
    assert parse_status(block) == status


@given(st.binary(max_size=60))
def test_any_block_is_read_without_a_complaint(block: bytes) -> None:
    parse_headers(block)
    parse_status(block)
    parse_status(b"NATS/1.0 " + block)


def test_headers_for_a_publish_may_repeat_a_name() -> None:
    pairs = (("X", "1"), ("Y", "2"), ("X", "3"))
    headers = RepeatableHeaders(pairs)
    assert tuple(headers.items()) == pairs
    assert headers["Y"] == "2"


def test_a_stored_message_as_the_server_answers_it() -> None:
    assert stored_record({"seq": 3, "time": "2026-11-23T03:13:15.5Z", "subject": "s"}) == Record(
        3, 1795403595500000000, "s"
    )
    assert stored_record(
        {
            "seq": 3,
            "time": "2026-11-23T03:13:15Z",
            "subject": "s",
            "data": "/w==",
            "hdrs": "TkFUUy8xLjANClg6IDENClg6IDINCg0K",
        }
    ) == Record(3, 1795403595000000000, "s", b"\xff", (("X", "1"), ("X", "2")))
