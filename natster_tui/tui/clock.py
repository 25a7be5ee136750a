"""Times on screen, against a clock that tests and pictures can hold still."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from natster_tui.events.moments import AtTime, BadMomentError, parse_moment

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
    """An event's time in five cells: the time of day, or the date when it is not today's."""
    whole = row_time(seconds, now).strip()
    return whole.rpartition("-")[0][:5] if whole.count("-") == 2 else whole[:5]


def full_time(seconds: int) -> str:
    """A time in full, with its zone: `2026-11-23 10:22:31 CET`."""
    try:
        return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
    except (OverflowError, OSError, ValueError):
        return f"{seconds} s"


def parse_local(text: str, now: float) -> int | None:
    """Unix seconds of a time as the screen shows times: local, and of today if no day is named.

    A time without seconds means the end of that minute, a day its first second. With an offset
    (`…Z`, `…+02:00`) it means exactly what it says. None for anything else.
    """
    try:
        moment = parse_moment(text, now, local=True)
    except BadMomentError:
        return None
    return moment.seconds if isinstance(moment, AtTime) else None


def wall_clock() -> float:
    """The real clock."""
    return time.time()
