"""The log's messages, and the events in them.

A `Record` is a message as the stream holds it. An `Event` is a record whose subject is one of the
log's; a record with any other subject is parked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from natster_tui.events.event_kind import EventKind
from natster_tui.events.headers import Headers, first_header, first_value, parse_headers
from natster_tui.events.sealed_payload import Seal
from natster_tui.events.times import parse_occurred_at, parse_occurred_at_ns

OCCURRED_AT = "Natster-Occurred-At"
MESSAGE_ID = "Nats-Msg-Id"
MARKER_REASON = "Nats-Marker-Reason"
"""The header of a delete marker, which replaces a message that expired or was removed."""


StoredMessage = tuple[int, int, bytes, bytes, bytes]
"""A message as it comes from the stream: sequence, nanoseconds since the epoch, subject, payload
and header block (empty: no headers). A replay reads millions of them; other code uses `Record`."""


@dataclass(slots=True, eq=False)
class Record:
    """One message of the log.

    `time_ns` is the stream's timestamp in nanoseconds since the epoch. `stored_headers` are
    pairs, or the block that holds them: a replay needs the headers of few events, so they are
    parsed on first use. `seal` is set when the payload was sealed; then `payload` is the opened
    payload, or empty when it did not open. Treat it as immutable: a frozen dataclass would take
    three times as long to make, and one is made for every event that is read.
    """

    seq: int
    time_ns: int
    subject: str
    payload: bytes = b""
    stored_headers: Headers | bytes = ()
    seal: Seal | None = None

    @property
    def headers(self) -> Headers:
        """The headers, in order and with repetitions."""
        if isinstance(self.stored_headers, bytes):
            self.stored_headers = parse_headers(self.stored_headers)
        return self.stored_headers

    @property
    def stored(self) -> bytes:
        """The payload as the stream holds it, sealed if it is."""
        return self.payload if self.seal is None else self.seal.stored

    def header(self, name: str) -> str | None:
        """The first value of a header (names are case-sensitive), or None."""
        stored = self.stored_headers
        if isinstance(stored, bytes):
            return first_header(stored, name)
        return first_value(stored, name)

    @property
    def is_marker(self) -> bool:
        """Whether it is a delete marker: a message that only says that another one is gone.

        The presence of the header alone decides; its writer and its value do not matter.
        """
        return self.header(MARKER_REASON) is not None

    @property
    def event_time(self) -> int:
        """The event's time in unix seconds, floored: `Natster-Occurred-At`, else `time_ns`."""
        if self.stored_headers:
            occurred = parse_occurred_at(self.header(OCCURRED_AT))
            if occurred is not None:
                return occurred
        return self.time_ns // 1_000_000_000

    @property
    def event_time_ns(self) -> int:
        """The same in nanoseconds."""
        if self.stored_headers:
            occurred = parse_occurred_at_ns(self.header(OCCURRED_AT))
            if occurred is not None:
                return occurred
        return self.time_ns

    def _content(self) -> tuple[int, int, str, bytes, Headers]:
        return (self.seq, self.time_ns, self.subject, self.payload, self.headers)

    def __eq__(self, other: object) -> bool:
        return self._content() == other._content() if isinstance(other, Record) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._content())


def as_records(messages: Iterable[StoredMessage]) -> list[Record]:
    """The records of messages, in the same order."""
    return [
        Record(seq, time_ns, str(subject, "utf-8", "replace"), payload, headers)
        for seq, time_ns, subject, payload, headers in messages
    ]


class Event:
    """A record whose subject is one of the log's: the parsed tokens beside the record itself.

    `usable` says whether all tokens that the event's kind uses can be the name of an account or a
    catalog. Not a dataclass: one is made for every event of a replay, and a frozen dataclass costs
    three times as much to construct. Treat it as immutable.
    """

    __slots__ = (
        "catalog", "decoded", "kind", "origin", "record", "seq", "target", "type", "usable"
    )  # fmt: skip
    decoded: Any
    """The decoded payload, set by the projection that decodes it."""

    def __init__(
        self,
        record: Record,
        kind: EventKind,
        event_type: StrEnum,
        origin: str,
        target: str,
        catalog: str,
        usable: bool,
    ) -> None:
        self.record = record
        self.seq = record.seq
        self.kind = kind
        self.type = event_type
        self.origin = origin
        self.target = target
        self.catalog = catalog
        self.usable = usable

    @property
    def time(self) -> int:
        """The event's time in unix seconds."""
        return self.record.event_time

    @property
    def payload(self) -> bytes:
        """The payload as stored."""
        return self.record.payload

    def __repr__(self) -> str:
        return f"Event({self.seq} {self.record.subject})"
