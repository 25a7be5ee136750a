"""A moment of a log equals the fold of the log up to it, whichever moments came before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from natster_tui.demo.community import DemoCommunity
from natster_tui.engine.history import time_travel
from natster_tui.engine.history.time_travel import Moment, TimeTravel
from natster_tui.events.event import MESSAGE_ID, Record
from natster_tui.projections.api import Projection
from natster_tui.projections.registering.registry import ACCOUNTS, PROJECTIONS
from natster_tui.store.connection.link import Link
from natster_tui.store.log import Append, EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.settings.connection import ConnectionSettings
from tests.folding import advance, fold_all
from tests.jetstream import ask_jetstream
from tests.making_logs import append, records_in

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


@pytest_asyncio.fixture
async def filled(log: EventLog) -> tuple[EventLog, list[Record]]:
    return log, await fill(log)


_steps = st.sampled_from([-1, 1]).map(lambda step: lambda seq: seq + step)
_jumps = st.integers(-5, EVENTS + 50).map(lambda to: lambda _seq: to)
walks = st.lists(st.one_of(_steps, _steps, _jumps), min_size=1, max_size=12)


@given(walk=walks, changes_kept=st.sampled_from([time_travel.CHANGES_KEPT, 800]))
@hypothesis_settings(
    max_examples=15,
    deadline=None,
    # Every example walks the same log, which nothing changes.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
async def test_every_moment_is_the_fold_up_to_it_whatever_the_way(
    filled: tuple[EventLog, list[Record]],
    walk: list[Callable[[int], int]],
    changes_kept: int,
) -> None:
    log, records = filled
    with pytest.MonkeyPatch.context() as patch:
        # Few enough that parts are forgotten, and the log has to be read again.
        patch.setattr(time_travel, "CHANGES_KEPT", changes_kept)
        travel = TimeTravel(log, "test", lambda _done, _total: None, PROJECTIONS)
        seq = 0
        for go in walk:
            moment = await travel.at(go(seq))
            assert moment.seq == max(0, min(go(seq), EVENTS))
            seq = moment.seq
            assert moment.time == (records[seq - 1].event_time if seq else 0)
            for projection in PROJECTIONS:
                assert_is_the_fold(moment, projection, records)


def assert_is_the_fold(moment: Moment, projection: Projection[Any], records: list[Record]) -> None:
    fold = fold_all(projection, records[: max(0, moment.seq - 1)])
    was = fold.documents()
    advance(fold, records[max(0, moment.seq - 1) : moment.seq])
    now = fold.documents()
    shown = moment.pasts[projection.name]
    assert shown.documents() == now
    assert shown.parked == fold.parked
    changed = {key for key in now if now[key] != was.get(key)}
    assert moment.changed[projection.name] == changed


async def test_a_moment_stays_as_it_is_however_one_travels_on(
    filled: tuple[EventLog, list[Record]],
) -> None:
    log, records = filled
    travel = TimeTravel(log, "test", lambda _done, _total: None, PROJECTIONS)
    moment = await travel.at(700)
    for seq in (701, 1_200, 3, 699):
        await travel.at(seq)
    for projection in PROJECTIONS:
        assert_is_the_fold(moment, projection, records)


async def test_before_all_is_empty(log: EventLog) -> None:
    await fill(log)
    moment = await TimeTravel(log, "test", lambda _done, _total: None, PROJECTIONS).at(0)
    assert moment.seq == 0
    assert all(not past.states for past in moment.pasts.values())


async def test_what_was_read_is_kept_over_a_reconnect_to_the_same_log_only(
    filled: tuple[EventLog, list[Record]], settings: ConnectionSettings
) -> None:
    log, records = filled
    reported: list[int] = []
    travel = TimeTravel(log, "test", lambda done, _total: reported.append(done), PROJECTIONS)
    await travel.at(EVENTS)
    link = await Link.open(settings)
    try:
        travel.log = await EventLog.open(link, log.system)
        reported.clear()
        assert_is_the_fold(await travel.at(900), ACCOUNTS, records)
        assert not reported
        await ask_jetstream(link, f"STREAM.DELETE.{log.stream}")
        travel.log = await EventLog.create(link, log.system, LogSettings())
        again = DemoCommunity(12).history(EVENTS + 10, 1_795_000_000)
        await append(travel.log, [Append(e.subject, e.payload) for e in again])
        assert_is_the_fold(await travel.at(900), ACCOUNTS, await records_in(travel.log))
    finally:
        await link.close()
