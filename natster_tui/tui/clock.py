"""Times as the screen shows them, and the clock, which tests and pictures can replace."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], float]
"""Unix seconds now."""


def row_time(seconds: int, now: float) -> str:
    """An event's time in eleven cells: the time of day, with the date when it is not today's."""
    try:
        moment, today = datetime.fromtimestamp(seconds), datetime.fromtimestamp(now)
    except (OverflowError, OSError, ValueError):
        return "?"
    if moment.date() == today.date():
        return moment.strftime("   %H:%M:%S")
    if moment.year == today.year:
        return moment.strftime("%m-%d %H:%M")
    return moment.strftime(" %Y-%m-%d")


def short_row_time(seconds: int, now: float) -> str:
    """An event's time in five cells: the time of day, the day, or the year and month."""
    whole = row_time(seconds, now).strip()
    return whole[2:7] if whole.count("-") == 2 else whole[:5]


def full_time(seconds: int) -> str:
    """A time in full, with its zone: `2026-11-23 10:22:31 CET`."""
    try:
        return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
    except (OverflowError, OSError, ValueError):
        return f"{seconds} s"


def wall_clock() -> float:
    """The real clock."""
    return time.time()
