"""What is known on a connection of a stream that is written to."""

from __future__ import annotations

import asyncio
import time

from natster_tui.errors import MisplacedWriteError

REFUSED_FOR_S = 5.0
"""How long a refusal stands before the next write asks again."""


class Confirmation:
    """What is known on a connection of one stream: whether it alone stores what is published."""

    def __init__(self) -> None:
        self.given = False
        self.seen = False
        """Whether something that was written was found in the stream that is shown."""
        self.misplaced = ""
        """The sentence that it was not: nothing more is written over this connection."""
        self.lock = asyncio.Lock()
        self._refusal: MisplacedWriteError | None = None
        self._refused_at = 0.0

    def refuse(self, refusal: MisplacedWriteError) -> None:
        """Remember why not, for a while."""
        self._refusal, self._refused_at = refusal, time.monotonic()

    @property
    def refusal(self) -> MisplacedWriteError | None:
        """Why not, as long as that was found a moment ago."""
        if self._refusal is None or time.monotonic() - self._refused_at > REFUSED_FOR_S:
            return None
        return MisplacedWriteError(self._refusal.sentence)
