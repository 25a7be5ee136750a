"""One measured piece of work in a process of its own, told in a line of JSON.

`worker TASK URL LAST [KEY_FILE]`; with a key file payloads and documents are sealed.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

from natster_tui.engine.gc_tuning import collect_rarely
from natster_tui.engine.headless import project_until_caught_up
from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.scope import WholeProjections
from natster_tui.engine.rule_alarm import watch_rules
from natster_tui.engine.trying.trial import read_log, try_projection
from natster_tui.events.event import Record
from natster_tui.events.natster import NATSTER
from natster_tui.projections.api import Projection
from natster_tui.projections.registering.loading import load_file, load_registry
from natster_tui.projections.registering.registry import PROJECTIONS
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.sealing.choice import SealingChoice, open_sealing
from natster_tui.store.settings.connection import ConnectionSettings
from tests.benchmarks.measuring import Cost, cost_of, say
from tests.benchmarks.yardsticks import project_one_by_one, read_and_do_nothing
from tests.projections import activity
from tests.projections.activity import ActivityProjection


async def measure(task: str, url: str, last: int, key_file: Path | None) -> Cost:
    match task:
        case "nothing":
            return await cost_of(read_and_do_nothing(url, last))
        case "naive":
            return await cost_of(project_one_by_one(url, last))
    collect_rarely()  # as the program does when it starts
    link = await Link.open(ConnectionSettings(servers=(url,), origin="flags"))
    try:
        log = await EventLog.open(link, NATSTER)
        choice = SealingChoice(key_file is not None, key_file, is_named=True)
        log.sealing = await open_sealing(link, log.system, log.info, choice)
        match task:
            case "read":
                return await cost_of(read(log, last))
            case "rebuild":
                return await cost_of_rebuild(log, PROJECTIONS)
            case "rebuild with a third registered":
                register_third()
                return await cost_of_rebuild(log, PROJECTIONS)
            case "rebuild with a third":
                return await cost_of_rebuild(log, register_third())
            case "brought":
                return await cost_of_rebuild(log, (ActivityProjection(),))
            case "live":
                return await cost_of(project(log, PROJECTIONS))
            case "live with a third registered":
                register_third()
                return await cost_of(project(log, PROJECTIONS))
            case "live with a third":
                return await cost_of(project(log, register_third()))
            case "live brought":
                return await cost_of(project(log, register_third()[2:]))
            case "try":
                records = await read_log(log, "benchmark", lambda _seq, _head: None)
                return await cost_of(try_again(log, records))
        raise ValueError(f"no task {task}")
    finally:
        await link.close()


async def read(log: EventLog, last: int) -> int:
    """Reading alone, the way every part of the product does."""
    seen = 0
    async with aclosing(log.records(1, last, purpose="read", instance="benchmark")) as batches:
        async for batch in batches:
            seen += len(batch)
    return seen


async def cost_of_rebuild(log: EventLog, projections: Sequence[Projection[Any]]) -> Cost:
    """Projections from nothing, with the product's own verification at the end."""
    work = Rebuild(log, WholeProjections(tuple(projections)), "benchmark")
    cost = await cost_of(rebuild(work))
    documents = sum(len(fold.states) for fold in work.folds.values())
    return replace(cost, replay=work.progress.seconds, documents=documents)


def register_third() -> tuple[Projection[Any], ...]:
    """The built-in projections and one of a file, watched as every command watches them."""
    registry, _problems = load_registry([Path(activity.__file__)])
    watch_rules(registry)
    return registry.all


async def project(log: EventLog, projections: Sequence[Projection[Any]]) -> int:
    """Project the whole log as it is projected live: slice by slice, each committed."""
    done = await project_until_caught_up(log, projections, "benchmark")
    return min(each.seq for each in done)


async def rebuild(work: Rebuild) -> int:
    await work.prepare()
    for verdict in await work.commit():
        if not verdict.good:
            raise RuntimeError(verdict.sentence)
    return work.progress.events


async def try_again(log: EventLog, records: Sequence[Record]) -> int:
    """What `try --watch` does after a save: both folds of what was read, and the difference."""
    file = str(Path(activity.__file__))
    (projection,) = load_file(Path(file))
    trial = await try_projection(
        log, projection, records, file, "benchmark", lambda _seq, _head: None
    )
    if trial.second is not None:
        raise RuntimeError(trial.second.sentence)
    return trial.events


if __name__ == "__main__":
    _, task, url, last, *rest = sys.argv
    say(asyncio.run(measure(task, url, int(last), Path(rest[0]) if rest else None)))
