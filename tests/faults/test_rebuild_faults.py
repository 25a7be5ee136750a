"""Rebuilds are interrupted, run beside live traffic, and change very many documents."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.scope import WholeProjections
from natster_tui.engine.workspace import Workspace
from natster_tui.events.natster import NATSTER
from natster_tui.projections.checkpoint import decode_checkpoint
from natster_tui.projections.registering.registry import ACCOUNTS, PROJECTIONS
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import until
from tests.faults.arena import (
    SOON_S,
    are_at,
    dashboard,
    open_or_make,
    process,
    say,
    stored_at,
    tell,
    took,
)
from tests.faults.checker import Checker, Reader, ask, checkpoint_in, plain_client, read_bucket
from tests.faults.proxy import Proxy
from tests.faults.results import record
from tests.making_logs import append, initialized
from tests.subscribing import until_subscribed

COMMIT = b"HPUB $KV.PROJ_ACCOUNT._checkpoint"


async def prepare(settings: ConnectionSettings, home: Path, people: int) -> int:
    """A projected log with so many accounts, whose stored documents are all wrong by now.

    They are the documents of another version of the projector, to which an old checkpoint
    belongs: everything must be written anew.
    """
    link = await Link.open(settings)
    log = await open_or_make(link)
    await append(log, [initialized(f"A{number:06}", f"Name {number}") for number in range(people)])
    head = (await log.refresh()).last_seq
    await link.close()
    async with process(home, settings, "project", "--once") as project:
        assert await project.ended(60 + people / 500) == 0
    return head


async def spoil(settings: ConnectionSettings) -> dict[str, bytes]:
    """Overwrite every account document with what is no fold at all; returns what is there now."""
    async with plain_client(settings) as client:
        stored = await read_bucket(client, "PROJ_ACCOUNT")
        spoilt = dict.fromkeys(stored.documents, b'{"out_shares":[],"in_shares":[],"wrong":1}')
        for number, (key, value) in enumerate(spoilt.items()):
            await client.publish(f"$KV.PROJ_ACCOUNT.{key}", value)
            if number % 1_000 == 0:
                await client.flush()
        await client.flush()
        while (await ask(client, "STREAM.INFO.KV_PROJ_ACCOUNT"))["state"]["messages"] < len(spoilt):
            pass
        return spoilt


async def until_marked(settings: ConnectionSettings, expected: bool) -> None:
    """The server may still be at work on what a killed process sent."""
    began = time.monotonic()
    async with plain_client(settings) as client:
        while time.monotonic() - began < SOON_S:
            checkpoint = await checkpoint_in(client, "PROJ_ACCOUNT")
            if checkpoint is not None and ("rebuild" in checkpoint) == expected:
                return
    raise AssertionError(f"the checkpoint should {'' if expected else 'not '}be marked")


async def kill_rebuilds(
    settings: ConnectionSettings, home: Path, rounds: Sequence[tuple[int, bool]], *, purge: bool
) -> None:
    """Kill a rebuild after so many commits and, for True, just as one more is on its way.

    The next start says that it was interrupted, and finishes it.
    """
    people = 2_500
    batches = 4 if purge else 3
    head = await prepare(settings, home, people)
    checker = Checker(settings)
    await checker.remember()
    arguments = ("rebuild", "account", "--yes", *(["--purge"] if purge else []))
    for passes, one_more in rounds:
        await spoil(settings)
        async with (
            Proxy.before(settings) as proxy,
            process(home, settings, *arguments, url=proxy.url) as victim,
        ):
            for _ in range(passes):
                proxy.hold_before(COMMIT)
                await asyncio.wait_for(proxy.held.wait(), 20)
                proxy.release()
            if one_more:
                proxy.mute_after(COMMIT)
            else:
                proxy.hold_before(COMMIT)
            await asyncio.wait_for(proxy.held.wait(), 20)
            await victim.kill()
        interrupted = 0 < passes + one_more < batches
        await until_marked(settings, interrupted)
        said: set[str] = set()
        async with dashboard(settings) as workspace:
            account = workspace.projectors["account"].status
            workspace.listen(lambda: said.add(account.problem))  # noqa: B023
            if passes + one_more == 0:
                # What is stored is useless, and only a person may decide about that.
                await until(lambda: say(workspace, "rebuild account"))
                await rebuild_here(workspace)
            back = await took(lambda: are_at(workspace, head))
            assert any("interrupted" in problem for problem in said) == interrupted, said
        found = await checker.check(at=head)
        record(
            f"rebuild {'with purge ' if purge else ''}`kill -9` at any instant",
            found,
            recovered_s=back,
        )


async def rebuild_here(workspace: Workspace) -> None:
    rebuild = workspace.rebuild(WholeProjections((ACCOUNTS,)))
    await rebuild.prepare()
    verdicts = await rebuild.commit()
    assert all(verdict.good for verdict in verdicts)


# Before the first batch is committed, and as the second one is on its way; with purge just after
# the mark, when everything has gone.
@pytest.mark.parametrize(
    ("rounds", "purge"),
    [
        pytest.param([(0, False), (1, True)], False, marks=pytest.mark.full),
        ([(1, False)], True),
    ],
)
async def test_a_rebuild_is_killed(
    settings: ConnectionSettings, tmp_path: Path, rounds: list[tuple[int, bool]], purge: bool
) -> None:
    await kill_rebuilds(settings, tmp_path, rounds, purge=purge)


@pytest.mark.full
@pytest.mark.timeout(300)
@pytest.mark.parametrize("purge", [False, True])
async def test_a_rebuild_is_killed_at_every_instant(
    settings: ConnectionSettings, tmp_path: Path, purge: bool
) -> None:
    rounds = [(passes, more) for passes in range(3 + purge) for more in (False, True)]
    await kill_rebuilds(settings, tmp_path, rounds, purge=purge)


async def test_a_rebuild_never_goes_back_behind_what_is_stored(
    settings: ConnectionSettings,
) -> None:
    """The projector goes on between our reading of the log and our commit."""
    head = await tell(settings, 0, 300)
    checker = Checker(settings)
    await checker.remember()
    async with dashboard(settings) as workspace, plain_client(settings) as client:
        await until(lambda: are_at(workspace, head))
        link = await Link.open(settings)
        log = await EventLog.open(link, NATSTER)
        rebuild = Rebuild(log, WholeProjections(PROJECTIONS), "other")
        await rebuild.prepare()
        head = await tell(settings, head, 100)
        await until(lambda: are_at(workspace, head))
        written = await client.subscribe("$KV.*._checkpoint")
        await until_subscribed(client)
        verdicts = await rebuild.commit()
        assert all(verdict.good for verdict in verdicts)
        await client.flush()
        for _ in range(2):
            assert decode_checkpoint((await written.next_msg(2)).data).seq >= head
        await link.close()
        back = await took(lambda: are_at(workspace, head))
    found = await checker.check(at=head)
    record("events projected while a rebuild waits to commit", found, recovered_s=back)


async def change_many(
    settings: ConnectionSettings, home: Path, people: int, kills: Sequence[int]
) -> None:
    """Rewrite so many documents under readers' eyes, killed at some of the batches."""
    head = await prepare(settings, home, people)
    checker = Checker(settings)
    await checker.remember()
    spoilt = await spoil(settings)
    reader = Reader(settings, ACCOUNTS, sorted(spoilt))
    async with reader.reading():
        for passes in kills:
            async with (
                Proxy.before(settings) as proxy,
                process(home, settings, "rebuild", "--yes", url=proxy.url) as victim,
            ):
                for _ in range(passes):
                    proxy.hold_before(COMMIT)
                    await asyncio.wait_for(proxy.held.wait(), 60 + people / 500)
                    proxy.release()
                await victim.kill()
        async with process(home, settings, "project") as project:
            back = await stored_at(settings, head, 60 + people / 500)
            assert project.has_said("interrupted"), project.said
    torn = reader.torn(checker.records(head), head, head, spoilt)
    found = await checker.check(at=head)
    record(
        f"rebuild of {people:,} changed documents killed between batches",
        found,
        injected=len(kills),
        torn=torn,
        recovered_s=back,
    )
    assert reader.reads > 100
    assert not torn


async def test_many_documents_change(settings: ConnectionSettings, tmp_path: Path) -> None:
    await change_many(settings, tmp_path, 5_000, [Random(5).randrange(1, 5)])


@pytest.mark.full
@pytest.mark.timeout(600)
async def test_very_many_documents_change(settings: ConnectionSettings, tmp_path: Path) -> None:
    draw = Random(6)
    await change_many(settings, tmp_path, 100_000, [draw.randrange(1, 60) for _ in range(2)])
