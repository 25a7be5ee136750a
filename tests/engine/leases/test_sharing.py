"""Leases next to other processes: release 0.1, other versions, dead holders, old buckets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import nats
import pytest
from nats.aio.client import Client

from natster_tui.engine.headless import project_until_caught_up
from natster_tui.engine.leases import keeper as lease_keeper
from natster_tui.engine.leases import silent_entry
from natster_tui.engine.leases.keeper import LeaseKeeper
from natster_tui.engine.leases.waiting import Cause
from natster_tui.engine.projecting.projector import Projector
from natster_tui.engine.projecting.status import Phase
from natster_tui.engine.rebuilding.confirming import Consent
from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.scope import OneKey, WholeProjections
from natster_tui.engine.workspace import Workspace
from natster_tui.projections.account import AccountProjection
from natster_tui.projections.api import CHECKPOINT_KEY
from natster_tui.projections.registering.registry import ACCOUNTS, PROJECTIONS
from natster_tui.store.connection.reporting import Reporter, reporting_to
from natster_tui.store.lease import Lease
from natster_tui.store.log import EventLog
from natster_tui.store.provisioning.maker import LEASES
from natster_tui.store.provisioning.specs import bucket_config
from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import until
from tests.engine.running import project_to_head, running
from tests.faults.checker import plain_client
from tests.jetstream import ask_jetstream
from tests.making_logs import append, bound, initialized, shared
from tests.reading_buckets import put_value, stored_values

EVENTS = [initialized("AA", "Ann"), initialized("BB"), bound("AA"), shared("AA", "BB")]
OLD_ENTRY = json.dumps({"host": "old", "pid": 12, "instance": "x", "since": 1}).encode()


class NextVersion(AccountProjection):
    version = ACCOUNTS.version + 1


async def next_sequence(client: Client, expected: int) -> int | None:
    """Take or renew `projector` as release 0.1 does; None if it stands at another sequence."""
    headers = {"Nats-TTL": "3s", "Nats-Expected-Last-Subject-Sequence": str(expected)}
    try:
        ack = await client.jetstream().publish(
            "$KV.NATSTER_LEASE.projector", OLD_ENTRY, headers=headers
        )
    except nats.js.errors.BadRequestError:
        return None
    return ack.seq


@asynccontextmanager
async def release_0_1(settings: ConnectionSettings) -> AsyncIterator[None]:
    """A process of release 0.1 that projects: it renews its one entry, and removes it at last."""
    async with plain_client(settings) as client:
        revision = await next_sequence(client, 0)
        assert revision is not None
        stopping = asyncio.Event()

        async def renew() -> int:
            at: int | None = revision
            while not stopping.is_set():
                await asyncio.sleep(0.2)  # the interval at which it renews
                assert at is not None
                at = await next_sequence(client, at)
            assert at is not None
            return at

        task = asyncio.create_task(renew())
        yield
        stopping.set()
        await client.jetstream().delete_msg("KV_NATSTER_LEASE", await task)


@asynccontextmanager
async def process(
    log: EventLog, projection: AccountProjection, name: str, *, auto_rebuild: bool = False
) -> AsyncIterator[tuple[Projector, LeaseKeeper]]:
    """A projector with its lease, as a process of its own has it."""
    lease = LeaseKeeper(projection, name)
    projector = Projector(projection, name, lease=lease, auto_rebuild=auto_rebuild)
    tasks = [asyncio.create_task(lease.run(log)), asyncio.create_task(projector.run(log))]
    try:
        yield projector, lease
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def phases(workspace: Workspace) -> set[Phase]:
    return {projector.status.phase for projector in workspace.projectors.values()}


def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks follow one another closely, so that an entry is dead after a fraction of a second."""
    monkeypatch.setattr(lease_keeper, "RENEW_S", 0.02)
    monkeypatch.setattr(silent_entry, "APART_S", 0.02)


# -- release 0.1 -------------------------------------------------------------------------------


