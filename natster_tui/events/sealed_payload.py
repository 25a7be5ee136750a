"""What is known of a payload that was sealed before it was stored.

The log opens payloads where it reads them; what folds and panes get says, beside the payload,
that it was sealed and, where it did not open, why. There are three cases,
because they mean three different things to a projection.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Unopened(Enum):
    """How a sealed payload that did not open counts."""

    UNAVAILABLE = "unavailable"
    """It may open another day (its key is missing here): nothing may go past it."""
    ERASED = "erased"
    """Its key was destroyed on purpose, and an authentic tombstone says so."""
    UNREADABLE = "unreadable"
    """Its key is here, and it does not open with it: no payload that anybody could read."""


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
