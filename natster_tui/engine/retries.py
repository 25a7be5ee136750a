"""Pausing between attempts to connect, longer after each failure."""

from __future__ import annotations

import asyncio
import time

FIRST_RETRY_S = 0.2
LAST_RETRY_S = 1.0
_LONGER_BY = 1.5


class Retries:
    """Counts failed attempts, and waits a little longer after each, up to LAST_RETRY_S."""

    def __init__(self) -> None:
        self._count = 0
        self._delay = FIRST_RETRY_S
        self._next_at: float | None = None

    @property
    def count(self) -> int:
        """The attempts that failed since the last connection."""
        return self._count

    def connected(self) -> None:
        """Note that an attempt succeeded."""
        self._count = 0

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the next attempt; None during an attempt."""
        return None if self._next_at is None else max(0.0, self._next_at - time.monotonic())

    async def wait(self, lasted_s: float) -> None:
        """Wait before the next attempt; the last attempt or connection lasted `lasted_s`."""
        if lasted_s > LAST_RETRY_S:
            self._delay = FIRST_RETRY_S
        self._count += 1
        self._next_at = time.monotonic() + self._delay
        try:
            await asyncio.sleep(self._delay)
        finally:
            self._next_at = None
        self._delay = min(self._delay * _LONGER_BY, LAST_RETRY_S)
