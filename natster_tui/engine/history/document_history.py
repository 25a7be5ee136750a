"""One document as the log says it, at the head or as of an earlier position, and how it came to be.

Only the events that name the key are read: filtered reads, one wildcard filter each (a consumer
with two is a thousand times slower), merged by sequence. The fold is the one everything uses.
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
    """The document of a key as of `seq` (None: there is none), and how it came to be."""

    key: str
    seq: int
    document: bytes | None
    changes: tuple[DocumentChange, ...]


async def key_history(
    log: EventLog, projection: Projection[Any], key: str, upto: int, instance: str
) -> KeyHistory:
    """Fold the events of one key, up to and including sequence `upto`.

    Time and memory follow the number of the key's events, however large its document is.
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
    """What an event did to each document it touched, by the real fold, changed or not.

    Its cost follows the number of those keys' events, not the log's length.
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
    """The document of a key as of sequence `upto`, whole, or None."""
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
    """The records, with a pause now and then so that other tasks can run."""
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

    A text that cannot be a document's key is not made a filter: it might match anything.
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

    # At once: the server looks through the whole log for a filter with a wildcard in front.
    try:
        async with asyncio.TaskGroup() as tasks:
            reads = [tasks.create_task(found_by(each)) for each in projection.key_filters(key)]
    except ExceptionGroup as group:
        raise group.exceptions[0] from group  # the caller gets the error of one of the readers
    merged: list[Record] = []
    for record in heapq.merge(*(read.result() for read in reads), key=lambda record: record.seq):
        if not merged or merged[-1].seq != record.seq:
            merged.append(record)
    return merged
