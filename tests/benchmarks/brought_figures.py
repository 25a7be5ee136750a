"""A brought projection, a plain rule over pydantic documents: rebuilt, and tried again.

And what it costs the built-in ones: nothing while it is only registered, and no more than itself
while it is projected, too.
"""

from __future__ import annotations

from statistics import median

from tests.benchmarks.community import Community
from tests.benchmarks.figures import Figure, OnFigure
from tests.benchmarks.measuring import Cost, middle
from tests.benchmarks.replay_figures import MIB, Loaded, loaded

_PER = 100_000
"""Events that the time of another try is stated for."""
_LIVE_EVENTS, _LIVE_ACCOUNTS = 15_000, 500
"""So few that a projector catches up slice by slice, and not by a rebuild."""
_NOTHING = 1.05
"""Times as much CPU; two runs of the same work differ by as much."""


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
        await _measure_price(log, "rebuild", "brought", rounds, tell)
    few = Community(min(community.events, _LIVE_EVENTS), min(community.accounts, _LIVE_ACCOUNTS))
    async with loaded(few, sealed=sealed) as log:
        await _measure_price(log, "live", "live brought", rounds, tell)


async def _measure_price(log: Loaded, task: str, alone: str, rounds: int, tell: OnFigure) -> None:
    """The CPU of the built-in projections, with a third one registered, and projected."""
    registered: list[float] = []
    projected: list[float] = []
    for _ in range(rounds):
        two, third = await log.cost(task), await log.cost(alone)
        with_it = await log.cost(f"{task} with a third registered")
        three = await log.cost(f"{task} with a third")
        registered.append(with_it.cpu / two.cpu)
        projected.append(three.cpu / (two.cpu + third.cpu))
    what = f"{task}, {log.community.name}, CPU of the built-in projections"
    tell(
        Figure(f"{what}: a third one registered, times without", median(registered), "×", _NOTHING)
    )
    tell(
        Figure(f"{what}: a third one projected, times both alone", median(projected), "×", _NOTHING)
    )
