"""A workspace with demo traffic and no screen, that tells about itself in lines of JSON.

`python -m tests.endurance.headless URL USER PASSWORD LIFE RATE HISTORY`. SIGUSR1 ends the
traffic, SIGTERM everything.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from typing import Any

from natster_tui.demo.traffic import DemoTraffic
from natster_tui.engine.server_source import LogChoice, NamedServer
from natster_tui.engine.workspace import Workspace, WorkspaceOptions
from natster_tui.events.natster import NATSTER
from natster_tui.store.settings.connection import ConnectionSettings

TELL_EVERY_S = 0.25


def is_an_append(task: asyncio.Task[Any]) -> bool:
    """Whether a task appends one event of the traffic: of those a portion may be under way."""
    return getattr(task.get_coro(), "__qualname__", "") == "EventLog._publish"


def report(workspace: Workspace) -> dict[str, object]:
    log = workspace.log
    return {
        "instance": workspace.options.instance,
        "connection": workspace.connection.value,
        "head": 0 if log is None else workspace.follower.head,
        "stored": [p.status.stored or 0 for p in workspace.projectors.values()],
        "phases": [p.status.phase.value for p in workspace.projectors.values()],
        "keys": sum(len(p.fold.states) for p in workspace.projectors.values()),
        "subscriptions": 0 if log is None else len(log.link.client._subs),
        "tasks": sum(not is_an_append(task) for task in asyncio.all_tasks()),
        "problems": [problem.sentence for problem in workspace.problems[-3:]],
    }


async def main(url: str, user: str, password: str, life: int, rate: float, history: int) -> None:
    settings = ConnectionSettings(servers=(url,), user=user, password=password, origin="flags")
    workspace = Workspace(NamedServer(settings), WorkspaceOptions(LogChoice(NATSTER, create=True)))
    demo = DemoTraffic(workspace, seed=life, rate=rate, history=history)
    demo._written = life * 1_000_000_000  # another life's message ids are other ids
    ended = asyncio.Event()
    running = asyncio.create_task(workspace.run())
    traffic = asyncio.create_task(demo.run())
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, traffic.cancel)
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    over = asyncio.create_task(ended.wait())
    while not over.done():
        said = {**report(workspace), "traffic_ended": traffic.done()}
        print(json.dumps(said), flush=True)
        await asyncio.wait({running, over}, timeout=TELL_EVERY_S)
        if running.done():
            break
    traffic.cancel()
    running.cancel()
    results = await asyncio.gather(traffic, running, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result


if __name__ == "__main__":
    where, who, secret, which, pace, before = sys.argv[1:]
    asyncio.run(main(where, who, secret, int(which), float(pace), int(before)))
