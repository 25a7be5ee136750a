"""What a piece of work costs: wall time, our CPU time, the server's, and memory at its peak."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import resource
import sys
import time
from collections.abc import Awaitable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

_ROOT = Path(__file__).parents[2]
_TICKS = os.sysconf("SC_CLK_TCK")
_PEAK = "VmHWM:"


@dataclass(frozen=True, slots=True)
class Cost:
    """Of `events` events: seconds by the clock, of our CPU and of the server's, and peak bytes.

    `pause` is the garbage collector's longest pause in seconds. Of a rebuild, `replay` is the part
    of `wall` that went by until the log was read, and `documents` how many were written then.
    """

    events: int
    wall: float
    cpu: float
    server_cpu: float = 0.0
    peak_bytes: int = 0
    pause: float = 0.0
    replay: float = 0.0
    documents: int = 0

    @property
    def event_us(self) -> float:
        """Microseconds for each event until the log was read."""
        return self.replay / self.events * 1e6

    @property
    def document_us(self) -> float:
        """Microseconds for each document from then on: compared, written, read back."""
        return (self.wall - self.replay) / max(self.documents, 1) * 1e6

    @property
    def rate(self) -> float:
        """Events per second."""
        return self.events / self.wall

    @property
    def cpu_us(self) -> float:
        """Our CPU microseconds per event."""
        return self.cpu / self.events * 1e6

    @property
    def server_cpu_us(self) -> float:
        """The server's CPU microseconds per event."""
        return self.server_cpu / self.events * 1e6


def cpu_seconds(pid: int) -> float:
    """CPU seconds that a process has used so far, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def peak_bytes() -> int:
    """The most memory that this process has had at a time (the kernel's high-water mark)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(_PEAK):
            return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def resident_mib() -> float:
    """What this process holds in memory now."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


async def cost_of(work: Awaitable[int]) -> Cost:
    """Do some work, which returns the number of events it was about, and say what it cost us."""
    pauses = [0.0]
    started = 0.0

    def note(phase: str, _about: dict[str, int]) -> None:
        nonlocal started
        if phase == "start":
            started = time.perf_counter()
        else:
            pauses.append(time.perf_counter() - started)

    gc.callbacks.append(note)
    before, began = time.process_time(), time.perf_counter()
    events = await work
    wall, cpu = time.perf_counter() - began, time.process_time() - before
    gc.callbacks.remove(note)
    return Cost(events, wall, cpu, 0.0, peak_bytes(), max(pauses))


async def in_process(server_pid: int, task: str, *arguments: str) -> Cost:
    """The cost of one of the worker's tasks, in a process of its own."""
    before = cpu_seconds(server_pid)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.benchmarks.worker", task, *arguments),
        cwd=_ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{task} failed with {process.returncode}")
    fields: dict[str, Any] = json.loads(said)
    return Cost(**{**fields, "server_cpu": cpu_seconds(server_pid) - before})


def say(cost: Cost) -> None:
    """How a worker tells its cost."""
    print(json.dumps(asdict(cost)), flush=True)


def middle(costs: list[Cost]) -> Cost:
    """The median of each figure of several rounds."""
    names = ("wall", "cpu", "server_cpu", "peak_bytes", "pause", "replay")
    medians = {name: median(getattr(cost, name) for cost in costs) for name in names}
    return replace(costs[0], **medians)
