"""One document as the log says it, at the head or as of an earlier position.

Only the events that name the key are read: filtered reads, one wildcard filter each (a consumer
with two is a thousand times slower), merged by sequence. The fold is the one everything uses.
"""

from __future__ import annotations

import asyncio
import heapq
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from natster_tui.domain.checkpoint import NO_TOMBSTONES
from natster_tui.domain.events import Record, is_usable_token, read_event
from natster_tui.domain.fold import Fold
from natster_tui.domain.projection import Projection
from natster_tui.engine.backwards import records_backwards
from natster_tui.store.log import EventLog


@dataclass(frozen=True, slots=True)
class DocumentChange:
    """An event that changed a document, with the document before and after it."""

    record: Record
    before: bytes | None
    after: bytes | None


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
    """Fold what concerns one key, up to and including sequence `upto`.

    Every change holds the document before and after it; `key_document` is for who needs one only.
    """
    fold = Fold(projection, tombstones=log.sealing.tombstones or NO_TOMBSTONES)
    changes: list[DocumentChange] = []
    document = None
    for record in await key_records(log, projection, key, upto, instance):
        if key in fold.apply(record, read_event(record)):
            before, document = document, fold.document(key)
            changes.append(DocumentChange(record, before, document))
    return KeyHistory(key, upto, document, tuple(changes))


async def key_document(
    log: EventLog, projection: Projection[Any], key: str, upto: int, instance: str
) -> bytes | None:
    """The document of a key as of sequence `upto`, whole, or None."""
    return (await key_fold(log, projection, key, upto, instance)).document(key)


async def key_fold(
    log: EventLog, projection: Projection[Any], key: str, upto: int, instance: str
) -> Fold[Any]:
    """The fold of a key's own events up to and including sequence `upto`."""
    fold = Fold(projection, tombstones=log.sealing.tombstones or NO_TOMBSTONES)
    fold.advance(await key_records(log, projection, key, upto, instance))
    return fold


async def key_records(
    log: EventLog, projection: Projection[Any], key: str, upto: int, instance: str
) -> list[Record]:
    """The records that may touch a key, in order, each once.

    What no document can be named is not made a filter: it might match anything, or nothing valid.
    """
    if not is_usable_token(key):
        return []

    async def found_by(subject_filter: str) -> list[Record]:
        found: list[Record] = []
        async with aclosing(
            log.records(1, upto, purpose="key", instance=instance, subject_filter=subject_filter)
        ) as batches:
            async for batch in batches:
                found.extend(batch)
        return found

    # At once: the server looks through the whole log for a filter with a wildcard in front.
    try:
        async with asyncio.TaskGroup() as tasks:
            reads = [tasks.create_task(found_by(each)) for each in projection.key_filters(key)]
    except ExceptionGroup as group:
        raise group.exceptions[0] from group  # what one of them met is what the caller is told
    merged: list[Record] = []
    for record in heapq.merge(*(read.result() for read in reads), key=lambda record: record.seq):
        if not merged or merged[-1].seq != record.seq:
            merged.append(record)
    return merged


async def sequence_at(log: EventLog, seconds: int, instance: str) -> int:
    """The highest sequence whose event time is not after a time in unix seconds; 0 before all.

    Event times need not ascend (an import keeps the old ones), so the log is looked at from its
    end: the cost follows the number of events since then.
    """
    head = (await log.refresh()).last_seq
    async with aclosing(
        records_backwards(log, 1, head, purpose="time", instance=instance)
    ) as records:
        async for record in records:
            if record.event_time <= seconds:
                return record.seq
    return 0
