"""Any version of any state equals the fold of the log up to it, in whatever order one asks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from natster_tui.events.event import Record
from natster_tui.events.natster import NATSTER
from natster_tui.projections.api import Projection
from natster_tui.projections.fast.shares import Shares
from natster_tui.projections.history.states import Past, StateHistory
from natster_tui.projections.registering.registry import ACCOUNTS, PROJECTIONS
from tests.folding import fold_all
from tests.making_logs import A, B, C, logs, records_of, shared, unshared


def history_of(projection: Projection[Any], records: list[Record]) -> StateHistory[Any]:
    history: StateHistory[Any] = StateHistory(projection)
    for record in records:
        history.apply(record, NATSTER.read(record))
    return history


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda p: p.name)
@settings(max_examples=60)
@given(
    records=logs(max_size=25), way=st.lists(st.integers(0, 26), max_size=20), at=st.integers(0, 26)
)
def test_every_past_state_equals_the_fold_up_to_it(
    projection: Projection[Any], records: list[Record], way: list[int], at: int
) -> None:
    history = history_of(projection, records)
    past = history.at(at)
    for seq in way:
        past = history.at(seq, past)
        assert_is_the_fold(past, records)


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda p: p.name)
@settings(max_examples=60)
@given(records=logs(max_size=25), taken=st.integers(0, 26), forgotten=st.integers(0, 26))
def test_only_forgotten_moments_become_unreachable(
    projection: Projection[Any], records: list[Record], taken: int, forgotten: int
) -> None:
    history = history_of(projection, records)
    end = history.seq
    taken, forgotten = min(taken, end), min(forgotten, end)
    before, past = history.changes, history.at(taken)
    for _ in history.forget(forgotten):
        pass
    assert history.changes <= before
    assert_is_the_fold(past, records)
    again = history.at(max(taken, forgotten), past)
    assert_is_the_fold(again, records)
    for seq in range(forgotten, history.seq + 2):
        assert_is_the_fold(history.at(seq), records)
    # What comes after is noted in the new place.
    later = records_of(*[shared(A, B)] * (end + 1), unshared(A, B), shared(A, C))[end:]
    for record in later:
        history.apply(record, NATSTER.read(record))
    assert_is_the_fold(history.at(history.seq), [*records, *later])
    assert_is_the_fold(again, records)


def assert_is_the_fold(past: Past[Any], records: list[Record]) -> None:
    expected = fold_all(past.projection, [r for r in records if r.seq <= past.seq])
    assert list(past.states) == list(expected.states)
    assert len(past.states) == len(expected.states)
    assert past.parked == expected.parked
    for key, state in past.states.items():
        # Sizes first: they are known without looking inside.
        for name in ("out_shares", "in_shares", "shared_with", "contested_by"):
            if hasattr(state, name):
                assert len(getattr(state, name)) == len(getattr(expected.states[key], name))
    assert past.documents() == expected.documents()
    assert past.document("nobody") is None


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda p: p.name)
@settings(max_examples=60)
@given(records=logs(max_size=25))
def test_an_event_changed_the_documents_that_differ_after_it(
    projection: Projection[Any], records: list[Record]
) -> None:
    history = history_of(projection, records)
    for seq in range(1, history.seq + 1):
        was, became = history.at(seq - 1).documents(), history.at(seq).documents()
        differing = {key for key in {*was, *became} if was.get(key) != became.get(key)}
        assert history.changed_by(seq) == differing


def test_only_states_that_are_read_are_built() -> None:
    history = history_of(ACCOUNTS, records_of(shared(A, B), shared(A, C), unshared(A, B)))
    past = history.at(2)
    assert not past.states.seen
    assert list(past.states[A].out_shares) == [("kevbuzz", B), ("kevbuzz", C)]
    assert set(past.states.seen) == {A}


def test_what_would_change_a_state_unnoticed_is_refused() -> None:
    history = history_of(ACCOUNTS, records_of(shared(A, B)))
    with pytest.raises(NotImplementedError):
        history._fold.states[A].out_shares.clear()


def test_a_dict_replaced_whole_is_noted() -> None:
    records = records_of(shared(A, B), shared(A, B, "movies"), shared(A, B))
    history = history_of(ACCOUNTS, records[:2])
    history._fold.states[A].out_shares = Shares()
    history.apply(records[2], NATSTER.read(records[2]))
    shares = [list(history.at(seq).states[A].out_shares) for seq in (1, 2, 3)]
    kevbuzz, movies = ("kevbuzz", B), ("movies", B)
    assert shares == [[kevbuzz], [kevbuzz, movies], [kevbuzz]]
