"""Rebuilding against the two yardsticks, and how its cost grows with the log and the accounts."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from natster_tui.errors import ApiError
from natster_tui.projections.registering.registry import PROJECTIONS
from natster_tui.store.connection.api_codes import STREAM_NOT_FOUND
from natster_tui.store.connection.link import Link
from natster_tui.store.sealing.choice import SealingChoice
from natster_tui.store.settings.connection import ConnectionSettings
from tests.benchmarks.community import Community
from tests.benchmarks.figures import Figure, OnFigure
from tests.benchmarks.loading import load
from tests.benchmarks.measuring import Cost, in_process, middle
from tests.jetstream import ask_jetstream
from tests.projections.activity import ActivityProjection
from tests.real_server import RealServer

MIB = 1024 * 1024
MANY_ACCOUNTS = 100_000
PEAK_MIB = 600
"""The most that a rebuild may hold, with that many accounts, one of which shares with all."""
SEALED, UNSEALED = 0.9, 1.0
"""How fast a rebuild should be, times reading the same log with nats-py and doing nothing."""
EVENT, DOCUMENT = "an event", "a document"
FLAT = 1.2
"""How much more an event or a document may cost in a log that is larger in either."""
_SMALL = 200
"""Accounts in the per-event design's log: with more, its documents and its cost only grow."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A server of its own that holds a community's log; with a key file it is sealed."""

    community: Community
    server: RealServer
    key_file: Path | None

    async def cost(self, task: str) -> Cost:
        """The cost of one of the worker's tasks on the whole log."""
        if task not in ("nothing", "naive", "read", "try"):
            await remove_buckets(self.server.url)
        keys = () if self.key_file is None else (str(self.key_file),)
        last = str(self.community.events)
        return await in_process(self.server.pid, task, self.server.url, last, *keys)


@asynccontextmanager
async def loaded(community: Community, *, sealed: bool) -> AsyncIterator[Loaded]:
    """A server with the community's log on it."""
    with TemporaryDirectory(prefix="natster-benchmark-") as name:
        directory = Path(name)
        key_file = directory / "keys" / "keys.json" if sealed else None
        server = RealServer(directory, extra="# one account without users\n")
        server.start()
        try:
            link = await Link.open(ConnectionSettings(servers=(server.url,), origin="flags"))
            try:
                await load(link, community, SealingChoice(sealed, key_file, is_named=True))
            finally:
                await link.close()
            yield Loaded(community, server, key_file)
        finally:
            # What it holds is thrown away, so it need not be stored on the way out.
            server.stop(signal.SIGKILL)


async def measure_rebuild(
    community: Community, naive_events: int, rounds: int, tell: OnFigure, *, sealed: bool
) -> None:
    """The rebuild, the do-nothing reader and the per-event design, in turns."""
    naive: list[Cost] = []
    nothing: list[Cost] = []
    read: list[Cost] = []
    rebuilt: list[Cost] = []
    small = Community(naive_events, min(_SMALL, community.accounts), hub=False)
    async with loaded(community, sealed=sealed) as whole, loaded(small, sealed=False) as other:
        for _ in range(rounds):
            naive.append(await other.cost("naive"))
            nothing.append(await whole.cost("nothing"))
            read.append(await whole.cost("read"))
            rebuilt.append(await whole.cost("rebuild"))
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
            _ratio(rebuilt, naive), "×", 140, at_least=True, details=details,
        )
    )  # fmt: skip
    tell(
        Figure(
            f"{where}: times reading with nats-py and doing nothing",
            _ratio(rebuilt, nothing), "×", SEALED if sealed else UNSEALED, at_least=True,
        )
    )  # fmt: skip
    tell(Figure("our reading alone: times the same", _ratio(read, nothing), "×"))
    for name, costs in (("rebuild", rebuilt), ("our reading alone", read), ("nats-py", nothing)):
        cost = middle(costs)
        tell(Figure(f"{name}: events per second", cost.rate, "/s"))
        tell(Figure(f"{name}: CPU per event, ours", cost.cpu_us, " µs"))
        tell(Figure(f"{name}: CPU per event, server", cost.server_cpu_us, " µs"))
    tell(Figure("per-event design: events per second", middle(naive).rate, "/s"))
    tell(Figure("rebuild: peak memory", middle(rebuilt).peak_bytes / MIB, " MiB", PEAK_MIB))


