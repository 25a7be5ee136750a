"""What the fault tests share: servers that may be hurt, logs, dashboards and processes."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from random import Random

from natster_tui.engine.projecting.projector import Projector
from natster_tui.engine.projecting.status import Phase
from natster_tui.engine.server_source import LogChoice, NamedServer
from natster_tui.engine.workspace import Connection, Workspace, WorkspaceOptions
from natster_tui.events.event import MESSAGE_ID
from natster_tui.events.natster import NATSTER, EventType
from natster_tui.store.connection.link import Link
from natster_tui.store.log import Append, EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.settings.connection import ConnectionSettings
from tests.cli.program import Program
from tests.conftest import until
from tests.faults.checker import checkpoint_in, plain_client
from tests.jetstream import ask_jetstream
from tests.making_logs import context, event
from tests.real_server import RealServer

SOON_S = 2.0
"""Within so many seconds what went wrong must be said (I6), and a restarted server used again."""

_ACCOUNTS = ", ".join(
    f"a{i} {{ jetstream: enabled, users: [{{user: u{i:03}, password: p{i}}}] }}" for i in range(3)
)
FEW_ACCOUNTS = f"accounts {{ {_ACCOUNTS} }}"


def story(first: int, count: int, people: int = 60) -> Iterator[Append]:
    """Events number `first` and so many after: shares and their ends, and every ninth no event.

    Each is what its number makes it. What one event does to a document depends on the ones
    before, so that a lost, doubled or displaced event shows; the unprocessable ones are counted
    in the checkpoint, where the same shows at once.
    """
    for number in range(first, first + count):
        draw = Random(number)
        one, other = draw.sample(range(people), 2)
        origin, target = f"A{one:05}", f"A{other:05}"
        catalog = f"c{one}-{draw.randrange(3)}"
        headers = ((MESSAGE_ID, f"e{number}"),)
        if number % 9 == 8:
            yield event("unheard_of", origin, target, catalog, b"", *headers)
            continue
        kind = draw.choice(
            [EventType.SHARED] * 4
            + [EventType.UNSHARED] * 2
            + [EventType.IMPORTED, EventType.INITIALIZED, EventType.CONTEXT_BOUND]
        )
        match kind:
            case EventType.INITIALIZED:
                payload = json.dumps({"account_name": f"Name {number}"}).encode()
                yield event(kind, origin, "none", "none", payload, *headers)
            case EventType.CONTEXT_BOUND:
                bound = context(f"github|{number}", user_id=str(number))
                yield event(kind, origin, "none", "none", bound, *headers)
            case EventType.IMPORTED:
                yield event(kind, target, origin, catalog, b"", *headers)
            case _:
                yield event(kind, origin, target, catalog, b"", *headers)


async def tell(settings: ConnectionSettings, first: int, count: int, people: int = 60) -> int:
    """Append a part of the story to the log, which is made if missing; returns the head."""
    link = await Link.open(settings)
    try:
        log = await open_or_make(link)
        await log.append_all(list(story(first, count, people)), expected_last=None)
        return (await log.refresh()).last_seq
    finally:
        await link.close()


async def open_or_make(link: Link, log_settings: LogSettings | None = None) -> EventLog:
    names = (await ask_jetstream(link, "STREAM.NAMES")).get("streams") or []
    if NATSTER.stream in names:
        return await EventLog.open(link, NATSTER)
    return await EventLog.create(link, NATSTER, log_settings or LogSettings())


@asynccontextmanager
async def own_server(directory: Path, extra: str = FEW_ACCOUNTS) -> AsyncIterator[RealServer]:
    """A server that a test may kill."""
    server = RealServer(directory, extra=extra)
    await asyncio.to_thread(server.start)
    try:
        yield server
    finally:
        with suppress(ProcessLookupError, AssertionError):
            server.signal(signal.SIGCONT)
        await asyncio.to_thread(server.stop, signal.SIGKILL)


async def kill_and_restart(server: RealServer) -> float:
    """kill -9, and start again on the same store and port; returns when it was ready."""
    await asyncio.to_thread(server.stop, signal.SIGKILL)
    await asyncio.to_thread(server.start)
    return time.monotonic()


@asynccontextmanager
async def dashboard(
    settings: ConnectionSettings, *, read_only: bool = False
) -> AsyncIterator[Workspace]:
    """What runs behind a dashboard, in this process."""
    workspace = Workspace(
        NamedServer(settings), WorkspaceOptions(LogChoice(NATSTER, read_only=read_only))
    )
    task = asyncio.create_task(workspace.run())
    try:
        yield workspace
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def projectors(workspace: Workspace) -> list[Projector]:
    return list(workspace.projectors.values())


def are_at(workspace: Workspace, seq: int) -> bool:
    """Whether everything up to a sequence is committed, and the projectors go on from there."""
    return workspace.connection is Connection.CONNECTED and all(
        projector.status.stored == seq and projector.status.phase is Phase.PROJECTING
        for projector in projectors(workspace)
    )


def say(workspace: Workspace, *words: str) -> bool:
    """Whether some projector gives a reason that has all these words."""
    return any(
        all(word in projector.status.problem for word in words)
        for projector in projectors(workspace)
    )


async def took(condition: Callable[[], object], seconds: float = 15.0) -> float:
    """How long it takes until a condition holds."""
    began = time.monotonic()
    await until(condition, seconds)
    return time.monotonic() - began


class Running:
    """The program in a process of its own, and what it said."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: list[str] = []
        self._last: deque[str] = deque(maxlen=20)
        self._tasks = [
            asyncio.create_task(self._listen(stream)) for stream in (process.stdout, process.stderr)
        ]

    @property
    def pid(self) -> int:
        return self.process.pid

    async def _listen(self, stream: asyncio.StreamReader | None) -> None:
        assert stream is not None
        while line := await stream.readline():
            self.said.append(line.decode().rstrip())

    def has_said(self, *words: str) -> bool:
        return any(all(word in line for word in words) for line in self.said)

    async def kill(self) -> None:
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                self.process.kill()
        await self.process.wait()
        await asyncio.gather(*self._tasks)

    async def ended(self, seconds: float = 30) -> int:
        """Wait for its end, and return its exit code."""
        code = await asyncio.wait_for(self.process.wait(), seconds)
        await asyncio.gather(*self._tasks)
        return code


@asynccontextmanager
async def process(
    home: Path, settings: ConnectionSettings, *arguments: str, url: str = ""
) -> AsyncIterator[Running]:
    """`natster-tui` with these arguments; killed at the end if it still runs."""
    if url:
        settings = replace(settings, servers=(url,))
    running = Running(await Program(home).on(settings).start(*arguments))
    try:
        yield running
    finally:
        await running.kill()


async def stored_at(settings: ConnectionSettings, seq: int, seconds: float = 20.0) -> float:
    """Wait until both checkpoints are at a sequence, with a plain client; how long it took."""
    began = time.monotonic()
    async with plain_client(settings) as client:
        while True:
            positions = [
                await checkpoint_in(client, bucket) for bucket in ("PROJ_ACCOUNT", "PROJ_CATALOG")
            ]
            if all(at is not None and at["seq"] == seq and "rebuild" not in at for at in positions):
                return time.monotonic() - began
            if time.monotonic() - began > seconds:
                raise AssertionError(f"not at {seq:,} in time: {positions}")
            await asyncio.sleep(0.01)  # between two questions to the server
