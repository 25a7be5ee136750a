"""What a person at the screen notices: pages of a long log, and keys while events pour in."""

from __future__ import annotations

import asyncio
import gc
import random
import sys
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory

from natster_tui.engine.log.follower import LogFollower
from natster_tui.events.natster import NATSTER
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.settings.connection import ConnectionSettings
from tests.benchmarks.community import Community
from tests.benchmarks.figures import Figure, OnFigure
from tests.benchmarks.measuring import resident_mib
from tests.benchmarks.replay_figures import loaded
from tests.cli.program import Program
from tests.cli.terminal import Terminal

_PAGES = 200
_PLACES = 500
_KEYS = 20
_CHUNK = 0.02
"""Seconds of events that the flood sends at a time."""


@asynccontextmanager
async def _log_at(url: str) -> AsyncIterator[EventLog]:
    link = await Link.open(ConnectionSettings(servers=(url,), origin="flags"))
    try:
        yield await EventLog.open(link, NATSTER)
    finally:
        await link.close()


def _middle(values: list[float], share: float) -> float:
    return sorted(values)[int(share * (len(values) - 1))]


async def page_ms(log: EventLog, first: int) -> float:
    """Milliseconds for the hundred events from a sequence on."""
    began = time.perf_counter()
    async with aclosing(log.records(first, first + 99, purpose="page", instance="b")) as batches:
        async for _batch in batches:
            pass
    return (time.perf_counter() - began) * 1_000


async def measure_pages(community: Community, tell: OnFigure) -> None:
    """Pages of 100 anywhere in the log, and scrolling to many places of it."""
    draw = random.Random(1)
    where = f"pages, {community.events:,} events"
    async with loaded(community, sealed=False) as whole, _log_at(whole.server.url) as log:
        anywhere, behind = [], []
        for _ in range(_PAGES):
            first = draw.randint(1, max(1, community.events - 199))
            anywhere.append(await page_ms(log, first))
            # The server has its block of the log in memory now.
            behind.append(await page_ms(log, first + 100))
        for what, times in (("at any sequence", anywhere), ("right behind", behind)):
            about = f"{where}: 100 events {what}"
            tell(Figure(f"{about}, p50", _middle(times, 0.5), " ms", 10))
            tell(Figure(f"{about}, p95", _middle(times, 0.95), " ms"))
        rung = asyncio.Event()
        follower = LogFollower("b", rung.set)
        following = asyncio.create_task(follower.run(log))
        while follower.head < community.events:
            # Nothing can be wanted of a log whose end is not known yet.
            rung.clear()
            await rung.wait()
        gc.collect()
        before = resident_mib()
        try:
            for _ in range(_PLACES):
                seq = draw.randint(1, community.events)
                follower.want(seq, seq + 40)
                while follower.get(seq) is None:
                    rung.clear()
                    await rung.wait()
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
        gc.collect()
        tell(Figure(f"{where}: memory of {_PLACES} places", resident_mib() - before, " MiB", 150))


async def measure_burst(community: Community, rate: int, tell: OnFigure) -> None:
    """From a key to its echo, in a real terminal, at rest and while events pour in."""
    async with loaded(community, sealed=False) as whole:
        url = whole.server.url
        with TemporaryDirectory(prefix="natster-benchmark-") as home:
            program = Program(Path(home), ("--server", url))
            async with Terminal(program, from_nothing=True) as terminal, _log_at(url) as log:
                await terminal.wait_for("projecting", "in sync", seconds=300)
                tell(_echo_figure(await _echoes(terminal), "at rest"))
                flood = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "tests.benchmarks.screen_figures", url, str(rate)
                )
                try:
                    before, began = (await log.refresh()).last_seq, time.monotonic()
                    echoes = await _echoes(terminal)
                    came = (await log.refresh()).last_seq - before
                finally:
                    flood.kill()
                    await flood.wait()
                told = f"while {came / (time.monotonic() - began):,.0f} events/s come in"
                tell(_echo_figure(echoes, told))


def _echo_figure(echoes: list[float], when: str) -> Figure:
    return Figure(f"key to painted {when}, p95", _middle(echoes, 0.95), " ms", 50)


async def _echoes(terminal: Terminal) -> list[float]:
    """Milliseconds from each of many keys to its letter in the prompt."""
    times = []
    terminal.press(":")
    await terminal.wait_for("go to: a sequence", seconds=60)
    typed = "zx"  # not to be mistaken for anything else that is on the screen
    terminal.press(typed)
    for key in islice(cycle("qzx"), _KEYS):
        typed += key
        await asyncio.sleep(0.05)
        began = time.perf_counter()
        terminal.press(key)
        await terminal.wait_for(f"{typed} ", seconds=60)
        times.append((time.perf_counter() - began) * 1_000)
    terminal.press("\x1b")
    await terminal.wait_for("Timeline", gone=typed, seconds=60)
    return times


async def flood(url: str, rate: int) -> None:
    """Publish for ever, `rate` events a second, or as many as the server takes."""
    link = await Link.open(ConnectionSettings(servers=(url,), origin="flags"))
    story = Community(1_000_000_000, 200, seed=2).story()
    due = time.monotonic()
    while True:
        for subject, payload in islice(story, int(rate * _CHUNK)):
            await link.publish(link.target.stored(subject), payload)
        await link.client.flush()
        due += _CHUNK
        await asyncio.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    asyncio.run(flood(sys.argv[1], int(sys.argv[2])))
