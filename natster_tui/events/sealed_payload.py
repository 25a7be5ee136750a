"""What is known of a payload that was sealed before it was stored.

The log opens payloads when it reads them. Records say, beside the payload, that it was sealed, and
why it did not open. There are three cases, because a projection handles each differently.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Unopened(Enum):
    """How a sealed payload that did not open counts."""

    UNAVAILABLE = "unavailable"
    """It may open later (its key is missing here): no projection may go past it."""
    ERASED = "erased"
    """Its key was destroyed on purpose, and an authentic tombstone says so."""
    UNREADABLE = "unreadable"
    """Its key is here, but does not open it: the payload cannot be read at all."""


class Seal(NamedTuple):
    """A sealed payload: its stored form, its key's id, and why it did not open (None: it did)."""

    stored: bytes
    key_id: str
    unopened: Unopened | None = None
    reason: str = ""

    @property
    def closed(self) -> str:
        """What to call a payload that did not open, in a word."""
        return "erased" if self.unopened is Unopened.ERASED else "sealed"
