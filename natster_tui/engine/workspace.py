"""Everything that runs behind the dashboard, and its owner.

A workspace keeps a link to the server. It follows the log and runs the projectors as long as the
link lasts, and starts them again on the next one. Its parts hold the data; listeners are only
notified that something changed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from typing import Any

from natster_tui.engine.interactive_priority import InteractivePriority
from natster_tui.engine.leases.keeper import LeaseKeeper
from natster_tui.engine.log.follower import LogFollower
from natster_tui.engine.log.hazard_watch import HazardWatch
from natster_tui.engine.log.record_parser import RecordParser
from natster_tui.engine.log.timeline_filter import TimelineFilter
from natster_tui.engine.projecting.projector import Projector
from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.replay import OnProgress, ReplayProgress
from natster_tui.engine.rebuilding.scope import Scope
from natster_tui.engine.retries import Retries
from natster_tui.engine.server_source import LogChoice, ServerSource, new_instance
from natster_tui.engine.store_keeper import StoreKeeper
from natster_tui.engine.trying.live_trial import LiveTrial
from natster_tui.engine.versions.watching import VersionWatch
from natster_tui.errors import (
    ConnectionLostError,
    KeysChangedError,
    LogChangedError,
    MissingLogError,
    NatsterError,
    UnreachableError,
)
from natster_tui.events.event import Record
from natster_tui.events.log.info import LogInfo
from natster_tui.projections.account import AccountState
from natster_tui.projections.api import Projection
from natster_tui.projections.catalog import CatalogState
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS
from natster_tui.projections.registering.tried import TriedFile
from natster_tui.store.connection.consumers import delete_consumers
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.reporting import Reporter, reporting_to
from natster_tui.store.log import EventLog
from natster_tui.store.tasks import cause_of

NOT_CONNECTED = "not connected: wait for the connection, then try again"
PROBLEMS_KEPT = 50
INFO_EVERY_S = 1.0
BUCKETS_EVERY = 5
"""The settings of the buckets are read once in this many polls."""


class Connection(StrEnum):
    """The state of the connection, in the word that the screen shows."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    LOST = "connection lost"
    NO_LOG = "no log"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"


@dataclass(frozen=True)
class WorkspaceOptions:
    """The options of a workspace."""

    choice: LogChoice
    auto_rebuild: bool = False
    instance: str = field(default_factory=new_instance)
    tried: TriedFile | None = None
    """The file whose projections are tried beside those that are stored."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem, in a sentence; `at` is unix seconds."""

    at: float
    sentence: str


