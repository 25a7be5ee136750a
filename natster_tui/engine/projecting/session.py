"""A projector over one link: it begins from what is stored, then follows the log."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

from natster_tui.engine.leases.keeper import LeaseKeeper
from natster_tui.engine.log.continuity import check_continuity, gap_end
from natster_tui.engine.log.rate import RateMeter
from natster_tui.engine.log.record_parser import ParsedRecord, RecordParser
from natster_tui.engine.projecting.bucket_watch import BucketWatch
from natster_tui.engine.projecting.catching_up import CatchUp, is_far
from natster_tui.engine.projecting.decision import Reason, RebuildFirst, Watch
from natster_tui.engine.projecting.obstacles import (
    FinishingRebuild,
    NewerVersion,
    Obstacle,
    fault_of,
    obstacle_of,
)
from natster_tui.engine.projecting.pacing import rest_after
from natster_tui.engine.projecting.starting import StartDecider
from natster_tui.engine.projecting.status import Phase, StatusReporter
from natster_tui.engine.projecting.stored_projection import (
    BucketState,
    StoredProjection,
    bucket_of,
    check_identity,
    load_projection,
)
from natster_tui.engine.projecting.writer import ProjectionWriter
from natster_tui.errors import LogChangedError, RefusedError, ServerError
from natster_tui.projections.api import Projection
from natster_tui.projections.fold import Fold
from natster_tui.store.connection.reporting import notice
from natster_tui.store.log import EventLog
from natster_tui.store.reading.pull_size import FOLLOWING_MESSAGES
from natster_tui.store.reading.stream_reader import StreamReader

CONFIRM_S = 1.0
"""Seconds between two checks whether commits would reach the bucket."""


class Session:
    """One projector over one link. Call `begin`, then `follow`; after an error, both again.

    `writer`, `start` and `reporter` outlast the link. `reports_lease` says whether giving up the
    lease is reported.
    """

    def __init__(
        self,
        log: EventLog,
        projection: Projection[Any],
        instance: str,
        writer: ProjectionWriter,
        start: StartDecider,
        reporter: StatusReporter,
        *,
        lease: LeaseKeeper | None,
        record_parser: RecordParser,
        meter: RateMeter,
        reports_lease: bool,
    ) -> None:
        self.log = log
        self.bucket = bucket_of(log, projection, instance)
        self.watch = BucketWatch(self.bucket, projection, reporter.status)
        self._projection = projection
        self._instance = instance
        self._writer = writer
        self._start = start
        self._reporter = reporter
        self._status = reporter.status
        self._lease = lease
        self._record_parser = record_parser
        self._meter = meter
        self._reports_lease = reports_lease
        self._catch_up = CatchUp(projection, instance, meter, self._show)
        writer.begin(self.bucket, self.watch)
        start.denied = None

    # -- beginning -------------------------------------------------------------------------

    async def begin(self) -> None:
        """Decide from what is stored where to continue, and whether to write."""
        stored, decision = await self._start.decide(self.log, self.bucket)
        self._status.touched_by_others = stored.touched_by_others
        self._status.drift = None
        self.watch.begin(stored, unusable=False)
        self._writer.writes = not isinstance(decision, Watch)
        if isinstance(decision, RebuildFirst):
            await self._rebuild_stored(stored)
            return await self.begin()
        reason = decision.reason if isinstance(decision, Watch) else None
        obstacle: Obstacle | None = None
        if reason is not None:
            obstacle = obstacle_of(reason, self.log, stored, self._lease, self._start.denied)
        if reason is Reason.TRIED:
            # The stored documents may come from another rule of the same version.
            self._adopt(stored, stored.empty_fold())
        elif stored.bucket_state is BucketState.OURS:
            if (unreadable := await self._adopt_ours(stored)) is not None:
                reason, obstacle = Reason.UNREADABLE_DOCUMENT, unreadable
        else:
            if self._writer.writes and stored.bucket_state is BucketState.MISSING:
                await self.bucket.create(self.log.buckets)
            self._adopt(stored, stored.empty_fold())
        if self._writer.writes and is_far(self._writer.fold.seq, self.log):
            await self._rebuild()
            return await self.begin()
        self._start.was_ours = self._start.was_ours or self._writer.writes
        self._reporter.enter(Phase.CATCHING_UP if self._writer.writes else Phase.WATCHING, obstacle)
        self._watch_for(stored, reason)
        return None

    async def _adopt_ours(self, stored: StoredProjection) -> RefusedError | None:
        """Continue from our own documents; returns why they cannot be used, None if they can."""
        assert stored.checkpoint is not None
        if not is_far(stored.checkpoint.seq, self.log):
            self._catch_up.forget()
        problem: RefusedError | None = None
        try:
            self._adopt(stored, stored.fold())
        except RefusedError as error:
            # The log can be read all the same. A new error: the causes of this one hold states.
            self._writer.writes, problem = False, RefusedError(error.sentence)
            self.watch.begin(stored, unusable=True)
            self._adopt(stored, stored.empty_fold())
        if changed := await check_identity(self.log, stored.checkpoint):
            raise LogChangedError(changed.sentence)
        return problem

    async def _rebuild_stored(self, stored: StoredProjection) -> None:
        """Rebuild a projection that is interrupted, outdated or of another version."""
        assert stored.checkpoint is not None
        if changed := await check_identity(self.log, stored.checkpoint):
            # A rebuild from another log needs a confirmation.
            self._adopt(stored, stored.empty_fold())
            raise LogChangedError(changed.sentence)
        # If the rebuild is refused, the projector waits until this checkpoint is rewritten. What is
        # stored is not adopted: its position is not one that this version has reached.
        self._writer.revision = stored.snapshot.checkpoint_revision
        fault = fault_of(stored)
        await self._rebuild(None if fault is None else FinishingRebuild(fault))

    def _watch_for(self, stored: StoredProjection, reason: Reason | None) -> None:
        """Note why this projector only watches; unless it waits for the lease, it gives that up."""
        self._status.reason = reason
        if reason is Reason.LEASE and self._lease is not None:
            self._status.waiting = self._lease.waiting
        elif reason is not None:
            self.give_up_lease()

    def _watch_lease(self) -> bool:
        """Update who projects now; returns True if this projector may, and should start again."""
        status, lease = self._status, self._lease
        if lease is not None and status.reason is Reason.LEASE:
            status.waiting = lease.waiting
            if status.waiting is None:
                return True
            status.obstacle = status.waiting
        elif lease is not None and status.reason is Reason.NEWER_VERSION:
            status.obstacle = NewerVersion(self._projection, self.watch.version, lease.holder)
        return False

    async def _rebuild(self, why: Obstacle | None = None) -> None:
        """Bring the bucket up to date by a rebuild, whose states so far are shown."""
        self._reporter.enter(Phase.CATCHING_UP, why)
        blocked = await self._catch_up.rebuild(self.log)
        if blocked is not None:
            stored = await load_projection(self.bucket, self._projection)
            self._adopt(stored, stored.fold())
            raise blocked.without_traceback()

    def _show(self, fold: Fold[Any], seq: int) -> None:
        """Show what a rebuild has folded so far."""
        self._writer.show(fold, seq)
        self._reporter.notify()

    def _adopt(self, stored: StoredProjection, fold: Fold[Any]) -> None:
        self._writer.adopt(stored, fold)
        self._reporter.notify()

    # -- following the log -----------------------------------------------------------------

    async def follow(self) -> None:
        """Fold the log's events as they come; returns if the projector should begin again."""
        async with (
            self.log.reader(
                self._writer.fold.seq + 1,
                purpose=self._projection.name,
                instance=self._instance,
                slice_messages=FOLLOWING_MESSAGES,
            ) as reader,
            aclosing(reader.messages()) as batches,
        ):
            # Without new events, no message arrives that would end the wait.
            self._settle_phase(self.log.info.last_seq)
            async for batch in batches:
                parsed = await self._record_parser.parse(self.log, batch)
                written = self._writer.entries
                if parsed:
                    await self._project(parsed)
                elif reader.idle and self._writer.fold.seq < self.log.info.last_seq:
                    await self._pass_gap(reader)
                self._settle_phase(self.log.info.last_seq)
                more_arrived = max(len(parsed), reader.pending) >= FOLLOWING_MESSAGES
                rest = rest_after(self._writer.entries - written, more_arrived=more_arrived)
                if rest:
                    await asyncio.sleep(rest)
                if not self._writer.writes:
                    if self._watch_lease():
                        return  # the lease is ours
                    seen = await self.watch.poll(self.log, self._writer.fold)
                else:
                    ours = 0 if self._status.stored is None else self._writer.revision
                    seen = not parsed and await self.watch.check_own_commit(ours)
                await self.watch.check_found_drift()
                if seen:
                    self._reporter.notify()

    async def _project(self, parsed: list[ParsedRecord]) -> None:
        """Fold the events of one slice, and write what they change."""
        await check_continuity(self.log, self._writer.fold, parsed)
        try:
            await self._writer.fold_and_write(self.log, parsed)
        finally:
            self._reporter.notify()
        self.watch.follow(each.record for each in parsed)
        self._meter.add(len(parsed))

    def _settle_phase(self, head: int) -> None:
        if not self._writer.writes or self._status.phase is Phase.PROJECTING:
            return
        if self._status.phase is Phase.CATCHING_UP and self._writer.fold.seq >= head:
            self._reporter.enter(Phase.PROJECTING)
        else:
            self._reporter.notify()

    async def _pass_gap(self, reader: StreamReader) -> None:
        """Move past events before the head that do not arrive, if they were deleted."""
        if (end := await gap_end(self.log, self._writer.fold, reader)) is not None:
            await self._writer.pass_to(self.log, end)
            self._reporter.notify()

    # -- waiting ---------------------------------------------------------------------------

    def give_up_lease(self) -> None:
        """Give up the lease, so that a process that can pass this event may project."""
        if self._lease is not None and self._lease.give_up() and self._reports_lease:
            obstacle = self._status.obstacle
            why = "" if obstacle is None else obstacle.sentence
            notice(f"{self._projection.name}: gave up its lease: {why}")

    async def wait_until_confirmed(self) -> None:
        """Wait until commits would reach the bucket, because a mapping or an import was added."""
        while self._start.denied is not None:
            await asyncio.sleep(CONFIRM_S)
            try:
                await self.bucket.confirm()
            except ServerError:
                if self.bucket.link.is_lost:
                    raise
                continue
            self._start.denied = None
