"""How the width of a list is divided among its columns."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from natster_tui.tui.widgets.arrangement import Arrangement, ColumnRule
from natster_tui.tui.widgets.fitting import fair_widths

NAME = ColumnRule("account", shrinks=True)
KEY = ColumnRule("key", yields=2)
LOGIN = ColumnRule("login", yields=1)
COUNT = ColumnRule("out")


def arranged(room: int) -> list[int]:
    arrangement = Arrangement([NAME, KEY, LOGIN, COUNT])
    arrangement.see(["The Quiet Plumbers Ensemble", "ABIJ…MB5", "google-oauth2", "1.7k▸"])
    return list(arrangement.widths(room))


def test_names_take_the_room_that_other_columns_leave_for_them() -> None:
    assert arranged(60) == [31, 8, 13, 5], "what is left goes to the name"
    assert arranged(50) == [35, 8, 0, 5]
    assert arranged(40) == [34, 0, 0, 5]


def test_a_number_is_never_cut_and_a_name_only_when_nothing_else_can_give() -> None:
    assert arranged(20) == [14, 0, 0, 5]


def test_an_empty_column_takes_no_room() -> None:
    arrangement = Arrangement([ColumnRule(), NAME])
    assert list(arrangement.widths(10)) == [0, 10]
    arrangement.see(["!", "Anna"])
    assert list(arrangement.widths(10)) == [1, 8]


@given(st.lists(st.integers(0, 60), min_size=1, max_size=6), st.integers(0, 200))
def test_the_longest_texts_are_cut_equally(needs: list[int], room: int) -> None:
    widths = fair_widths(needs, room)
    assert sum(widths) <= room
    assert all(width <= need for width, need in zip(widths, needs, strict=True))
    if sum(needs) <= room:
        assert widths == needs
    else:
        cut = [width for width, need in zip(widths, needs, strict=True) if width < need]
        assert max(cut) - min(cut) <= 1, "those that are cut are equally wide"
        whole = [width for width, need in zip(widths, needs, strict=True) if width == need]
        assert not whole or max(whole) <= max(cut) + 1
