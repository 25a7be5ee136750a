"""The expected entries of one document, exactly at its bucket's checkpoint.

The checkpoint is rewritten at the same position, never ahead of it, because the other documents
are not rewritten.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from natster_tui.engine.history.document_history import key_fold
from natster_tui.engine.projecting.commit_batches import OversizedEntry, unfit
from natster_tui.engine.projecting.stored_projection import (
    BucketState,
    check_identity,
    load_projection,
)
from natster_tui.engine.rebuilding.expected import Changes, Expected
from natster_tui.engine.rebuilding.findings import PlannedRebuild, Verdict
from natster_tui.engine.rebuilding.replay import ReplayProgress
from natster_tui.engine.rebuilding.scope import OneKey
from natster_tui.errors import (
    BlockedEventError,
    LogChangedError,
    NotFoundError,
    RefusedError,
    UnstorableError,
)
from natster_tui.projections.api import Projection
from natster_tui.projections.diff import Diff, changed_entries, diff_entries
from natster_tui.projections.paging import document_key, entries_of
from natster_tui.store.bucket import Bucket, Sent
from natster_tui.store.log import EventLog
from natster_tui.store.writing.atomic_batch import BATCH_LIMIT
from natster_tui.text.masking import screen_text


class ExpectedKey(Expected):
    """The entries of one document, folded again for each comparison, because its events are few."""

    def __init__(self, log: EventLog, scope: OneKey, bucket: Bucket, instance: str) -> None:
        self._log = log
        self._projection = scope.projection
        self._key = scope.key
        self._bucket = bucket
        self._instance = instance
        self._progress = ReplayProgress(1, 0, time.monotonic())

    @property
    def progress(self) -> ReplayProgress:
        """Counts nothing: the events of a key are read at once."""
        return self._progress

    @property
    def blocked(self) -> Mapping[str, BlockedEventError]:
        """Empty: a key whose events cannot be opened is refused as a whole."""
        return {}

    async def plans(self) -> list[PlannedRebuild]:
        """See `Expected.plans`; raises NotFoundError if neither side has the key."""
        plan, _changes = await self._plan()
        if not plan.diff.keys:
            raise NotFoundError(
                f"there is no {self._projection.name} {screen_text(self._key, 100)}, neither "
                f"stored nor in the log at {plan.seq:,}"
            )
        return [plan]

    async def _plan(self) -> tuple[PlannedRebuild, Changes]:
        projection, key = self._projection, self._key
        stored = await load_projection(self._bucket, projection)
        if stored.bucket_state is not BucketState.OURS or stored.checkpoint is None:
            raise RefusedError(
                f"one key can be rebuilt only where {projection.bucket} is complete: "
                f"rebuild {projection.name} as a whole"
            )
        if changed := await check_identity(self._log, stored.checkpoint):
            raise LogChangedError(changed.sentence)
        before = {
            entry_key: entry
            for entry_key, entry in stored.entries.items()
            if document_key(entry_key) == key
        }
        seq = stored.checkpoint.seq
        fold = await key_fold(self._log, projection, key, seq, self._instance)
        state = fold.states.get(key)
        after = {} if state is None else entries_of(projection, key, state)
        diff = diff_entries(projection, before, after, unsealed=stored.unsealed)
        # Other programs' writes still count: the other keys were not compared.
        checkpoint = replace(stored.checkpoint, touched=stored.touched_by_others)
        writes = changed_entries(before, after, stored.unsealed)
        return (
            PlannedRebuild(stored, diff, seq),
            Changes(stored, fold, writes, None, checkpoint.encode()),
        )

    async def changes(self, projection: Projection[Any], *, purge: bool, partial: bool) -> Changes:
        """See `Expected.changes`; raises RefusedError if one batch cannot hold them."""
        if purge:
            raise RefusedError("one key is rebuilt in place: purging is for whole projections")
        _plan, changes = await self._plan()
        entries = {key: entry for each in changes.of_documents for key, entry in each.items()}
        if problem := unfit(projection, entries, BATCH_LIMIT - 1, self._bucket.entry_limit):
            refused = UnstorableError if isinstance(problem, OversizedEntry) else RefusedError
            raise refused(problem.sentence)
        return changes

    async def catch_up(self) -> None:
        """Do nothing: the next comparison folds to the bucket's checkpoint then."""

    async def verdict(self, projection: Projection[Any], sent: Sent) -> Verdict:
        """See `Expected.verdict`."""
        after, _changes = await self._plan()
        return Verdict(
            projection, after.seq, Diff(after.diff.changes, 1), after.stored.bucket_state
        )

    async def verify(self) -> list[Verdict]:
        """See `Expected.verify`."""
        return [
            Verdict(
                self._projection,
                plan.seq,
                plan.diff,
                plan.stored.bucket_state,
                stored_version=plan.stored_version,
            )
            for plan in await self.plans()
        ]
