"""Whoever is at the keyboard goes first.

All of the program takes turns in one thread. From a key to its echo on the screen it takes
several of them, and while a flood of events comes in each turn lasts as long as what projecting
and following do in theirs. So they work in small pieces, and for a moment after a key they wait
between two of them: at most half of the time, so that even a key that is held down stops nothing.
"""

from __future__ import annotations

import asyncio
import time

MOMENT_S = 0.04
"""What the echo of a key takes, painting included."""

PIECE_S = 0.003
"""Seconds of work before anything else may have its turn."""


class RightOfWay:
    """Taken by the keyboard, given by everything that works in the background."""

    def __init__(self) -> None:
        self._until = 0.0

    @property
    def is_taken(self) -> bool:
        """Whether somebody at the keyboard is being served."""
        return time.monotonic() < self._until

    def take(self) -> None:
        """From now on the others wait for a moment. From any thread."""
        now = time.monotonic()
        if now >= self._until + MOMENT_S:
            self._until = now + MOMENT_S

    async def give(self) -> None:
        """Let everything else have its turn, and wait while somebody has the right of way."""
        await asyncio.sleep(max(0.0, self._until - time.monotonic()))

    def pace(self) -> Pace:
        """For a piece of work that begins now."""
        return Pace(self)


class Pace:
    """Says when a piece of work is over, and waits until the next one may begin."""

    def __init__(self, right_of_way: RightOfWay) -> None:
        self._right_of_way = right_of_way
        self._until = time.monotonic() + PIECE_S

    @property
    def is_over(self) -> bool:
        """Whether it is time to `rest`."""
        return time.monotonic() >= self._until

    async def rest(self) -> None:
        """See `RightOfWay.give`; then the next piece begins."""
        await self._right_of_way.give()
        self._until = time.monotonic() + PIECE_S
