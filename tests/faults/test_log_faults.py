"""The log itself is hurt: consumers vanish, and administrators purge, cut, delete and replace."""

from __future__ import annotations

from pathlib import Path

from natster_tui.engine.projecting.status import Phase
from natster_tui.engine.workspace import Connection
from natster_tui.events.log.hazards import hazards_of
from natster_tui.events.natster import NATSTER
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import until
from tests.faults.arena import (
    SOON_S,
    are_at,
    dashboard,
    process,
    projectors,
    say,
    stored_at,
    tell,
    took,
)
from tests.faults.checker import Checker, ask, plain_client
from tests.faults.results import record
from tests.making_logs import append, event


async def make_removable(settings: ConnectionSettings) -> None:
    """A log that an administrator may purge and delete from, as existing deployments have."""
    link = await Link.open(settings)
    await EventLog.create(link, NATSTER, LogSettings(deny_delete=False, deny_purge=False))
    await link.close()


async def admin(
    settings: ConnectionSettings, verb: str, body: dict[str, object] | None = None
) -> None:
    async with plain_client(settings) as client:
        answer = await ask(client, f"{verb}.{NATSTER.stream}", body)
        assert "error" not in answer, answer


async def test_our_consumers_are_deleted_under_us(settings: ConnectionSettings) -> None:
    head = await tell(settings, 0, 500)
    checker = Checker(settings)
    await checker.remember()
    slowest, deleted = 0.0, 0
    async with dashboard(settings) as workspace:
        await until(lambda: are_at(workspace, head))
        for _ in range(3):
            async with plain_client(settings) as client:
                names = (await ask(client, f"CONSUMER.NAMES.{NATSTER.stream}"))["consumers"]
                assert len(names) == 3
                for name in names:
                    await ask(client, f"CONSUMER.DELETE.{NATSTER.stream}.{name}")
                    deleted += 1
            head = await tell(settings, head, 100)
            slowest = max(slowest, await took(lambda: are_at(workspace, head)))  # noqa: B023
        assert workspace.follower.head == head
    found = await checker.check(at=head)
    record("consumer deleted under us", found, injected=deleted, recovered_s=slowest)
    assert slowest < SOON_S


async def test_the_log_is_deleted_and_made_again(
    settings: ConnectionSettings, tmp_path: Path
) -> None:
    head = await tell(settings, 0, 300)
    checker = Checker(settings)
    await checker.remember()
    async with dashboard(settings) as workspace:
        await until(lambda: are_at(workspace, head))
        await admin(settings, "STREAM.DELETE")
        assert await took(lambda: workspace.connection is Connection.NO_LOG) < SOON_S
        # The new one is longer, and has other events.
        await tell(settings, 5_000, 500)
        said = await took(lambda: say(workspace, "deleted and made again"))
        assert said < SOON_S
        await until(lambda: all(p.status.phase is Phase.STOPPED for p in projectors(workspace)))
    async with process(tmp_path, settings, "status") as status:
        assert await status.ended() == 0
        assert status.has_said("deleted and made again")
    async with process(tmp_path, settings, "project", "--once") as project:
        assert await project.ended() == 1
        assert project.has_said("deleted and made again")
    # What is stored is still the fold of the log that was.
    found = await checker.check(at=head, log_damaged=True)
    record("log deleted and made again", found)
    anew = Checker(settings)
    await anew.remember()
    async with process(tmp_path, settings, "rebuild", "--yes") as rebuild:
        assert await rebuild.ended() == 0
    await anew.check(at=500)


async def test_the_log_is_purged_when_we_have_seen_it_all(settings: ConnectionSettings) -> None:
    await make_removable(settings)
    head = await tell(settings, 0, 300)
    checker = Checker(settings)
    await checker.remember()
    async with dashboard(settings) as workspace:
        await until(lambda: are_at(workspace, head))
        await admin(settings, "STREAM.PURGE")
        log = workspace.log
        assert log is not None
        said = await took(
            lambda: any("history was lost" in h.sentence for h in hazards_of(log.info))
        )
        assert said < SOON_S
        more = await tell(settings, head, 100)
        back = await took(lambda: are_at(workspace, more))
    async with plain_client(settings) as client:
        await checker._look(client)
    found = await checker.check(at=more, log_damaged=True)
    record("log purged by an administrator, projected before", found, recovered_s=back)


