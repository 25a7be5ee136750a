"""Rebuilding projections from the log, and verifying stored projections against it.

The steps are: preflight, replay through the same fold, diff, commit under the checkpoint's
revision, verify. A rebuild only reads the log. Nothing is written before `commit`. Readers never
see an empty bucket, except in purge mode.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from natster_tui.engine.beside.buckets import convert_buckets
from natster_tui.engine.beside.comparing import Comparison, compare_with_log
from natster_tui.engine.leases.rebuild_lease import rebuilding
from natster_tui.engine.projecting.batching import batches, oversized
from natster_tui.engine.projecting.stored_projection import (
    Standing,
    StoredProjection,
    bucket_of,
    check_identity,
    checkpoint_of,
    load_projection,
    load_projections,
)
from natster_tui.engine.rebuilding.findings import PlannedRebuild, Verdict
from natster_tui.engine.rebuilding.replay import (
    Entries,
    OnProgress,
    Replay,
    ReplayProgress,
    encoded_documents,
)
from natster_tui.errors import (
    BlockedEventError,
    ConflictError,
    ProjectorStoppedError,
    RefusedError,
)
from natster_tui.events.log.hazards import old_server
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
from natster_tui.store.connection.reporting import waiting_for
from natster_tui.store.connection.together import together
from natster_tui.store.lease import Lease, rebuild_key
from natster_tui.store.log import EventLog
from natster_tui.store.writing.atomic_batch import BATCH_LIMIT

TRIES_S = 20.0
"""Seconds during which a rebuild tries again after another writer changed the bucket.