async def test_release_0_1_holds_both_projections_until_it_ends(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    await log.buckets.make(LEASES)
    async with release_0_1(settings), running(settings) as workspace:
        await until(lambda: phases(workspace) == {Phase.WATCHING})
        for projector in workspace.projectors.values():
            assert projector.status.waiting is not None
            assert projector.status.waiting.cause is Cause.OLD_RELEASE
            assert "release 0.1" in projector.status.problem
            assert "old, process 12" in projector.status.problem
        assert sorted(await stored_values(settings, "NATSTER_LEASE")) == ["projector"]
    async with running(settings) as workspace:
        await until(lambda: phases(workspace) == {Phase.PROJECTING})


async def test_release_0_1_that_comes_later_does_not_get_the_lease(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    async with running(settings) as workspace:
        await until(lambda: phases(workspace) == {Phase.PROJECTING})
        async with plain_client(settings) as client:
            assert await next_sequence(client, 0) is None
        value = json.loads((await stored_values(settings, "NATSTER_LEASE"))["projector"])
        # What release 0.1 reads of the entry that it finds.
        named = (value["host"], int(value["pid"]), value["instance"], int(value["since"]))
        assert named[1] == workspace.leases["account"].me.pid


async def test_release_0_1_that_took_over_meanwhile_stops_both_projections(
    log: EventLog, settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease_keeper, "RENEW_S", 0.1)
    await append(log, EVENTS)
    async with running(settings) as workspace:
        await until(lambda: phases(workspace) == {Phase.PROJECTING})
        # As after both slept: its entry stands where ours ran out.
        for key in ("projector", "projector.account"):
            lease = Lease(log.link, key)
            await lease.remove((await lease.read()).revision)
        async with release_0_1(settings):
            await until(lambda: phases(workspace) == {Phase.WATCHING}, 6)
        await until(lambda: phases(workspace) == {Phase.PROJECTING}, 6)


# -- versions ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("frequent_looks")
async def test_the_older_version_steps_back_for_the_newer_and_comes_back_with_a_rebuild(
    log: EventLog, settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease_keeper, "RENEW_S", 0.1)
    await append(log, EVENTS)
    async with process(log, ACCOUNTS, "older", auto_rebuild=True) as (older, _):
        await until(lambda: older.status.phase is Phase.PROJECTING)
        async with process(log, NextVersion(), "newer", auto_rebuild=True) as (newer, lease):
            await until(lambda: newer.status.phase is Phase.PROJECTING)
            await until(lambda: lease.held and older.status.phase is Phase.WATCHING)
            await until(lambda: f"projects version {NextVersion.version}" in older.status.problem)
            assert f"has version {ACCOUNTS.version}" in older.status.problem
            await append(log, [shared("BB", "AA", "movies")])
            await until(lambda: newer.status.stored == older.status.position == 5)
        # Nothing of the older version was written since.
        stored = json.loads((await stored_values(settings, "PROJ_ACCOUNT"))[CHECKPOINT_KEY])
        assert stored["version"] == NextVersion.version
        rebuild = Rebuild(log, WholeProjections((ACCOUNTS,)), "person")
        await rebuild.prepare()
        assert [verdict.good for verdict in await rebuild.commit()] == [True]
        await until(lambda: older.status.phase is Phase.PROJECTING)


async def test_the_lease_is_not_asked_for_where_another_version_is_stored(log: EventLog) -> None:
    await append(log, EVENTS)
    await project_to_head(log, NextVersion())
    async with process(log, ACCOUNTS, "older") as (older, lease):
        await until(lambda: older.status.phase is Phase.WATCHING)
        assert not lease.is_decided
    async with process(log, NextVersion(), "newer") as (newer, _):
        await until(lambda: newer.status.phase is Phase.PROJECTING)


async def test_a_stopped_projector_gives_its_lease_up_and_says_so(
    log: EventLog, settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease_keeper, "RENEW_S", 0.1)
    await append(log, EVENTS)
    await project_to_head(log)
    checkpoint = json.loads((await stored_values(settings, "PROJ_ACCOUNT"))[CHECKPOINT_KEY])
    checkpoint["log"]["created"] = "2026-01-01T00:00:00Z"
    await put_value(settings, "PROJ_ACCOUNT", CHECKPOINT_KEY, json.dumps(checkpoint).encode())
    notices: list[str] = []
    with reporting_to(Reporter(notices.append)):
        async with process(log, ACCOUNTS, "stopped") as (stopped, lease):
            await until(lambda: stopped.status.phase is Phase.STOPPED)
            await until(lambda: lease.gave_up and notices)
            assert notices[0].startswith("account: gave up its lease: ")
            held = [Lease(log.link, key) for key in ("projector", "projector.account")]
            for entry in held:
                await until_free(entry)
            # Another process is stopped by the same, and they do not take turns.
            conflicts = stopped.version
            async with process(log, ACCOUNTS, "other") as (other, _):
                await until(lambda: other.status.phase is Phase.STOPPED)
            assert stopped.version - conflicts < 5


async def until_free(lease: Lease) -> None:
    for _look in range(1_000):
        if (await lease.read()).holder is None:
            return
        await asyncio.sleep(0.01)  # between two questions to the server
    raise AssertionError("the entry is still there")


# -- holders that died -------------------------------------------------------------------------


@pytest.fixture
async def immortal(
    log: EventLog, settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[list[str]]:
    """Every entry is there without a time to live; what is told."""
    quickly(monkeypatch)
    await append(log, EVENTS)
    await log.buckets.make(LEASES)
    for key in ("projector", "projector.account", "rebuild.account", "rebuild.catalog"):
        await put_value(settings, "NATSTER_LEASE", key, OLD_ENTRY)
    await put_value(settings, "NATSTER_LEASE", "projector.catalog", b"no entry of ours")
    notices: list[str] = []
    with reporting_to(Reporter(notices.append)):
        yield notices


async def commit(rebuild: Rebuild, *, purge: bool = False) -> None:
    await rebuild.prepare()
    assert all(verdict.good for verdict in await rebuild.commit(Consent(purge=purge)))


async def test_a_workspace_takes_dead_entries_over(
    log: EventLog, settings: ConnectionSettings, immortal: list[str]
) -> None:
    async with running(settings) as workspace:
        await until(lambda: phases(workspace) == {Phase.WATCHING})
        await until(lambda: phases(workspace) == {Phase.PROJECTING})
        sentences = {problem.sentence for problem in workspace.problems}
        assert any("projector.account in NATSTER_LEASE" in sentence for sentence in sentences)
    assert await stored_values(settings, "NATSTER_LEASE") == {}


async def test_projecting_once_takes_dead_entries_over(log: EventLog, immortal: list[str]) -> None:
    done = await project_until_caught_up(log, PROJECTIONS, "once")
    assert [each.seq for each in done] == [4, 4]
    assert any("unknown: its entry cannot be read" in sentence for sentence in immortal)


@pytest.mark.parametrize("purge", [False, True])
async def test_a_rebuild_takes_a_dead_rebuild_over(
    log: EventLog, immortal: list[str], purge: bool
) -> None:
    await commit(Rebuild(log, WholeProjections(PROJECTIONS), "rebuild"), purge=purge)
    assert any("rebuild.account" in sentence for sentence in immortal)
    await commit(Rebuild(log, OneKey(ACCOUNTS, "AA"), "key"))


async def test_an_entry_that_is_renewed_is_not_taken_over_whatever_it_holds(
    log: EventLog, settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    quickly(monkeypatch)
    await append(log, EVENTS)
    await log.buckets.make(LEASES)
    async with process(log, ACCOUNTS, "candidate") as (_, lease):
        for number in range(40):
            await put_value(settings, "NATSTER_LEASE", "projector", b"%d" % number)
        assert not lease.held
        await until(lambda: lease.held)


# -- buckets -----------------------------------------------------------------------------------


async def test_a_lease_bucket_without_message_ttl_gets_it_which_is_said(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, EVENTS)
    made = bucket_config("NATSTER_LEASE", "made by hand", 1)
    await ask_jetstream(log.link, "STREAM.CREATE.KV_NATSTER_LEASE", made)
    notices: list[str] = []
    with reporting_to(Reporter(notices.append)):
        await project_until_caught_up(log, PROJECTIONS, "once")
    assert set(notices) == {
        "NATSTER_LEASE was made without message TTL: it has it now, as leases need it"
    }
    config = (await ask_jetstream(log.link, "STREAM.INFO.KV_NATSTER_LEASE"))["config"]
    assert config["allow_msg_ttl"] is True
