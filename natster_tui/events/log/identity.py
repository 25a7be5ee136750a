"""Whether two events are the same, and the message id that an imported event is stored under.

Two events are the same if message id, subject and event time (to the nanosecond) agree. An event
without a message id is identified by its *import id*: `imp-` and the SHA-256, in hexadecimal, over
four fields, each preceded by its length as eight bytes, big-endian: the sequence in decimal digits,
the time as the server writes it (RFC 3339 in UTC, no trailing zeros), the subject, and the payload
as it is stored. An import id identifies an event without the other two.

An event is stored under its import id if another event has its message id, or if no
`Natster-Occurred-At` can carry its time, which would be a different one in the other log.
"""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

from natster_tui.events.event import MESSAGE_ID, Record
from natster_tui.events.times import format_timestamp

_IMPORT_ID = re.compile(r"imp-[0-9a-f]{64}")
_FIRST_CARRIED_NS = 1_000_000_000
"""The earliest event time that a header can carry: 1970-01-01T00:00:01Z."""

_Key = tuple[str, str, int] | str
"""Message id, subject and event time, or an import id."""


def import_id(record: Record) -> str:
    """The import id of a record."""
    digest = hashlib.sha256()
    for part in (
        str(record.seq).encode(),
        format_timestamp(record.time_ns).encode(),
        record.subject.encode(),
        record.stored,
    ):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return f"imp-{digest.hexdigest()}"


def is_import_id(message_id: str) -> bool:
    """Whether a message id is an import id."""
    return message_id.startswith("imp-") and _IMPORT_ID.fullmatch(message_id) is not None


class Placement(NamedTuple):
    """A record and the message id to store it under. `added` is for `Identities.take_back`."""

    record: Record
    message_id: str
    added: tuple[_Key, ...]

    @property
    def is_renamed(self) -> bool:
        """Whether the message id is not the record's own, or it has none of its own."""
        return self.message_id != (self.record.header(MESSAGE_ID) or "")

    @property
    def has_lost_its_id(self) -> bool:
        """Whether the record has a message id of its own that is not kept."""
        return self.is_renamed and bool(self.record.header(MESSAGE_ID))


class Identities:
    """Which events of a file a log has already, and which message ids are taken.

    Call `expect` with each event of the file, then `stored` with each event of the log, then
    `place` with each event of the file, in order. It remembers only those events of the log that
    may be in the file.
    """

    def __init__(self) -> None:
        self._expected: set[int] = set()
        """Hashes of the ids in the file. A collision only costs some memory."""
        self._known: set[_Key] = set()
        self._taken: set[str] = set()
        self._file_has_import_ids = False
        """If so, an event of the log may be in the file under its import id."""
        self._log_has_import_ids = False
        """If so, an event of the file may be in the log under its import id."""

    def expect(self, record: Record) -> None:
        """Note an event of the file."""
        given = record.header(MESSAGE_ID)
        if given:
            self._expected.add(hash(given))
            self._file_has_import_ids = self._file_has_import_ids or is_import_id(given)
        if not given or not _time_can_be_carried(record):
            self._expected.add(hash(import_id(record)))

    def expects(self, record: Record) -> bool:
        """Whether an event of the log may be one of the file."""
        given = record.header(MESSAGE_ID)
        return given is not None and (is_import_id(given) or hash(given) in self._expected)

    def stored(self, record: Record) -> None:
        """Note an event of the log."""
        given = record.header(MESSAGE_ID)
        if given and is_import_id(given):
            self._log_has_import_ids = True
            self._known.add(given)
        elif given and hash(given) in self._expected:
            self._taken.add(given)
            self._known.add(_key_of(record, given))
        if not given or self._file_has_import_ids or not _time_can_be_carried(record):
            known = import_id(record)
            if hash(known) in self._expected:
                self._known.add(known)

    def place(self, record: Record) -> Placement | None:
        """How to store an event of the file; None if the log has it, or the file had it before."""
        given = record.header(MESSAGE_ID) or ""
        key = _key_of(record, given) if given else ""
        if key in self._known:
            return None
        usable = bool(given) and (is_import_id(given) or _time_can_be_carried(record))
        keeps_id = usable and given not in self._taken
        if keeps_id and not self._log_has_import_ids:
            return self._placed(record, given, (key,))
        own = import_id(record)
        if own in self._known:
            if key:
                # Later events of the file with this key are the same event, as they were when it
                # was imported.
                self._known.add(key)
            return None
        if keeps_id:
            return self._placed(record, given, (key,))
        self._log_has_import_ids = True
        return self._placed(record, own, (key, own) if key else (own,))

    def _placed(self, record: Record, message_id: str, added: tuple[_Key, ...]) -> Placement:
        self._taken.add(message_id)
        self._known.update(added)
        return Placement(record, message_id, added)

    def take_back(self, placement: Placement) -> None:
        """Forget a placement: its event was not stored after all."""
        self._known.difference_update(placement.added)
        self._taken.discard(placement.message_id)


def _time_can_be_carried(record: Record) -> bool:
    return record.time_ns >= _FIRST_CARRIED_NS or record.event_time_ns >= _FIRST_CARRIED_NS


def _key_of(record: Record, given: str) -> _Key:
    if is_import_id(given):
        return given
    return (given, record.subject, record.event_time_ns)
