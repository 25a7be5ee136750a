"""When a `Natster-Occurred-At` is valid, and the stream's own timestamps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from natster_tui.events.event import OCCURRED_AT, Record
from natster_tui.events.times import (
    ago,
    format_seconds,
    format_timestamp,
    parse_occurred_at,
    parse_timestamp,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:01Z", 1),
        ("1970-01-01T00:00:01.999999999Z", 1),
        ("1970-01-01T00:00:01+00:00", 1),
        ("1970-01-01T00:00:01-00:00", 1),
        ("1970-01-01T01:00:01+01:00", 1),
        ("1969-12-31T23:00:01-01:00", 1),
        ("2026-11-23T03:13:15.770778175Z", 1795403595),
        ("2026-11-23T03:13:15.9Z", 1795403595),
        ("2026-11-23T03:13:15.770778175123456789Z", 1795403595),
        ("2026-11-23T08:43:15+05:30", 1795403595),
        ("2026-11-22T03:14:15-23:59", 1795403595),
        ("2024-02-29T23:59:59Z", 1709251199),
        ("9999-12-31T23:59:59Z", 253402300799),
        ("9999-12-31T23:59:59.999999999Z", 253402300799),
    ],
)
def test_valid_times_are_floored_to_unix_seconds(text: str, seconds: int) -> None:
    assert parse_occurred_at(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "now", "1795403595",
        "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.999999999Z", "1969-12-31T23:59:59Z",
        "1970-01-01T00:59:59+01:00", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z", "+2026-11-23T03:13:15Z", "-2026-11-23T03:13:15Z",
        "2026-11-23T03:13:60Z", "2026-12-31T23:59:60Z", "2026-11-23T03:60:15Z",
        "2026-11-23T24:00:00Z", "2026-00-23T03:13:15Z", "2026-13-23T03:13:15Z",
        "2026-11-31T03:13:15Z", "2023-02-29T03:13:15Z", "2026-11-00T03:13:15Z",
        "2026-11-23t03:13:15Z", "2026-11-23T03:13:15z", "2026-11-23 03:13:15Z",
        "2026-11-23T03:13:15", "2026-11-23T03:13Z", "2026-11-23", "20261123T031315Z",
        "2026-11-23T03:13:15+0100", "2026-11-23T03:13:15+01", "2026-11-23T03:13:15+1:00",
        "2026-11-23T03:13:15+24:00", "2026-11-23T03:13:15+01:60", "2026-11-23T03:13:15UTC",
        "2026-11-23T03:13:15.Z", "2026-11-23T03:13:15,5Z", "2026-11-23T3:13:15Z",
        " 2026-11-23T03:13:15Z", "2026-11-23T03:13:15Z ", "2026-11-23T03:13:15Z\n",
        "２０２６-11-23T03:13:15Z", "2026-11-23T03:13:1٥Z", "2026-11-23T03:13:15.٥Z",
        "2026-11-23T03:13:15−01:00", "2026-W47-1T03:13:15Z", "2026-327T03:13:15Z",
    ],
)  # fmt: skip
def test_anything_else_counts_as_absent(text: str) -> None:
    assert parse_occurred_at(text) is None
    record = Record(1, 1_795_403_595_999_999_999, "s", b"", ((OCCURRED_AT, text),))
    assert record.event_time == 1795403595


def test_without_a_header_the_streams_timestamp_counts_floored() -> None:
    assert parse_occurred_at(None) is None
    assert Record(1, 1_999_999_999, "s").event_time == 1
    assert Record(1, 1_999_999_999, "s", b"", (("natster-occurred-at", "x"),)).event_time == 1


def test_of_repeated_headers_the_first_counts() -> None:
    first, second = ((OCCURRED_AT, f"200{n}-01-01T00:00:00Z") for n in (1, 2))
    assert Record(1, 0, "s", b"", (first, second)).event_time == 978307200
    assert Record(1, 5 * 10**9, "s", b"", ((OCCURRED_AT, ""), second)).event_time == 5


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30)),
    st.integers(-23 * 60 - 59, 23 * 60 + 59),
    st.sampled_from(["auto", "milliseconds", "microseconds"]),
)
def test_every_moment_since_the_epoch_is_valid_in_every_offset(
    moment: datetime, offset: int, precision: str
) -> None:
    local = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))
    seconds = int((local - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1))
    expected = seconds if seconds >= 1 else None
    assert parse_occurred_at(local.isoformat(timespec=precision)) == expected


# -- the stream's timestamps -------------------------------------------------------------------


@given(st.integers(0, 253_402_300_799 * 10**9 + 999_999_999))
@example(0)
@example(1_795_403_595_000_000_000)
def test_stream_timestamps_survive_being_written_and_read(time_ns: int) -> None:
    assert parse_timestamp(format_timestamp(time_ns)) == time_ns


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("2026-11-23T03:13:27.124884436Z", 1795403607124884436),
        ("2026-11-23T03:13:27.26600832Z", 1795403607266008320),
        ("2026-11-23T03:13:27Z", 1795403607000000000),
    ],
)
def test_stream_timestamps_are_written_as_the_server_writes_them(text: str, time_ns: int) -> None:
    assert format_timestamp(time_ns) == text
    assert parse_timestamp(text) == time_ns


def test_a_time_beyond_the_calendar_can_still_be_shown() -> None:
    assert format_seconds(1795403595) == "2026-11-23 03:13:15"
    assert format_seconds(10**15) == f"@{10**15}"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-86_400 * 3, "in 3d"), (-61, "in 61s"), (-59, "0s ago"), (0, "0s ago"), (7_300, "2h ago")],
)
def test_a_time_that_is_still_to_come_is_not_said_to_be_past(seconds: float, said: str) -> None:
    assert ago(seconds) == said
