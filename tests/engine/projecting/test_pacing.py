"""How long a projector rests between two commits."""

from __future__ import annotations

import pytest

from natster_tui.engine.projecting.pacing import (
    LONGEST_REST_S,
    SHORTEST_REST_S,
    rest_after,
)

COMMIT_S = 0.008
"""A commit of a few hundred documents on disk."""


def test_a_few_documents_are_followed_by_a_short_rest_and_none_by_no_rest() -> None:
    assert rest_after(10, more_arrived=False) == SHORTEST_REST_S
    assert rest_after(0, more_arrived=False) == 0


def test_no_rest_where_more_events_are_here_already() -> None:
    assert rest_after(1_000, more_arrived=True) == 0


@pytest.mark.parametrize("rate", [500, 1_000, 5_000, 20_000])
@pytest.mark.parametrize("late", [10, 5_000])
def test_a_late_batch_does_not_keep_the_next_ones_late(rate: int, late: int) -> None:
    """Rounds that begin with a batch of `late` entries become as short as others."""
    entries, round_s = late, 0.0
    for _ in range(30):
        round_s = rest_after(entries, more_arrived=False) + COMMIT_S
        entries = int(2 * rate * round_s)
    assert round_s <= COMMIT_S + LONGEST_REST_S
    if rate <= 5_000:
        assert round_s <= 2 * COMMIT_S + 0.001
