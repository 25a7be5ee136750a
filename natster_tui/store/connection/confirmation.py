"""Whether writes over a connection reach the stream that is shown."""

from __future__ import annotations

import asyncio
import time

from natster_tui.errors import MisplacedWriteError

REFUSED_FOR_S = 5.0
"""Seconds for which a refusal is kept, before the next write asks again."""


class Confirmation:
    """Whether only one given stream stores what a connection publishes to it, as far as known."""

    def __init__(self) -> None:
        self.given = False
        """Whether a probe showed that only this stream stores it."""
        self.seen = False
        """Whether a write was found in this stream."""
        self.fits = False
        """Whether the stream's settings were looked at, and store a write as it is."""
        self.misplaced = ""
        """The error's sentence if it was not found; then this connection writes no more."""
        self.lock = asyncio.Lock()
        self._refusal: MisplacedWriteError | None = None
        self._refused_at = 0.0

    def refuse(self, refusal: MisplacedWriteError) -> None:
        """Keep a refusal for REFUSED_FOR_S seconds."""
        self._refusal, self._refused_at = refusal, time.monotonic()

    @property
    def refusal(self) -> MisplacedWriteError | None:
        """The last refusal, if it is recent."""
        if self._refusal is None or time.monotonic() - self._refused_at > REFUSED_FOR_S:
            return None
        return MisplacedWriteError(self._refusal.sentence)
