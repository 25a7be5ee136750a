"""Promotions of a version beside are killed for good, while a process reads what is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.scope import WholeProjections
from natster_tui.events.natster import NATSTER
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.settings.connection import ConnectionSettings
from tests.cli.test_own_projections import ACTIVITY, with_last_seen
from tests.conftest import until
from tests.engine.versions.activities import loaded
from tests.engine.versions.stored_reader import StoredReader
from tests.faults.arena import process, took
from tests.faults.checker import Checker
from tests.faults.proxy import Proxy
from tests.faults.results import record
from tests.folding import fold_all
from tests.making_logs import append, initialized, records_in

COMMIT = b"HPUB $KV.PROJ_ACTIVITY._checkpoint"
PEOPLE = 2_500
"""So that a promotion takes three batches."""


async def kill_promotions(
    settings: ConnectionSettings, home: Path, kills: Sequence[tuple[int, bool]]
) -> None:
    """Kill a promotion after so many commits and, for True, just as one more is on its way."""
    link = await Link.open(settings)
    log = await EventLog.create(link, NATSTER, LogSettings())
    await append(log, [initialized(f"A{number:06}") for number in range(PEOPLE)])
    first, second = home / "activity.py", home / "activity_v2.py"
    first.write_text(ACTIVITY)
    second.write_text(with_last_seen(ACTIVITY))
    for words in (
        ("project", "activity", "--once", "--projection", str(first)),
        ("project", "activity", "--once", "--beside", "--projection", str(second)),
    ):
        async with process(home, settings, *words) as project:
            assert await project.ended(60) == 0, project.said
    records = await records_in(log)
    older, newer = (fold_all(loaded(file), records).documents() for file in (first, second))
    reader = StoredReader(loaded(first), {key: {older[key], newer[key]} for key in older})
    checker = Checker(settings)
    await checker.remember()
    promote = ("promote", "activity", "--yes", "--projection", str(second))
    async with reader.reading(settings):
        for passes, one_more in kills:
            async with (
                Proxy.before(settings) as proxy,
                process(home, settings, *promote, url=proxy.url) as victim,
            ):
                for _ in range(passes):
                    proxy.hold_before(COMMIT)
                    await asyncio.wait_for(proxy.held.wait(), 30)
                    proxy.release()
                (proxy.mute_after if one_more else proxy.hold_before)(COMMIT)
                await asyncio.wait_for(proxy.held.wait(), 30)
                await victim.kill()
            async with process(home, settings, *promote) as promotion:
                back = await took(lambda: reader.documents == newer, 60)
                assert await promotion.ended(60) == 0, promotion.said
            found = await checker.check(at=len(records), projections=[loaded(second)])
            record("promotion `kill -9` at any instant", found, recovered_s=back)
            # The older version is stored again, so that each round begins alike.
            rebuild = Rebuild(log, WholeProjections((loaded(first),)), "again")
            await rebuild.prepare()
            await rebuild.commit()
        async with process(home, settings, *promote) as promotion:
            assert await promotion.ended(60) == 0, promotion.said
        await until(lambda: reader.documents == newer)
    record("promotion `kill -9` at any instant", injected=0, torn=len(reader.problems))
    assert reader.problems == []
    async with process(home, settings, "verify", "activity", "--projection", str(second)) as verify:
        assert await verify.ended(60) == 0, verify.said
    await link.close()


@pytest.mark.full
@pytest.mark.timeout(300)
async def test_a_promotion_is_killed_at_every_instant(
    settings: ConnectionSettings, tmp_path: Path
) -> None:
    kills = [(passes, more) for passes in range(3) for more in (False, True)]
    await kill_promotions(settings, tmp_path, kills)
