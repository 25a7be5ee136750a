"""The server is killed or frozen under a projector and under a rebuild."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from natster_tui.engine.projecting.status import Phase
from natster_tui.engine.workspace import Connection
from natster_tui.projections.registering.registry import ACCOUNTS
from natster_tui.store.settings.connection import ConnectionSettings
from tests.altering import altering
from tests.conftest import until
from tests.faults.arena import (
    SOON_S,
    are_at,
    dashboard,
    kill_and_restart,
    own_server,
    process,
    projectors,
    stored_at,
    tell,
    took,
)
from tests.faults.checker import Checker
from tests.faults.proxy import Proxy
from tests.faults.results import record
from tests.lying import RECOVERS_S, Liar, is_no_content
from tests.real_server import RealServer

READING = b"PUB $JS.API.CONSUMER.MSG.NEXT.NATSTER_EVENTS.natster-tui-replay"
COMMITTING = b"HPUB $KV.PROJ_ACCOUNT._checkpoint"
"""What a rebuild sends at the moments at which the server is killed."""


@pytest.fixture
async def fragile(tmp_path: Path) -> AsyncIterator[RealServer]:
    async with own_server(tmp_path / "fragile") as server:
        yield server


@pytest.fixture
def on_fragile(fragile: RealServer) -> ConnectionSettings:
    return fragile.new_account()


async def test_the_server_is_killed_while_we_project(
    fragile: RealServer, on_fragile: ConnectionSettings
) -> None:
    kills = 2
    head = await tell(on_fragile, 0, 9_000)
    checker = Checker(on_fragile)
    await checker.remember()
    async with dashboard(on_fragile) as workspace:
        slowest = 0.0
        for round_ in range(kills):
            moved = (round_ + 1) * 2_000
            await until(lambda: min(p.status.stored or 0 for p in projectors(workspace)) >= moved)  # noqa: B023
            await asyncio.to_thread(fragile.stop, signal.SIGKILL)
            noticed = await took(lambda: workspace.connection is not Connection.CONNECTED)
            assert noticed < SOON_S
            assert workspace.problems
            commits = sum(p.status.commits for p in projectors(workspace))
            await asyncio.to_thread(fragile.start)
            slowest = max(
                slowest,
                await took(lambda: sum(p.status.commits for p in projectors(workspace)) > commits),  # noqa: B023
            )
        await until(lambda: are_at(workspace, head))
    found = await checker.check(at=head)
    record("server `kill -9` while projecting", found, injected=kills, recovered_s=slowest)
    assert slowest < SOON_S


async def test_work_resumes_soon_after_a_long_outage(
    fragile: RealServer, on_fragile: ConnectionSettings
) -> None:
    """A server that is down for so long that we ask less often."""
    head = await tell(on_fragile, 0, 200)
    checker = Checker(on_fragile)
    await checker.remember()
    async with dashboard(on_fragile) as workspace:
        await until(lambda: are_at(workspace, head))
        await asyncio.to_thread(fragile.stop, signal.SIGKILL)
        began = time.monotonic()
        await until(lambda: time.monotonic() - began > 3.5)
        assert workspace.connection is Connection.UNREACHABLE
        assert all(p.status.phase is Phase.OFFLINE for p in projectors(workspace))
        await asyncio.to_thread(fragile.start)
        back = await took(lambda: are_at(workspace, head))
    found = await checker.check(at=head)
    record("server down for 3.5 s", found, recovered_s=back)
    assert back < SOON_S


async def test_the_server_is_killed_while_we_rebuild(
    fragile: RealServer, on_fragile: ConnectionSettings, tmp_path: Path
) -> None:
    head = await tell(on_fragile, 0, 6_000)
    checker = Checker(on_fragile)
    await checker.remember()
    moments = (READING, COMMITTING)
    for moment in moments:
        async with (
            Proxy.before(on_fragile) as proxy,
            process(tmp_path / "home", on_fragile, "rebuild", "--yes", url=proxy.url) as rebuild,
        ):
            proxy.hold_before(moment)
            await asyncio.wait_for(proxy.held.wait(), 20)
            await kill_and_restart(fragile)
            proxy.flow()
            assert await rebuild.ended() == 3, rebuild.said
            assert len(rebuild.said[-1:]) == 1
            assert "Traceback" not in "\n".join(rebuild.said)
    async with dashboard(on_fragile) as workspace:
        recovered = await took(lambda: are_at(workspace, head))
    found = await checker.check(at=head)
    record("server `kill -9` while rebuilding", found, injected=len(moments), recovered_s=recovered)


@pytest.mark.full
async def test_the_server_is_frozen_and_thawed(
    fragile: RealServer, on_fragile: ConnectionSettings
) -> None:
    head = await tell(on_fragile, 0, 1_000)
    checker = Checker(on_fragile)
    await checker.remember()
    async with dashboard(on_fragile) as workspace:
        await until(lambda: are_at(workspace, head))
        fragile.signal(signal.SIGSTOP)
        # Two pings a second apart must go without an answer before it can be known.
        await until(lambda: workspace.connection is not Connection.CONNECTED, 2 + SOON_S)
        assert workspace.sentence
        fragile.signal(signal.SIGCONT)
        back = await took(lambda: are_at(workspace, head))
        more = await tell(on_fragile, 1_000, 500)
        await until(lambda: are_at(workspace, more))
    found = await checker.check(at=more)
    record("server frozen (SIGSTOP) and thawed", found, recovered_s=back)
    assert ACCOUNTS.name in workspace.projectors
    assert await stored_at(on_fragile, more) < SOON_S


async def test_a_server_that_answers_nonsense(settings: ConnectionSettings) -> None:
    lies = 6
    head = await tell(settings, 0, 200)
    checker = Checker(settings)
    await checker.remember()
    async with (
        altering(settings) as proxy,
        dashboard(replace(settings, servers=(proxy.url,))) as workspace,
    ):
        await until(lambda: are_at(workspace, head))
        liar = Liar(proxy, settings, workspace, head, only=is_no_content)
        await liar.measure()
        slowest = max([await liar.lie(f"fault {number}") for number in range(lies)])
    found = await checker.check(at=liar.head)
    record("a server that answers nonsense", found, injected=lies, recovered_s=slowest)
    assert slowest < RECOVERS_S
