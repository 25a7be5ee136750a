"""Documents in order: a step through time comes to the same as sorting all of them."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from natster_tui.demo.community import DemoCommunity
from natster_tui.engine.history.time_travel import Moment
from natster_tui.engine.projecting.recent_changes import RecentChanges
from natster_tui.events.event import Record
from natster_tui.events.natster import NATSTER
from natster_tui.projections.api import Projection
from natster_tui.projections.fold import Fold
from natster_tui.projections.history.states import StateHistory
from natster_tui.projections.projection_sentences import Names
from natster_tui.tui.panes.account_columns import ACCOUNT_COLUMNS
from natster_tui.tui.panes.catalog_columns import CATALOG_COLUMNS
from natster_tui.tui.panes.columns import Sort
from natster_tui.tui.panes.document_order import DocumentOrder
from tests.tui.scenes import NOW

EVENTS = 600
NAMES = Names({})
SORTS = [
    pytest.param(columns.projection, sort, id=f"{columns.projection.name}-{sort.name}")
    for columns in (ACCOUNT_COLUMNS, CATALOG_COLUMNS)
    for sort in columns.sorts
]


def history_of(projection: Projection[Any], seed: int) -> StateHistory[Any]:
    history: StateHistory[Any] = StateHistory(projection)
    for seq, event in enumerate(DemoCommunity(seed).history(EVENTS, NOW), 1):
        record = Record(seq, seq * 10**9, event.subject, event.payload)
        history.apply(record, NATSTER.read(record))
    return history


def sorted_keys(projection: Projection[Any], states: Any, sort: Sort[Any]) -> list[str]:
    order: DocumentOrder[Any] = DocumentOrder(projection.name)
    return order.keys(states, sort, NAMES, None)


@pytest.mark.parametrize(("projection", "sort"), SORTS)
def test_steps_and_jumps_come_to_the_same_as_sorting_again(
    projection: Projection[Any], sort: Sort[Any]
) -> None:
    histories = [history_of(projection, 7), history_of(projection, 8)]
    draw = Random(sort.name)
    order: DocumentOrder[Any] = DocumentOrder(projection.name)
    seq, history = EVENTS // 2, histories[0]
    for _ in range(400):
        match draw.random():
            case chance if chance < 0.02:
                seq = draw.randint(0, EVENTS)
            case chance if chance < 0.04:
                # As after an erasure: the log was read again, and may say something else.
                history = draw.choice(histories)
            case _:
                seq = max(0, min(EVENTS, seq + draw.choice((-1, 0, 1))))
        past, changed = history.at(seq), history.changed_by(seq)
        moment = Moment(seq, 0, {projection.name: past}, {projection.name: changed})
        expected = sorted_keys(projection, past.states, sort)
        assert order.keys(past.states, sort, NAMES, moment) == expected
        assert sorted(expected) == sorted(past.states)


@pytest.mark.parametrize(("projection", "sort"), SORTS)
def test_live_refreshes_come_to_the_same_as_sorting_again(
    projection: Projection[Any], sort: Sort[Any]
) -> None:
    draw = Random(sort.name)
    order: DocumentOrder[Any] = DocumentOrder(projection.name)
    changes, fold = RecentChanges(), Fold(projection)
    for seq, event in enumerate(DemoCommunity(7).history(EVENTS, NOW), 1):
        record = Record(seq, seq * 10**9, event.subject, event.payload)
        changes.note(fold.apply(record, NATSTER.read(record)))
        if draw.random() < 0.3:
            expected = sorted_keys(projection, fold.states, sort)
            assert order.keys(fold.states, sort, NAMES, None, changes) == expected
        if draw.random() < 0.02:
            # As after a conflict: what is stored is somewhere else.
            for key in draw.sample(sorted(fold.states), len(fold.states) // 3):
                del fold.states[key]
            changes.forget()
