"""One projector at a time: two workspaces on one log."""

from __future__ import annotations

import asyncio
import json

import pytest

from natster_tui.demo.community import DemoCommunity
from natster_tui.engine.leases import entries as lease_entries
from natster_tui.engine.leases import keeper as lease_keeper
from natster_tui.engine.leases.rebuild_lease import rebuilding
from natster_tui.engine.projecting.status import Phase
from natster_tui.engine.workspace import Workspace
from natster_tui.errors import ConnectionLostError
from natster_tui.events.event import MESSAGE_ID
from natster_tui.events.natster import NATSTER
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS
from natster_tui.store.connection.link import Link
from natster_tui.store.lease import Lease, projecting, rebuild_key
from natster_tui.store.log import Append, EventLog
from natster_tui.store.provisioning.maker import LEASES
from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import until
from tests.engine.running import running
from tests.jetstream import ask_jetstream
from tests.reading_buckets import put_value, stored_values

VERSIONS = (ACCOUNTS.version, ACCOUNTS.version, CATALOGS.version)
KEYS = ("projector", "projector.account", "projector.catalog")


async def append(log: EventLog, first: int, count: int) -> None:
    events = DemoCommunity(3).history(first + count, 1_795_000_000)[first:]
    messages = [
        Append(event.subject, event.payload, ((MESSAGE_ID, f"d{first + number}"),))
        for number, event in enumerate(events)
    ]
    await log.append_all(messages, expected_last=None)


def holds_all(workspace: Workspace) -> bool:
    return all(lease.held for lease in workspace.leases.values())


def phases(workspace: Workspace) -> set[Phase]:
    return {projector.status.phase for projector in workspace.projectors.values()}


async def test_the_second_watches_says_who_projects_and_takes_over(
    log: EventLog, settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease_keeper, "RENEW_S", 0.1)
    await append(log, 0, 50)
    async with running(settings) as second_later:
        # Either may come first; the names below follow that.
        first = second_later
        await until(lambda: phases(first) == {Phase.PROJECTING})
        async with running(settings) as second:
            await until(lambda: phases(second) == {Phase.WATCHING})
            problem = second.projectors["account"].status.problem
            assert "another process projects account" in problem
            assert str(first.leases["account"].me.pid) in problem
            await append(log, 50, 50)
            await until(lambda: all(p.status.position == 100 for p in second.projectors.values()))
            assert all(p.status.commits == 0 for p in second.projectors.values())
            # The first one dies without a word: its renewals end, and nothing is given back.
            for lease in first.leases.values():
                lease._entries.forget()  # what it would give back
                lease.run = asyncio.Event().wait  # type: ignore[method-assign, assignment]
            await first.log.link.close() if first.log else None
            await until(lambda: phases(second) == {Phase.PROJECTING}, 8)
            await append(log, 100, 20)
            await until(lambda: all(p.status.stored == 120 for p in second.projectors.values()))


async def test_leaving_gives_the_lease_back_at_once(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, 0, 10)
    async with running(settings) as first:
        await until(lambda: holds_all(first))
    for key in KEYS:
        assert (await Lease(log.link, key).read()).holder is None


async def test_the_entry_is_as_the_design_says_and_does_not_live_for_ever(
    log: EventLog, settings: ConnectionSettings
) -> None:
    async with running(settings) as first:
        await until(lambda: holds_all(first))
        stored = await stored_values(settings, "NATSTER_LEASE")
        assert sorted(stored) == sorted(KEYS)
        for key, version in zip(KEYS, VERSIONS, strict=True):
            value = json.loads(stored[key])
            assert list(value) == ["host", "pid", "instance", "since", "version"]
            assert value["version"] == version
            answer = await ask_jetstream(
                log.link,
                "STREAM.MSG.GET.KV_NATSTER_LEASE",
                {"last_by_subj": f"$KV.NATSTER_LEASE.{key}"},
            )
            assert "hdrs" in answer["message"]


async def test_an_entry_says_since_when_its_process_holds_it_and_not_since_when_it_runs(
    log: EventLog, settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease_keeper, "RENEW_S", 0.1)
    now = 1_000
    for module in (lease_entries, lease_keeper):
        monkeypatch.setattr(module, "unix_now", lambda: now)
    async with running(settings) as first:
        await until(lambda: holds_all(first))
        now = 2_000
        revisions = first.leases["account"]._entries.revisions
        taken = revisions["projector"]
        async with running(settings) as second:
            await until(lambda: phases(second) == {Phase.WATCHING})
            await until(lambda: revisions["projector"] > taken)
            holder = (await Lease(log.link, "projector").read()).holder
            assert holder is not None
            assert holder.since == 1_000
            now = 3_000
            for lease in first.leases.values():
                lease.give_up()
            await until(lambda: holds_all(second))
            for key in KEYS:
                holder = (await Lease(log.link, key).read()).holder
                assert holder is not None
                assert holder.since == 3_000
            await until(lambda: first.leases["account"].holder == second.leases["account"].me)


