"""Travelling in time on a long log, once it has been read: jumps, steps, and their memory."""

from __future__ import annotations

import gc
import random
import time

from natster_tui.engine.history.time_travel import Moment, TimeTravel
from natster_tui.events.natster import NATSTER
from natster_tui.projections.account import AccountState
from natster_tui.projections.projection_sentences import Names
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS, PROJECTIONS
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.settings.connection import ConnectionSettings
from natster_tui.tui.panes.account_columns import ACCOUNT_COLUMNS
from natster_tui.tui.panes.document_order import DocumentOrder
from tests.benchmarks.community import Community
from tests.benchmarks.figures import Figure, OnFigure
from tests.benchmarks.measuring import resident_mib
from tests.benchmarks.replay_figures import loaded

_JUMPS = 40
_STEPS_EACH = 5


async def measure_travel(community: Community, tell: OnFigure) -> None:
    """Read the log once by going to its head; then jump anywhere, and step about there."""
    async with loaded(community, sealed=False) as whole:
        link = await Link.open(ConnectionSettings(servers=(whole.server.url,), origin="flags"))
        try:
            await _travel(await EventLog.open(link, NATSTER), community, tell)
        finally:
            await link.close()


async def _travel(log: EventLog, community: Community, tell: OnFigure) -> None:
    travel = TimeTravel(log, "benchmark", lambda _done, _total: None, PROJECTIONS)
    order: DocumentOrder[AccountState] = DocumentOrder(ACCOUNTS.name)
    gc.collect()
    before = resident_mib()

    async def timed(seq: int) -> float:
        began = time.perf_counter()
        _look_around(await travel.at(seq), order)
        return (time.perf_counter() - began) * 1_000

    first_ms = await timed(community.events)
    draw = random.Random(1)
    jumps, steps = [], []
    for _ in range(_JUMPS):
        seq = draw.randint(1, community.events)
        jumps.append(await timed(seq))
        for _ in range(_STEPS_EACH):
            seq += draw.choice((-1, 1))
            steps.append(await timed(seq))
    gc.collect()
    memory = resident_mib() - before
    where = f"time travel, {community.name}"
    tell(Figure(f"{where}: reading it the first time", first_ms / 1_000, " s"))
    for what, times, target in (("a jump anywhere", jumps, 150), ("one event", steps, 10)):
        for name, share in (("p50", 0.5), ("p95", 0.95)):
            value = sorted(times)[int(share * (len(times) - 1))]
            tell(Figure(f"{where}: {what}, {name}", value, " ms", target, details={"ms": times}))
    tell(Figure(f"{where}: memory", memory, " MiB"))


def _look_around(moment: Moment, order: DocumentOrder[AccountState]) -> None:
    """What the panes do with a moment: sort all accounts, list all catalogs, show a screenful."""
    accounts = moment.pasts[ACCOUNTS.name].states
    catalogs = moment.pasts[CATALOGS.name].states
    sort = ACCOUNT_COLUMNS.sorts[0]
    for key in order.keys(accounts, sort, Names(accounts), moment)[:50]:
        assert len(accounts[key].in_shares.values()) >= 0
    for name in list(catalogs)[:50]:
        assert catalogs[name].owner
