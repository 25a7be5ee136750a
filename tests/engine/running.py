"""Running projectors in tests, and reading what they store."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from natster_tui.engine.log.hazard_watch import HazardWatch
from natster_tui.engine.projecting.projector import Projector
from natster_tui.engine.projecting.status import Phase
from natster_tui.engine.projecting.stored_projection import load_projection
from natster_tui.engine.server_source import LogChoice, NamedServer
from natster_tui.engine.workspace import Workspace, WorkspaceOptions
from natster_tui.errors import ApiError
from natster_tui.events.event import Record
from natster_tui.events.log.hazards import Hazard
from natster_tui.events.natster import NATSTER
from natster_tui.projections.api import CHECKPOINT_KEY, Projection
from natster_tui.projections.paging import entries_of
from natster_tui.projections.registering.registry import ACCOUNTS
from natster_tui.store.bucket import Bucket
from natster_tui.store.connection.consumers import list_consumers
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.reading.leader import StreamLeader
from natster_tui.store.reading.ranges import read_range
from natster_tui.store.sealing.choice import SealingChoice
from natster_tui.store.settings.connection import ConnectionSettings
from tests.conftest import RECORDINGS, until
from tests.folding import fold_all
from tests.jetstream import ask_jetstream
from tests.making_logs import records_in
from tests.paged_documents import whole_documents
from tests.reading_buckets import stored_values

OURS = (Phase.CATCHING_UP, Phase.PROJECTING)


STORE_NOT_CREATED = 10049


@asynccontextmanager
async def projecting(
    log: EventLog,
    projection: Projection[Any] = ACCOUNTS,
    instance: str = "test",
    **options: Any,
) -> AsyncIterator[Projector]:
    """A projector at work on a log; what it raises is raised here."""
    projector = Projector(projection, instance, **options)
    task = asyncio.create_task(projector.run(log))
    try:
        yield projector
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def running(
    settings: ConnectionSettings, *, read_only: bool = False, key_file: Path | None = None
) -> AsyncIterator[Workspace]:
    """A workspace at work."""
    choice = LogChoice(NATSTER, read_only=read_only, sealing=SealingChoice(key_file=key_file))
    workspace = Workspace(NamedServer(settings), WorkspaceOptions(choice))
    task = asyncio.create_task(workspace.run())
    try:
        yield workspace
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def project_to_head(
    log: EventLog, projection: Projection[Any] = ACCOUNTS, **options: Any
) -> Projector:
    """Project what is in the log by now."""
    head = (await log.refresh()).last_seq
    async with projecting(log, projection, **options) as projector:
        await until(lambda: projector.status.phase is Phase.PROJECTING)
        await until(lambda: head in (0, projector.status.stored))
    return projector


async def fresh_log(link: Link) -> EventLog:
    """An empty log in an account that an earlier example may have used."""
    for name in (await ask_jetstream(link, "STREAM.NAMES"))["streams"] or ():
        await ask_jetstream(link, f"STREAM.DELETE.{name}")
    while True:
        # The files of the one that was deleted just now may still be there: then the server refuses
        # to create it or, when it is busy, creates it with the old messages.
        try:
            log = await EventLog.create(link, NATSTER, LogSettings())
        except ApiError as error:
            if error.code != STORE_NOT_CREATED:
                raise
            continue
        if log.info.last_seq == 0:
            return log
        await ask_jetstream(link, f"STREAM.DELETE.{log.stream}")


async def create_reference_stream(link: Link, name: str) -> None:
    """A stream as the reference service makes it."""
    config = json.loads((RECORDINGS / "configs.json").read_text())[name]
    config["metadata"] = {}  # all of it is the server's own
    await ask_jetstream(link, f"STREAM.CREATE.{name}", config)


async def stream_state(link: Link, stream: str) -> dict[str, Any]:
    """Everything that would show a write: sequences, counts, bytes and times."""
    answer = await ask_jetstream(link, f"STREAM.INFO.{stream}")
    return {**answer["state"], "config": answer["config"], "consumer_count": None}


async def bucket_records(link: Link, bucket: str) -> list[Record]:
    """The bucket's messages in the order in which they were written."""
    head = (await ask_jetstream(link, f"STREAM.INFO.KV_{bucket}"))["state"]["last_seq"]
    found: list[Record] = []
    leader = StreamLeader(link, f"KV_{bucket}")
    async for batch in read_range(leader, 1, head, purpose="test", instance="look"):
        found += batch
    return found


async def consumers_of(link: Link, stream: str = NATSTER.stream) -> set[str]:
    return {consumer.name for consumer in await list_consumers(link, stream)}


async def assert_stored_is_the_fold(
    log: EventLog, settings: ConnectionSettings, projection: Projection[Any] = ACCOUNTS
) -> None:
    """The bucket holds the fold of the log up to its checkpoint, and nothing else."""
    values = await stored_values(settings, projection.bucket)
    checkpoint = json.loads(values.pop(CHECKPOINT_KEY))
    records = [r for r in await records_in(log) if r.seq <= checkpoint["seq"]]
    fold = fold_all(projection, records)
    assert whole_documents(values) == fold.documents()
    assert checkpoint["parked"] == {
        "count": fold.parked.count,
        "recent": [{"seq": e.seq, "reason": e.reason.value} for e in fold.parked.recent],
    }
    assert "rebuild" not in checkpoint


async def stored_is_paged_fold(log: EventLog, projection: Projection[Any] = ACCOUNTS) -> None:
    """The same with pages of whatever size the program was told: entries are the program's own."""
    stored = await load_projection(Bucket(log.link, projection.bucket, "look"), projection)
    assert stored.checkpoint is not None
    upto = stored.checkpoint.seq
    fold = fold_all(projection, [r for r in await records_in(log) if r.seq <= upto])
    assert stored.entries == {
        entry_key: entry
        for key, state in fold.states.items()
        for entry_key, entry in entries_of(projection, key, state).items()
    }


async def read_hazards(log: EventLog, projections: Sequence[Projection[Any]]) -> tuple[Hazard, ...]:
    """The hazards of a log, without repeated message ids, which only following the log finds."""
    watch = HazardWatch(projections)
    await watch.refresh(log)
    return watch.hazards(log)
