"""Reading raw records, and writing many messages at once, with nats-py.

nats-py parses each message's headers into a dict and hands it over through a queue and a task. Of
repeated headers it keeps the last one, but our rule is that the first counts. To read a log we need
the bytes as they arrive, in order. `WireClient` is the stock client with one private method
extended, and its parser replaced if that fits (`delivery_parser`). It also sends many messages in
one write (`frames`).
`tests/store/connection/test_wire.py` compares both ways of reading and of writing, so changes in
nats-py's internals are noticed.
"""

from __future__ import annotations

from collections.abc import Sequence

import nats.errors
from nats.aio.client import Client
from nats.errors import ProtocolError

from natster_tui.events.event import Record, StoredMessage
from natster_tui.events.headers import Headers, parse_headers
from natster_tui.store.connection.answers.reading import LARGEST_INT64, LARGEST_SEQUENCE
from natster_tui.store.connection.delivery_parser import Delivery, Sink, replace_parser
from natster_tui.store.connection.frames import Outgoing, framed

KV_OPERATION = "KV-Operation"
"""The header of a bucket's message that removes a key."""

_LINE_ENDS = str.maketrans("\r\n", "  ")
_LONGEST_COUNT = 19
"""The most digits of a count; Python refuses to convert thousands of them."""
_SHORT_REPLY = 9
_SHORT_POSITION, _LONG_POSITION = 5, 7
"""Tokens of a reply subject without a domain, and before the position in either form."""


class WireClient(Client):
    """nats-py's client, with subscriptions whose messages arrive unparsed."""

    def __init__(self) -> None:
        super().__init__()
        self._sinks: dict[int, Sink] = {}
        self.reads_in_bulk = replace_parser(self, self._sinks)
        """Whether messages for sinks are parsed in bulk, not one by one by nats-py."""

    def attach(self, sid: int, sink: Sink) -> None:
        """Send the messages of subscription `sid` to `sink` from now on.

        Each delivery counts as an answer to a ping. The real answer waits behind the events on
        their way, so a slow reader would otherwise find the connection stale.
        """

        def deliver(deliveries: list[Delivery]) -> None:
            self._pings_outstanding = 0
            sink(deliveries)

        self._sinks[sid] = deliver

    def detach(self, sid: int) -> None:
        """Remove the sink of a subscription."""
        self._sinks.pop(sid, None)

    async def queue(self, messages: Sequence[Outgoing]) -> None:
        """Queue messages; the next publish sends them before its own, in one write."""
        if self.is_closed:
            raise nats.errors.ConnectionClosedError
        if self.is_draining_pubs:
            raise nats.errors.ConnectionDrainingError
        frames = framed(messages, self._max_payload)
        self.stats["out_msgs"] += len(messages)
        self.stats["out_bytes"] += sum(len(message.payload) for message in messages)
        await self._send_command(frames)

    async def _process_msg(
        self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes | None
    ) -> None:
        sink = self._sinks.get(sid)
        if sink is None:
            # nats-py itself passes None for "no headers"; its annotation does not say so.
            await super()._process_msg(sid, subject, reply, data, headers)  # type: ignore[arg-type]
        else:
            sink([(subject, reply, data, headers)])

    async def _process_op_err(self, e: Exception) -> None:
        if isinstance(e, ProtocolError) and (problem := getattr(self._ps, "problem", "")):
            # nats-py's own text only says that it is a protocol error.
            e = nats.errors.Error(problem)
        # Pending bytes can no longer be sent. nats-py would try while it closes, and stay half
        # closed, without a callback, and with its tasks and socket open.
        self._pending, self._pending_data_size = [], 0
        await super()._process_op_err(e)


class _ExactValue(str):
    """A header's value that is sent as it was read, even if it is not UTF-8.

    nats-py strips all Unicode blanks of a value, translates line ends and encodes it as UTF-8. Here
    a value has no line ends, and blanks were stripped when it was read.
    """

    __slots__ = ()

    def strip(self, _characters: str | None = None, /) -> str:
        return self

    def translate(self, _table: object, /) -> str:
        return self

    def encode(self, _encoding: str = "utf-8", _errors: str = "strict") -> bytes:
        return str.encode(self, "utf-8", "surrogateescape")


class RepeatableHeaders(dict[str, str]):
    """Headers for a publish; a name may occur twice, and values need not be UTF-8.

    nats-py writes what `items()` yields, and a dict could not hold a name twice.
    """

    def __init__(self, pairs: Headers) -> None:
        super().__init__(pairs)
        self._pairs = tuple((name, _exact(value)) for name, value in pairs)

    def items(self) -> tuple[tuple[str, str], ...]:  # type: ignore[override] # see the docstring
        """All pairs, in order."""
        return self._pairs


def _exact(value: str) -> str:
    if value.isascii() and value.isprintable():
        return value
    return _ExactValue(value.translate(_LINE_ENDS))


def parse_status(block: bytes) -> tuple[int, str, Headers]:
    """Status code, description and headers of an inline status; code 0 if it is not a status."""
    line, _, _ = block.partition(b"\r\n")
    words = line.split(b" ", 2)
    if len(words) < 2 or not words[1][:3].isdigit():
        return 0, "", ()
    description = words[2].decode("utf-8", "replace").strip() if len(words) > 2 else ""
    return int(words[1][:3]), description, parse_headers(block)


def position_prefix(reply: bytes) -> bytes:
    """The part of a delivery's reply subject before the position, constant for a consumer.

    `$JS.ACK.[domain.account.]stream.consumer.delivered.` and then the position, `stream_seq.
    consumer_seq.time_ns.pending[.token]` (NATS ADR-15). Delivered is always 1 without
    acknowledgements.
    """
    tokens = reply.split(b".")
    at = _SHORT_POSITION if len(tokens) == _SHORT_REPLY else _LONG_POSITION
    return b".".join(tokens[:at]) + b"."


def delivery_problem(messages: Sequence[StoredMessage], pending: int) -> str:
    """Why messages that a consumer delivered in order cannot be real; empty if they can be.

    `pending` is how many follow, as reported by the last one.
    """
    if not 0 <= pending <= LARGEST_SEQUENCE:
        return "it announces an impossible number of messages"
    if messages and messages[-1][0] > LARGEST_SEQUENCE:
        return "it has an impossible sequence"
    times = [message[1] for message in messages]
    if times and not 0 <= min(times) <= max(times) <= LARGEST_INT64:
        return "it has an impossible time"
    return ""


def parse_count(text: str | None) -> int | None:
    """The count in a header; None if the header is missing or not a number."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > _LONGEST_COUNT:
        return None
    return int(text)


def is_removal(record: Record) -> bool:
    """Whether a bucket's message says that its key holds no value.

    Clients mark what they delete or purge; the server leaves a delete marker for an expired value.
    """
    return record.header(KV_OPERATION) in ("DEL", "PURGE") or record.is_marker
