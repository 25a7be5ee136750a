"""Folding events and committing what they change: each batch is the fold of a prefix of the log.

The changes are written in one atomic batch with the checkpoint. The batch expects the bucket's
revision that we know, so the whole batch of a writer with an older view is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from natster_tui.engine.interactive_priority import InteractivePriority
from natster_tui.engine.leases.keeper import LeaseKeeper
from natster_tui.engine.log.record_parser import ParsedRecord
from natster_tui.engine.projecting.bucket_watch import BucketWatch
from natster_tui.engine.projecting.commit_batches import (
    Changes,
    OversizedEntry,
    TooManyEntries,
    unfit,
)
from natster_tui.engine.projecting.recent_changes import RecentChanges
from natster_tui.engine.projecting.status import ProjectorStatus
from natster_tui.engine.projecting.stored_projection import (
    StoredProjection,
    checkpoint_of,
    load_projection,
)
from natster_tui.errors import (
    BlockedEventError,
    ConflictError,
    DocumentRefusedError,
    ProjectorStoppedError,
    RefusedError,
    UnstorableError,
)
from natster_tui.projections.api import Projection
from natster_tui.projections.checkpoint import Checkpoint
from natster_tui.projections.fold import Fold
from natster_tui.projections.keyed import KeyedProjection
from natster_tui.projections.paging import DocumentPager
from natster_tui.store.bucket import Bucket
from natster_tui.store.log import EventLog
from natster_tui.store.writing.atomic_batch import BATCH_LIMIT


class ProjectionWriter:
    """One projection at a position in the log, in memory and, if it `writes`, in its bucket.

    It reports its position in `status`. Call `begin` with the bucket of a link, then `adopt` with
    what to continue from.
    """

    def __init__(
        self,
        projection: Projection[Any],
        status: ProjectorStatus,
        lease: LeaseKeeper | None,
        interactive_priority: InteractivePriority,
    ) -> None:
        self.fold: Fold[Any] = Fold(projection)
        self.changes = RecentChanges()
        """The documents that changed recently, for views that show many documents."""
        self.writes = False
        """Whether changes are written, or only folded in memory."""
        self.revision = 0
        """The bucket's revision of our last checkpoint, 0 when there is none."""
        self.entries = 0
        """Entries written so far."""
        self._projection = projection
        self._status = status
        self._lease = lease
        self._interactive_priority = interactive_priority
        self._bucket: Bucket
        self._watch: BucketWatch
        self._pager = DocumentPager(projection)
        self._since_commit: list[ParsedRecord] = []

    def begin(self, bucket: Bucket, watch: BucketWatch) -> None:
        """Write to the bucket as it is over a new link."""
        self._bucket, self._watch = bucket, watch

    def adopt(self, stored: StoredProjection, fold: Fold[Any]) -> None:
        """Continue from what is stored, with a fold of it."""
        self.fold = fold
        self.changes.forget()
        self._pager = stored.pager(fold)
        self.revision = stored.snapshot.checkpoint_revision
        self._since_commit = []
        self._status.stored = None if stored.checkpoint is None else stored.checkpoint.seq
        self._report_position()

    def show(self, fold: Fold[Any], seq: int) -> None:
        """Show the fold of a rebuild, until its result is adopted."""
        self.fold = fold
        self.changes.forget()
        self._status.position = seq

    def _report_position(self) -> None:
        self._status.position = self.fold.seq
        self._status.parked = self.fold.parked

    async def fold_and_write(self, log: EventLog, parsed: Sequence[ParsedRecord]) -> None:
        """Fold the next events, and write what they change.

        Raises BlockedEventError, with the fold just before that event; ConflictError if another
        program moved the checkpoint; ProjectorStoppedError before an event whose changes the
        server does not take.
        """
        gathered: set[str] = set()
        entries, room = 0, self._pager.room(BATCH_LIMIT - 1)
        pace = self._interactive_priority.pace()
        try:
            for each in parsed:
                if pace.is_over:
                    await pace.rest()
                changed = self.fold.apply(each.record, each.event)
                # Before the commit: views show the states as they are in memory.
                self.changes.note(changed)
                for key in changed:
                    if key not in gathered:
                        gathered.add(key)
                        entries += self._pager.at_most(key)
                self._since_commit.append(each)
                if entries >= room:
                    await self._commit(log)
                    gathered.clear()
                    entries, room = 0, self._pager.room(BATCH_LIMIT - 1)
        except BlockedEventError:
            await self._commit(log)
            self._report_position()
            raise
        await self._commit(log)
        self._report_position()

    async def pass_to(self, log: EventLog, seq: int) -> None:
        """Move to a later sequence, if the log holds no events up to there."""
        self.fold.seq, self.fold.time_ns = seq, 0
        await self._commit(log, moved=True)
        self._report_position()

    async def _commit(self, log: EventLog, *, moved: bool = False) -> None:
        """Write what changed since the last commit: the fold of a prefix of the log.

        `moved`: the position changed without a record.
        """
        fold = self.fold
        if not self.writes:
            self._since_commit = []
            self._check_documents()
            return
        if not self._since_commit and not moved:
            return
        changes: dict[str, bytes | None] = {}
        pace = self._interactive_priority.pace()
        try:
            for key in fold.take_dirty():
                if pace.is_over:
                    await pace.rest()
                changes.update(self._pager.changes(key, fold.states.get(key)))
            by_prefixes = self._unfit(changes) is not None
        except DocumentRefusedError:
            by_prefixes = True
        if by_prefixes:
            await self._commit_by_prefixes(log)
        else:
            await self._write(changes, await checkpoint_of(fold, log))
        self._since_commit = []

    def _check_documents(self) -> None:
        """Raise RuleFailedError if what changed could not be stored, although it is not."""
        fold = self.fold
        try:
            if isinstance(self._projection, KeyedProjection):
                for key in fold.dirty:
                    fold.document(key)
        finally:
            fold.take_dirty()

    def _unfit(self, changes: Changes) -> TooManyEntries | OversizedEntry | None:
        return unfit(self._projection, changes, BATCH_LIMIT - 1, self._bucket.entry_limit)

    async def _write(self, changes: Changes, checkpoint: Checkpoint) -> None:
        if self._lease is not None and not await self._lease.confirm():
            waiting = self._lease.waiting
            raise ConflictError(
                f"nothing more is written: {'' if waiting is None else waiting.sentence}"
            )
        status, before = self._status, self.revision
        checkpoint = replace(checkpoint, touched=status.touched_by_others)
        self.revision = await self._bucket.commit(changes, checkpoint.encode(), before, self.fold)
        known = max(before, self._watch.accepted)
        others = self.revision - known != len(changes) + 1
        # Without a checkpoint, the only entries of others are their delete markers.
        if others and status.stored is not None and not checkpoint.touched:
            # Noticed only after the commit: our checkpoint, the newest entry, must record it.
            status.touched_by_others = True
            checkpoint = replace(checkpoint, touched=True)
            self.revision = await self._bucket.commit({}, checkpoint.encode(), self.revision)
        self._status.stored = checkpoint.seq
        self._status.commits += 1
        self.entries += len(changes)

    async def _adopt_stored(self) -> None:
        """Load the stored projection; raises ConflictError if it is not what we wrote last."""
        stored = await load_projection(self._bucket, self._projection)
        if stored.snapshot.checkpoint_revision != self.revision:
            # Another process rebuilt it, perhaps only in part.
            raise ConflictError("the projection was rewritten")
        try:
            self.adopt(stored, stored.fold_or_empty())
        except RefusedError as error:
            # The next start reads the log instead, and reports why.
            raise ConflictError(error.sentence) from error

    async def _commit_by_prefixes(self, log: EventLog) -> None:
        """Fold again from what is stored, and write as many events at a time as one batch takes.

        Stops before an event whose own changes the server does not take.
        """
        parsed = self._since_commit
        await self._adopt_stored()
        fold = self.fold
        changes: dict[str, bytes | None] = {}
        for each in parsed:
            before = await checkpoint_of(fold, log)
            own: dict[str, bytes | None] = {}
            changed = fold.apply(each.record, each.event)
            self.changes.note(changed)
            problem: ProjectorStoppedError | None = None
            for key in changed:
                try:
                    own.update(self._pager.changes(key, fold.states.get(key)))
                except DocumentRefusedError as error:
                    problem = fold.refused(key, error)
            if problem is None and (unfit := self._unfit(own)):
                kind = (
                    UnstorableError if isinstance(unfit, OversizedEntry) else ProjectorStoppedError
                )
                problem = kind(f"stopped before event {each.record.seq:,}: {unfit.sentence}")
            if problem or self._unfit(changes | own):
                if before.seq > (self._status.stored or 0):
                    await self._write(changes, before)
                changes = {}
            if problem:
                await self._adopt_stored()
                raise problem
            changes.update(own)
        fold.take_dirty()
        await self._write(changes, await checkpoint_of(fold, log))
