"""Rebuilding against the two yardsticks, and how its cost grows with the log and the accounts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from natster_tui.domain.projections import PROJECTIONS
from natster_tui.errors import ApiError
from natster_tui.store.api_codes import STREAM_NOT_FOUND
from natster_tui.store.connection_settings import ConnectionSettings
from natster_tui.store.link import Link
from tests.benchmarks.community import Community
from tests.benchmarks.figures import Figure, OnFigure
from tests.benchmarks.loading import load
from tests.benchmarks.measuring import Cost, in_process, middle
from tests.real_server import RealServer

MIB = 1024 * 1024
_SMALL = 200
"""Accounts in the per-event design's log: with more, its documents and its cost only grow."""


@asynccontextmanager
async def server_with(community: Community) -> AsyncIterator[tuple[RealServer, int]]:
    """A server of its own that holds the community's log, and its process id."""
    with TemporaryDirectory(prefix="natster-benchmark-") as directory:
        server = RealServer(Path(directory), extra="# one account, nobody to tell apart\n")
        server.start()
        try:
            link = await Link.open(ConnectionSettings(servers=(server.url,), origin="flags"))
            try:
                await load(link, community)
            finally:
                await link.close()
            yield server, server.pid
        finally:
            server.stop()


async def measure_rebuild(
    community: Community, naive_events: int, rounds: int, tell: OnFigure
) -> None:
    """The rebuild, the do-nothing reader and the per-event design, in turns."""
    naive: list[Cost] = []
    nothing: list[Cost] = []
    read: list[Cost] = []
    rebuilt: list[Cost] = []
    small = Community(naive_events, min(_SMALL, community.accounts), hub=False)
    async with server_with(community) as (server, pid), server_with(small) as (other, other_pid):
        last = str(community.events)
        for _ in range(rounds):
            naive.append(await in_process(other_pid, "naive", other.url, str(naive_events)))
            nothing.append(await in_process(pid, "nothing", server.url, last))
            read.append(await in_process(pid, "read", server.url, last))
            await remove_buckets(server.url)
            rebuilt.append(await in_process(pid, "rebuild", server.url, last))
    details = {
        name: asdict(middle(costs))
        for name, costs in (
            ("naive", naive), ("nothing", nothing), ("read", read), ("rebuild", rebuilt)
        )
    }  # fmt: skip
    where = f"rebuild, {community.name}"
    tell(
        Figure(
            f"{where}: times the per-event design",
            _ratio(rebuilt, naive), "×", 150, at_least=True, details=details,
        )
    )  # fmt: skip
    tell(
        Figure(
            f"{where}: times reading with nats-py and doing nothing",
            _ratio(rebuilt, nothing), "×", 0.6, at_least=True,
        )
    )  # fmt: skip
    tell(Figure("our reading alone: times the same", _ratio(read, nothing), "×"))
    for name, costs in (("rebuild", rebuilt), ("our reading alone", read), ("nats-py", nothing)):
        cost = middle(costs)
        tell(Figure(f"{name}: events per second", cost.rate, "/s"))
        tell(Figure(f"{name}: CPU per event, ours", cost.cpu_us, " µs"))
        tell(Figure(f"{name}: CPU per event, server", cost.server_cpu_us, " µs"))
    tell(Figure("per-event design: events per second", middle(naive).rate, "/s"))
    tell(Figure("rebuild: peak memory", middle(rebuilt).peak_bytes / MIB, " MiB", 1024))


async def measure_growth(
    communities: list[Community], rounds: int, tell: OnFigure, wanted: float | None
) -> None:
    """The cost of an event in each community's log against that in the first one's, in turns."""
    costs: list[list[Cost]] = [[] for _ in communities]
    async with server_with_all(communities) as servers:
        for _ in range(rounds):
            for (server, pid), community, mine in zip(servers, communities, costs, strict=True):
                await remove_buckets(server.url)
                mine.append(await in_process(pid, "rebuild", server.url, str(community.events)))
    for community, mine in zip(communities, costs, strict=True):
        cost = middle(mine)
        details = asdict(cost)
        tell(
            Figure(
                f"rebuild, {community.name}: cost of an event, times the first",
                1 / _ratio(mine, costs[0]), "×", wanted, details=details,
            )
        )  # fmt: skip
        tell(Figure(f"rebuild, {community.name}: CPU per event, ours", cost.cpu_us, " µs"))
        tell(Figure(f"rebuild, {community.name}: peak memory", cost.peak_bytes / MIB, " MiB", 1024))
        tell(
            Figure(
                f"rebuild, {community.name}: longest pause of the garbage collector",
                cost.pause * 1e3,
                " ms",
            )
        )


@asynccontextmanager
async def server_with_all(
    communities: list[Community],
) -> AsyncIterator[list[tuple[RealServer, int]]]:
    """A server for each."""
    if not communities:
        yield []
        return
    async with server_with(communities[0]) as first, server_with_all(communities[1:]) as rest:
        yield [first, *rest]


async def remove_buckets(url: str) -> None:
    """Leave nothing of the projections, so that a rebuild writes every document."""
    link = await Link.open(ConnectionSettings(servers=(url,), origin="flags"))
    try:
        for projection in PROJECTIONS:
            try:
                await link.api(f"STREAM.DELETE.KV_{projection.bucket}", timeout=30.0)
            except ApiError as error:
                if error.code != STREAM_NOT_FOUND:
                    raise
    finally:
        await link.close()


def _ratio(ours: list[Cost], theirs: list[Cost]) -> float:
    """How many times as many events per second, the median of the rounds."""
    return median(mine.rate / yours.rate for mine, yours in zip(ours, theirs, strict=True))
