"""Projecting without a screen: until caught up, or until somebody stops it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from natster_tui.engine.projecting.lease_keeper import LeaseKeeper
from natster_tui.engine.projecting.projector import Projector
from natster_tui.engine.projecting.status import Phase
from natster_tui.engine.rebuilding.rebuild import ATOMIC_BATCHES_SINCE
from natster_tui.engine.server_source import ServerSource
from natster_tui.engine.workspace import Workspace, WorkspaceOptions
from natster_tui.errors import ProjectorStoppedError, RefusedError, ServerError
from natster_tui.projections.registry import PROJECTIONS
from natster_tui.store.log import EventLog


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """How far a projection was brought: its position, its documents, its parked events."""

    projection: str
    seq: int
    keys: int
    parked: int


async def project_until_caught_up(
    log: EventLog, instance: str, *, auto_rebuild: bool = False
) -> list[CaughtUp]:
    """Project everything up to the head as it is now.

    Raises RefusedError when a projector must not write and ServerError when the server does not
    let it, both with the projector's own sentence.
    """
    head = (await log.refresh()).last_seq
    changed = asyncio.Event()
    lease = LeaseKeeper(instance, changed.set)
    projectors = [
        Projector(p, instance, lease=lease, auto_rebuild=auto_rebuild, notify=changed.set)
        for p in PROJECTIONS
    ]
    tasks = [asyncio.create_task(projector.run(log)) for projector in projectors]
    if log.link.server_version >= ATOMIC_BATCHES_SINCE:
        tasks.append(asyncio.create_task(lease.run(log)))
    try:
        while True:
            changed.clear()
            for task in tasks:
                if task.done():
                    task.result()
            for projector in projectors:
                _refuse_if_stuck(projector, lease)
            if all(
                (projector.status.stored or 0) >= head
                and projector.status.phase in (Phase.PROJECTING, Phase.CATCHING_UP, Phase.WATCHING)
                for projector in projectors
            ):
                break
            waiting = asyncio.create_task(changed.wait())
            await asyncio.wait({waiting, *tasks}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return [
        CaughtUp(p.projection.name, p.status.stored or 0, len(p.fold.states), p.status.parked.count)
        for p in projectors
    ]


def _refuse_if_stuck(projector: Projector, lease: LeaseKeeper) -> None:
    status = projector.status
    sentence = f"{projector.projection.name}: {status.problem}"
    if status.phase is Phase.STOPPED:
        if isinstance(projector.error, ServerError):
            raise ServerError(sentence)
        raise ProjectorStoppedError(sentence)
    if status.phase is Phase.WATCHING:
        if lease.denied or isinstance(projector.error, ServerError):
            raise ServerError(sentence)
        if not status.awaits_lease:
            raise RefusedError(sentence)
        # While somebody else holds the lease, that one brings the projection up to the head.


async def project_until_stopped(
    source: ServerSource, options: WorkspaceOptions, say: Callable[[str], None]
) -> None:
    """Project until cancelled; what changes in a projector's state is said in a line."""
    workspace = Workspace(source, options)
    said: dict[str, str] = {}

    def listen() -> None:
        lines = {"connection": f"{workspace.connection.value} {workspace.sentence}".strip()}
        for name, projector in workspace.projectors.items():
            status = projector.status
            lines[name] = f"{status.phase.value} {status.problem}".strip()
        for name, line in lines.items():
            if said.get(name) != line:
                said[name] = line
                say(f"{name}: {line}")

    workspace.listen(listen)
    await workspace.run()
