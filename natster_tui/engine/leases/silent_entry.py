"""Whether the process that holds a lease entry still renews it.

A live holder renews each second, and each renewal is a new revision. An entry that keeps one
revision over ten reads is dead, whatever its time to live says: one that was written without a
time to live would otherwise be held for ever.
"""

from __future__ import annotations

DEAD_AFTER_LOOKS = 10
APART_S = 1.0
"""Reads that are less than this many seconds apart count as one."""
PAUSE_S = 3.0
"""After a longer time between two reads (asleep, or no answer) the count starts again."""

_TIMER_S = 0.1
"""The part of an interval by which a timer may fire early."""


class SilentEntry:
    """Counts how many reads in a row found one entry at the same revision."""

    def __init__(self) -> None:
        self.looks = 0
        """How many reads found the present revision."""
        self._revision = 0
        self._counted_at = 0.0

    @property
    def is_dead(self) -> bool:
        """Whether no process renews the entry any more."""
        return self.looks >= DEAD_AFTER_LOOKS

    def observe(self, revision: int, now: float) -> bool:
        """Count a read; returns `is_dead`. `now` is monotonic seconds.

        Revision 0 is no entry.
        """
        since = now - self._counted_at
        if revision != self._revision or since > PAUSE_S:
            self.looks = 1 if revision else 0
        elif revision and since >= APART_S * (1 - _TIMER_S):
            self.looks += 1
        else:
            return self.is_dead
        self._revision, self._counted_at = revision, now
        return self.is_dead
