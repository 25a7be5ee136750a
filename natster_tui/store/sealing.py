"""Where payloads and documents are sealed before they are stored, and opened after.

The log and the buckets hand every value through a `Sealing`, and nothing else does. Only the
plain one exists so far: what is stored is what was written.
"""

from __future__ import annotations

from typing import Protocol

from natster_tui.domain.events import Record


class Sealing(Protocol):
    """Turns values into their stored form and back."""

    name: str

    def seal_payload(self, subject: str, message_id: str, payload: bytes) -> bytes:
        """The stored form of an event's payload."""

    def open_records(self, records: list[Record]) -> list[Record]:
        """Records whose payloads are readable."""

    def seal_document(self, bucket: str, key: str, document: bytes) -> bytes:
        """The stored form of a projection's document."""

    def open_document(self, bucket: str, key: str, stored: bytes) -> bytes:
        """A document from its stored form."""


class PlainSealing:
    """`--sealing off`: values are stored as they are."""

    name = "off"

    def seal_payload(self, _subject: str, _message_id: str, payload: bytes) -> bytes:
        """See `Sealing`."""
        return payload

    def open_records(self, records: list[Record]) -> list[Record]:
        """See `Sealing`."""
        return records

    def seal_document(self, _bucket: str, _key: str, document: bytes) -> bytes:
        """See `Sealing`."""
        return document

    def open_document(self, _bucket: str, _key: str, stored: bytes) -> bytes:
        """See `Sealing`."""
        return stored
