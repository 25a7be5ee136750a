"""The expected entries of whole projections, from one read of the log for all of them.

The fold is never behind what is stored, so a rebuild never goes back. Another program's
documents are compared as whole documents.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from natster_tui.engine.foreign.comparing import Comparison, compare_with_log
from natster_tui.engine.foreign.conversion import convert_buckets
from natster_tui.engine.projecting.commit_batches import oversized
from natster_tui.engine.projecting.stored_projection import (
    BucketState,
    StoredProjection,
    check_identity,
    checkpoint_of,
    load_projection,
    load_projections,
)
from natster_tui.engine.rebuilding.expected import Changes, Expected
from natster_tui.engine.rebuilding.findings import PlannedRebuild, Verdict
from natster_tui.engine.rebuilding.rebuild_sentences import nothing_written
from natster_tui.engine.rebuilding.replay import (
    Entries,
    OnProgress,
    Replay,
    ReplayProgress,
    encoded_documents,
)
from natster_tui.errors import BlockedEventError, UnstorableError
from natster_tui.projections.api import Projection
from natster_tui.projections.checkpoint import Checkpoint, RebuildMark
from natster_tui.projections.diff import (
    Diff,
    changed_entries,
    diff_documents,
    diff_entries,
    same_json,
)
from natster_tui.projections.fold import Fold
from natster_tui.store.bucket import Bucket, Sent
from natster_tui.store.connection.together import together
from natster_tui.store.log import EventLog


class ExpectedWhole(Expected):
    """The entries of every document of some projections."""

    def __init__(
        self,
        log: EventLog,
        projections: Sequence[Projection[Any]],
        buckets: Mapping[str, Bucket],
        instance: str,
        on_progress: OnProgress | None = None,
        *,
        by_rule: bool = False,
    ) -> None:
        self._log = log
        self._projections = tuple(projections)
        self._buckets = buckets
        self._instance = instance
        self._created = log.info.created
        self._on_progress = on_progress
        self._replay = Replay(log, projections, instance, on_progress, by_rule=by_rule)
        self._reading = self._replay
        """The replay that reads the log now, or did so last."""
        self._moving = asyncio.Lock()
        """Held while the replay moves or is read: projections are committed concurrently."""

    @property
    def folds(self) -> dict[str, Fold[Any]]:
        """The folds so far, by projection."""
        return self._replay.folds

    @property
    def progress(self) -> ReplayProgress:
        """See `Expected.progress`."""
        return self._reading.progress

    @property
    def is_current(self) -> bool:
        """Whether the events read so far are still the beginning of the log."""
        info = self._log.info
        return self._created == info.created and self._replay.seq <= info.last_seq

    @property
    def blocked(self) -> Mapping[str, BlockedEventError]:
        """See `Expected.blocked`."""
        return self._replay.blocked

    def _new_replay(self) -> Replay:
        return Replay(self._log, self._projections, self._instance, self._on_progress)

    # -- comparing -------------------------------------------------------------------------

    async def plans(self) -> list[PlannedRebuild]:
        """See `Expected.plans`."""
        info = await self._log.refresh()
        await self._replay.advance(info.last_seq)
        stored = await load_projections(self._buckets, self._projections)
        plans: dict[str, PlannedRebuild] = {}
        # They share the replay, which moves ahead if a projector has gone on. A projection that is
        # behind the replay would then seem to differ.
        for each in _furthest_behind_first(stored, info.last_seq):
            plans[each.projection.name] = await self._plan(each)
        return [plans[projection.name] for projection in self._projections]

    async def _plan(self, stored: StoredProjection) -> PlannedRebuild:
        if stored.bucket_state is BucketState.FOREIGN:
            found = await self._compare_foreign(stored.projection, self._replay)
            if found.stored.bucket_state is BucketState.FOREIGN:
                seq = self._replay.folds[stored.projection.name].seq
                return PlannedRebuild(found.stored, found.diff, seq, found.drift)
            stored = found.stored
        await self._catch_up_with(stored)
        entries = self._replay.entries[stored.projection.name]
        return PlannedRebuild(stored, await _difference(stored, entries), entries.fold.seq)

    async def _compare_foreign(self, projection: Projection[Any], replay: Replay) -> Comparison:
        bucket = self._buckets[projection.name]
        return await compare_with_log(self._log, bucket, projection, replay, self._instance)

    async def _catch_up_with(self, stored: StoredProjection) -> None:
        """Move the replay at least as far as the stored projection."""
        if self._replay.is_outdated:
            # Start again: the replay may hold data that was erased since.
            upto = self._replay.seq
            self._reading = self._replay = self._new_replay()
            await self._replay.advance(upto)
        if (
            stored.checkpoint is not None
            and stored.checkpoint.seq > self._replay.folds[stored.projection.name].seq
            and stored.checkpoint.seq <= (await self._log.refresh()).last_seq
        ):
            # A projector has gone on: never compare with an older state.
            await self._replay.advance(stored.checkpoint.seq)

    # -- writing ---------------------------------------------------------------------------

    async def changes(self, projection: Projection[Any], *, purge: bool, partial: bool) -> Changes:
        """See `Expected.changes`."""
        stored = await load_projection(self._buckets[projection.name], projection)
        async with self._moving:
            await self._catch_up_with(stored)
            if not partial and (error := self.blocked.get(projection.name)):
                # Events that arrived during the replay may be the first that do not open.
                raise nothing_written(error)
            return await self._changes(stored, purge=purge)

    async def catch_up(self) -> None:
        """See `Expected.catch_up`; reads on to the log's head."""
        async with self._moving:
            await self._replay.advance((await self._log.refresh()).last_seq)

    async def _changes(self, stored: StoredProjection, *, purge: bool) -> Changes:
        """The writes that make the stored entries equal to the fold."""
        bucket = self._buckets[stored.projection.name]
        fold = self._replay.folds[stored.projection.name]
        final, position = await together(
            checkpoint_of(fold, self._log), self._position_before(stored)
        )
        mark = RebuildMark(fold.seq, secrets.token_hex(8))
        entries = await self._replay.entries[stored.projection.name].encoded()
        if problem := oversized(stored.projection, entries, bucket.entry_limit):
            raise UnstorableError(problem.sentence)
        # Compare bytes: other JSON of the same meaning is no drift, but we own the bucket now.
        changes = changed_entries(
            {} if purge else stored.entries, entries, unsealed=self._unsealed(stored)
        )
        before = position.marked(mark).encode()
        return Changes(stored, fold, changes, before, final.encode())

    def _unsealed(self, stored: StoredProjection) -> Collection[str]:
        """Entries to write even if their content is right; in a takeover all, to seal them."""
        if stored.bucket_state is BucketState.FOREIGN and self._log.sealing.seals:
            return stored.entries.keys()
        return stored.unsealed

    async def _position_before(self, stored: StoredProjection) -> Checkpoint:
        """The checkpoint of the bucket until the rebuild has ended.

        If the stored checkpoint is of another log, this is the beginning of the present log: the
        user chose the present log, and any process may finish the rebuild if it is interrupted.
        """
        checkpoint = stored.checkpoint
        if checkpoint is None or await check_identity(self._log, checkpoint):
            return self._unmarked_beginning(stored.projection)
        return checkpoint

    def _unmarked_beginning(self, projection: Projection[Any]) -> Checkpoint:
        info = self._log.info
        return Checkpoint(0, projection.version, info.stream, info.created, "")

    async def convert_foreign_buckets(self) -> None:
        """Convert another program's buckets for commits, or refuse before anything is written."""
        stored = await load_projections(self._buckets, self._projections)
        foreign = [each for each in stored if each.bucket_state is BucketState.FOREIGN]
        names = [each.projection.name for each in foreign]
        encoding = [self._replay.entries[name].encoded() for name in names]
        entries = dict(zip(names, await together(*encoding), strict=True))
        await convert_buckets(self._buckets, foreign, entries)

    # -- reading back ----------------------------------------------------------------------

    async def verdict(self, projection: Projection[Any], sent: Sent) -> Verdict:
        """See `Expected.verdict`."""
        bucket = self._buckets[projection.name]
        stored = await load_projection(bucket, projection, sent=sent)
        async with self._moving:
            if stored.checkpoint is not None:
                await self._replay.advance(stored.checkpoint.seq)
            fold = self._replay.folds[projection.name]
            if stored.checkpoint is None or fold.seq <= stored.checkpoint.seq:
                return await _verdict(stored, self._replay.entries[projection.name])
        # One replay serves several projections, and another one moved it further.
        alone = ExpectedWhole(self._log, [projection], self._buckets, self._instance)
        return (await alone.verify())[0]

    async def verify(self) -> list[Verdict]:
        """See `Expected.verify`.

        Without a checkpoint of ours the comparison is at the head.
        """
        info, stored = await together(
            self._log.refresh(), load_projections(self._buckets, self._projections)
        )
        self._reading = replay = Replay(
            self._log,
            self._projections,
            self._instance,
            self._on_progress,
            looks_for_repeated_ids=True,
        )
        verdicts: dict[str, Verdict] = {}
        for each in _furthest_behind_first(stored, info.last_seq):  # one read of the log
            name = each.projection.name
            position = _position(each, info.last_seq)
            found = None
            if _is_foreign(each):
                found = await self._compare_foreign(each.projection, replay)
            else:
                await replay.advance(position)
            if name in replay.blocked and replay.folds[name].seq < position:
                raise replay.blocked[name].without_traceback()
            verdicts[name] = (
                await _verdict(each, replay.entries[name])
                if found is None
                else _foreign_verdict(found, replay.folds[name].seq)
            )
        return [verdicts[projection.name] for projection in self._projections]


