"""Much traffic for long, with restarts and faults at random: nothing may grow, nothing be left.

A workspace in a process of its own, as `natster-tui demo --rate 2000` runs it but for the
screen. `NATSTER_ENDURANCE_S` and `NATSTER_ENDURANCE_SEED` set the length and the faults.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from natster_tui.engine.rebuilding.rebuild import Rebuild
from natster_tui.engine.rebuilding.scope import WholeProjections
from natster_tui.errors import ConflictError
from natster_tui.events.natster import NATSTER
from natster_tui.projections.registering.registry import PROJECTIONS
from natster_tui.store.connection.consumers import ConsumerInfo, list_consumers
from natster_tui.store.connection.link import Link
from natster_tui.store.lease import Lease, projecting
from natster_tui.store.log import EventLog
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.store.settings.secrets import revealed
from tests.conftest import until
from tests.jetstream import ask_jetstream
from tests.real_server import RealServer

RATE = 2_000
HISTORY = 21_000
"""More than the timeline keeps, so that its pages are full from the beginning."""

ROOT = Path(__file__).parents[2]
BACK_S = 20.0
LEASE_READABLE_S = 10.0
"""Three seconds to live, and five more until the server reports it."""
RSS_SLACK = 24 * 1024 * 1024
BYTES_PER_KEY = 6 * 1024
"""What an account or a catalog with its shares may need: the projections' own state may grow."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at the process. `keys` is how many documents it holds."""

    at: float
    rss: int
    files: int
    subscriptions: int
    tasks: int
    consumers: int
    keys: int