async def measure_sealing(community: Community, rounds: int, tell: OnFigure) -> None:
    """The same log, sealed and plain, and reading it with nats-py and doing nothing, in turns."""
    sealed: list[Cost] = []
    plain: list[Cost] = []
    nothing: list[Cost] = []
    async with loaded(community, sealed=True) as one, loaded(community, sealed=False) as other:
        for _ in range(rounds):
            sealed.append(await one.cost("rebuild"))
            plain.append(await other.cost("rebuild"))
            nothing.append(await other.cost("nothing"))
    costs = (("sealed", sealed), ("plain", plain), ("nothing", nothing))
    details = {name: asdict(middle(each)) for name, each in costs}
    where = f"rebuild, {community.name}"
    tell(
        Figure(
            f"{where}: unsealed, times reading with nats-py and doing nothing",
            _ratio(plain, nothing), "×", UNSEALED, at_least=True, details=details,
        )
    )  # fmt: skip
    tell(Figure(f"{where}: sealed, times the same unsealed", _ratio(sealed, plain), "×"))


async def measure_growth(
    communities: list[Community], rounds: int, tell: OnFigure, flat: str, *, sealed: bool
) -> None:
    """What an event and a document cost in each community's log, against the first, in turns.

    An event is read and folded; a document is compared, written and read back. `flat` is the one of
    the two that should not grow: with more accounts an event costs more, because more of them are
    bindings, which must be opened and read.
    """
    costs: list[list[Cost]] = [[] for _ in communities]
    async with AsyncExitStack() as stack:
        logs = [
            await stack.enter_async_context(loaded(community, sealed=sealed))
            for community in communities
        ]
        for _ in range(rounds):
            for log, mine in zip(logs, costs, strict=True):
                mine.append(await log.cost("rebuild"))
    for community, mine in zip(communities, costs, strict=True):
        cost, where = middle(mine), f"rebuild, {community.name}"
        for what, times in (
            (EVENT, [cost.event_us for cost in mine]),
            (DOCUMENT, [cost.document_us for cost in mine]),
        ):
            tell(Figure(f"{where}: {what}", median(times), " µs", details=asdict(cost)))
            if mine is costs[0]:
                continue
            first = [cost.event_us if what == EVENT else cost.document_us for cost in costs[0]]
            growth = median(ours / theirs for ours, theirs in zip(times, first, strict=True))
            most = FLAT if what == flat else None
            tell(Figure(f"{where}: {what}, times the first", growth, "×", most))
        tell(Figure(f"{where}: CPU per event, ours", cost.cpu_us, " µs"))
        # What is wanted is wanted of the accounts; a log's length is in its accounts' shares.
        peak = PEAK_MIB if community.accounts >= MANY_ACCOUNTS else None
        tell(Figure(f"{where}: peak memory", cost.peak_bytes / MIB, " MiB", peak))
        pause = cost.pause * 1e3
        tell(Figure(f"{where}: longest pause of the garbage collector", pause, " ms"))


async def remove_buckets(url: str) -> None:
    """Leave nothing of the projections, so that a rebuild writes every document."""
    link = await Link.open(ConnectionSettings(servers=(url,), origin="flags"))
    try:
        for projection in (*PROJECTIONS, ActivityProjection()):
            try:
                await ask_jetstream(link, f"STREAM.DELETE.KV_{projection.bucket}", timeout=30.0)
            except ApiError as error:
                if error.code != STREAM_NOT_FOUND:
                    raise
    finally:
        await link.close()


def _ratio(ours: list[Cost], theirs: list[Cost]) -> float:
    """How many times as many events per second, the median of the rounds."""
    return median(mine.rate / yours.rate for mine, yours in zip(ours, theirs, strict=True))
