"""An older version stops projecting when a newer one is stored, and reports it."""

from __future__ import annotations

import asyncio

import pytest

from natster_tui.engine.headless import project_until_caught_up
from natster_tui.engine.leases import keeper as lease_keeper
from natster_tui.engine.projecting.decision import Reason
from natster_tui.engine.projecting.status import Phase
from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.scope import WholeProjections
from natster_tui.engine.versions.promoting import Promotion
from natster_tui.errors import RefusedError
from natster_tui.projections.versions.naming import placed_beside
from natster_tui.store.log import EventLog
from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import until
from tests.engine.running import assert_stored_is_the_fold, consumers_of
from tests.engine.versions.activities import (
    BOTH,
    FIRST,
    SECOND,
    FirstVersion,
    at_work,
    holding_lease,
    project_all,
)
from tests.making_logs import append, initialized, shared

pytestmark = pytest.mark.usefixtures("frequent_looks")

EVENTS = [initialized("AA"), shared("AA", "BB"), initialized("CC")]


async def promote(log: EventLog) -> None:
    promotion = Promotion(log, BOTH, "promotes")
    await promotion.prepare()
    assert (await promotion.commit()).good


async def test_the_older_version_steps_back_and_says_which_version_projects_now(
    log: EventLog, settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease_keeper, "RENEW_S", 0.1)
    await append(log, EVENTS)
    await project_all(log, FIRST, placed_beside(SECOND))
    async with (
        at_work(log, FIRST, "older") as (older, lease),
        # A process that is to go on from there waits for the promotion.
        at_work(log, SECOND, "newer") as (newer, _lease),
    ):
        await until(lambda: older.status.phase is Phase.PROJECTING)
        await until(lambda: newer.status.phase is Phase.WATCHING)
        assert "this is version 2" in newer.status.problem
        await promote(log)
        await until(lambda: older.status.reason is Reason.NEWER_VERSION)
        await until(lambda: newer.status.phase is Phase.PROJECTING)
        assert lease.gave_up
        await until(lambda: "projects version 2" in older.status.problem)
        assert "PROJ_ACTIVITY holds version 2 of the activity projection" in older.status.problem
        await append(log, [shared("AA", "DD")])
        await until(lambda: newer.status.stored == 4)
    await assert_stored_is_the_fold(log, settings, SECOND)


async def test_one_that_waits_for_the_lease_steps_back_too(log: EventLog) -> None:
    await append(log, EVENTS)
    await project_all(log, FIRST, placed_beside(SECOND))
    async with holding_lease(log, FIRST, "another") as another:
        await another.acquired()
        async with at_work(log, FIRST, "waits") as (older, _lease):
            await until(lambda: older.status.reason is Reason.LEASE)
            await promote(log)
            await until(lambda: older.status.reason is Reason.NEWER_VERSION)


@pytest.mark.parametrize("stored", [True, False], ids=["stored before", "nothing stored before"])
async def test_catching_up_is_no_success_over_what_another_version_stored(
    log: EventLog, *, stored: bool
) -> None:
    await append(log, EVENTS[:-1])
    await project_all(log, *([FIRST] if stored else []), placed_beside(SECOND))
    await append(log, EVENTS[-1:])
    async with holding_lease(log, FirstVersion(), "another") as another:
        # It waits for the process that has the lease to project the last event.
        await another.acquired()
        catching_up = asyncio.create_task(project_until_caught_up(log, [FIRST], "once"))
        while not any("activity-once" in name for name in await consumers_of(log.link)):
            assert not catching_up.done()
        # What a promotion does once it has proved that it may.
        rebuild = Rebuild(log, WholeProjections((SECOND,)), "promotes")
        await rebuild.prepare()
        await rebuild.commit()
        with pytest.raises(RefusedError, match="PROJ_ACTIVITY holds version 2 of the activity"):
            await catching_up


async def test_catching_up_with_a_newer_version_is_no_success_either(log: EventLog) -> None:
    await append(log, EVENTS)
    await project_all(log, FIRST)
    with pytest.raises(RefusedError, match="is of projector version 1, this is version 2"):
        await project_until_caught_up(log, [SECOND], "once")
