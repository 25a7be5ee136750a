"""We are killed or frozen, in a process of our own, at the worst moments of a commit."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import until
from tests.faults.arena import (
    are_at,
    dashboard,
    process,
    projectors,
    stored_at,
    tell,
    took,
)
from tests.faults.checker import Checker, ask, checkpoint_in, plain_client
from tests.faults.proxy import Proxy
from tests.faults.results import record

COMMIT = b"HPUB $KV.PROJ_ACCOUNT._checkpoint"


async def test_killed_between_batch_and_commit(
    settings: ConnectionSettings, tmp_path: Path
) -> None:
    """The documents were sent, the message that commits them was not."""
    head = await tell(settings, 0, 300)
    checker = Checker(settings)
    await checker.remember()
    async with Proxy.before(settings) as proxy, plain_client(settings) as client:
        for _ in range(2):
            # So that nothing waits for the entries of the one before; the last one does.
            await ask(client, "STREAM.PURGE.KV_NATSTER_LEASE")
            async with process(tmp_path, settings, "project", url=proxy.url) as victim:
                await until(lambda: victim.has_said("account: projecting"))
                await stored_at(settings, head)
                proxy.hold_before(COMMIT)
                before = head
                head = await tell(settings, head, 50)
                await asyncio.wait_for(proxy.held.wait(), 10)
                at = await checkpoint_in(client, "PROJ_ACCOUNT")
                assert at is not None
                assert at["seq"] == before
                answer = await ask(client, "STREAM.INFO.KV_PROJ_ACCOUNT")
                await victim.kill()
                proxy.drop()
                proxy.flow()
                # Nothing of the batch may be seen.
                after = await ask(client, "STREAM.INFO.KV_PROJ_ACCOUNT")
                assert after["state"] == answer["state"]
    async with process(tmp_path, settings, "project"):
        back = await stored_at(settings, head)
    found = await checker.check(at=head)
    record("we, `kill -9` between batch and commit", found, injected=2, recovered_s=back)


@pytest.mark.full
async def test_killed_between_commit_and_acknowledgement(
    settings: ConnectionSettings, tmp_path: Path
) -> None:
    """The server has committed, and the process that asked never hears of it."""
    head = await tell(settings, 0, 300)
    checker = Checker(settings)
    await checker.remember()
    async with Proxy.before(settings) as proxy:
        for _ in range(2):
            async with process(tmp_path, settings, "project", url=proxy.url) as victim:
                await until(lambda: victim.has_said("account: projecting"))
                await stored_at(settings, head)
                before = head
                proxy.mute_after(COMMIT)
                head = await tell(settings, head, 50)
                await asyncio.wait_for(proxy.held.wait(), 10)
                async with plain_client(settings) as client:
                    at = await checkpoint_in(client, "PROJ_ACCOUNT")
                    while at is not None and at["seq"] == before:
                        at = await checkpoint_in(client, "PROJ_ACCOUNT")
                await victim.kill()
                proxy.drop()
                proxy.flow()
    async with process(tmp_path, settings, "project"):
        back = await stored_at(settings, head)
    found = await checker.check(at=head)
    record("we, `kill -9` between commit and acknowledgement", found, injected=2, recovered_s=back)


async def test_the_acknowledgement_is_lost_and_we_live_on(settings: ConnectionSettings) -> None:
    head = await tell(settings, 0, 300)
    checker = Checker(settings)
    await checker.remember()
    async with (
        Proxy.before(settings) as proxy,
        dashboard(replace(settings, servers=(proxy.url,))) as workspace,
    ):
        await until(lambda: are_at(workspace, head))
        proxy.mute_after(COMMIT)
        head = await tell(settings, head, 50)
        await asyncio.wait_for(proxy.held.wait(), 10)
        proxy.drop()
        proxy.flow()
        back = await took(lambda: are_at(workspace, head))
    found = await checker.check(at=head)
    record("acknowledgement of a commit lost", found, recovered_s=back)


async def test_we_are_frozen_and_another_takes_over(
    settings: ConnectionSettings, tmp_path: Path
) -> None:
    """Frozen with a commit half sent: who wakes up must not commit over its successor."""
    head = await tell(settings, 0, 300)
    checker = Checker(settings)
    await checker.remember()
    async with (
        Proxy.before(settings) as proxy,
        process(tmp_path, settings, "project", url=proxy.url) as sleeper,
    ):
        await stored_at(settings, head)
        async with dashboard(settings) as successor:
            await until(lambda: any(p.status.problem for p in projectors(successor)))
            proxy.hold_before(COMMIT)
            head = await tell(settings, head, 100)
            await asyncio.wait_for(proxy.held.wait(), 10)
            os.kill(sleeper.pid, signal.SIGSTOP)
            back = await took(lambda: are_at(successor, head))
            assert back < 5
            conflicts = [p.status.conflicts for p in projectors(successor)]
            # The half-sent commit arrives now, and who sent it wakes up.
            proxy.flow()
            os.kill(sleeper.pid, signal.SIGCONT)
            await until(lambda: sleeper.has_said("account:", "another process projects"), 8)
            assert [p.status.conflicts for p in projectors(successor)] == conflicts
            head = await tell(settings, head, 100)
            await until(lambda: are_at(successor, head))
    found = await checker.check(at=head)
    record("we, frozen (SIGSTOP) in a commit; another takes over", found, recovered_s=back)


@pytest.mark.full
async def test_two_dashboards_rebuild_at_once(settings: ConnectionSettings, tmp_path: Path) -> None:
    """Two rebuilds beside a live projector, while events come in."""
    head = await tell(settings, 0, 1_500, 1_500)
    checker = Checker(settings)
    await checker.remember()
    async with dashboard(settings) as workspace:
        await until(lambda: are_at(workspace, head))
        async with (
            process(tmp_path, settings, "rebuild", "--yes") as one,
            process(tmp_path, settings, "rebuild", "--yes", "--purge") as other,
        ):
            while one.process.returncode is None or other.process.returncode is None:
                head = await tell(settings, head, 20, 1_500)
            assert (await one.ended(), await other.ended()) == (0, 0), (one.said, other.said)
        back = await took(lambda: are_at(workspace, head))
    found = await checker.check(at=head)
    record("two dashboards rebuild at once", found, recovered_s=back)
