"""Times on screen, against a clock that tests and pictures can hold still."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], float]
"""Unix seconds now."""

_DAY = 86_400


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


def full_time(seconds: int) -> str:
    """A time in full, with its zone: `2026-11-23 10:22:31 CET`."""
    try:
        return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
    except (OverflowError, OSError, ValueError):
        return f"{seconds} s"


def age(seconds: float) -> str:
    """How long ago, in at most four cells: `41s`, `12m`, `3h`, `21d`, `2y`."""
    seconds = max(0.0, seconds)
    for limit, divisor, unit in (
        (120, 1, "s"),
        (7_200, 60, "m"),
        (2 * _DAY, 3_600, "h"),
        (730 * _DAY, _DAY, "d"),
    ):
        if seconds < limit:
            return f"{int(seconds // divisor)}{unit}"
    return f"{int(seconds // (365 * _DAY))}y"


def wall_clock() -> float:
    """The real clock."""
    return time.time()
