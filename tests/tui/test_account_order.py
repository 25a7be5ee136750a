"""Accounts in order: a step through time comes to the same as sorting all of them."""

from __future__ import annotations

from random import Random

import pytest

from natster_tui.demo.community import DemoCommunity
from natster_tui.engine.history.time_travel import Moment
from natster_tui.engine.projecting.recent_changes import RecentChanges
from natster_tui.events.event import Record, read_event
from natster_tui.projections.account import AccountState
from natster_tui.projections.fold import Fold
from natster_tui.projections.history.states import StateHistory
from natster_tui.projections.registry import ACCOUNTS
from natster_tui.tui.panes.account_order import SORTS, AccountOrder
from tests.tui.scenes import NOW

EVENTS = 600


def history_of(seed: int) -> StateHistory[AccountState]:
    history: StateHistory[AccountState] = StateHistory(ACCOUNTS)
    for seq, event in enumerate(DemoCommunity(seed).history(EVENTS, NOW), 1):
        record = Record(seq, seq * 10**9, event.subject, event.payload)
        history.apply(record, read_event(record))
    return history


@pytest.mark.parametrize("sort", range(len(SORTS)), ids=[name for name, _ in SORTS])
def test_steps_and_jumps_come_to_the_same_as_sorting_anew(sort: int) -> None:
    histories = [history_of(7), history_of(8)]
    draw = Random(sort)
    order = AccountOrder()
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
        past = history.at(seq)
        moment = Moment(seq, 0, {ACCOUNTS.name: past}, {ACCOUNTS.name: history.changed_by(seq)})
        expected = AccountOrder().keys(past.states, sort, None)
        assert order.keys(past.states, sort, moment) == expected
        assert sorted(expected) == sorted(past.states)


@pytest.mark.parametrize("sort", range(len(SORTS)), ids=[name for name, _ in SORTS])
def test_now_looks_come_to_the_same_as_sorting_anew(sort: int) -> None:
    draw = Random(sort)
    order, changes, fold = AccountOrder(), RecentChanges(), Fold(ACCOUNTS)
    for seq, event in enumerate(DemoCommunity(7).history(EVENTS, NOW), 1):
        record = Record(seq, seq * 10**9, event.subject, event.payload)
        changes.note(fold.apply(record, read_event(record)))
        if draw.random() < 0.3:
            assert order.keys(fold.states, sort, None, changes) == AccountOrder().keys(
                fold.states, sort, None
            )
        if draw.random() < 0.02:
            # As after a conflict: what is stored is somewhere else.
            for key in draw.sample(sorted(fold.states), len(fold.states) // 3):
                del fold.states[key]
            changes.forget()
