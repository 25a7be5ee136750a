"""The running dashboard, in a real terminal: how soon it shows what happens, and what it costs."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory

from natster_tui.events.event import MESSAGE_ID
from natster_tui.events.natster import NATSTER, EventType
from natster_tui.projections.api import CHECKPOINT_KEY
from natster_tui.projections.checkpoint import decode_checkpoint
from natster_tui.projections.registering.registry import ACCOUNTS
from natster_tui.store.bucket import Bucket
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.provisioning.maker import BucketMaker
from natster_tui.store.reading.stream_reader import StreamReader
from natster_tui.store.settings.connection import ConnectionSettings
from tests.benchmarks.community import Community
from tests.benchmarks.figures import Figure, OnFigure
from tests.benchmarks.measuring import cpu_seconds
from tests.benchmarks.replay_figures import loaded
from tests.benchmarks.screen_figures import page_ms
from tests.cli.program import Program
from tests.cli.terminal import take_terminal
from tests.jetstream import ask_jetstream

_COLUMNS, _ROWS = 140, 40
_ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")
_SEQUENCE = re.compile(rb"\d{1,3}(?:,\d{3})+")
_TICK_S = 0.01
_KEYS = 60
_KEY_EVERY_S = 0.15
_PAGES = 100
_BATCHES, _ENTRIES, _DOCUMENT = 300, 12, 3_000
"""Commits, documents in each, and bytes in each: as at 500 events a second."""


class Screen:
    """The program in a pseudo-terminal; what it writes, and when."""

    def __init__(self, program: Program, *arguments: str) -> None:
        self.began = time.perf_counter()
        self.frames: list[tuple[float, bytes]] = []
        self._written = asyncio.Event()
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
        root = str(Path(__file__).parents[2])
        self.process = subprocess.Popen(
            program.command(*arguments),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=program.environment | {"TERM": "xterm-256color", "PYTHONPATH": root},
            cwd=program.home,
            start_new_session=True,
            preexec_fn=take_terminal,
        )
        os.close(theirs)
        asyncio.get_running_loop().add_reader(self._ours, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self._ours, 1 << 20)
        except OSError:  # the program has ended
            asyncio.get_running_loop().remove_reader(self._ours)
            return
        self.frames.append((time.perf_counter(), data))
        self._written.set()

    def press(self, key: str) -> None:
        os.write(self._ours, key.encode())

    async def next_frame(self, seconds: float) -> float | None:
        """When something was next written, None if nothing was for so long."""
        self._written.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._written.wait()
        except TimeoutError:
            return None
        return self.frames[-1][0]

    async def until(self, text: str, seconds: float = 60.0) -> float:
        """When a text was first written, in seconds since the command."""
        seen = 0
        wanted = text.encode()
        while True:
            for at, data in self.frames[seen:]:
                if wanted in _ESCAPES.sub(b"", data):
                    return at - self.began
            seen = len(self.frames)
            if await self.next_frame(seconds) is None or self.process.poll() is not None:
                raise RuntimeError(f"{text!r} never came")

    async def close(self) -> None:
        self.process.terminate()
        try:
            # Read on: a program that cannot write does not come to its end.
            await asyncio.to_thread(self.process.wait, 20)
        finally:
            self.process.kill()
            asyncio.get_running_loop().remove_reader(self._ours)
            os.close(self._ours)


@asynccontextmanager
async def screen(home: Path, *options: str) -> AsyncIterator[Screen]:
    shown = Screen(Program(home, options))
    try:
        yield shown
    finally:
        await shown.close()


@asynccontextmanager
async def headless(home: Path, *options: str) -> AsyncIterator[int]:
    """The id of a process that projects without a screen."""
    program = Program(home, options)
    process = await asyncio.create_subprocess_exec(
        *program.command("project"),
        env=program.environment,
        cwd=home,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process.pid
    finally:
        process.terminate()
        await process.wait()


async def measure_start(community: Community, rounds: int, tell: OnFigure) -> None:
    """From the command to the first paint with an empty embedded server, and to projecting."""
    painted = []
    for _ in range(rounds):
        with TemporaryDirectory(prefix="natster-benchmark-") as name:
            async with screen(Path(name), "--data-dir", f"{name}/store") as shown:
                painted.append(await shown.until("Timeline"))
    tell(
        Figure(
            "command to first paint, embedded server included",
            median(painted), " s", 0.5, details={"seconds": painted},
        )
    )  # fmt: skip
    short = Community(community.accounts * 5, community.accounts)
    for about in (short, community):
        started = []
        async with loaded(about, sealed=False) as whole:
            await whole.cost("rebuild")
            for _ in range(rounds):
                with TemporaryDirectory(prefix="natster-benchmark-") as name:
                    async with screen(Path(name), "--server", whole.server.url) as shown:
                        started.append(await shown.until("projecting"))
        tell(
            Figure(
                f"command to projecting from a checkpoint, {about.name}",
                median(started), " s", 1.0, details={"seconds": started},
            )
        )  # fmt: skip


async def measure_live(community: Community, seconds: float, tell: OnFigure) -> None:
    """A dashboard that projects, while nothing, 500 and 5,000 events a second come in."""
    async with loaded(community, sealed=False) as whole:
        settings = ConnectionSettings(servers=(whole.server.url,), origin="flags")
        link = await Link.open(settings)
        try:
            log = await EventLog.open(link, NATSTER)
            await _measure_pages(log, tell)
            await _measure_batches(link, tell)
            await whole.cost("rebuild")
            with TemporaryDirectory(prefix="natster-benchmark-") as name:
                async with headless(Path(name), "--server", whole.server.url) as pid:
                    await _measure_traffic(
                        _Watched(pid), log, community, 1, 1, lambda _figure: None
                    )
                    for rate in (500, 5_000):
                        await _measure_traffic(_Watched(pid), log, community, rate, seconds, tell)
            with TemporaryDirectory(prefix="natster-benchmark-") as name:
                async with screen(Path(name), "--server", whole.server.url) as shown:
                    await shown.until("projecting")
                    # One event through and through: the lease is held, everything is running.
                    traffic = _Watched(shown.process.pid, shown)
                    await _measure_traffic(traffic, log, community, 1, 1, lambda _figure: None)
                    await _measure_idle(shown, seconds, tell)
                    await _measure_keys(shown, tell)
                    for rate in (500, 5_000):
                        await _measure_traffic(traffic, log, community, rate, seconds, tell)
        finally:
            await link.close()


async def _measure_pages(log: EventLog, tell: OnFigure) -> None:
    draw = Random(1)
    times = [await page_ms(log, draw.randint(1, log.info.last_seq - 99)) for _ in range(_PAGES)]
    tell(Figure("a page of 100 events at any sequence, p50", median(times), " ms", 10))


async def _measure_batches(link: Link, tell: OnFigure) -> None:
    """How long the server takes for a commit while it has nothing else to do."""
    bucket = Bucket(link, "ALONE", "benchmark")
    await bucket.create(BucketMaker(link))
    document = b"x" * _DOCUMENT
    times, revision = [], 0
    for number in range(_BATCHES):
        changes = {f"k{number * 7 % 500 + each}": document for each in range(_ENTRIES)}
        began = time.perf_counter()
        revision = await bucket.commit(changes, b"{}", revision)
        times.append((time.perf_counter() - began) * 1e3)
    await ask_jetstream(link, "STREAM.DELETE.KV_ALONE")
    about = f"one commit of {_ENTRIES} documents, nothing else running"
    for share in (50, 99):
        tell(Figure(f"{about}, p{share}", _percentile(times, share), " ms"))


async def _measure_idle(shown: Screen, seconds: float, tell: OnFigure) -> None:
    before = cpu_seconds(shown.process.pid)
    await asyncio.sleep(seconds)
    used = cpu_seconds(shown.process.pid) - before
    tell(Figure("dashboard, nothing comes in: CPU of a core", used / seconds * 100, " %", 2))


async def _measure_keys(shown: Screen, tell: OnFigure) -> None:
    """The cursor down and up again, and from pane to pane: each key changes what is painted."""
    shown.press("gg")
    await shown.next_frame(2)
    for what, keys in (("key press", "jk"), ("key for another pane", "2341")):
        times = []
        for key in islice(cycle(keys), _KEYS):
            while await shown.next_frame(_KEY_EVERY_S) is not None:
                pass  # what is still being painted is of another cause
            began = time.perf_counter()
            shown.press(key)
            at = await shown.next_frame(2)
            if at is not None:
                times.append((at - began) * 1e3)
        value = _percentile(times, 95)
        tell(Figure(f"{what} to painted, p95", value, " ms", 50, details={"ms": times}))
    shown.press("G")


@dataclass(frozen=True, slots=True)
class _Watched:
    """The program whose traffic is measured: a process, and its screen if it has one."""

    pid: int
    shown: Screen | None = None

    def wanted(self, what: str, rate: int, share: int) -> float | None:
        """The most milliseconds that something may take."""
        if what == "painted":
            return 60 if (rate, share) == (500, 99) else None
        slowest = 15 if self.shown is None else 20
        return {(500, 99): slowest, (5_000, 50): 25}.get((rate, share))


async def _measure_traffic(
    program: _Watched, log: EventLog, community: Community, rate: int, seconds: float,
    tell: OnFigure,
) -> None:  # fmt: skip
    head = (await log.refresh()).last_seq
    published: list[float] = []
    latencies: dict[str, list[float]] = {"committed": []}
    frames = 0 if program.shown is None else len(program.shown.frames)
    count = int(rate * seconds)
    watching = asyncio.create_task(
        _watch_commits(log.link, head, count, published, latencies["committed"])
    )
    before, began = cpu_seconds(program.pid), time.perf_counter()
    try:
        await _publish(log.link, community, head, rate, count, published)
        used = cpu_seconds(program.pid) - before
        took = time.perf_counter() - began
        async with asyncio.timeout(60):
            await watching
            if program.shown is not None:
                latencies["painted"] = await _painted(program.shown, frames, head, published)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    name, most = "headless", None
    if program.shown is not None:
        name, most = "dashboard", {500: 20.0, 5_000: 25.0}.get(rate)
    about = f"{name}, {rate:,} events/s"
    tell(Figure(f"{about}: CPU of a core", used / took * 100, " %", most))
    for what, times in latencies.items():
        for share in (50, 99):
            wanted = program.wanted(what, rate, share)
            value = _percentile(times, share) * 1e3
            tell(Figure(f"{about}: publish to {what}, p{share}", value, " ms", wanted))


async def _publish(
    link: Link, community: Community, head: int, rate: int, count: int, published: list[float]
) -> None:
    """Shares and unshares between the community's accounts, evenly."""
    keys, draw = community.keys(), Random(head)
    began = time.perf_counter()
    while len(published) < count:
        due = int((time.perf_counter() - began) * rate)
        for number in range(len(published), min(count, due)):
            owner, other = draw.sample(keys, 2)
            kind = EventType.UNSHARED if draw.random() < 0.3 else EventType.SHARED
            published.append(time.perf_counter())
            subject = NATSTER.subject_of(kind, owner, other, f"live-{draw.randrange(500)}")
            message_id = f"live-{head}-{number}"
            await link.publish(link.target.stored(subject), b"null", {MESSAGE_ID: message_id})
        await asyncio.sleep(_TICK_S)
    await link.client.flush()


