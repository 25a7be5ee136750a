"""Pausing a projector while a rebuild in the same process rewrites its bucket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class PauseGate:
    """Asks a projector to pause, and waits until it does.

    The projector sets `idle` while none of its writes is in flight.
    """

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.resumed = asyncio.Event()
        self.resumed.set()
        self.idle = asyncio.Event()
        self.idle.set()
        self._pauses = 0

    @asynccontextmanager
    async def paused(self) -> AsyncIterator[None]:
        """Pause the projector; the block begins once it is idle."""
        self._pauses += 1
        self.resumed.clear()
        self.asked.set()
        try:
            await self.idle.wait()
            yield
        finally:
            self._pauses -= 1
            if self._pauses == 0:
                self.asked.clear()
                self.resumed.set()