A projector in another process pauses once it has seen the rebuild's lease, within a second.
"""

Pause = Callable[[Projection[Any]], AbstractAsyncContextManager[None]]
"""Pauses the projector of a projection in this process while its bucket is rewritten."""


@asynccontextmanager
async def no_pause(_projection: Projection[Any]) -> AsyncIterator[None]:
    """For a rebuild without a projector in the same process."""
    yield


@dataclass(frozen=True, slots=True)
class _Changes:
    """What a commit writes: changed entries, and the checkpoints before its last batch and in it.

    `fold` is the fold they come from, `sent` what was written, as the bucket stores it.
    """

    fold: Fold[Any]
    of_documents: Collection[Mapping[str, bytes | None]]
    before: bytes
    final: bytes
    sent: Sent = field(default_factory=dict)


class Rebuild:
    """A rebuild of some projections of a log, from preflight to verdict.

    `prepare` replays and compares, `commit` writes, `verify` reads back. Each may be cancelled;
    before `commit` that leaves no trace.
    """

    def __init__(
        self,
        log: EventLog,
        projections: Sequence[Projection[Any]],
        instance: str,
        on_progress: OnProgress | None = None,
        *,
        by_rule: bool = False,
    ) -> None:
        self.log = log
        self.projections = tuple(projections)
        self._instance = instance
        self._created = log.info.created
        self._replay = Replay(log, projections, instance, on_progress, by_rule=by_rule)
        self._moving = asyncio.Lock()
        """Held while the replay is moved on or read: projections are committed concurrently."""
        self._outrun: dict[str, str] = {}
        """By projection, what a commit waits for after another projector wrote first."""
        self._foreign: set[str] = set()
        """The projections whose buckets belonged to another program at the time of `prepare`."""
        self._buckets = {p.name: bucket_of(log, p, instance) for p in projections}

    @property
    def folds(self) -> dict[str, Fold[Any]]:
        """The folds so far, by projection."""
        return self._replay.folds

    @property
    def progress(self) -> ReplayProgress:
        """The replay's progress."""
        return self._replay.progress

    def goes_on_in(self, log: EventLog) -> bool:
        """Whether the events read so far are the beginning of this log, over the same link."""
        return (
            self.log is log
            and self._created == log.info.created
            and self._replay.seq <= log.info.last_seq
        )

    @property
    def blocked(self) -> Mapping[str, BlockedEventError]:
        """The projections that end before an event they must not pass, and why."""
        return self._replay.blocked

    async def prepare(self) -> list[PlannedRebuild]:
        """Replay to the head as it is now, and compare with what is stored."""
        info = await self.log.refresh()
        await self._replay.advance(info.last_seq)
        stored = await load_projections(self._buckets, self.projections)
        plans = [await self._plan(each) for each in stored]
        self._foreign = {
            plan.projection.name for plan in plans if plan.stored.standing is Standing.FOREIGN
        }
        return plans

    async def _plan(self, stored: StoredProjection) -> PlannedRebuild:
        if stored.standing is Standing.FOREIGN:
            found = await self._compare_theirs(stored.projection, self._replay)
            if found.stored.standing is Standing.FOREIGN:
                seq = self._replay.folds[stored.projection.name].seq
                return PlannedRebuild(found.stored, found.diff, seq, found.drift)
            stored = found.stored
        await self._catch_up_with(stored)
        entries = self._replay.entries[stored.projection.name]
        return PlannedRebuild(stored, await _difference(stored, entries), entries.fold.seq)

    async def _compare_theirs(self, projection: Projection[Any], replay: Replay) -> Comparison:
        bucket = self._buckets[projection.name]
        return await compare_with_log(self.log, bucket, projection, replay, self._instance)

    async def _catch_up_with(self, stored: StoredProjection) -> None:
        """Make sure that the fold is at least as far as the stored projection."""
        if self._replay.is_outdated:
            # Start again: the replay may have opened data that was erased since.
            upto, tell = self._replay.seq, self._replay._on_progress
            self._replay = Replay(self.log, self.projections, self._instance, tell)
            await self._replay.advance(upto)
        if (
            stored.checkpoint is not None
            and stored.checkpoint.seq > self._replay.folds[stored.projection.name].seq
            and stored.checkpoint.seq <= (await self.log.refresh()).last_seq
        ):
            # The projector went on while we were reading: never compare with an older state.
            await self._replay.advance(stored.checkpoint.seq)

    async def commit(
        self,
        pause: Pause = no_pause,
        *,
        purge: bool = False,
        take_over: bool = False,
        partial: bool = False,
    ) -> list[Verdict]:
        """Write the differences of every projection, then verify them.

        With `partial`, a blocked projection and its checkpoint end before the event that it must
        not pass. Waits while another process rebuilds the same projection. Raises RefusedError
        where a projection is blocked without `partial`, or where its bucket belongs to another
        program without `take_over`, and ConflictError when another program keeps writing to it.
        """
        if not self.log.link.has_atomic_batches:
            raise RefusedError(old_server_sentence(self.log))
        for projection in self.projections:
            if projection.name in self._foreign and not take_over:
                raise _not_ours(projection)
        if self.log.sealing.locked:
            raise RefusedError(f"nothing can be sealed: {self.log.sealing.locked}")
        for projection in self.projections if not partial else ():
            self._refuse_blocked(projection)
        await confirm_writes(self.log, self._buckets)
        if take_over:
            await self._convert_theirs()
        committing = [
            self._commit_and_verify(
                projection, pause, purge=purge, take_over=take_over, partial=partial
            )
            for projection in self.projections
        ]
        return list(await together(*committing))

    async def _convert_theirs(self) -> None:
        """Make another program's buckets fit for commits, or refuse before anything is written."""
        stored = await load_projections(self._buckets, self.projections)
        foreign = [each for each in stored if each.standing is Standing.FOREIGN]
        names = [each.projection.name for each in foreign]
        encoding = [self._replay.entries[name].encoded() for name in names]
        entries = dict(zip(names, await together(*encoding), strict=True))
        await convert_buckets(self._buckets, foreign, entries)

    async def _commit_and_verify(
        self,
        projection: Projection[Any],
        pause: Pause,
        *,
        purge: bool,
        take_over: bool,
        partial: bool,
    ) -> Verdict:
        async with (
            pause(projection),
            rebuilding(self.log, projection, self._instance),
        ):
            sent = await self._commit_one(
                projection, purge=purge, take_over=take_over, partial=partial
            )
        return await self._verify_committed(projection, sent)

    def _refuse_blocked(self, projection: Projection[Any]) -> None:
        if error := self.blocked.get(projection.name):
            raise type(error)(f"{error.sentence}; nothing was written", error.seq)

    async def _commit_one(
        self, projection: Projection[Any], *, purge: bool, take_over: bool, partial: bool
    ) -> Sent:
        with waiting_for(lambda: self._outrun.get(projection.name, "")):
            return await self._commit_until_written(
                projection, purge=purge, take_over=take_over, partial=partial
            )

    async def _commit_until_written(
        self, projection: Projection[Any], *, purge: bool, take_over: bool, partial: bool
    ) -> Sent:
        bucket = self._buckets[projection.name]
        last_try = time.monotonic() + TRIES_S
        while True:
            stored = await load_projection(bucket, projection)
            async with self._moving:
                await self._catch_up_with(stored)
                if not partial:
                    # Events that arrived during the replay may be the first that do not open.
                    self._refuse_blocked(projection)
                changes = await self._changes(bucket, stored, purge=purge)
            try:
                revision = await self._make_ready(bucket, stored, take_over=take_over)
                await self._write(bucket, changes, revision, purge=purge)
            except ConflictError as error:
                if time.monotonic() > last_try:
                    raise kept_writing(projection) from error
                self._outrun[projection.name] = (
                    f"waiting for another projector to stop writing to {bucket.name}"
                )
                async with self._moving:
                    await self._replay.advance((await self.log.refresh()).last_seq)
                continue
            return changes.sent

    async def _make_ready(
        self, bucket: Bucket, stored: StoredProjection, *, take_over: bool
    ) -> int:
        """Make or convert the bucket where needed; the revision that the commit must expect."""
        if stored.is_sealed and not self.log.sealing.seals:
            raise RefusedError(sealed_sentence(stored))
        if stored.standing is Standing.MISSING:
            await bucket.create(self.log.buckets)
        elif stored.standing is Standing.FOREIGN and not take_over:
            raise _not_ours(stored.projection)
        elif stored.standing is Standing.FOREIGN:
            await bucket.convert()
        return stored.snapshot.checkpoint_revision

    async def _changes(self, bucket: Bucket, stored: StoredProjection, *, purge: bool) -> _Changes:
        """The writes that make the stored entries equal to the fold; then the replay may go on."""
        fold = self._replay.folds[stored.projection.name]
        final, position = await together(
            checkpoint_of(fold, self.log), self._position_before(stored)
        )
        mark = RebuildMark(fold.seq, secrets.token_hex(8))
        entries = await self._replay.entries[stored.projection.name].encoded()
        if problem := oversized(stored.projection, entries, bucket.entry_limit):
            raise ProjectorStoppedError(problem)
        # Compare bytes, although another program's spelling is no drift: we own it from now on.
        changes = changed_entries(
            {} if purge else stored.entries, entries, unsealed=self._unsealed(stored)
        )
        return _Changes(fold, changes.values(), position.marked(mark).encode(), final.encode())

    async def _write(
        self, bucket: Bucket, changes: _Changes, revision: int, *, purge: bool
    ) -> None:
        fold, before = changes.fold, changes.before
        if purge:
            revision = await bucket.commit({}, before, revision, fold)
            await bucket.purge_before(revision)
        *first, last = batches(changes.of_documents, BATCH_LIMIT - 1)
        for batch in first:
            revision = await bucket.commit(batch, before, revision, fold, changes.sent)
        await bucket.commit(last, changes.final, revision, fold, changes.sent)

    def _unsealed(self, stored: StoredProjection) -> Collection[str]:
        """Entries to write even if their content is right; in a takeover, all unsealed ones."""
        if stored.standing is Standing.FOREIGN and self.log.sealing.seals:
            return stored.entries.keys()
        return stored.unsealed

    async def _position_before(self, stored: StoredProjection) -> Checkpoint:
        """Where the bucket stands until the rebuild has ended.

        If the stored position is in another log, this is the beginning of the present log: the
        user chose the present log, and any process may finish the rebuild if it is interrupted.
        """
        checkpoint = stored.checkpoint
        if checkpoint is None or await check_identity(self.log, checkpoint):
            return self._unmarked_beginning(stored.projection)
        return checkpoint

    def _unmarked_beginning(self, projection: Projection[Any]) -> Checkpoint:
        info = self.log.info
        return Checkpoint(0, projection.version, info.stream, info.created, "")

    async def verify(self) -> list[Verdict]:
        """Compare what is stored with the log at the stored position; writes nothing.

        Where there is no checkpoint of ours the comparison is at the head.
        """
        info, stored = await together(
            self.log.refresh(), load_projections(self._buckets, self.projections)
        )
        replay = Replay(
            self.log,
            self.projections,
            self._instance,
            self._replay._on_progress,
            looks_for_repeated_ids=True,
        )
        self._replay.progress = replay.progress
        verdicts: dict[str, Verdict] = {}

        def position(each: StoredProjection) -> int:
            return info.last_seq if each.checkpoint is None else each.checkpoint.seq

        # One read of the log; the one that is furthest behind is compared first.
        # Another program's documents are compared with the head as it is then.
        for each in sorted(stored, key=lambda each: (_is_foreign(each), position(each))):
            name = each.projection.name
            found = None
            if _is_foreign(each):
                found = await self._compare_theirs(each.projection, replay)
            else:
                await replay.advance(position(each))
            if name in replay.blocked and replay.folds[name].seq < position(each):
                raise replay.blocked[name].without_traceback()
            verdicts[name] = (
                await _verdict(each, replay.entries[name])
                if found is None
                else _verdict_on_theirs(found, replay.folds[name].seq)
            )
        return [verdicts[projection.name] for projection in self.projections]

    async def _verify_committed(self, projection: Projection[Any], sent: Sent) -> Verdict:
        """Read back what was committed, at the bucket's current position.

        What is stored as it was `sent` is compared in that form; `verify` opens everything.
        """
        bucket = self._buckets[projection.name]
        stored = await load_projection(bucket, projection, sent=sent)
        async with self._moving:
            if stored.checkpoint is not None:
                await self._replay.advance(stored.checkpoint.seq)
            fold = self._replay.folds[projection.name]
            if stored.checkpoint is None or fold.seq <= stored.checkpoint.seq:
                return await _verdict(stored, self._replay.entries[projection.name])
        # One replay serves several projections, and another one moved it further.
        return (await Rebuild(self.log, [projection], self._instance).verify())[0]


