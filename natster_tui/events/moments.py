"""Moments as people type them: a sequence, a time, a day, or an age.

`--at`, `--since`, `--from`, `--to`, the filter's `since:` and `until:` and the dashboard take the
same forms. A moment is a position in the log or a time; the log is needed to find the event of a
time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum

from natster_tui.events.times import parse_timestamp
from natster_tui.text.masking import screen_text

FORMS = (
    "a sequence (4711), a date (2026-11-23), a time (09:30, 2026-11-23 10:22, "
    "2026-11-23T10:22:31Z), yesterday, today, now, or an age (90s, 15m, 3h, 2d, 1w)"
)
"""All forms, for a sentence."""

_AGE = re.compile(r"(\d{1,9})([smhdw])", re.ASCII)
_AGE_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_NUMBER = re.compile(r"\d+|\d{1,3}(?:,\d{3})+", re.ASCII)
_DIGITS = 19
_TIME = re.compile(
    r"(?:(?P<word>today|yesterday)|(?:(?P<year>\d{4})-)?(?P<month>\d\d)-(?P<day>\d\d))?"
    r"(?:(?:^|(?<=[a-z]) |(?<=\d)[ T])(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d))?)?",
    re.ASCII,
)
_DAYS = {"today": 0, "yesterday": 1}
_SHOWN = 60


class BadMomentError(ValueError):
    """The text is not a moment; the message lists the forms."""


class Use(Enum):
    """Which second a text means that names a whole day or minute.

    `SINCE` takes the first second and `UNTIL` the last. `AT` takes the last second of a minute,
    because rows show minutes and an event of that minute is meant, but the first second of a day.
    """

    SINCE = "since"
    AT = "at"
    UNTIL = "until"


@dataclass(frozen=True, slots=True)
class AtSequence:
    """A position in the log, which may lie beyond its end."""

    seq: int


@dataclass(frozen=True, slots=True)
class AtTime:
    """A time in unix seconds."""

    seconds: int


Moment = AtSequence | AtTime


def parse_moment(text: str, now: float, use: Use = Use.AT, *, local: bool = False) -> Moment:
    """The moment that a text means; `now` (unix seconds) is what ages count back from.

    A time without an offset is UTC, or with `local` the time of this machine's zone. Raises
    BadMomentError.
    """
    words = " ".join(text.split())
    if _NUMBER.fullmatch(words):
        # Cut, because Python refuses to read very long numbers, and no log is so long.
        return AtSequence(int(words.replace(",", "").lstrip("0")[:_DIGITS] or "0"))
    if words.lower() == "now":
        return AtTime(int(now))
    if age := _AGE.fullmatch(words.lower()):
        return AtTime(int(now) - int(age[1]) * _AGE_SECONDS[age[2]])
    exact = parse_timestamp(_with_seconds(words))
    if exact is not None:
        return AtTime(exact // 1_000_000_000)
    try:
        seconds = _time_of_day(words, now, use, local=local)
    except (ValueError, OverflowError, OSError):
        seconds = None
    if seconds is None:
        raise BadMomentError(f"{screen_text(words, _SHOWN) or 'nothing'} is not {FORMS}")
    return AtTime(seconds)


def _with_seconds(words: str) -> str:
    """A time with an offset in the form that a timestamp has: `T` between, and seconds."""
    return re.sub(
        r"^(\d{4}-\d\d-\d\d) ", r"\1T", re.sub(r"( |T)(\d\d:\d\d)(?=[Z+-])", r"\1\2:00", words)
    )


def _time_of_day(words: str, now: float, use: Use, *, local: bool) -> int | None:
    """Unix seconds of a day, a minute or a second without an offset; None for another form."""
    match = _TIME.fullmatch(words if "T" in words else words.lower())
    if match is None or not words:
        return None
    part = match.groupdict()
    today = datetime.fromtimestamp(now, None if local else UTC).date()
    day = today - timedelta(days=_DAYS.get(part["word"], 0))
    if part["month"] is not None:
        day = date(int(part["year"] or today.year), int(part["month"]), int(part["day"]))
    if part["hour"] is None:
        if part["month"] is not None and part["year"] is None:
            return None
        if use is Use.UNTIL:
            return _seconds(day + timedelta(days=1), 0, 0, 0, local=local) - 1
        return _seconds(day, 0, 0, 0, local=local)
    second = part["second"]
    if second is None:
        second = "0" if use is Use.SINCE else "59"
    return _seconds(day, int(part["hour"]), int(part["minute"]), int(second), local=local)


def _seconds(day: date, hour: int, minute: int, second: int, *, local: bool) -> int:
    zone = None if local else UTC
    at = datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=zone)
    return int(at.timestamp())
