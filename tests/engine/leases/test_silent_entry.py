"""When a lease entry counts as dead."""

from __future__ import annotations

from natster_tui.engine.leases.silent_entry import SilentEntry


def looks(entry: SilentEntry, revision: int, times: list[float]) -> list[bool]:
    return [entry.observe(revision, now) for now in times]


def test_ten_looks_a_second_apart_with_one_revision_are_death() -> None:
    seen = looks(SilentEntry(), 7, [float(second) for second in range(10)])
    assert seen == [False] * 9 + [True]


def test_a_renewal_begins_the_count_again() -> None:
    entry = SilentEntry()
    looks(entry, 7, [float(second) for second in range(9)])
    assert looks(entry, 8, [9.0 + second for second in range(10)]) == [False] * 9 + [True]


def test_looks_that_follow_closely_count_as_one() -> None:
    entry = SilentEntry()
    assert not any(looks(entry, 7, [tenth / 10 for tenth in range(85)]))
    assert entry.looks == 9


def test_a_pause_of_more_than_three_seconds_begins_the_count_again() -> None:
    entry = SilentEntry()
    looks(entry, 7, [float(second) for second in range(9)])
    assert not entry.observe(7, 11.5)
    assert entry.looks == 1
    looks(entry, 7, [12.5, 15.4])
    assert entry.looks == 3


def test_no_entry_is_not_a_dead_one() -> None:
    assert not any(looks(SilentEntry(), 0, [float(second) for second in range(20)]))
