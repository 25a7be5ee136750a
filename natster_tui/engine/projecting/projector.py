"""A projector: follows the log from its checkpoint, and keeps a projection's bucket up to date.

It runs as long as a link lasts, and starts again on the next one from the stored projection. If it
must not write (read-only, another program's projections, an old server, a denied permission) it
folds in memory instead. So the screen always shows the fold of the log, and the status says why
nothing is written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from natster_tui.engine.interactive_priority import InteractivePriority
from natster_tui.engine.leases.keeper import LeaseKeeper
from natster_tui.engine.log.rate import RateMeter
from natster_tui.engine.log.record_parser import RecordParser
from natster_tui.engine.projecting.found_drift import FoundDrift
from natster_tui.engine.projecting.recent_changes import RecentChanges
from natster_tui.engine.projecting.session import Session
from natster_tui.engine.projecting.starting import StartDecider
from natster_tui.engine.projecting.status import Phase, StatusReporter
from natster_tui.engine.projecting.writer import ProjectionWriter
from natster_tui.engine.rebuilding.findings import Verdict
from natster_tui.engine.rebuilding.pausing import PauseGate
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
from natster_tui.store.log import EventLog
from natster_tui.store.tasks import end_all

RETRY_S = 1.0


class Projector:
    """The projector of one projection. `notify` is called whenever something changed.

    `reports_lease` says whether giving up the lease is reported; that is not needed if the run
    ends with the reason.
    """

    def __init__(
        self,
        projection: Projection[Any],
        instance: str,
        *,
        may_write: bool = True,
        auto_rebuild: bool = False,
        reports_lease: bool = True,
        lease: LeaseKeeper | None = None,
        interactive_priority: InteractivePriority | None = None,
        record_parser: RecordParser | None = None,
        notify: Callable[[], None] = lambda: None,
    ) -> None:
        self.projection = projection
        self._reporter = StatusReporter(notify)
        self.status = self._reporter.status
        self.meter = RateMeter()
        self._instance = instance
        self._record_parser = record_parser or RecordParser()
        self._may_write = may_write
        self._reports_lease = reports_lease
        self._lease = lease
        self._writer = ProjectionWriter(
            projection, self.status, lease, interactive_priority or InteractivePriority()
        )
        self._start = StartDecider(
            projection, lease, may_write=may_write, auto_rebuild=auto_rebuild
        )
        self._session: Session | None = None
        self._commits_at_conflict = -1
        self._pause = PauseGate()

    # -- what is known ---------------------------------------------------------------------

    @property
    def version(self) -> int:
        """Incremented at each change, so that readers can skip a refresh when nothing changed."""
        return self._reporter.version

    @property
    def error(self) -> NatsterError | None:
        """The last error that stopped it, or keeps it from writing."""
        return self._reporter.error

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

    def accept(self, verdict: Verdict) -> None:
        """Take the result of a verify: other programs' writes were harmless, or there is drift."""
        if verdict.good and verdict.revision:
            if self._session is not None:
                self._session.watch.accepted = verdict.revision
            self.status.touched_by_others = False
        elif verdict.touched:
            self.status.touched_by_others = True
        # Another program's documents are compared continuously anyway.
        is_foreign = verdict.drift is not None
        self.status.found_drift = None if verdict.good or is_foreign else FoundDrift.of(verdict)
        self._reporter.notify()

    # -- running ---------------------------------------------------------------------------

    def paused(self) -> AbstractAsyncContextManager[None]:
        """Pause the projector: its consumer is deleted, and no write is in flight."""
        return self._pause.paused()

    async def run(self, log: EventLog) -> None:
        """Project until the link is lost, which is raised as ConnectionLostError."""
        session = self._session = Session(
            log,
            self.projection,
            self._instance,
            self._writer,
            self._start,
            self._reporter,
            lease=self._lease,
            record_parser=self._record_parser,
            meter=self.meter,
            reports_lease=self._reports_lease,
        )
        try:
            while True:
                if not self._pause.resumed.is_set():
                    self._reporter.enter(Phase.PAUSED)
                    await self._pause.resumed.wait()
                await self._run_until_paused(session)
        finally:
            # Without a link nothing is projected.
            self._reporter.enter(Phase.OFFLINE)

    async def _run_until_paused(self, session: Session) -> None:
        self._pause.idle.clear()
        work = asyncio.create_task(self._attempt(session))
        tasks = [work, asyncio.create_task(self._pause.asked.wait())]
        if self._lease is not None and self._may_write:
            # If the lease is gained or lost, the projector starts again from what is stored.
            allowed = self._lease.allows
            tasks.append(asyncio.create_task(self._lease.wait_for_change(allowed)))
        if isinstance(self._start.denied, MisplacedWriteError):
            tasks.append(asyncio.create_task(session.wait_until_confirmed()))
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

    async def _attempt(self, session: Session) -> None:
        """Load and project; returns if it should be called again."""
        reporter = self._reporter
        try:
            reporter.enter(Phase.LOADING)
            await session.begin()
            await session.follow()
        except ConflictError:
            self.status.conflicts += 1
            if self.status.commits == self._commits_at_conflict:
                # The second conflict without a commit in between: do not try again at once.
                await asyncio.sleep(RETRY_S)
            self._commits_at_conflict = self.status.commits
        except ConnectionLostError:
            raise
        except (DeniedError, MisplacedWriteError) as error:
            reporter.failed(error)
            if self._start.denied is not None:
                # Watching is denied too: do not ask again at once.
                reporter.enter(Phase.STOPPED, error)
                await asyncio.sleep(RETRY_S)
            self._start.denied = error
        except ServerError as error:
            if session.log.link.is_lost:
                raise
            reporter.failed(error)
            reporter.enter(Phase.STOPPED, error)
            await asyncio.sleep(RETRY_S)
        except (LogChangedError, ProjectorStoppedError, RefusedError) as error:
            reporter.failed(error)
            reporter.enter(Phase.STOPPED, error)
            session.give_up_lease()
            await session.watch.wait_until_rewritten(session.log, self._writer.revision, error)
