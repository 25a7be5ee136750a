"""What takes longer than two seconds says what it waits for, and every wait ends."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from natster_tui.engine import headless
from natster_tui.engine.headless import project_until_caught_up
from natster_tui.engine.leases import rebuild_lease
from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.scope import WholeProjections
from natster_tui.errors import ConflictError
from natster_tui.projections.registering.registry import ACCOUNTS, PROJECTIONS
from natster_tui.store.lease import Holder, Lease
from natster_tui.store.log import EventLog
from natster_tui.store.provisioning.maker import LEASES
from natster_tui.store.settings.connection import ConnectionSettings
from tests.cli.program import Program
from tests.conftest import until
from tests.engine.running import running
from tests.faults.proxy import Proxy
from tests.making_logs import append, initialized, shared

EVENTS = [initialized("AA", "Ann"), initialized("BB"), shared("AA", "BB")]
KEYS = ("projector", "projector.account", "projector.catalog", "rebuild.account")
HOLDER = Holder(host="elsewhere", pid=4_711, instance="x", since=1, version=1)


async def held(log: EventLog, *keys: str) -> asyncio.Task[None]:
    """Hold leases for ever, and do nothing with them."""
    await log.buckets.make(LEASES)
    leases = [Lease(log.link, key) for key in keys]
    revisions = [await lease.put(HOLDER, 0) for lease in leases]
    assert all(revisions)
    return asyncio.create_task(renew(leases, revisions))


async def renew(leases: list[Lease], revisions: list[int | None]) -> None:
    while True:
        await asyncio.sleep(0.3)  # the interval at which it renews
        for number, lease in enumerate(leases):
            revisions[number] = await lease.put(HOLDER, revisions[number] or 0)


async def stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_projecting_once_says_who_holds_the_lease_and_ends_when_that_one_is_there(
    log: EventLog, settings: ConnectionSettings, natster: Program
) -> None:
    await append(log, EVENTS)
    holding = await held(log, *KEYS[:3])
    process = await natster.start("project", "--once", "--json")
    assert process.stderr is not None
    line = (await process.stderr.readline()).decode()
    assert "waiting for elsewhere, process 4711, which holds the lease, to project" in line
    await stop(holding)
    async with running(settings) as workspace:
        await until(lambda: all(p.status.stored == 3 for p in workspace.projectors.values()))
        out, _ = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0
    assert [each["seq"] for each in json.loads(out)] == [3, 3]


async def test_a_rebuild_says_which_rebuild_it_waits_for(log: EventLog, natster: Program) -> None:
    await append(log, EVENTS)
    holding = await held(log, "rebuild.account")
    process = await natster.start("rebuild", "account", "--yes", "--json")
    assert process.stderr is not None
    line = (await process.stderr.readline()).decode()
    assert "account is being rebuilt (elsewhere, process 4711)" in line
    await stop(holding)
    out, _ = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0, out


async def test_a_holder_that_makes_no_progress_is_not_waited_for_for_ever(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(headless, "NO_PROGRESS_S", 0.5)
    monkeypatch.setattr(headless, "CHECK_S", 0.1)
    monkeypatch.setattr(rebuild_lease, "REBUILD_WAIT_S", 0.5)
    await append(log, EVENTS)
    holding = await held(log, *KEYS)
    with pytest.raises(ConflictError, match="elsewhere, process 4711 holds the lease and has not"):
        await project_until_caught_up(log, PROJECTIONS, "once")
    rebuild = Rebuild(log, WholeProjections((ACCOUNTS,)), "rebuild")
    await rebuild.prepare()
    with pytest.raises(ConflictError, match="account is being rebuilt"):
        await rebuild.commit()
    await stop(holding)


async def test_a_server_that_does_not_answer_is_named_and_the_command_ends(
    log: EventLog, settings: ConnectionSettings, tmp_path: Path
) -> None:
    await append(log, EVENTS)
    async with Proxy.before(settings) as proxy:
        proxy.stall()
        natster = Program(tmp_path).on(replace(settings, servers=(proxy.url,)))
        ended = await natster.run("status")
    assert ended.code == 3
    assert "waiting for a connection to " in ended.err
    assert ended.sentence