async def _verdict(stored: StoredProjection, entries: Entries) -> Verdict:
    diff = await _difference(stored, entries)
    return Verdict(
        stored.projection,
        entries.fold.seq,
        diff,
        stored.bucket_state,
        stored.snapshot.last_revision,
        stored.touched_by_others,
        stored_version=None if stored.checkpoint is None else stored.checkpoint.version,
    )


def _position(stored: StoredProjection, head: int) -> int:
    """The stored position; the head if there is no checkpoint of ours."""
    return head if stored.checkpoint is None else stored.checkpoint.seq


def _furthest_behind_first(stored: Iterable[StoredProjection], head: int) -> list[StoredProjection]:
    """The order in which one replay can be compared with each at its position.

    Another program's documents come last: they are compared at the head.
    """
    return sorted(stored, key=lambda each: (_is_foreign(each), _position(each, head)))


def _is_foreign(stored: StoredProjection) -> bool:
    return stored.bucket_state is BucketState.FOREIGN


def _foreign_verdict(found: Comparison, seq: int) -> Verdict:
    projection, revision = found.stored.projection, found.stored.snapshot.last_revision
    return Verdict(projection, seq, found.diff, BucketState.FOREIGN, revision, drift=found.drift)


async def _difference(stored: StoredProjection, entries: Entries) -> Diff:
    if stored.bucket_state is BucketState.FOREIGN:
        return diff_documents(stored.entries, await encoded_documents(entries.fold), same_json)
    return diff_entries(
        stored.projection, stored.entries, await entries.encoded(), unsealed=stored.unsealed
    )
