"""A projector: follows the log from its checkpoint, and keeps a projection's bucket up to date.

It runs as long as a link lasts, and starts again on the next one from the stored projection. If it
must not write (read-only, another program's projections, an old server, a denied permission) it
folds in memory instead. So the screen always shows the fold of the log, and the status says why
nothing is written.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Any

from natster_tui.engine.interactive_priority import InteractivePriority
from natster_tui.engine.leases.keeper import LeaseKeeper
from natster_tui.engine.log.continuity import check_continuity, gap_end
from natster_tui.engine.log.rate import RateMeter
from natster_tui.engine.log.readings import Reading, Readings
from natster_tui.engine.projecting.bucket_watch import BucketWatch
from natster_tui.engine.projecting.catching_up import CatchUp, is_far
from natster_tui.engine.projecting.decision import Reason, RebuildFirst, Watch
from natster_tui.engine.projecting.found_drift import FoundDrift
from natster_tui.engine.projecting.obstacles import (
    FinishingRebuild,
    NewerVersion,
    Obstacle,
    fault_of,
    obstacle_of,
)
from natster_tui.engine.projecting.pacing import rest_after
from natster_tui.engine.projecting.pausing import PauseGate
from natster_tui.engine.projecting.recent_changes import RecentChanges
from natster_tui.engine.projecting.starting import StartDecider
from natster_tui.engine.projecting.status import Phase, ProjectorStatus
from natster_tui.engine.projecting.stored_projection import (
    BucketState,
    StoredProjection,
    bucket_of,
    check_identity,
    load_projection,
)
from natster_tui.engine.projecting.writer import ProjectionWriter
from natster_tui.engine.rebuilding.findings import Verdict
from natster_tui.errors import (
    ConflictError,
    ConnectionLostError,
    DeniedError,
    LogChangedError,
    MisplacedWriteError,
    NatsterError,
    ProjectorStoppedError,
    RefusedError,
    ServerError,
)
from natster_tui.projections.api import Projection
from natster_tui.projections.fold import Fold
from natster_tui.store.bucket import Bucket
from natster_tui.store.connection.reporting import notice
from natster_tui.store.log import EventLog
from natster_tui.store.reading.stream_reader import StreamReader
from natster_tui.store.reading.window import FOLLOWING_MESSAGES
from natster_tui.store.tasks import end_all

RETRY_S = 1.0


class Projector:
    """The projector of one projection. `notify` is called whenever something changed."""

    def __init__(
        self,
        projection: Projection[Any],
        instance: str,
        *,
        may_write: bool = True,
        auto_rebuild: bool = False,
        lease: LeaseKeeper | None = None,
        interactive_priority: InteractivePriority | None = None,
        readings: Readings | None = None,
        notify: Callable[[], None] = lambda: None,
    ) -> None:
        self.projection = projection
        self.status = ProjectorStatus()
        self.meter = RateMeter()
        self._instance = instance
        self._readings = readings or Readings()
        self._may_write = may_write
        self._lease = lease
        self._writer = ProjectionWriter(
            projection, self.status, lease, interactive_priority or InteractivePriority()
        )
        self._ring = notify
        self.version = 0
        """Incremented at each change, so that readers can skip a refresh when nothing changed."""
        self._bucket: Bucket
        self._watch: BucketWatch
        self.error: NatsterError | None = None
        """The last error that stopped it, or keeps it from writing."""
        self.reports_leases = True
        """Whether giving up a lease is reported; not needed if the run ends with the reason."""
        self._start = StartDecider(
            projection, lease, may_write=may_write, auto_rebuild=auto_rebuild
        )
        self._commits_at_conflict = -1
        self._catch_up = CatchUp(projection, instance, self.meter, self._show)
        self._pause = PauseGate()

    @property
    def fold(self) -> Fold[Any]:
        """The projection as folded here so far, written or not."""
        return self._writer.fold

    @property
    def changes(self) -> RecentChanges:
        """The documents that changed recently, for views that show many documents."""
        return self._writer.changes

    def has_folded(self, seq: int) -> bool:
        """Whether it has folded up to a sequence over this link, or has stopped."""
        if self.status.phase in (Phase.OFFLINE, Phase.LOADING, Phase.CATCHING_UP):
            return False
        return self.status.phase is Phase.STOPPED or self.fold.seq >= seq

    def _notify(self) -> None:
        self.version += 1
        self._ring()

    # -- being paused by a rebuild ---------------------------------------------------------

    def paused(self) -> AbstractAsyncContextManager[None]:
        """Pause the projector: its consumer is deleted, and no write is in flight."""
        return self._pause.paused()

    # -- running ---------------------------------------------------------------------------

    async def run(self, log: EventLog) -> None:
        """Project until the link is lost, which is raised as ConnectionLostError."""
        self._bucket = bucket_of(log, self.projection, self._instance)
        self._watch = BucketWatch(self._bucket, self.projection, self.status)
        self._writer.begin(self._bucket, self._watch)
        self._start.denied = None
        try:
            while True:
                if not self._pause.resumed.is_set():
                    self._set(Phase.PAUSED)
                    await self._pause.resumed.wait()
                await self._run_until_paused(log)
        finally:
            # Without a link nothing is projected.
            self._set(Phase.OFFLINE)

    async def _run_until_paused(self, log: EventLog) -> None:
        self._pause.idle.clear()
        work = asyncio.create_task(self._attempt(log))
        tasks = [work, asyncio.create_task(self._pause.asked.wait())]
        if self._lease is not None and self._may_write:
            # If the lease is gained or lost, the projector starts again from what is stored.
            allowed = self._lease.allows
            tasks.append(asyncio.create_task(self._lease.wait_for_change(allowed)))
        if isinstance(self._start.denied, MisplacedWriteError):
            tasks.append(asyncio.create_task(self._until_confirmed()))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()
        finally:
            try:
                # A cancelled commit must have ended before a rebuild reads the bucket.
                await end_all(tasks)
            finally:
                self._pause.idle.set()

    async def _until_confirmed(self) -> None:
        """Wait until commits would reach the bucket, because a mapping or an import was added."""
        while self._start.denied is not None:
            await asyncio.sleep(RETRY_S)
            try:
                await self._bucket.confirm()
            except ServerError:
                if self._bucket.link.is_lost:
                    raise
                continue
            self._start.denied = None

    async def _attempt(self, log: EventLog) -> None:
        """Load and project; returns if it should be called again."""
        try:
            self._set(Phase.LOADING)
            await self._begin(log)
            await self._follow(log)
        except ConflictError:
            self.status.conflicts += 1
            if self.status.commits == self._commits_at_conflict:
                # The second conflict without a commit in between: do not try again at once.
                await asyncio.sleep(RETRY_S)
            self._commits_at_conflict = self.status.commits
        except ConnectionLostError:
            raise
        except (DeniedError, MisplacedWriteError) as error:
            self._note(error)
            if self._start.denied is not None:
                # Watching is denied too: do not ask again at once.
                self._set(Phase.STOPPED, error)
                await asyncio.sleep(RETRY_S)
            self._start.denied = error
        except ServerError as error:
            if log.link.is_lost:
                raise
            self._note(error)
            self._set(Phase.STOPPED, error)
            await asyncio.sleep(RETRY_S)
        except (LogChangedError, ProjectorStoppedError, RefusedError) as error:
            self._note(error)
            self._set(Phase.STOPPED, error)
            self._give_up_lease()
            await self._watch.wait_until_rewritten(log, self._writer.revision, error)

    def _note(self, error: NatsterError) -> None:
        # The traceback would keep a rebuild and all of its states in memory.
        self.error = error.with_traceback(None)
        self.status.last_error, self.status.failed_at = error.sentence, time.monotonic()

    def _set(self, phase: Phase, obstacle: Obstacle | None = None) -> None:
        self.status.phase = phase
        self.status.obstacle = obstacle
        if phase is not Phase.WATCHING:
            self.status.reason = self.status.waiting = None
        self._notify()

    def _give_up_lease(self) -> None:
        """Give up the lease, so that a process that can pass this event may project."""
        if self._lease is not None and self._lease.give_up() and self.reports_leases:
            obstacle = self.status.obstacle
            why = "" if obstacle is None else obstacle.sentence
            notice(f"{self.projection.name}: gave up its lease: {why}")

    # -- beginning -------------------------------------------------------------------------

    async def _begin(self, log: EventLog) -> None:
        """Decide from what is stored where to continue, and whether to write."""
        stored, decision = await self._start.decide(log, self._bucket)
        self.status.touched_by_others = stored.touched_by_others
        self.status.drift = None
        self._watch.begin(stored, unusable=False)
        self._writer.writes = not isinstance(decision, Watch)
        if isinstance(decision, RebuildFirst):
            await self._rebuild_stored(log, stored)
            return await self._begin(log)
        reason = decision.reason if isinstance(decision, Watch) else None
        obstacle: Obstacle | None = None
        if reason is not None:
            obstacle = obstacle_of(reason, log, stored, self._lease, self._start.denied)
        if reason is Reason.TRIED:
            # The stored documents may come from another rule of the same version.
            self._adopt(stored, stored.empty_fold())
        elif stored.bucket_state is BucketState.OURS:
            if (unreadable := await self._adopt_ours(log, stored)) is not None:
                reason, obstacle = Reason.UNREADABLE_DOCUMENT, unreadable
        else:
            if self._writer.writes and stored.bucket_state is BucketState.MISSING:
                await self._bucket.create(log.buckets)
            self._adopt(stored, stored.empty_fold())
        if self._writer.writes and is_far(self.fold.seq, log):
            await self._rebuild(log)
            return await self._begin(log)
        self._start.was_ours = self._start.was_ours or self._writer.writes
        self._set(Phase.CATCHING_UP if self._writer.writes else Phase.WATCHING, obstacle)
        self._watch_for(stored, reason)
        return None

    async def _adopt_ours(self, log: EventLog, stored: StoredProjection) -> RefusedError | None:
        """Continue from our own documents; returns why they cannot be used, None if they can."""
        assert stored.checkpoint is not None
        if not is_far(stored.checkpoint.seq, log):
            self._catch_up.forget()
        problem: RefusedError | None = None
        try:
            self._adopt(stored, stored.fold())
        except RefusedError as error:
            # The log can be read all the same.
            self._writer.writes, problem = False, error.with_traceback(None)
            self._watch.begin(stored, unusable=True)
            self._adopt(stored, stored.empty_fold())
        if changed := await check_identity(log, stored.checkpoint):
            raise LogChangedError(changed.sentence)
        return problem

    async def _rebuild_stored(self, log: EventLog, stored: StoredProjection) -> None:
        """Rebuild a projection that is interrupted, outdated or of another version."""
        assert stored.checkpoint is not None
        if changed := await check_identity(log, stored.checkpoint):
            # A rebuild from another log needs a confirmation.
            self._adopt(stored, stored.empty_fold())
            raise LogChangedError(changed.sentence)
        fault = fault_of(stored)
        await self._rebuild(log, None if fault is None else FinishingRebuild(fault))

    def _watch_for(self, stored: StoredProjection, reason: Reason | None) -> None:
        """Note why this projector only watches; unless it waits for the lease, it gives that up."""
        self.status.reason = reason
        if reason is Reason.LEASE and self._lease is not None:
            self.status.waiting = self._lease.waiting
        elif reason is not None:
            self._give_up_lease()

    def _watch_lease(self) -> bool:
        """Update who projects now; returns True if this projector may, and should start again."""
        status, lease = self.status, self._lease
        if lease is not None and status.reason is Reason.LEASE:
            status.waiting = lease.waiting
            if status.waiting is None:
                return True
            status.obstacle = status.waiting
        elif lease is not None and status.reason is Reason.NEWER_VERSION:
            status.obstacle = NewerVersion(self.projection, self._watch.version, lease.holder)
        return False

    async def _rebuild(self, log: EventLog, why: Obstacle | None = None) -> None:
        """Bring the bucket up to date by a rebuild, whose states so far are shown."""
        self._set(Phase.CATCHING_UP, why)
        blocked = await self._catch_up.rebuild(log)
        if blocked is not None:
            stored = await load_projection(self._bucket, self.projection)
            self._adopt(stored, stored.fold())
            raise blocked.without_traceback()

    def _show(self, fold: Fold[Any], seq: int) -> None:
        """Show what a rebuild has folded so far."""
        self._writer.show(fold, seq)
        self._notify()

    def _adopt(self, stored: StoredProjection, fold: Fold[Any]) -> None:
        self._writer.adopt(stored, fold)
        self._notify()

    def accept(self, verdict: Verdict) -> None:
        """Take the result of a verify: other programs' writes were harmless, or there is drift."""
        if verdict.good and verdict.revision:
            self._watch.accepted = verdict.revision
            self.status.touched_by_others = False
        elif verdict.touched:
            self.status.touched_by_others = True
        # Another program's documents are compared continuously anyway.
        is_foreign = verdict.drift is not None
        self.status.found_drift = None if verdict.good or is_foreign else FoundDrift.of(verdict)
        self._notify()

    # -- following the log -----------------------------------------------------------------

    async def _follow(self, log: EventLog) -> None:
        async with (
            log.reader(
                self.fold.seq + 1,
                purpose=self.projection.name,
                instance=self._instance,
                slice_messages=FOLLOWING_MESSAGES,
            ) as reader,
            aclosing(reader.messages()) as batches,
        ):
            # Without new events, no message arrives that would end the wait.
            self._settle_phase(log.info.last_seq)
            async for batch in batches:
                readings = await self._readings.read(log, batch)
                written = self._writer.entries
                if readings:
                    await self._project(log, readings)
                elif reader.idle and self.fold.seq < log.info.last_seq:
                    await self._pass_gap(log, reader)
                self._settle_phase(log.info.last_seq)
                more_arrived = max(len(readings), reader.pending) >= FOLLOWING_MESSAGES
                rest = rest_after(self._writer.entries - written, more_arrived=more_arrived)
                if rest:
                    await asyncio.sleep(rest)
                if not self._writer.writes:
                    if self._watch_lease():
                        return  # the lease is ours
                    seen = await self._watch.poll(log, self.fold)
                else:
                    ours = 0 if self.status.stored is None else self._writer.revision
                    seen = not readings and await self._watch.check_own_commit(ours)
                await self._watch.check_found_drift()
                if seen:
                    self._notify()

    async def _project(self, log: EventLog, readings: list[Reading]) -> None:
        """Fold the events of one slice, and write what they change."""
        await check_continuity(log, self.fold, readings)
        try:
            await self._writer.fold_and_write(log, readings)
        finally:
            self._notify()
        self._watch.follow(reading.record for reading in readings)
        self.meter.add(len(readings))

    def _settle_phase(self, head: int) -> None:
        if self._writer.writes and self.status.phase is Phase.CATCHING_UP and self.fold.seq >= head:
            self._set(Phase.PROJECTING)
        elif self._writer.writes and self.status.phase is not Phase.PROJECTING:
            self._notify()

    async def _pass_gap(self, log: EventLog, reader: StreamReader) -> None:
        """Move past events before the head that do not arrive, if they were deleted."""
        if (end := await gap_end(log, self.fold, reader)) is not None:
            await self._writer.pass_to(log, end)
            self._notify()
