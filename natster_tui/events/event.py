"""The log's messages, and the events they stand for.

A `Record` is a message as the stream holds it. An `Event` is what the subject says when it is
one of ours; anything else is a reason for parking.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from natster_tui.events.headers import Headers, first_header, first_value, parse_headers
from natster_tui.events.kinds import KINDS, EventKind
from natster_tui.events.kinds import EventType as EventType
from natster_tui.events.parking import ParkReason
from natster_tui.events.sealed_payload import Seal
from natster_tui.events.times import parse_occurred_at, parse_occurred_at_ns

STREAM = "NATSTER_EVENTS"
SUBJECTS = "natster.events.*.*.*.*"
SUBJECT_PREFIX = "natster.events."
NONE = "none"
"""The token that stands for "no target" and "no catalog"."""

OCCURRED_AT = "Natster-Occurred-At"
MESSAGE_ID = "Nats-Msg-Id"
MARKER_REASON = "Nats-Marker-Reason"
"""The header of a delete marker, which stands where another message expired or was removed."""

_SUBJECT = re.compile(re.escape(SUBJECTS).replace(r"\*", r"[^.]+"))
_TOKEN = re.compile(r"[A-Za-z0-9=-][A-Za-z0-9_=-]*")
_SUBJECT_TOKENS = 6


_KINDS = {kind.name: (kind, kind.type, kind.has_parties) for kind in KINDS}
"""By the last token of the subject: the kind, its type, and whether it names parties."""

CATALOG_TYPES = frozenset(kind.type for kind in KINDS if kind.has_parties)
"""The types whose subject names an origin, a target and a catalog; the others use the origin."""


StoredMessage = tuple[int, int, bytes, bytes, bytes]
"""A message as it comes from the stream: sequence, nanoseconds since the epoch, subject, payload
and header block (empty: no headers). What a replay reads by the million; `Record` is the rest's."""


@dataclass(slots=True, eq=False)
class Record:
    """One message of the log.

    `time_ns` is the stream's timestamp in nanoseconds since the epoch. `stored_headers` are
    pairs, or the block that holds them: hardly any event of a replay is asked for its headers,
    and they are parsed when the first is. `seal` is there when the payload was sealed: `payload`
    is what it says then, or empty when it did not open. Treat it as immutable; frozen it would
    take three times as long to make, and one is made for every event that is read.
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
        """The event's time in unix seconds, floored: `Natster-Occurred-At` if valid, else ours."""
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

    `usable` says whether all tokens that the event's kind uses may stand for an account or a
    catalog. Not a dataclass: one is made for every event of a replay, and a frozen dataclass costs
    three times as much to construct. Treat it as immutable.
    """

    __slots__ = (
        "catalog", "decoded", "kind", "origin", "record", "seq", "target", "type", "usable"
    )  # fmt: skip
    decoded: Any
    """What the payload says, for the projection that decodes it; not there until it has."""

    def __init__(
        self,
        record: Record,
        kind: EventKind,
        event_type: EventType,
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


_shared: dict[str, str] = {}
_SHARED_KEPT = 500_000
"""Usable tokens, each as the one object that all events hold that name it.

A replay meets the same tokens all the time. So each is looked at once, and states that hold the
same object again and again take half the memory, and are found sooner, than with as many copies.
"""


def read_event(record: Record) -> Event | ParkReason:
    """What a record says, or why every projection parks it."""
    tokens = record.subject.split(".")
    if len(tokens) != _SUBJECT_TOKENS or tokens[0] != "natster" or tokens[1] != "events":
        return ParkReason.SUBJECT
    if record.stored_headers and record.is_marker:
        return ParkReason.MARKER
    _, _, origin, target, catalog, name = tokens
    known = _KINDS.get(name)
    if known is None:
        return ParkReason.UNKNOWN_TYPE
    kind, event_type, has_parties = known
    try:
        origin = _shared[origin]
        if has_parties:
            target, catalog = _shared[target], _shared[catalog]
    except KeyError:
        usable = is_usable_token(origin) and (
            not has_parties or (is_usable_token(target) and is_usable_token(catalog))
        )
        if usable:
            # One of them is new here; the others may be known as other objects.
            origin, target, catalog = map(_shared_or_same, (origin, target, catalog))
        return Event(record, kind, event_type, origin, target, catalog, usable)
    return Event(record, kind, event_type, origin, target, catalog, True)


def _shared_or_same(token: str) -> str:
    return _shared.get(token, token)


def is_log_subject(subject: str) -> bool:
    """Whether a subject is one that the log is made for."""
    return _SUBJECT.fullmatch(subject) is not None


def is_usable_token(token: str) -> bool:
    """Whether a token may stand for an account or a catalog.

    `none` means "no account", a leading underscore is reserved for our own bucket keys, and other
    characters cannot be in bucket keys.
    """
    if token in _shared:
        return True
    if token == NONE or _TOKEN.fullmatch(token) is None:
        return False
    if len(_shared) < _SHARED_KEPT:
        _shared[token] = token
    return True


def shared_token(token: str) -> str:
    """The token as the object that events hold which name it, for states read from documents."""
    return _shared_or_same(token) if is_usable_token(token) else token


def subject_of(kind: EventType, origin: str, target: str = NONE, catalog: str = NONE) -> str:
    """The subject that an event is published on."""
    return f"{SUBJECT_PREFIX}{origin}.{target}.{catalog}.{kind.value}"
