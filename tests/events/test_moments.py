from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from natster_tui.events.moments import (
    FORMS,
    AtSequence,
    AtTime,
    BadMomentError,
    Use,
    parse_moment,
)

NOW = datetime(2026, 11, 23, 10, 22, 31, tzinfo=UTC).timestamp()


def utc(*parts: int) -> AtTime:
    return AtTime(int(datetime(*parts, tzinfo=UTC).timestamp()))  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4711", AtSequence(4711)),
        ("4,711", AtSequence(4711)),
        ("0", AtSequence(0)),
        ("9" * 5_000, AtSequence(int("9" * 19))),
        ("now", utc(2026, 11, 23, 10, 22, 31)),
        ("90s", utc(2026, 11, 23, 10, 21, 1)),
        ("3h", utc(2026, 11, 23, 7, 22, 31)),
        ("2D", utc(2026, 11, 21, 10, 22, 31)),
        ("1w", utc(2026, 11, 16, 10, 22, 31)),
        ("today", utc(2026, 11, 23)),
        ("Yesterday", utc(2026, 11, 22)),
        ("yesterday 09:30:05", utc(2026, 11, 22, 9, 30, 5)),
        ("09:30", utc(2026, 11, 23, 9, 30, 59)),
        ("09:30:00", utc(2026, 11, 23, 9, 30)),
        ("11-20 09:30:00", utc(2026, 11, 20, 9, 30)),
        ("2026-11-20", utc(2026, 11, 20)),
        (" 2026-11-20   09:30 ", utc(2026, 11, 20, 9, 30, 59)),
        ("2026-11-20T09:30:07", utc(2026, 11, 20, 9, 30, 7)),
        ("2026-11-20T09:30:07.5Z", utc(2026, 11, 20, 9, 30, 7)),
        ("2026-11-20 09:30+02:00", utc(2026, 11, 20, 7, 30)),
    ],
)
def test_a_moment_has_the_forms_that_people_type(text: str, expected: object) -> None:
    assert parse_moment(text, NOW) == expected


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("yesterday", utc(2026, 11, 22), utc(2026, 11, 22, 23, 59, 59)),
        ("2026-11-20", utc(2026, 11, 20), utc(2026, 11, 20, 23, 59, 59)),
        ("09:30", utc(2026, 11, 23, 9, 30), utc(2026, 11, 23, 9, 30, 59)),
        ("09:30:07", utc(2026, 11, 23, 9, 30, 7), utc(2026, 11, 23, 9, 30, 7)),
    ],
)
def test_since_takes_the_first_second_of_what_is_named_and_until_the_last(
    text: str, since: AtTime, until: AtTime
) -> None:
    assert parse_moment(text, NOW, Use.SINCE) == since
    assert parse_moment(text, NOW, Use.UNTIL) == until


def test_times_are_local_if_the_screen_shows_local_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert parse_moment("19:00:00", NOW, local=True) == utc(2026, 11, 23, 10, 0, 0)
        assert parse_moment("today", NOW, local=True) == utc(2026, 11, 22, 15, 0, 0)
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "someday", "2026-02-30", "25:00", "2x", "-5", "11-20", "T09:30"),
        *("2026-11-20T", "1.5h", "0000-01-01", "\u0663", "1,2"),
    ],
)
def test_anything_else_is_refused_with_the_forms_that_there_are(text: str) -> None:
    with pytest.raises(BadMomentError) as refused:
        parse_moment(text, NOW)
    assert FORMS in str(refused.value)