async def _watch_commits(
    link: Link, head: int, count: int, published: list[float], committed: list[float]
) -> None:
    """When each event's effect on the accounts could first be read."""
    key = f"$KV.{ACCOUNTS.bucket}.{CHECKPOINT_KEY}"
    stream = f"KV_{ACCOUNTS.bucket}"
    last = int((await ask_jetstream(link, f"STREAM.INFO.{stream}"))["state"]["last_seq"])
    async with (
        StreamReader(link, stream, last + 1, purpose="commits", instance="benchmark") as reader,
        aclosing(reader.batches()) as batches,
    ):
        async for batch in batches:
            now = time.perf_counter()
            for record in batch:
                if record.subject == key:
                    upto = min(decode_checkpoint(record.payload).seq - head, len(published))
                    committed += [now - published[at] for at in range(len(committed), upto)]
                    if len(committed) == upto >= count:
                        return


async def _painted(shown: Screen, first: int, head: int, published: list[float]) -> list[float]:
    """How long after its publishing each event, or one that came after it, was on the screen.

    Looks at the frames from `first` on, and waits until the last event is there.
    """
    latencies: list[float] = []
    while len(latencies) < len(published):
        for at, data in shown.frames[first:]:
            numbers = _SEQUENCE.findall(_ESCAPES.sub(b" ", data))
            painted = [int(number.replace(b",", b"")) - head for number in numbers]
            upto = max((each for each in painted if 0 < each <= len(published)), default=0)
            latencies += [at - published[number] for number in range(len(latencies), upto)]
        first = len(shown.frames)
        await shown.next_frame(1)
    return latencies


def _percentile(values: list[float], share: int) -> float:
    if not values:
        raise RuntimeError("nothing was seen")
    return sorted(values)[min(len(values) - 1, len(values) * share // 100)]
