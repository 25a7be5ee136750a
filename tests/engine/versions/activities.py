"""Two versions of one projection, and projecting them in tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from natster_tui.engine.leases.keeper import LeaseKeeper
from natster_tui.engine.projecting.projector import Projector
from natster_tui.engine.versions.finding import VersionPair
from natster_tui.events.event import Event
from natster_tui.events.natster import EventType
from natster_tui.projections.api import Projection
from natster_tui.projections.keyed import KeyedProjection, Part
from natster_tui.projections.registering.loading import load_file
from natster_tui.store.log import EventLog
from tests.engine.running import project_to_head, projecting


class First(BaseModel):
    model_config = ConfigDict(frozen=True)

    events: int


class Second(First):
    last: str


class FirstVersion(KeyedProjection[First]):
    """Counts the events of each origin."""

    name = "activity"
    bucket = "PROJ_ACTIVITY"
    version = 1
    key_noun = "account"
    uses = frozenset(EventType)
    keys = (Part.ORIGIN,)
    model = First

    def rule(self, document: First | None, event: Event, key: str) -> First:
        return First(events=1 if document is None else document.events + 1)


class SecondVersion(KeyedProjection[Second]):
    """Knows the last event's type as well, and leaves out who only imports."""

    name = "activity"
    bucket = "PROJ_ACTIVITY"
    version = 2
    key_noun = "account"
    uses = frozenset(EventType) - {EventType.IMPORTED}
    keys = (Part.ORIGIN,)
    model = Second

    def rule(self, document: Second | None, event: Event, key: str) -> Second:
        events = 1 if document is None else document.events + 1
        return Second(events=events, last=event.type)


FIRST, SECOND = FirstVersion(), SecondVersion()
BOTH = VersionPair((FIRST, SECOND), 2)
ONLY_FIRST = VersionPair((FIRST,), 2)
ONLY_SECOND = VersionPair((SECOND,), 2)


async def project_all(log: EventLog, *projections: Projection[Any]) -> None:
    """Project each up to the head, one after the other."""
    for projection in projections:
        await project_to_head(log, projection)


def loaded(file: Path) -> Projection[Any]:
    """The projection of a file."""
    (projection,) = load_file(file)
    return projection


@asynccontextmanager
async def holding_lease(
    log: EventLog, projection: Projection[Any], instance: str
) -> AsyncIterator[LeaseKeeper]:
    """A projection's lease in another process, kept until the end."""
    keeper = LeaseKeeper(projection, instance)
    task = asyncio.create_task(keeper.run(log))
    try:
        yield keeper
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def at_work(
    log: EventLog, projection: Projection[Any], instance: str
) -> AsyncIterator[tuple[Projector, LeaseKeeper]]:
    """A projector with a lease of its own."""
    async with (
        holding_lease(log, projection, instance) as lease,
        projecting(log, projection, instance, lease=lease) as projector,
    ):
        yield projector, lease