async def test_the_log_is_purged_before_we_have_seen_it(
    settings: ConnectionSettings, tmp_path: Path
) -> None:
    await make_removable(settings)
    head = await tell(settings, 0, 300)
    async with process(tmp_path, settings, "project", "--once") as project:
        assert await project.ended() == 0
    more = await tell(settings, head, 100)
    checker = Checker(settings)
    await checker.remember()
    await admin(settings, "STREAM.PURGE", {"seq": head + 50})
    async with dashboard(settings) as workspace:
        assert await took(lambda: say(workspace, "49 events were lost before")) < SOON_S
    await admin(settings, "STREAM.PURGE")
    async with dashboard(settings) as workspace:
        assert await took(lambda: say(workspace, f"{more - head} events were lost before")) < SOON_S
    found = await checker.check(at=head, log_damaged=True)
    record("log purged by an administrator, unseen events with it", found)


async def test_the_log_is_purged_while_we_read_it(settings: ConnectionSettings) -> None:
    """All that we have not read yet goes, and nothing comes after it that would tell."""
    await make_removable(settings)
    head = await tell(settings, 0, 12_000)
    checker = Checker(settings)
    await checker.remember()
    async with dashboard(settings) as workspace:
        await until(lambda: min(p.status.stored or 0 for p in projectors(workspace)) > 0)
        await admin(settings, "STREAM.PURGE")
        await until(
            lambda: (
                are_at(workspace, head)
                or all("lost before" in p.status.problem for p in projectors(workspace))
            ),
            2 * SOON_S,
        )
    found = await checker.check(log_damaged=True)
    record("log purged by an administrator while being read", found)


async def test_the_newest_events_are_deleted_before_we_have_seen_them(
    settings: ConnectionSettings, tmp_path: Path
) -> None:
    """A hole at the end: there is nothing left to read, and that is to be "caught up"."""
    await make_removable(settings)
    head = await tell(settings, 0, 200)
    for seq in (head - 1, head):
        await admin(settings, "STREAM.MSG.DELETE", {"seq": seq})
    checker = Checker(settings)
    await checker.remember()
    async with process(tmp_path, settings, "project", "--once") as project:
        assert await project.ended(10) == 0
    found = await checker.check(at=head)
    async with dashboard(settings) as workspace:
        await until(lambda: are_at(workspace, head))
        await tell(settings, head, 10)
        await until(lambda: are_at(workspace, head + 10))
    record("newest events deleted before they were projected", found, recovered_s=0)


async def test_the_log_forgets_by_max_msgs(settings: ConnectionSettings) -> None:
    await make_removable(settings)
    head = await tell(settings, 0, 300)
    checker = Checker(settings)
    await checker.remember()
    async with dashboard(settings) as workspace:
        await until(lambda: are_at(workspace, head))
        async with plain_client(settings) as client:
            config = (await ask(client, f"STREAM.INFO.{NATSTER.stream}"))["config"]
        await admin(settings, "STREAM.UPDATE", {**config, "discard": "old", "max_msgs": 100})
        assert workspace.log is not None

        def hazards() -> str:
            assert workspace.log is not None
            return " ".join(h.sentence for h in hazards_of(workspace.log.info))

        assert await took(lambda: "history was lost" in hazards() and "forget" in hazards()) < 2
        more = await tell(settings, head, 90)
        back = await took(lambda: are_at(workspace, more))
    async with plain_client(settings) as client:
        await checker._look(client)
    found = await checker.check(at=more, log_damaged=True)
    # Asleep while the log forgets what it had not seen.
    await tell(settings, more, 250)
    async with dashboard(settings) as workspace:
        assert await took(lambda: say(workspace, "150 events were lost before")) < SOON_S
    again = await checker.check(at=more, log_damaged=True)
    record("log truncated by `max_msgs`", found, again, injected=2, recovered_s=back)


async def test_a_thousand_events_in_a_row_cannot_be_processed(
    settings: ConnectionSettings,
) -> None:
    head = await tell(settings, 0, 200)
    link = await Link.open(settings)
    log = await EventLog.open(link, NATSTER)
    kinds = [
        lambda n: event("unheard_of", f"A{n}"),
        lambda n: event("context_bound", f"A{n}", payload=b"{broken"),
        lambda n: event("catalog_shared", "none", f"A{n}", "c"),
        lambda n: event("catalog_shared", f"A${n}", "A1", "c"),
    ]
    await append(log, [kinds[n % 4](n) for n in range(1_000)])
    await link.close()
    head = await tell(settings, 200, 100)
    checker = Checker(settings)
    await checker.remember()
    async with dashboard(settings) as workspace:
        back = await took(lambda: are_at(workspace, head))
        assert workspace.projectors["account"].status.parked.count > 1_000
    found = await checker.check(at=1_300)
    record("1,000 unprocessable events in a row", found, injected=1_000, recovered_s=back)
    assert await stored_at(settings, head) < SOON_S
