"""Watching for drift in another program's documents, while this process folds the log in memory.

Each comparison reads the whole bucket. So it is made only if the bucket, the log or the other
program's consumer has moved, and less often the longer it takes.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from natster_tui.engine.foreign.comparing import explained
from natster_tui.engine.foreign.other_projector import OtherProjector, read_other_projector
from natster_tui.engine.projecting.status import ProjectorStatus
from natster_tui.engine.projecting.stored_projection import (
    BucketState,
    StoredProjection,
    load_projection,
)
from natster_tui.engine.rebuilding.replay import encoded_documents
from natster_tui.events.event import Record
from natster_tui.projections.api import Projection
from natster_tui.projections.diff import diff_documents, same_json
from natster_tui.projections.fold import Fold
from natster_tui.projections.reference_service.drift import reference_of
from natster_tui.store.bucket import Bucket
from natster_tui.store.log import EventLog

REST_PER_WORK = 4
"""The pause after a comparison is at least this many times its duration."""


@dataclass(frozen=True, slots=True)
class _Sample:
    """What was stored, the other program's position before that, and the log's head after it."""

    stored: StoredProjection
    other: OtherProjector | None
    head: int
    seen: tuple[object, ...]


class DriftWatch:
    """Watches one bucket of another program for drift, and updates the projector's status."""

    def __init__(
        self, bucket: Bucket, projection: Projection[Any], status: ProjectorStatus
    ) -> None:
        self._bucket = bucket
        self._status = status
        self._projection = projection
        self._reference = reference_of(projection.name)
        self._folded = 0
        self._seen: tuple[object, ...] = ()
        self._sample: _Sample | None = None
        self._rests_until = 0.0

    def follow(self, records: Iterable[Record]) -> None:
        """Take the next events of the log; records that were taken before are skipped."""
        for record in records:
            if record.seq > self._folded:
                self._folded = record.seq
                if self._reference is not None:
                    self._reference.take(record)

    async def poll(self, log: EventLog, fold: Fold[Any]) -> None:
        """Read the bucket if something moved, and compare once the fold is at the log's head.

        The head is requested after the bucket was read. The fold must reach it before the
        comparison: without the events that are still on their way, documents would differ.
        """
        now = time.monotonic()
        if self._sample is None and now >= self._rests_until:
            self._sample = await self._read(log, fold)
        sample = self._sample
        if sample is None or fold.seq < sample.head:
            return
        self._sample = None
        if sample.stored.bucket_state is BucketState.FOREIGN:
            expected = await encoded_documents(fold)
            diff = diff_documents(sample.stored.entries, expected, same_json)
            self._status.drift = explained(diff, self._reference, sample.other)
        self._seen = sample.seen
        self._rests_until = time.monotonic() + REST_PER_WORK * (time.monotonic() - now)

    async def _read(self, log: EventLog, fold: Fold[Any]) -> _Sample | None:
        """What is stored; None if nothing has moved since the last comparison."""
        other = self._status.other = await read_other_projector(log, self._bucket.name)
        info = await self._bucket.info()
        seen = (info.last_revision, fold.seq, None if other is None else other.complete_to)
        if seen == self._seen and self._status.drift is not None:
            return None
        stored = await load_projection(self._bucket, self._projection)
        return _Sample(stored, other, (await log.refresh()).last_seq, seen)
