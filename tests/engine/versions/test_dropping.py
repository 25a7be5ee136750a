"""Dropping a version beside; nothing else is ever deleted."""

from __future__ import annotations

import asyncio

import pytest

from natster_tui.engine.leases.keeper import LeaseKeeper
from natster_tui.engine.versions import dropping
from natster_tui.engine.versions.dropping import drop_version
from natster_tui.engine.versions.finding import VersionPair, version_beside, versions_stored
from natster_tui.errors import NotFoundError, RefusedError, UsageError
from natster_tui.projections.registering.registry import Registry
from natster_tui.projections.versions.naming import placed_beside
from natster_tui.store.bucket import Bucket
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import until
from tests.engine.running import project_to_head, projecting, stream_state
from tests.engine.versions.activities import (
    BOTH,
    FIRST,
    ONLY_FIRST,
    ONLY_SECOND,
    SECOND,
    project_all,
)
from tests.jetstream import ask_jetstream
from tests.making_logs import append, initialized, shared
from tests.reading_buckets import stored_documents

EVENTS = [initialized("AA"), shared("AA", "BB")]


async def streams(link: Link) -> set[str]:
    return set((await ask_jetstream(link, "STREAM.NAMES"))["streams"])


@pytest.mark.parametrize("pair", [BOTH, ONLY_FIRST, ONLY_SECOND], ids=["both", "old", "new"])
async def test_it_is_dropped_and_the_stored_version_stays(
    log: EventLog, link: Link, settings: ConnectionSettings, pair: VersionPair
) -> None:
    await append(log, EVENTS)
    await project_all(log, FIRST, placed_beside(SECOND))
    before = await stream_state(link, "KV_PROJ_ACTIVITY")
    assert await drop_version(log, pair, "test")
    assert "KV_PROJ_ACTIVITY_v2" not in await streams(link)
    assert await stream_state(link, "KV_PROJ_ACTIVITY") == before
    assert not await drop_version(log, pair, "test")
    # It can be begun again.
    await project_all(log, placed_beside(SECOND))
    assert (await stored_documents(settings, "PROJ_ACTIVITY_v2")).keys() == {"AA"}


@pytest.mark.parametrize("mark", ["", "PROJ_ELSE"], ids=["no mark", "of another bucket"])
async def test_a_bucket_without_the_mark_is_neither_dropped_nor_written(
    log: EventLog, link: Link, mark: str
) -> None:
    await append(log, EVENTS)
    # Like ours in every way but the mark.
    await Bucket(link, "PROJ_ACTIVITY_v2", "test", beside=mark).create(log.buckets)
    before = await stream_state(link, "KV_PROJ_ACTIVITY_v2")
    assert await versions_stored(link, [FIRST, SECOND]) == ()
    with pytest.raises(RefusedError, match="was not made to be stored beside PROJ_ACTIVITY"):
        await drop_version(log, BOTH, "test")
    async with projecting(log, placed_beside(SECOND)) as projector:
        await until(lambda: projector.status.problem)
        assert "PROJ_ACTIVITY_v2 was not made for activity.v2" in projector.status.problem
        await until(lambda: projector.status.position == 2)
    assert await stream_state(link, "KV_PROJ_ACTIVITY_v2") == before


async def test_it_is_not_dropped_while_a_process_projects_it(
    log: EventLog, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dropping, "HELD_S", 0.5)
    await append(log, EVENTS)
    await project_all(log, FIRST, placed_beside(SECOND))
    keeper = LeaseKeeper(placed_beside(SECOND), "another")
    keeping = asyncio.create_task(keeper.run(log))
    try:
        await keeper.acquired()
        with pytest.raises(RefusedError, match=r"activity\.v2 is projected by .*: stop that"):
            await drop_version(log, BOTH, "test")
        assert "KV_PROJ_ACTIVITY_v2" in await streams(link)
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
    assert await drop_version(log, BOTH, "test")


async def test_the_version_that_is_meant_is_found_or_must_be_said(
    log: EventLog, link: Link
) -> None:
    await append(log, EVENTS)
    only, both = Registry([FIRST]), Registry([FIRST], [SECOND])
    third = type("Third", (type(FIRST),), {"version": 3})()
    with pytest.raises(NotFoundError, match="no version of activity is stored beside"):
        await version_beside(link, only, "activity", None)
    await project_to_head(log, placed_beside(SECOND))
    assert (await version_beside(link, only, "activity", None)).version == 2
    await project_to_head(log, placed_beside(third))
    with pytest.raises(UsageError, match=r"versions 2, 3 of activity .* give --version"):
        await version_beside(link, only, "activity", None)
    assert (await version_beside(link, only, "activity", 3)).version == 3
    assert (await version_beside(link, both, "activity", None)).version == 2
    with pytest.raises(NotFoundError, match="no version 4 of activity"):
        await version_beside(link, both, "activity", 4)
