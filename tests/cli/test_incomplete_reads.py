"""What is read is what there is, or the command fails."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from natster_tui.engine.headless import project_until_caught_up
from natster_tui.events.natster import NATSTER
from natster_tui.projections.registering.registry import PROJECTIONS
from natster_tui.store.log import EventLog
from natster_tui.store.reading.leader import OTHERS_ASKED
from natster_tui.store.settings.connection import ConnectionSettings
from tests.cli.program import Program
from tests.jetstream import ask_jetstream
from tests.making_logs import A, B, C, append, initialized, shared
from tests.reading_buckets import stored_values
from tests.withholding import relabelling, withholding


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


async def test_an_event_that_is_delivered_with_a_subject_it_does_not_have_is_refused(
    anywhere: Program, settings: ConnectionSettings, log: EventLog
) -> None:
    await append(log, [initialized(A), initialized(B), shared(A, B), shared(A, C)])
    await project_until_caught_up(log, PROJECTIONS, "test")
    before = await stored_values(settings, "PROJ_ACCOUNT")
    await append(log, [shared(B, C)])
    lie = b"$KV.PROJ_ACCOUNT.none"
    async with relabelling(settings, NATSTER.stream, {5: lie}) as url:
        natster = anywhere.on(replace(settings, servers=(url,)))
        runs = await asyncio.gather(
            natster.run("tail"),
            natster.run("export"),
            natster.run("verify"),
            natster.run("project", "--once"),
            natster.run("rebuild", "--yes", "--json"),
        )
    for ended in runs:
        assert ended.code == 3
        assert f"it sent {lie.decode()} as event 5, and holds {shared(B, C).subject} there" in (
            ended.sentence
        )
    assert await stored_values(settings, "PROJ_ACCOUNT") == before


async def test_subjects_that_the_stream_took_once_are_read(
    anywhere: Program, settings: ConnectionSettings, log: EventLog
) -> None:
    await append(log, [shared(A, B)])
    config = (await ask_jetstream(log.link, f"STREAM.INFO.{NATSTER.stream}"))["config"]
    update = f"STREAM.UPDATE.{NATSTER.stream}"
    config["metadata"] = {}
    await ask_jetstream(log.link, update, config | {"subjects": [NATSTER.subjects, "other.>"]})
    for number in range(OTHERS_ASKED + 5):
        await log.link.request(log.link.target.stored(f"other.{number}"), b"")
    await ask_jetstream(log.link, update, config)
    natster = anywhere.on(settings)
    await natster.succeed("project", "--once")
    assert f"parked {OTHERS_ASKED + 5}" in (await natster.succeed("status")).out
    assert len((await natster.succeed("tail", "-n", "100")).lines) == OTHERS_ASKED + 6
