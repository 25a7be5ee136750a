"""One document folded from the log, now or at an earlier position, and the events that changed it.

Only the events that name the key are read, by filtered reads that are merged by sequence. Each has
one wildcard filter: a consumer with two is a thousand times slower. The fold is the usual one.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from natster_tui.events.event import Record
from natster_tui.events.parking import ParkReason
from natster_tui.events.tokens import is_usable_token
from natster_tui.projections.api import Projection
from natster_tui.projections.checkpoint import NO_TOMBSTONES
from natster_tui.projections.diff import FieldChange
from natster_tui.projections.fold import Fold
from natster_tui.projections.history.steps import DocumentSteps, Effect
from natster_tui.store.log import EventLog

_EVENTS_AT_ONCE = 100
"""Events folded before the rest of the program may run."""


@dataclass(frozen=True, slots=True)
class DocumentChange:
    """An event that changed a document, with the fields that it changed."""

    record: Record
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class KeyHistory:
    """The document of a key as of `seq` (None: there is none), and the changes that made it."""

    key: str
    seq: int
    document: bytes | None
    changes: tuple[DocumentChange, ...]


async def key_history(
    log: EventLog, projection: Projection[Any], key: str, upto: int, instance: str
) -> KeyHistory:
    """Fold the events of one key, up to and including sequence `upto`.

    Time and memory grow with the number of the key's events, not with the size of its document.
    """
    steps = DocumentSteps(_empty_fold(log, projection), key)
    records = await key_records(log, projection, key, upto, instance)
    changes = [
        DocumentChange(record, fields)
        async for record in paced(records)
        if (fields := steps.apply(record, log.system.read(record)).fields)
    ]
    return KeyHistory(key, upto, steps.fold.document(key), tuple(changes))


async def effects_of(
    log: EventLog,
    record: Record,
    instance: str,
    projections: Sequence[Projection[Any]],
) -> list[Effect]:
    """The effect of an event on each document that it names, whether it changed it or not.

    The cost grows with the number of those keys' events, not with the log's length.
    """
    event = log.system.read(record)
    if isinstance(event, ParkReason):
        return []
    effects = []
    for projection in projections:
        if event.type not in projection.uses or projection.parks(event) is not None:
            continue
        for key in dict.fromkeys(projection.keys_of(event)):
            fold = await key_fold(log, projection, key, record.seq - 1, instance)
            effects.append(DocumentSteps(fold, key).apply(record, event))
    return effects


async def key_document(
    log: EventLog, projection: Projection[Any], key: str, upto: int, instance: str
) -> bytes | None:
    """The complete document of a key as of sequence `upto`; None if there is none."""
    return (await key_fold(log, projection, key, upto, instance)).document(key)


async def key_fold(
    log: EventLog, projection: Projection[Any], key: str, upto: int, instance: str
) -> Fold[Any]:
    """The fold of a key's own events up to and including sequence `upto`."""
    fold = _empty_fold(log, projection)
    async for record in paced(await key_records(log, projection, key, upto, instance)):
        fold.apply(record, log.system.read(record))
    return fold


def _empty_fold(log: EventLog, projection: Projection[Any]) -> Fold[Any]:
    return Fold(projection, tombstones=log.sealing.tombstones or NO_TOMBSTONES)


async def paced(records: list[Record]) -> AsyncIterator[Record]:
    """The records, with short pauses in which other tasks can run."""
    for start in range(0, len(records), _EVENTS_AT_ONCE):
        for record in records[start : start + _EVENTS_AT_ONCE]:
            yield record
        await asyncio.sleep(0)


async def key_records(
    log: EventLog,
    projection: Projection[Any],
    key: str,
    upto: int,
    instance: str,
    *,
    first: int = 1,
) -> list[Record]:
    """The records from `first` to `upto` that may touch a key, in order, each once.

    Empty for a text that cannot be a key: as a filter it might match anything.
    """
    if first > upto or not is_usable_token(key):
        return []

    async def found_by(subject_filter: str) -> list[Record]:
        found: list[Record] = []
        async with aclosing(
            log.records(
                first, upto, purpose="key", instance=instance, subject_filter=subject_filter
            )
        ) as batches:
            async for batch in batches:
                found.extend(batch)
        return found

    # Concurrently: for a filter that begins with a wildcard the server scans the whole log.
    try:
        async with asyncio.TaskGroup() as tasks:
            reads = [tasks.create_task(found_by(each)) for each in projection.key_filters(key)]
    except ExceptionGroup as group:
        raise group.exceptions[0] from group  # callers expect a single error
    merged: list[Record] = []
    for record in heapq.merge(*(read.result() for read in reads), key=lambda record: record.seq):
        if not merged or merged[-1].seq != record.seq:
            merged.append(record)
    return merged
