"""Giving key presses priority over background work.

The whole program runs in one thread. Echoing a key press takes several turns of the event loop, and
during a flood of events each turn takes as long as the work that projecting and following do in it.
So they work in small pieces, and pause between two pieces after a key press. They pause at most
half of the time, so a key that is held down never stops them.
"""

from __future__ import annotations

import asyncio
import time

MOMENT_S = 0.04
"""Seconds that the echo of a key takes, including painting."""

PIECE_S = 0.003
"""Seconds of work before other tasks may run."""


class InteractivePriority:
    """Claimed by the keyboard; all background work yields to it."""

    def __init__(self) -> None:
        self._until = 0.0

    @property
    def is_claimed(self) -> bool:
        """Whether a key press is being handled."""
        return time.monotonic() < self._until

    def claim(self) -> None:
        """Make background work wait for a moment. May be called from any thread."""
        now = time.monotonic()
        if now >= self._until + MOMENT_S:
            self._until = now + MOMENT_S

    async def yield_turn(self) -> None:
        """Let other tasks run, and wait while the keyboard has priority."""
        await asyncio.sleep(max(0.0, self._until - time.monotonic()))

    def pace(self) -> Pace:
        """A pace for a piece of work that begins now."""
        return Pace(self)


class Pace:
    """Says when a piece of work is over, and waits until the next one may begin."""

    def __init__(self, priority: InteractivePriority) -> None:
        self._priority = priority
        self._until = time.monotonic() + PIECE_S

    @property
    def is_over(self) -> bool:
        """Whether it is time to `rest`."""
        return time.monotonic() >= self._until

    async def rest(self) -> None:
        """Wait (see `InteractivePriority.yield_turn`), then begin the next piece."""
        await self._priority.yield_turn()
        self._until = time.monotonic() + PIECE_S
