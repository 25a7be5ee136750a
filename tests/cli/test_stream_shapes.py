"""Logs that refuse a consumer like ours are read all the same, by every command."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from natster_tui.engine.headless import project_until_caught_up
from natster_tui.engine.rebuilding.preflight import read_preflight
from natster_tui.events.natster import NATSTER
from natster_tui.projections.registering.registry import PROJECTIONS
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.settings.connection import ConnectionSettings
from tests.cli.program import Program
from tests.conftest import until
from tests.engine.running import running
from tests.jetstream import ask_jetstream
from tests.making_logs import append, initialized, records_in, shared, unshared

EVENTS = [initialized("AA", "Ann"), shared("AA", "BB"), unshared("AA", "BB"), shared("BB", "AA")]
SHAPES: list[dict[str, Any]] = [
    {"retention": "workqueue"},
    {"max_consumers": 1},
    {"consumer_limits": {"inactive_threshold": 5_000_000_000}},
    {"retention": "interest"},
]


async def log_shaped(link: Link, **settings: Any) -> EventLog:
    """A log with these settings, whose one place for a consumer is taken."""
    config = {"name": NATSTER.stream, "subjects": [NATSTER.subjects], "num_replicas": 1} | settings
    await ask_jetstream(link, f"STREAM.CREATE.{NATSTER.stream}", config)
    if "inactive_threshold" not in str(settings) and settings.get("retention") != "workqueue":
        service = {"durable_name": "service", "ack_policy": "explicit"}
        await ask_jetstream(
            link,
            f"CONSUMER.DURABLE.CREATE.{NATSTER.stream}.service",
            {"stream_name": NATSTER.stream, "config": service},
        )
    return await EventLog.open(link, NATSTER)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: str(next(iter(shape.values()))))
async def test_it_is_read_and_projected_and_nothing_is_removed(
    link: Link, shape: dict[str, Any]
) -> None:
    log = await log_shaped(link, **shape)
    await append(log, EVENTS)
    assert [record.seq for record in await records_in(log)] == [1, 2, 3, 4]
    assert {each.seq for each in await project_until_caught_up(log, PROJECTIONS, "test")} == {4}
    assert (await read_preflight(log, PROJECTIONS, "test")).info.messages == 4


async def test_the_commands_read_a_work_queue(
    link: Link, settings: ConnectionSettings, tmp_path: Path
) -> None:
    log = await log_shaped(link, retention="workqueue")
    await append(log, EVENTS)
    natster = Program(tmp_path).on(settings)
    await natster.succeed("rebuild", "--yes")
    tail, _verify, _show, _why, status = await asyncio.gather(
        natster.succeed("tail"),
        natster.succeed("verify"),
        natster.succeed("show", "account", "AA"),
        natster.succeed("why", "account", "AA"),
        natster.succeed("status", "--json"),
    )
    assert len(tail.lines) == len(EVENTS)
    assert any("retention is workqueue" in each for each in status.json["hazards"])


async def test_a_log_that_begins_late_says_where(
    link: Link, settings: ConnectionSettings, tmp_path: Path
) -> None:
    log = await log_shaped(link, first_seq=1_000)
    await append(log, EVENTS)
    await ask_jetstream(link, f"STREAM.MSG.DELETE.{NATSTER.stream}", {"seq": 1_001})
    natster = Program(tmp_path).on(settings)
    for seq, why in ((5, "begins at 1,000"), (1_001, "was deleted"), (2_000, "ends at 1,003")):
        assert why in await natster.fail(1, "event", str(seq))


async def test_the_stream_of_a_bucket_is_not_taken_for_a_log(natster: Program) -> None:
    sentence = await natster.fail(2, "status", "--stream", "KV_PROJ_ACCOUNT", "--create-log")
    assert sentence == "--stream KV_PROJ_ACCOUNT is the stream of a bucket, not of a log"


async def test_the_dashboard_follows_a_work_queue(link: Link, settings: ConnectionSettings) -> None:
    log = await log_shaped(link, retention="workqueue")
    await append(log, EVENTS)
    async with running(settings) as workspace:
        await until(lambda: workspace.follower.head == len(EVENTS))
        await append(log, [shared("CC", "AA", "movies")])
        await until(lambda: workspace.follower.head == len(EVENTS) + 1)
        await until(lambda: all(each.status.stored == 5 for each in workspace.projectors.values()))


async def test_a_work_queue_with_holes_is_read_around_them(link: Link) -> None:
    log = await log_shaped(link, retention="workqueue")
    await append(log, [shared("AA", "BB", f"catalog{n}") for n in range(250)])
    for seq in (1, *range(40, 200), 250):
        await ask_jetstream(link, f"STREAM.MSG.DELETE.{NATSTER.stream}", {"seq": seq})
    found = [record.seq for record in await records_in(log)]
    assert found == [*range(2, 40), *range(200, 250)]