async def confirm_writes(log: EventLog, buckets: Mapping[str, Bucket]) -> None:
    """Make sure that what a rebuild writes would land in these buckets, by projection."""
    confirming = [bucket.confirm() for bucket in buckets.values()]
    confirming += [Lease(log.link, rebuild_key(name)).confirm() for name in buckets]
    await together(*confirming)


async def _verdict(stored: StoredProjection, entries: Entries) -> Verdict:
    diff = await _difference(stored, entries)
    return Verdict(
        stored.projection,
        entries.fold.seq,
        diff,
        stored.standing,
        stored.snapshot.last_revision,
        stored.touched_by_others,
    )


def _is_foreign(stored: StoredProjection) -> bool:
    return stored.standing is Standing.FOREIGN


def _verdict_on_theirs(found: Comparison, seq: int) -> Verdict:
    projection, revision = found.stored.projection, found.stored.snapshot.last_revision
    return Verdict(projection, seq, found.diff, Standing.FOREIGN, revision, drift=found.drift)


async def _difference(stored: StoredProjection, entries: Entries) -> Diff:
    if stored.standing is Standing.FOREIGN:
        return diff_documents(stored.entries, await encoded_documents(entries.fold), same_json)
    return diff_entries(
        stored.projection, stored.entries, await entries.encoded(), unsealed=stored.unsealed
    )


def _not_ours(projection: Projection[Any]) -> RefusedError:
    return RefusedError(
        f"{projection.bucket} was written by another program: taking it over must "
        "be asked for explicitly"
    )


def kept_writing(projection: Projection[Any]) -> ConflictError:
    """Another program that ignores the lease wrote first each time."""
    return ConflictError(
        f"another projector kept writing to {projection.bucket}: stop it, or try again"
    )


def sealed_sentence(stored: StoredProjection) -> str:
    """Why no document is written unsealed to a bucket of sealed documents."""
    return (
        f"only watching: {stored.projection.bucket} holds sealed documents, and sealing is off "
        "here: give --sealing on and the key file"
    )


def old_server_sentence(log: EventLog) -> str:
    """Why nothing can be projected on an old server."""
    return old_server(log.link.version_described).sentence
