"""A brought projection, a plain rule over pydantic documents: rebuilt, and tried again."""

from __future__ import annotations

from tests.benchmarks.community import Community
from tests.benchmarks.figures import Figure, OnFigure
from tests.benchmarks.measuring import Cost, middle
from tests.benchmarks.replay_figures import MIB, loaded

_PER = 100_000
"""Events that the time of another try is stated for."""


async def measure_brought(
    community: Community, rounds: int, tell: OnFigure, *, sealed: bool
) -> None:
    """The activity projection of the topic on a community's log, in turns."""
    rebuilt: list[Cost] = []
    tried: list[Cost] = []
    async with loaded(community, sealed=sealed) as log:
        for _ in range(rounds):
            rebuilt.append(await log.cost("brought"))
            tried.append(await log.cost("try"))
    cost, again = middle(rebuilt), middle(tried)
    what = f"a brought projection, {community.name}"
    tell(Figure(f"{what}: rebuild, events per second", cost.rate, "/s", 60_000, at_least=True))
    tell(Figure(f"{what}: rebuild, CPU per event, ours", cost.cpu_us, " µs"))
    seconds = again.wall / again.events * _PER
    tell(Figure(f"{what}: tried again, seconds per {_PER:,} events", seconds, " s", 2.0))
    tell(Figure(f"{what}: tried, peak memory", again.peak_bytes / MIB, " MiB"))
