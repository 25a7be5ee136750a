"""Projecting without a screen: until caught up, or until stopped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from natster_tui.engine.leases.keeper import LeaseKeeper
from natster_tui.engine.leases.waiting import Cause, Waiting
from natster_tui.engine.log.record_parser import RecordParser
from natster_tui.engine.projecting.decision import Reason
from natster_tui.engine.projecting.projector import Projector
from natster_tui.engine.projecting.status import Phase
from natster_tui.engine.rebuilding.lost_documents import refuse_if_documents_lost
from natster_tui.engine.server_source import ServerSource
from natster_tui.engine.workspace import Workspace, WorkspaceOptions
from natster_tui.errors import (
    ConflictError,
    ProjectorStoppedError,
    RefusedError,
    ServerError,
    UnstorableError,
)
from natster_tui.projections.api import Projection
from natster_tui.store.connection.reporting import waiting_for
from natster_tui.store.log import EventLog
from natster_tui.store.tasks import end_all

CHECK_S = 1.0
"""Seconds between two checks for changes that no notification announces."""
NO_PROGRESS_S = 300.0
"""Seconds to wait for another process that holds the lease and makes no progress."""


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """How far a projection is: its position, its documents, its parked events."""

    projection: str
    seq: int
    keys: int
    parked: int


async def project_until_caught_up(
    log: EventLog,
    projections: Sequence[Projection[Any]],
    instance: str,
    *,
    auto_rebuild: bool = False,
) -> list[CaughtUp]:
    """Project everything up to the present head.

    While another process holds a projection's lease, this one waits for it. Raises RefusedError
    if a projector must not write or a bucket has lost documents, ServerError if the server
    refuses, and ConflictError if the other process makes no progress for `NO_PROGRESS_S` seconds.
    """
    head = (await log.refresh()).last_seq
    changed = asyncio.Event()
    record_parser = RecordParser()
    runs = [
        _Run(projection, instance, changed.set, auto_rebuild, record_parser)
        for projection in projections
    ]
    tasks = [asyncio.create_task(run.projector.run(log)) for run in runs]
    if log.link.info.has_atomic_batches:
        tasks += [asyncio.create_task(run.lease.run(log)) for run in runs]
    try:
        with waiting_for(lambda: "; ".join(filter(None, (run.waits(head) for run in runs)))):
            while not all(run.is_at(head) for run in runs):
                await _next_change(changed, tasks)
                for run in runs:
                    run.refuse_if_stuck(log, head)
    finally:
        await end_all(tasks)
    await refuse_if_documents_lost(log, projections, instance)
    return [run.result() for run in runs]


async def _next_change(changed: asyncio.Event, tasks: Sequence[asyncio.Task[None]]) -> None:
    """Wait for a change, at most `CHECK_S` seconds; raises the error of a failed task."""
    waiting = asyncio.create_task(changed.wait())
    try:
        await asyncio.wait({waiting, *tasks}, timeout=CHECK_S, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end_all([waiting])
    changed.clear()
    for task in tasks:
        if task.done():
            task.result()


class _Run:
    """One projection that is brought up to the head."""

    def __init__(
        self,
        projection: Projection[Any],
        instance: str,
        notify: Callable[[], None],
        auto_rebuild: bool,
        record_parser: RecordParser,
    ) -> None:
        self.lease = LeaseKeeper(projection, instance, notify)
        self.projector = Projector(
            projection,
            instance,
            lease=self.lease,
            auto_rebuild=auto_rebuild,
            reports_lease=False,
            record_parser=record_parser,
            notify=notify,
        )
        self._name = projection.name
        self._stored = -1
        self._moved_at = time.monotonic()

    def is_at(self, seq: int) -> bool:
        """Whether the stored projection has reached a sequence, whichever process wrote it."""
        status = self.projector.status
        live = (Phase.PROJECTING, Phase.CATCHING_UP, Phase.WATCHING)
        return (status.stored or 0) >= seq and status.phase in live

    def waits(self, head: int) -> str:
        """The sentence for what it waits for; empty while it works."""
        waiting = self.projector.status.waiting
        if waiting is None or self.is_at(head):
            return ""
        if waiting.cause not in (Cause.HOLDER, Cause.OLD_RELEASE) or waiting.holder is None:
            return waiting.sentence
        return (
            f"waiting for {waiting.holder.described}, which holds the lease, to project "
            f"{self._name} up to {head:,}"
        )

    def refuse_if_stuck(self, log: EventLog, head: int) -> None:
        """Raise an error if the projection can never reach the head."""
        status, error = self.projector.status, self.projector.error
        sentence = f"{self._name}: {status.problem}"
        if status.phase is Phase.STOPPED:
            if isinstance(error, ServerError | UnstorableError):
                raise ServerError(sentence)
            raise ProjectorStoppedError(sentence)
        if status.phase is not Phase.WATCHING:
            return
        if self.lease.refusal is not None:
            raise ServerError(f"{self._name}: {self.lease.refusal.sentence}")
        if status.reason is Reason.DENIED or (
            status.reason is Reason.CANNOT_SEAL and log.sealing.is_denied
        ):
            raise ServerError(sentence)
        if status.waiting is None:
            raise RefusedError(sentence)
        self._refuse_if_no_progress(head, status.waiting)

    def _refuse_if_no_progress(self, head: int, waiting: Waiting) -> None:
        """Raise ConflictError if the process that holds the lease makes no progress."""
        now, stored = time.monotonic(), self.projector.status.stored or 0
        if stored != self._stored:
            self._stored, self._moved_at = stored, now
        if now - self._moved_at > NO_PROGRESS_S and waiting.holder is not None:
            raise ConflictError(
                f"{self._name}: {waiting.holder.described} holds the lease and has not projected "
                f"beyond {stored:,} of {head:,} for {NO_PROGRESS_S:,.0f} s: see what it does, or "
                "stop it"
            )

    def result(self) -> CaughtUp:
        """How far it is."""
        status = self.projector.status
        keys = len(self.projector.fold.states)
        return CaughtUp(self._name, status.stored or 0, keys, status.parked.count)


async def project_until_stopped(
    source: ServerSource, options: WorkspaceOptions, say: Callable[[str], None]
) -> None:
    """Project until cancelled, and report each change of a projector's state in a line."""
    workspace = Workspace(source, options)
    printed: dict[str, str] = {}

    def listen() -> None:
        lines = {"connection": f"{workspace.connection.value} {workspace.sentence}".strip()}
        if workspace.store.sentence or "store" in printed:
            lines["store"] = workspace.store.sentence or "fine"
        for name, projector in workspace.projectors.items():
            status = projector.status
            problem = f": {status.problem}" if status.problem else ""
            lines[name] = f"{status.phase.value}{problem}"
        for name, line in lines.items():
            if printed.get(name) != line:
                printed[name] = line
                say(f"{name}: {line}")

    workspace.listen(listen)
    await workspace.run()
