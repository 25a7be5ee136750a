"""Ranges of sequences and times, for records that can pass a filter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from natster_tui.events.event import Record


@dataclass(frozen=True, slots=True)
class Bounds:
    """A range of sequences and of event times in unix seconds; None: no bound on that side."""

    first: int = 1
    last: int | None = None
    since: int | None = None
    until: int | None = None

    def contain(self, record: Record) -> bool:
        """Whether a record lies within the range."""
        if record.seq < self.first or (self.last is not None and record.seq > self.last):
            return False
        if self.since is not None and record.event_time < self.since:
            return False
        return self.until is None or record.event_time <= self.until

    def intersection(self, other: Bounds) -> Bounds:
        """The range that both have in common."""
        lasts = [last for last in (self.last, other.last) if last is not None]
        begins = [since for since in (self.since, other.since) if since is not None]
        ends = [until for until in (self.until, other.until) if until is not None]
        return Bounds(
            max(self.first, other.first),
            min(lasts, default=None),
            max(begins, default=None),
            min(ends, default=None),
        )

    def enclosing(self, other: Bounds) -> Bounds:
        """The smallest range that contains both."""
        return Bounds(
            min(self.first, other.first),
            _if_both(max, self.last, other.last),
            _if_both(min, self.since, other.since),
            _if_both(max, self.until, other.until),
        )


def _if_both(pick: Callable[[int, int], int], one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else pick(one, other)
