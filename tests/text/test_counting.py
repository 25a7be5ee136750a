from __future__ import annotations

from natster_tui.text.counting import counted


def test_one_is_singular() -> None:
    assert [counted(n, "key") for n in (0, 1, 1_234)] == ["0 keys", "1 key", "1,234 keys"]