async def test_a_rebuild_elsewhere_is_made_room_for(
    log: EventLog, settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease_keeper, "RENEW_S", 0.1)
    await append(log, 0, 50)
    async with running(settings) as workspace:
        account, catalog = workspace.projectors.values()
        await until(lambda: phases(workspace) == {Phase.PROJECTING})
        async with rebuilding(log, ACCOUNTS, "elsewhere"):
            await until(lambda: account.status.phase is Phase.WATCHING)
            assert "account is being rebuilt" in account.status.problem
            await append(log, 50, 20)
            await until(lambda: account.status.position == catalog.status.stored == 70)
            assert account.status.stored == 50
        await until(lambda: account.status.stored == 70)
        assert phases(workspace) == {Phase.PROJECTING}


async def test_of_two_rebuilds_the_second_waits_for_the_first(log: EventLog) -> None:
    order: list[str] = []

    async def rebuild(name: str) -> None:
        async with rebuilding(log, ACCOUNTS, name):
            order.append(f"{name} began")
            await began.wait()
            order.append(f"{name} ended")

    began = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(rebuild("one"))
        await until(lambda: order)
        tasks.create_task(rebuild("other"))
        # Another projection's rebuild waits for none.
        async with rebuilding(log, CATALOGS, "third"):
            began.set()
    assert order == ["one began", "one ended", "other began", "other ended"]


async def test_a_process_that_dies_while_rebuilding_is_not_waited_for_long(
    log: EventLog, settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease_keeper, "RENEW_S", 0.1)
    died = await Link.open(settings)
    with pytest.raises(ConnectionLostError):
        async with rebuilding(await EventLog.open(died, NATSTER), ACCOUNTS, "died"):
            await died.close()
    assert (await Lease(log.link, rebuild_key("account")).read()).holder is not None
    async with asyncio.timeout(8), rebuilding(log, ACCOUNTS, "next"):
        pass


async def test_read_only_never_takes_it(log: EventLog, settings: ConnectionSettings) -> None:
    await append(log, 0, 10)
    async with running(settings, read_only=True) as observer:
        await until(lambda: phases(observer) == {Phase.WATCHING})
        assert not any(lease.held for lease in observer.leases.values())
    assert (await ask_jetstream(log.link, "STREAM.NAMES"))["streams"] == [NATSTER.stream]


async def stand_still(_log: EventLog) -> None:
    await asyncio.Event().wait()


async def test_who_renews_late_goes_on_where_it_was(
    log: EventLog, settings: ConnectionSettings
) -> None:
    """Busy for longer than the lease lives, while no other process was there to take it."""
    await append(log, 0, 10)
    async with running(settings) as first:
        await until(lambda: phases(first) == {Phase.PROJECTING})
        account = first.projectors["account"]
        seen: set[Phase] = set()
        first.listen(lambda: seen.add(account.status.phase))
        lease = first.leases["account"]
        for key in KEYS[:2]:
            found = await Lease(log.link, key).read()
            await Lease(log.link, key).remove(found.revision)
        lease._entries.valid_until = 0.0
        await append(log, 10, 10)
        await until(lambda: account.status.stored == 20)
        assert lease.held
        assert seen == {Phase.PROJECTING}


async def test_a_holder_that_slept_commits_nothing(
    log: EventLog, settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease_keeper, "LATE_S", 0.1)
    monkeypatch.setattr(lease_keeper, "_STEP_S", 0.1)
    await append(log, 0, 10)
    async with running(settings) as first:
        await until(lambda: phases(first) == {Phase.PROJECTING})
        projector = first.projectors["account"]
        await until(lambda: projector.status.stored == 10)
        commits = projector.status.commits
        # As after a long sleep: by the clock the lease has run out, which is not noticed yet.
        first.leases["account"]._entries.valid_until = 0.0
        monkeypatch.setattr(first.leases["account"], "_step", stand_still)
        await append(log, 10, 10)
        await until(lambda: projector.status.phase is Phase.WATCHING)
        assert projector.status.commits == commits


async def test_a_lease_that_was_deleted_by_hand_is_free(
    log: EventLog, settings: ConnectionSettings
) -> None:
    await append(log, 0, 10)
    await log.buckets.make(LEASES)
    # As `nats kv del` leaves it: a mark without a time to live.
    await put_value(settings, "NATSTER_LEASE", "projector", None)
    assert await projecting(log.link, "account") is None
    async with running(settings) as workspace:
        await until(lambda: phases(workspace) == {Phase.PROJECTING})
        await until(lambda: workspace.projectors["account"].status.stored == 10)
