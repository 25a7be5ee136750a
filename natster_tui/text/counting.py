"""Counts in words, and in few characters."""

from __future__ import annotations

_UNITS = "kMGTPE"


def counted(count: int, noun: str) -> str:
    """`1 account`, `1,234 accounts`; for nouns whose plural ends in s."""
    return f"{count:,} {plural(count, noun)}"


def plural(count: int, noun: str) -> str:
    """`account` for one, `accounts` for other counts."""
    return noun if count == 1 else f"{noun}s"


def counted_is(count: int, noun: str) -> str:
    """`1 account is`, `1,234 accounts are`."""
    return f"{counted(count, noun)} {'is' if count == 1 else 'are'}"


def counted_was(count: int, noun: str) -> str:
    """`1 account was`, `1,234 accounts were`."""
    return f"{counted(count, noun)} {'was' if count == 1 else 'were'}"


def short_count(count: int) -> str:
    """A count in at most four characters: `999`, `1.7k`, `12k`, `1.2M`. It is never cut."""
    if count < 1_000:
        return str(count)
    for power, unit in enumerate(_UNITS, 1):
        value = count / 1_000**power
        # Rounded down: what is shown is never more than there is.
        if value < 10:
            return f"{int(value * 10) / 10:.1f}{unit}"
        if value < 1_000:
            return f"{int(value)}{unit}"
    return f"{count // 1_000 ** len(_UNITS)}{_UNITS[-1]}"
