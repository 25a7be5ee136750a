"""The way back and forward through what was looked at."""

from __future__ import annotations

from natster_tui.tui.places.place import DocumentPlace, EventPlace
from natster_tui.tui.places.trail import KEPT, Trail

FIRST, SECOND, THIRD = EventPlace(1), DocumentPlace("account", "A"), EventPlace(3)


def test_back_and_forward_walk_the_places_in_order() -> None:
    trail = Trail()
    trail.visit(FIRST, SECOND)
    trail.visit(SECOND, THIRD)
    assert trail.back(THIRD) == SECOND
    assert trail.back(SECOND) == FIRST
    assert trail.back(FIRST) is None
    assert trail.forward(FIRST) == SECOND
    assert trail.forward(SECOND) == THIRD
    assert trail.forward(THIRD) is None


def test_a_new_place_forgets_what_was_ahead() -> None:
    trail = Trail()
    trail.visit(FIRST, SECOND)
    trail.back(SECOND)
    trail.visit(FIRST, THIRD)
    assert not trail.has_forward
    assert trail.path(9) == (FIRST, THIRD)


def test_coming_back_leads_to_the_row_that_was_left() -> None:
    trail = Trail()
    trail.visit(FIRST, SECOND)
    assert trail.back(EventPlace(7)) == FIRST
    assert trail.forward(FIRST) == EventPlace(7)


def test_going_to_the_current_place_keeps_the_path() -> None:
    trail = Trail()
    trail.visit(FIRST, FIRST)
    assert not trail.has_back
    trail.visit(FIRST, SECOND)
    trail.visit(SECOND, SECOND)
    assert trail.path(9) == (FIRST, SECOND)


def test_the_oldest_places_are_forgotten() -> None:
    trail = Trail()
    for seq in range(3 * KEPT):
        trail.visit(EventPlace(seq), EventPlace(seq + 1))
    assert len(trail.path(10 * KEPT)) == KEPT
    assert trail.path(2) == (EventPlace(3 * KEPT - 1), EventPlace(3 * KEPT))
