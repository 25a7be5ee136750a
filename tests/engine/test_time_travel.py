"""Any moment of a log equals the fold of the log up to it, however one came there."""

from __future__ import annotations

import random

import pytest

from natster_tui.domain.demo_community import DemoCommunity
from natster_tui.domain.events import MESSAGE_ID, Record
from natster_tui.domain.fold import fold_all
from natster_tui.domain.projections import PROJECTIONS
from natster_tui.engine import time_travel
from natster_tui.engine.time_travel import TimeTravel
from natster_tui.store.log import Append, EventLog

EVENTS = 1_500


async def fill(log: EventLog) -> list[Record]:
    events = DemoCommunity(11).history(EVENTS, 1_795_000_000)
    messages = [
        Append(event.subject, event.payload, ((MESSAGE_ID, f"d{number}"),))
        for number, event in enumerate(events)
    ]
    assert await log.append_all(messages, expected_last=None) == EVENTS
    records: list[Record] = []
    async for batch in log.records(1, EVENTS, purpose="test", instance="test"):
        records.extend(batch)
    return records


async def test_every_moment_is_the_fold_up_to_it_whatever_the_way(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Close together, so that a short log has many copies to begin at.
    monkeypatch.setattr(time_travel, "COPY_EVERY_AT_LEAST", 200)
    monkeypatch.setattr(time_travel, "CLOSE_BEHIND", 30)
    records = await fill(log)
    travel = TimeTravel(log, "test", lambda _done, _total: None)
    draw = random.Random(5)
    way = [EVENTS, EVENTS - 1, EVENTS - 2, 0, 1, 2, 700, 699, 640, 1_200, EVENTS + 50]
    way += [draw.randint(0, EVENTS) for _ in range(15)]
    for seq in way:
        moment = await travel.at(seq)
        assert moment.seq == min(seq, EVENTS)
        for projection in PROJECTIONS:
            expected = fold_all(projection, records[:seq])
            assert moment.folds[projection.name].documents() == expected.documents()
            assert moment.folds[projection.name].parked == expected.parked
        before = {p.name: fold_all(p, records[: max(0, moment.seq - 1)]) for p in PROJECTIONS}
        for projection in PROJECTIONS:
            now = moment.folds[projection.name].documents()
            was = before[projection.name].documents()
            changed = {key for key in now if now[key] != was.get(key)}
            assert moment.changed.get(projection.name, frozenset()) == changed


async def test_before_all_is_empty(log: EventLog) -> None:
    await fill(log)
    moment = await TimeTravel(log, "test", lambda _done, _total: None).at(0)
    assert moment.seq == 0
    assert all(not fold.states for fold in moment.folds.values())
