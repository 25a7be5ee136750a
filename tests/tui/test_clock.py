"""Times in rows."""

from __future__ import annotations

from datetime import datetime

import pytest

from natster_tui.tui.clock import short_row_time

NOW = datetime(2026, 11, 29, 16, 30, 0).timestamp()


@pytest.mark.parametrize(
    ("time", "shown"),
    [
        (datetime(2026, 11, 29, 9, 5, 7), "09:05"),
        (datetime(2026, 11, 2, 9, 5, 7), "11-02"),
        (datetime(2025, 8, 2, 9, 5, 7), "25-08"),
    ],
)
def test_a_time_in_five_cells_is_the_time_the_day_or_the_month(time: datetime, shown: str) -> None:
    assert short_row_time(int(time.timestamp()), NOW) == shown
