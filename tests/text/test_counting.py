from __future__ import annotations

from natster_tui.text.counting import counted, short_count


def test_one_is_singular() -> None:
    assert [counted(n, "key") for n in (0, 1, 1_234)] == ["0 keys", "1 key", "1,234 keys"]


def test_a_large_count_takes_four_characters_and_never_says_too_much() -> None:
    shown = [short_count(n) for n in (0, 999, 1_000, 1_739, 9_999, 17_390, 173_900, 1_999_999)]
    assert shown == ["0", "999", "1.0k", "1.7k", "9.9k", "17k", "173k", "1.9M"]
    assert all(len(short_count(10**n)) <= 4 for n in range(20))