class Workspace:
    """The running system. Run `run` in a task, and cancel that task to end everything."""

    def __init__(self, source: ServerSource, options: WorkspaceOptions) -> None:
        projections = options.choice.projections
        tried = () if options.tried is None else options.tried.projections
        self.source = source
        self.options = options
        self.connection = Connection.CONNECTING
        self.retries = Retries()
        self.sentence = ""
        """Why there is no connection; empty if there is one."""
        self.server_shown = ""
        """The server's address without user information, or "local" for the embedded one."""
        self.user = ""
        self.log: EventLog | None = None
        self.problems: list[Problem] = []
        self.reporter = Reporter(self.report)
        """Receives the notices of everything that runs here."""
        self.store = StoreKeeper(source, self._on_store)
        self.interactive_priority = InteractivePriority()
        self.record_parser = RecordParser()
        """Parses events once for the follower and the projectors."""
        self.follower = LogFollower(
            options.instance, self._notify, self.interactive_priority, self.record_parser
        )
        self.leases = {
            projection.name: LeaseKeeper(projection, options.instance, self._notify)
            for projection in projections
        }
        self.projectors = {each.name: self._projector(each) for each in (*projections, *tried)}
        self.versions = VersionWatch(projections, self._notify)
        """The versions that are stored beside the projections."""
        self.trial = self._trial()
        """The projections that are tried; None if there are none."""
        self.timeline_filter = self._timeline_filter()
        self._orphaned_consumers: set[tuple[str, str]] = set()
        self._hazards = HazardWatch(projections.all)
        self._reported_key_problems: tuple[str, ...] = ()
        self.follower.on_live = self._on_live
        self._listeners: list[Callable[[], None]] = []

    def _trial(self) -> LiveTrial | None:
        if (tried := self.options.tried) is None:
            return None
        projectors = [self.projectors[each.name] for each in tried.projections]
        return LiveTrial(tried, projectors, self.report)

    def _timeline_filter(self) -> TimelineFilter:
        return TimelineFilter(
            self.follower,
            self.options.instance,
            self._notify,
            lambda: self.accounts,
            lambda seq: self.projectors[ACCOUNTS.name].has_folded(seq),
        )

    def _projector(self, projection: Projection[Any]) -> Projector:
        return Projector(
            projection,
            self.options.instance,
            may_write=not self.read_only,
            auto_rebuild=self.options.auto_rebuild,
            lease=self.leases.get(projection.name),
            interactive_priority=self.interactive_priority,
            record_parser=self.record_parser,
            notify=self._notify,
        )

    # -- what is known ---------------------------------------------------------------------

    @property
    def info(self) -> LogInfo | None:
        """The log's settings and size, as of the last poll."""
        return None if self.log is None else self.log.info

    @property
    def opened_log(self) -> EventLog:
        """The log over the last link. Raises ConnectionLostError if it was never opened."""
        if self.log is None:
            raise ConnectionLostError(NOT_CONNECTED)
        return self.log

    @property
    def hazards(self) -> tuple[str, ...]:
        """The hazards of the log, one sentence each."""
        known = () if self.log is None else self._hazards.hazards(self.log)
        store = (self.store.sentence,) if self.store.sentence else ()
        return (*store, *(hazard.sentence for hazard in known))

    @property
    def read_only(self) -> bool:
        """Whether this workspace never writes."""
        return self.options.choice.read_only

    @property
    def accounts(self) -> dict[str, AccountState]:
        """The accounts as folded so far."""
        return self.projectors[ACCOUNTS.name].fold.states

    @property
    def catalogs(self) -> dict[str, CatalogState]:
        """The catalogs as folded so far."""
        return self.projectors[CATALOGS.name].fold.states

    @property
    def stored_projectors(self) -> tuple[Projector, ...]:
        """The projectors of projections that are stored, not those that are only tried."""
        return tuple(each for each in self.projectors.values() if not each.projection.tried_from)

    def listen(self, listener: Callable[[], None]) -> None:
        """Have a function called at every change. It must be quick, and only note the change."""
        self._listeners.append(listener)

    def _notify(self) -> None:
        for listener in self._listeners:
            listener()

    def report(self, sentence: str) -> None:
        """Add a problem for the screen; a repetition of the last one is dropped."""
        if not self.problems or self.problems[-1].sentence != sentence:
            self.problems.append(Problem(time.time(), sentence))
            del self.problems[:-PROBLEMS_KEPT]
        self._notify()

    def _on_store(self) -> None:
        if self.store.problem is not None:
            self.report(self.store.sentence)
        self._notify()

    # -- running ---------------------------------------------------------------------------

    async def run(self) -> None:
        """Connect, and keep everything running, until cancelled."""
        with reporting_to(self.reporter):
            await self._run()

    async def _run(self) -> None:
        try:
            while True:
                began = time.monotonic()
                await self._run_once()
                await self.retries.wait(time.monotonic() - began)
        finally:
            await self.source.close()

    async def _run_once(self) -> None:
        """One link from its beginning to its end."""
        link: Link | None = None
        try:
            settings = await self.source.settings()
            embedded = settings.is_embedded
            self.server_shown = "local" if embedded else settings.described
            self.user = "embedded server" if embedded else settings.user_described
            link = await self.source.connect(settings)
            link.on_problem = self.report
            if not embedded:
                self.server_shown = link.target.described_at(link.described)
                self.user = link.settings.user_described
            # If only the link was lost, its consumers still exist for a while.
            link.consumers |= self._orphaned_consumers
            log = await self.source.open_log(link, self.options.choice)
            if self.log is not None and self.log.info.created != log.info.created:
                self._hazards = HazardWatch(self.options.choice.projections.all)
            self.log = log
            self._connection(Connection.CONNECTED)
            self.retries.connected()
            # In a task of its own, because a task group may leave this one marked as cancelled.
            await asyncio.create_task(self._run_all(log))
        except ExceptionGroup as group:
            self._explain(cause_of(group))
        except NatsterError as error:
            self._explain(error)
        finally:
            if link is not None:
                self._orphaned_consumers = link.consumers
                await link.close()
        if (task := asyncio.current_task()) is not None and task.cancelling():
            # An error while closing replaced the cancellation.
            raise asyncio.CancelledError

    async def _run_all(self, log: EventLog) -> None:
        """Run everything that works over one link."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.store.run())
            tasks.create_task(self.follower.run(log))
            tasks.create_task(self._poll(log, log.sealing.version))
            tasks.create_task(delete_consumers(log.link, self._orphaned_consumers))
            tasks.create_task(self.timeline_filter.run(log))
            tasks.create_task(self.versions.run(log))
            if not self.read_only and log.link.info.has_atomic_batches:
                for lease in self.leases.values():
                    tasks.create_task(lease.run(log))
            for projector in self.stored_projectors:
                tasks.create_task(projector.run(log))
            if self.trial is not None:
                tasks.create_task(self.trial.run(log))

    def _explain(self, error: BaseException) -> None:
        match error:
            case ConnectionLostError():
                self._connection(Connection.LOST, error.sentence)
            case KeysChangedError():
                self._connection(Connection.CONNECTING, error.sentence)
            case UnreachableError():
                self._connection(Connection.UNREACHABLE, error.sentence)
            case MissingLogError():
                self._connection(Connection.NO_LOG, error.sentence)
            case NatsterError():
                self._connection(Connection.REFUSED, error.sentence)
            case _:
                raise error

    def _connection(self, state: Connection, sentence: str = "") -> None:
        self.connection = state
        self.sentence = sentence
        if sentence:
            self.report(sentence)
        self._notify()

    async def _poll(self, log: EventLog, keys: int) -> None:
        """Read what changes without an event: the log's size and settings, and the keys.

        `keys` is the version of the keys with which this link began.
        """
        self._report_keys(log)
        await self._hazards.refresh(log)
        self._notify()
        for polls in count(1):
            await asyncio.wait({log.link.lost}, timeout=INFO_EVERY_S)
            try:
                await log.refresh()
            except LogChangedError as error:
                # Everything here belongs to the previous log: start again with a new link.
                raise ConnectionLostError(error.sentence) from error
            if polls % BUCKETS_EVERY == 0:
                await self._hazards.refresh_storage(log)
            self.follower.set_first(log.info.first_seq)
            await log.sealing.refresh()
            if log.sealing.version != keys:
                raise KeysChangedError("the keys changed: reading everything again")
            self._report_keys(log)
            self._notify()

    def _report_keys(self, log: EventLog) -> None:
        for sentence in log.sealing.problems:
            if sentence not in self._reported_key_problems:
                self.report(sentence)
        self._reported_key_problems = log.sealing.problems

    def _on_live(self, records: list[Record]) -> None:
        self._hazards.add_live(records, self.options.choice.system)
        self.timeline_filter.add_live(records)

    # -- rebuilding ------------------------------------------------------------------------

    def rebuild(self, scope: Scope, on_progress: OnProgress | None = None) -> Rebuild:
        """A rebuild over the present link; it pauses the projectors while it writes."""

        def note(progress: ReplayProgress) -> None:
            if progress.finished is not None and progress.repeated_ids is not None:
                self._hazards.add_replayed(progress.repeated_ids)
            if on_progress is not None:
                on_progress(progress)

        log, instance = self.connected_log(), self.options.instance
        known = self._hazards.repeated_ids
        return Rebuild(log, scope, instance, note, pause=self.pause, repeated_ids=known)

    def connected_log(self) -> EventLog:
        """The log over the present link. Raises ConnectionLostError without one."""
        if self.connection is not Connection.CONNECTED:
            raise ConnectionLostError(NOT_CONNECTED)
        return self.opened_log

    @asynccontextmanager
    async def pause(self, projection: Projection[Any]) -> AsyncIterator[None]:
        """Pause the projector of a projection."""
        async with self.projectors[projection.name].paused():
            yield
