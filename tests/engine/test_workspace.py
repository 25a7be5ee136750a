"""A workspace's connection, problems and end."""

from __future__ import annotations

import asyncio
import json

import pytest

from natster_tui.engine.leases.keeper import LeaseKeeper
from natster_tui.engine.log.follower import LogFollower
from natster_tui.engine.server_source import LogChoice, NamedServer
from natster_tui.engine.workspace import Connection, Workspace, WorkspaceOptions
from natster_tui.errors import ConnectionLostError
from natster_tui.events.event import MESSAGE_ID
from natster_tui.events.natster import NATSTER
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import until
from tests.engine.running import running
from tests.jetstream import ask_jetstream
from tests.making_logs import A, B, C, append, shared


async def test_where_the_log_begins_moves_when_its_first_events_go(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, [shared(A, B), shared(A, C), shared(B, C)])
    async with running(settings) as workspace:
        await until(lambda: workspace.follower.head == 3)
        assert workspace.follower.first == 1
        config = (await ask_jetstream(log.link, f"STREAM.INFO.{NATSTER.stream}"))["config"]
        config.update(max_msgs=2, discard="old")
        config["metadata"] = {}
        await ask_jetstream(log.link, f"STREAM.UPDATE.{NATSTER.stream}", config)
        await until(lambda: workspace.follower.first == 2)


async def test_message_ids_that_come_again_are_a_hazard(
    link: Link, settings: ConnectionSettings
) -> None:
    log = await EventLog.create(link, NATSTER, LogSettings(duplicate_window_s=1))
    async with running(settings) as workspace:
        await until(lambda: workspace.connection is Connection.CONNECTED)
        landed: list[int] = []
        while len(landed) < 2:  # the second lands once the server has forgotten the first
            answer = await link.request(
                link.target.stored(shared(A, B).subject), b"", {MESSAGE_ID: "the same"}, 5.0
            )
            ack = json.loads(answer)
            landed += [] if ack.get("duplicate") else [ack["seq"]]
        await until(lambda: workspace.hazards)
        assert workspace.hazards[0].startswith("message ids are repeated by 1 event:")
        assert "the last is 2, with the id of 1" in workspace.hazards[0]
    assert (await log.refresh()).last_seq == 2


async def test_an_error_in_leaving_does_not_keep_it_going(
    log: EventLog, settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail_in_leaving(_follower: LogFollower, _log: EventLog) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ConnectionLostError("in leaving")

    monkeypatch.setattr(LogFollower, "run", fail_in_leaving)
    workspace = Workspace(NamedServer(settings), WorkspaceOptions(LogChoice(NATSTER)))
    task = asyncio.create_task(workspace.run())
    await until(lambda: workspace.connection is Connection.CONNECTED)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)


async def test_a_lease_keeper_that_fails_ends_it_with_its_error(
    log: EventLog, settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_keeper: LeaseKeeper, _log: EventLog) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(LeaseKeeper, "run", fail)
    workspace = Workspace(NamedServer(settings), WorkspaceOptions(LogChoice(NATSTER)))
    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(workspace.run(), 5)
