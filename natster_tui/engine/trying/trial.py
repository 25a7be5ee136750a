"""One trial of a projection: its fold of the log, and the difference to what is stored.

Nothing is written. The log is read once and kept in memory, so that a projection that was edited
and reloaded is tried on the same events without reading them again.
"""

from __future__ import annotations

import asyncio
import resource
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from natster_tui.engine.projecting.stored_projection import (
    BucketState,
    StoredProjection,
    bucket_of,
    load_projection,
)
from natster_tui.engine.trying.second_fold import Difference, SecondFold
from natster_tui.errors import DocumentRefusedError
from natster_tui.events.event import Record
from natster_tui.events.parking import ParkReason
from natster_tui.events.system import EventSystem
from natster_tui.projections.api import Projection
from natster_tui.projections.diff import Diff, diff_documents, same_json
from natster_tui.projections.fold import Fold
from natster_tui.projections.keyed import KeyedProjection
from natster_tui.projections.versions.comparing import FieldCount, field_counts
from natster_tui.store.log import EventLog

KIB = 1024
_BATCH = 2_000

OnRead = Callable[[int, int], None]
"""Called with the last sequence that was read or folded, and the head."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What a trial found.

    `seconds` is the duration of the fold, `peak_bytes` the program's peak memory. `compared_at` is
    the sequence at which the documents were compared with what is stored; None if nothing is
    stored. `second` is the first difference of a second fold; None if it gave the same.
    """

    projection: Projection[Any]
    fold: Fold[Any]
    events: int
    seconds: float
    peak_bytes: int
    stored: StoredProjection
    diff: Diff | None
    compared_at: int | None
    second: Difference | None

    @property
    def differs(self) -> bool:
        """Whether its documents differ from the stored ones, or from those of a second fold."""
        return bool(self.diff) or self.second is not None

    @property
    def needs_version(self) -> bool:
        """Whether its documents differ from stored ones of the same version."""
        stored = self.stored.checkpoint
        same = stored is not None and stored.version == self.projection.version
        return bool(self.diff) and same

    def fields(self) -> tuple[FieldCount, ...]:
        """In how many documents each field is added, removed or changed."""
        return field_counts(() if self.diff is None else self.diff.changes)


async def read_log(log: EventLog, instance: str, on_read: OnRead) -> list[Record]:
    """All records of the log, payloads opened."""
    head = (await log.refresh()).last_seq
    records: list[Record] = []
    reading = log.records(1, head, purpose="try", instance=instance)
    async with aclosing(reading) as batches:
        async for batch in batches:
            records += batch
            on_read(batch[-1].seq, head)
    return records


async def try_projection(
    log: EventLog,
    projection: Projection[Any],
    records: Sequence[Record],
    file: str,
    instance: str,
    on_fold: OnRead,
) -> Trial:
    """Fold records, twice, and compare with what is stored. `file` holds the rule.

    Raises BlockedEventError with the event that the projection cannot pass, and RefusedError if a
    stored document cannot be read.
    """
    stored = await load_projection(bucket_of(log, projection, instance), projection)
    at = None
    if stored.checkpoint is not None:
        at = stored.checkpoint.seq
    elif stored.bucket_state not in (BucketState.MISSING, BucketState.EMPTY) and records:
        at = records[-1].seq
    before = None if at is None else stored.whole_documents()
    if isinstance(projection, KeyedProjection):
        projection.checks_input = True
    async with SecondFold(projection, records, file) as again:
        began = time.perf_counter()
        fold, then = await _folded(projection, records, log.system, at, on_fold)
        _check_documents(projection, fold, records, log.system)
        seconds = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB
        diff = None if before is None else diff_documents(before, then, same_json)
        second = await again.difference(fold)
    return Trial(projection, fold, len(records), seconds, peak, stored, diff, at, second)


async def _folded(
    projection: Projection[Any],
    records: Sequence[Record],
    system: EventSystem,
    at: int | None,
    on_fold: OnRead,
) -> tuple[Fold[Any], dict[str, bytes]]:
    """The fold of all records, and the documents as of `at`."""
    fold = Fold(projection)
    then: dict[str, bytes] = {}
    for start in range(0, len(records), _BATCH):
        batch = records[start : start + _BATCH]
        events = list(map(system.read, batch))
        if at is not None and fold.seq < at <= batch[-1].seq:
            upto = bisect_right(batch, at, key=lambda record: record.seq)
            fold.apply_all(batch[:upto], events[:upto])
            then = fold.documents()
        fold.apply_all(batch, events)  # skips what was folded already
        on_fold(batch[-1].seq, records[-1].seq)
        await asyncio.sleep(0)  # let an interrupt and the connection be handled
    return fold, then


def _check_documents(
    projection: Projection[Any], fold: Fold[Any], records: Sequence[Record], system: EventSystem
) -> None:
    """Raise RuleFailedError for a document that cannot be stored, at the event that made it so."""
    for key, state in fold.states.items():
        try:
            projection.encode(key, state)
        except DocumentRefusedError:
            _fold_key(projection, key, records, system)
            raise


def _fold_key(
    projection: Projection[Any], key: str, records: Sequence[Record], system: EventSystem
) -> None:
    """Fold the events of one key, and encode its document after each. Raises RuleFailedError."""
    fold = Fold(projection)
    for record in records:
        event = system.read(record)
        if isinstance(event, ParkReason) or event.type not in projection.uses:
            continue
        if key in projection.keys_of(event) and key in fold.apply(record, event):
            fold.document(key)
