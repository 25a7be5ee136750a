"""Events per second, smoothed, and for each of the last seconds."""

from __future__ import annotations

import time
from collections import deque

_SECONDS_KEPT = 60


class RateMeter:
    """Counts events in buckets of one second of a monotonic clock."""

    def __init__(self) -> None:
        self._buckets: deque[tuple[int, int]] = deque(maxlen=_SECONDS_KEPT)

    def add(self, count: int) -> None:
        """Count events that arrived now."""
        second = int(time.monotonic())
        if self._buckets and self._buckets[-1][0] == second:
            self._buckets[-1] = (second, self._buckets[-1][1] + count)
        else:
            self._buckets.append((second, count))

    def history(self, seconds: int) -> list[int]:
        """Events in each of the last full seconds, oldest first."""
        now = int(time.monotonic())
        counts = dict(self._buckets)
        return [counts.get(now - back, 0) for back in range(seconds, 0, -1)]

    @property
    def per_second(self) -> float:
        """The mean over the last five full seconds."""
        return sum(self.history(5)) / 5
