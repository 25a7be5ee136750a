"""The dashboard on a real server, driven key by key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from natster_tui.demo.community import DemoCommunity
from natster_tui.engine.server_source import LogChoice, NamedServer
from natster_tui.engine.workspace import Workspace, WorkspaceOptions
from natster_tui.events.event import MESSAGE_ID
from natster_tui.events.natster import NATSTER
from natster_tui.events.system import EventSystem
from natster_tui.preferences.memory import Memory
from natster_tui.projections.api import Projection
from natster_tui.projections.registering.registry import PROJECTIONS, Registry
from natster_tui.projections.registering.tried import TriedFile
from natster_tui.store.connection.link import Link
from natster_tui.store.log import Append, EventLog
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.tui.app import Dashboard
from natster_tui.tui.preferences import Preferences
from tests.tui.keyboard import Keyboard
from tests.tui.scenes import NOW, settle


@asynccontextmanager
async def dashboard(
    settings: ConnectionSettings,
    *,
    read_only: bool = False,
    size: tuple[int, int] = (140, 40),
    projections: Sequence[Projection[Any]] = PROJECTIONS,
    versions: Sequence[Projection[Any]] = (),
    system: EventSystem = NATSTER,
    preferences: Preferences = Preferences(),  # noqa: B008 - frozen
    tried: TriedFile | None = None,
    memory: Memory | None = None,
) -> AsyncIterator[tuple[Dashboard, Keyboard]]:
    choice = LogChoice(system, read_only=read_only, projections=Registry(projections, versions))
    workspace = Workspace(NamedServer(settings), WorkspaceOptions(choice, tried=tried))
    app = Dashboard(workspace, clock=lambda: NOW, preferences=preferences, memory=memory)
    running = asyncio.create_task(workspace.run())
    try:
        async with app.run_test(size=size, notifications=True):
            await settle(app)
            keyboard = Keyboard(app)
            await keyboard.pause()
            yield app, keyboard
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def append(settings: ConnectionSettings, first: int, count: int) -> None:
    """More of the demo community's life, as another process would write it."""
    link = await Link.open(settings)
    log = await EventLog.open(link, NATSTER)
    events = DemoCommunity(7).history(first + count, NOW)[first:]
    messages = [
        Append(event.subject, event.payload, ((MESSAGE_ID, f"more-{first + number}"),))
        for number, event in enumerate(events)
    ]
    assert await log.append_all(messages, expected_last=None) == count
    await link.close()
