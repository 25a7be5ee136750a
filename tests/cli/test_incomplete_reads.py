"""What is read is what there is, or the command fails."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from natster_tui.engine.headless import project_until_caught_up
from natster_tui.events.natster import NATSTER
from natster_tui.projections.registering.registry import PROJECTIONS
from natster_tui.store.log import EventLog
from natster_tui.store.settings.connection import ConnectionSettings
from tests.cli.program import Program
from tests.making_logs import A, B, C, append, initialized, shared
from tests.reading_buckets import stored_values
from tests.withholding import withholding


async def test_a_server_that_keeps_the_last_event_back_makes_every_read_fail(
    anywhere: Program, settings: ConnectionSettings, log: EventLog
) -> None:
    await append(log, [initialized(A), initialized(B), shared(A, B), shared(A, C)])
    await project_until_caught_up(log, PROJECTIONS, "test")
    before = await stored_values(settings, "PROJ_ACCOUNT")
    await append(log, [shared(B, C)])
    async with withholding(settings, NATSTER.stream, lambda seq: seq == 5) as url:
        natster = anywhere.on(replace(settings, servers=(url,)))
        # All at once: what they do is wait for it.
        runs = await asyncio.gather(
            natster.run("tail"),
            natster.run("tail", "--follow"),
            natster.run("export"),
            natster.run("project", "--once"),
            natster.run("rebuild", "--yes", "--json"),
        )
    for ended in runs:
        assert ended.code == 3
        assert (
            f"{NATSTER.stream} holds a message at 5 that the server does not deliver"
            in ended.sentence
        )
        assert ended.seconds < 20
    assert [len(ended.lines) for ended in runs[:3]] == [4, 4, 4]
    assert await stored_values(settings, "PROJ_ACCOUNT") == before