class Workspace:
    """The process, and what it last said of itself."""

    def __init__(self, process: asyncio.subprocess.Process, history: int) -> None:
        self.process = process
        self.history = history
        self.said: dict[str, Any] = {}
        self.samples: list[Sample] = []
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def start(cls, settings: ConnectionSettings, life: int, history: int) -> Workspace:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.endurance.headless", settings.servers[0]),
            *(
                str(settings.user),
                str(revealed(settings.password)),
                str(life),
                str(RATE),
                str(history),
            ),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        return cls(process, history)

    async def _listen(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.said = json.loads(line)

    @property
    def is_settled(self) -> bool:
        """Whether it is connected, projects, and has the timeline, the projectors and no more."""
        return (
            self.said.get("connection") == "connected"
            and self.said["phases"] == ["projecting", "projecting"]
            and self.said["head"] > self.history
        )

    def sample(self, consumers: int) -> None:
        process = Path("/proc") / str(self.process.pid)
        pages = int((process / "statm").read_text().split()[1])
        self.samples.append(
            Sample(
                time.monotonic(),
                pages * os.sysconf("SC_PAGE_SIZE"),
                len(list((process / "fd").iterdir())),
                self.said["subscriptions"],
                self.said["tasks"],
                consumers,
                self.said["keys"],
            )
        )

    async def end(self, sig: int) -> int:
        self.process.send_signal(sig)
        code = await self.process.wait()
        await self._listening
        return code


@asynccontextmanager
async def opened(settings: ConnectionSettings) -> AsyncIterator[EventLog]:
    link = await Link.open(settings)
    try:
        yield await EventLog.open(link, NATSTER)
    finally:
        await link.close()


async def consumers(settings: ConnectionSettings) -> list[ConsumerInfo]:
    """All consumers of all streams."""
    async with opened(settings) as log:
        names = (await ask_jetstream(log.link, "STREAM.NAMES"))["streams"]
        return [each for name in names for each in await list_consumers(log.link, name)]


# -- faults ------------------------------------------------------------------------------------


async def kill_server(server: RealServer, _settings: ConnectionSettings) -> None:
    await asyncio.to_thread(server.stop, signal.SIGKILL)
    await asyncio.to_thread(server.start)


async def restart_server(server: RealServer, _settings: ConnectionSettings) -> None:
    await asyncio.to_thread(server.stop)
    await asyncio.to_thread(server.start)


async def freeze_server(server: RealServer, settings: ConnectionSettings) -> None:
    """Until its clients have given it up; what they had asked is then done all the same."""
    link = await Link.open(settings)
    server.signal(signal.SIGSTOP)
    try:
        await asyncio.wait({link.lost}, timeout=BACK_S)
    finally:
        server.signal(signal.SIGCONT)
        await link.close()


async def delete_consumers(_server: RealServer, settings: ConnectionSettings) -> None:
    async with opened(settings) as log:
        for consumer in await list_consumers(log.link, NATSTER.stream):
            await ask_jetstream(log.link, f"CONSUMER.DELETE.{NATSTER.stream}.{consumer.name}")


async def take_lease_away(_server: RealServer, settings: ConnectionSettings) -> None:
    async with opened(settings) as log:
        for key in ("projector", "projector.account", "projector.catalog"):
            found = await Lease(log.link, key).read()
            if found.holder is not None:
                await Lease(log.link, key).remove(found.revision)


async def rebuild_beside_it(_server: RealServer, settings: ConnectionSettings) -> None:
    async with opened(settings) as log:
        rebuild = Rebuild(log, WholeProjections(PROJECTIONS), "beside")
        await rebuild.prepare()
        try:
            assert all(verdict.good for verdict in await rebuild.commit())
        except ConflictError as error:
            # Two thousand events a second may well be too quick for it; then it says so.
            assert "kept writing" in error.sentence  # noqa: PT017


FAULTS = (
    kill_server,
    restart_server,
    freeze_server,
    delete_consumers,
    take_lease_away,
    rebuild_beside_it,
)


# -- the run -----------------------------------------------------------------------------------


def flat(samples: list[Sample]) -> None:
    """The second half is like the first one, but for the documents that were added."""
    half = len(samples) // 2
    first, second = samples[:half], samples[half:]

    def middle(part: list[Sample], name: str) -> float:
        return float(median(getattr(sample, name) for sample in part))

    for name in ("files", "subscriptions", "consumers"):
        assert middle(second, name) <= middle(first, name), (name, samples)
        assert max(getattr(sample, name) for sample in second) <= middle(first, name) + 4, name
    assert min(each.tasks for each in second) <= min(each.tasks for each in first) + 4
    grown = middle(second, "rss") - middle(first, "rss")
    added = middle(second, "keys") - middle(first, "keys")
    assert grown <= RSS_SLACK + added * BYTES_PER_KEY, (grown, added)


async def endure(
    directory: Path, seconds: float, seed: int, every: tuple[float, float], history: int
) -> None:
    draw = random.Random(seed)
    server = RealServer(directory)
    server.start()
    settings = server.new_account()
    done: Counter[str] = Counter()
    workspace = await Workspace.start(settings, 1, history)
    try:
        await until(lambda: workspace.is_settled, BACK_S)
        # Killed once, early: its second life is the one that is measured.
        await workspace.end(signal.SIGKILL)
        workspace = await Workspace.start(settings, 2, history)
        await until(lambda: workspace.is_settled, BACK_S)
        ends = time.monotonic() + seconds
        order = list(FAULTS)
        draw.shuffle(order)
        while time.monotonic() < ends:
            fault = order[sum(done.values()) % len(order)]
            await fault(server, settings)
            done[fault.__name__] += 1
            quiet_until = time.monotonic() + draw.uniform(*every)
            while time.monotonic() < quiet_until:
                said = workspace.said
                await until(lambda: workspace.said is not said, BACK_S)  # noqa: B023 - used at once
                if workspace.process.returncode is not None:
                    raise AssertionError("the workspace ended by itself")
            await until(lambda: workspace.is_settled, BACK_S)
            workspace.sample(len(await consumers(settings)))
        workspace.process.send_signal(signal.SIGUSR1)
        await until(lambda: workspace.said["traffic_ended"], BACK_S)
        async with opened(settings) as log:
            head = log.info.last_seq
        await until(lambda: set(workspace.said["stored"]) == {head}, BACK_S)
        instance = workspace.said["instance"]
        assert await workspace.end(signal.SIGTERM) == 0
        left = await consumers(settings)
        assert [consumer.name for consumer in left if instance in consumer.name] == [], done
        # What was killed could not tidy up; the server does that for it.
        deadline = time.monotonic() + 40
        while left and time.monotonic() < deadline:
            left = await consumers(settings)
        assert left == []
        async with opened(settings) as log:
            assert (await log.refresh()).last_seq == head
            verdicts = await Rebuild(log, WholeProjections(PROJECTIONS), "check").verify()
            assert [(verdict.good, verdict.seq) for verdict in verdicts] == [(True, head)] * 2
            # Right after a server's restart an entry that ran out may be readable a while longer.
            deadline = time.monotonic() + LEASE_READABLE_S
            held = await projecting(log.link, "account")
            while held is not None and time.monotonic() < deadline:
                held = await projecting(log.link, "account")
            assert held is None
        flat(workspace.samples)
        told = workspace.samples[0], workspace.samples[-1]
        print(f"{head:,} events, seed {seed}, faults {dict(done)}, first and last look: {told}")
    finally:
        if workspace.process.returncode is None:
            await workspace.end(signal.SIGKILL)
        server.stop(signal.SIGKILL)


@pytest.mark.timeout(110)
@pytest.mark.full
async def test_a_short_while(tmp_path: Path) -> None:
    await endure(tmp_path, 8, 7, (0.5, 1.0), 3_000)


@pytest.mark.full
@pytest.mark.timeout(2400)
async def test_ten_minutes(tmp_path: Path) -> None:
    seconds = float(os.environ.get("NATSTER_ENDURANCE_S", "600"))
    seed = int(os.environ.get("NATSTER_ENDURANCE_SEED", "20261"))
    await endure(tmp_path, seconds, seed, (2.0, 12.0), HISTORY)
