"""How a record says that its payload was sealed, and why it did not open.

The log opens payloads when it reads them. There are three reasons why one does not open, and a
projection handles each differently.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Unopened(Enum):
    """Why a sealed payload did not open."""

    UNAVAILABLE = "unavailable"
    """Its key is missing here, and may come later: no projection may go past the event."""
    ERASED = "erased"
    """Its key was destroyed on purpose, and an authentic tombstone says so."""
    UNREADABLE = "unreadable"
    """Its key is here but does not open it: the payload is damaged."""


class Seal(NamedTuple):
    """A sealed payload: its stored form, its key's id, and why it did not open (None: it did)."""

    stored: bytes
    key_id: str
    unopened: Unopened | None = None
    reason: str = ""

    @property
    def closed(self) -> str:
        """The word for a payload that did not open."""
        return "erased" if self.unopened is Unopened.ERASED else "sealed"
