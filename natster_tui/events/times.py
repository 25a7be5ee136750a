"""Times as the log writes them: `Natster-Occurred-At`, and the stream's own timestamps.

The header's grammar is a narrower RFC 3339: an offset, upper-case `T` and `Z`, seconds 00-59, from
1970-01-01T00:00:01Z to the end of the year 9999. Anything else counts as absent, so that all
readers agree on the time.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d+))?"
    r"(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_NANOS = 1_000_000_000
_DAY = 86_400
_CLOCKS_DIFFER_S = 60


def _parse(text: str) -> tuple[int, int] | None:
    """Unix seconds (floored) and the nanoseconds after them."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    try:
        days = date(int(year), int(month), int(day)).toordinal() - _EPOCH_DAY
    except ValueError:
        return None
    seconds = days * 86_400 + int(hour) * 3_600 + int(minute) * 60 + int(second)
    if offset != "Z":
        shift = int(offset[1:3]) * 3_600 + int(offset[4:6]) * 60
        seconds += shift if offset[0] == "-" else -shift
    return seconds, int((fraction or "")[:9].ljust(9, "0"))


def parse_occurred_at(text: str | None) -> int | None:
    """Unix seconds of a valid `Natster-Occurred-At`, floored; None for anything else."""
    if text is None:
        return None
    parsed = _parse(text)
    if parsed is None or parsed[0] < 1:
        return None
    return parsed[0]


def parse_occurred_at_ns(text: str | None) -> int | None:
    """The same in nanoseconds, floored, to distinguish events within one second."""
    if text is None:
        return None
    parsed = _parse(text)
    if parsed is None or parsed[0] < 1:
        return None
    return parsed[0] * _NANOS + parsed[1]


def parse_timestamp(text: str) -> int | None:
    """Nanoseconds since the epoch of a stream timestamp such as the server's, or None."""
    parsed = _parse(text)
    return None if parsed is None else parsed[0] * _NANOS + parsed[1]


def format_timestamp(time_ns: int) -> str:
    """A stream timestamp as the server writes it: UTC, nanoseconds, no trailing zeros."""
    seconds, nanos = divmod(time_ns, _NANOS)
    try:
        base = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    except (OverflowError, OSError, ValueError):
        return f"@{seconds}"
    base = base.rjust(19, "0")
    fraction = f".{nanos:09d}".rstrip("0") if nanos else ""
    return f"{base}{fraction}Z"


def format_seconds(seconds: int) -> str:
    """An event time (unix seconds) in UTC, for a person: `2026-11-23 03:14:06`."""
    return format_timestamp(seconds * _NANOS).replace("T", " ").removesuffix("Z")


def age(seconds: float) -> str:
    """An age in at most four cells: `41s`, `12m`, `3h`, `21d`, `2y`."""
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


def ago(seconds: float) -> str:
    """How long ago, in words: `6d ago`; `in 3h` for a time that is still to come.

    The clocks of two machines differ a little, so less than a minute ahead counts as now.
    """
    return f"in {age(-seconds)}" if seconds <= -_CLOCKS_DIFFER_S else f"{age(seconds)} ago"
