"""The seam in nats-py through which records are read raw.

nats-py parses each message's headers into a dict (of repeated headers the last one wins, while
our rule is that the first counts) and hands it over through a queue and a task. Reading a log
needs the bytes as they came, in the order they came, and nothing in between. `WireClient` is
the stock client with one private method extended; `tests/store/test_wire.py` holds the two ways
of reading against each other, so that a nats-py whose internals changed is noticed at once.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from nats.aio.client import Client

from natster_tui.domain.event_time import parse_timestamp
from natster_tui.domain.events import Record

Sink = Callable[[bytes, bytes, bytes, bytes | None], None]
"""What a raw subscription calls for each message: subject, reply, payload, header block."""


class WireClient(Client):
    """nats-py's client, with subscriptions whose messages arrive unparsed."""

    def __init__(self) -> None:
        super().__init__()
        self._sinks: dict[int, Sink] = {}

    def attach(self, sid: int, sink: Sink) -> None:
        """Send the messages of subscription `sid` to `sink` from now on."""
        self._sinks[sid] = sink

    def detach(self, sid: int) -> None:
        """Forget the sink of a subscription."""
        self._sinks.pop(sid, None)

    async def _process_msg(
        self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes | None
    ) -> None:
        sink = self._sinks.get(sid)
        if sink is None:
            # nats-py itself passes None for "no headers"; its annotation does not say so.
            await super()._process_msg(sid, subject, reply, data, headers)  # type: ignore[arg-type]
        else:
            sink(subject, reply, data, headers)

    async def _process_op_err(self, e: Exception) -> None:
        # Nobody takes what is pending any more. nats-py would try to send it while it closes,
        # and stay half-closed: nobody told, tasks and the socket left.
        self._pending, self._pending_data_size = [], 0
        await super()._process_op_err(e)


class RepeatableHeaders(dict[str, str]):
    """Headers for a publish that may hold the same name twice.

    nats-py writes what `items()` yields, and a dict could not say "twice".
    """

    def __init__(self, pairs: tuple[tuple[str, str], ...]) -> None:
        super().__init__(pairs)
        self._pairs = pairs

    def items(self) -> tuple[tuple[str, str], ...]:  # type: ignore[override] # see the docstring
        """All pairs, in order."""
        return self._pairs


def parse_headers(block: bytes) -> tuple[tuple[str, str], ...]:
    """The header pairs of a `NATS/1.0` block, in order and with repetitions."""
    pairs = []
    for line in block.split(b"\r\n")[1:]:
        name, colon, value = line.partition(b":")
        if colon:
            pairs.append(
                (name.strip().decode("ascii", "replace"), value.strip().decode("utf-8", "replace"))
            )
    return tuple(pairs)


def parse_status(block: bytes) -> tuple[int, str, tuple[tuple[str, str], ...]]:
    """Status code, description and headers of an inline status; code 0 if it is none."""
    line, _, _ = block.partition(b"\r\n")
    words = line.split(b" ", 2)
    if len(words) < 2 or not words[1][:3].isdigit():
        return 0, "", ()
    description = words[2].decode("utf-8", "replace").strip() if len(words) > 2 else ""
    return int(words[1][:3]), description, parse_headers(block)


def parse_delivery(
    subject: bytes, reply: bytes, payload: bytes, headers: bytes | None
) -> tuple[Record, int, int]:
    """A consumer's delivery: the record, its consumer sequence, and how many are pending.

    The position stands in the reply subject: `$JS.ACK.[domain.account.]stream.consumer.
    delivered.stream_seq.consumer_seq.time_ns.pending[.token]` (NATS ADR-15).
    """
    tokens = reply.split(b".")
    at = 5 if len(tokens) == 9 else 7
    record = Record(
        int(tokens[at]),
        int(tokens[at + 2]),
        subject.decode("utf-8", "replace"),
        payload,
        parse_headers(headers) if headers else (),
    )
    return record, int(tokens[at + 1]), int(tokens[at + 3])


def stored_record(message: Mapping[str, Any]) -> Record:
    """A record from the `message` of a `STREAM.MSG.GET` answer."""
    headers = base64.b64decode(message.get("hdrs") or "")
    return Record(
        message["seq"],
        parse_timestamp(message["time"]) or 0,
        message["subject"],
        base64.b64decode(message.get("data") or ""),
        parse_headers(headers) if headers else (),
    )
