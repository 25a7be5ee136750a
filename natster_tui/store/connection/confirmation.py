"""Whether writes on a connection reach the stream that is shown."""

from __future__ import annotations

import asyncio
import time

from natster_tui.errors import MisplacedWriteError

REFUSED_FOR_S = 5.0
"""How long a refusal is kept before the next write asks again."""


class Confirmation:
    """What is known on a connection about one stream: whether only it stores what is published."""

    def __init__(self) -> None:
        self.given = False
        self.seen = False
        """Whether a write was found in the stream that is shown."""
        self.misplaced = ""
        """The sentence if it was not found; then nothing more is written over this connection."""
        self.lock = asyncio.Lock()
        self._refusal: MisplacedWriteError | None = None
        self._refused_at = 0.0

    def refuse(self, refusal: MisplacedWriteError) -> None:
        """Keep the reason for a while."""
        self._refusal, self._refused_at = refusal, time.monotonic()

    @property
    def refusal(self) -> MisplacedWriteError | None:
        """The reason, if it is recent."""
        if self._refusal is None or time.monotonic() - self._refused_at > REFUSED_FOR_S:
            return None
        return MisplacedWriteError(self._refusal.sentence)
