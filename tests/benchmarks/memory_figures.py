"""What the states of the projections take in memory, for each active share.

`memory_figures EVENTS ACCOUNTS` measures in a process of its own: counting every allocation makes
it slow.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import tracemalloc
from collections.abc import Iterator
from itertools import islice

from natster_tui.events.event import StoredMessage
from natster_tui.projections import account, catalog
from natster_tui.projections.fast.share_relation import ShareRelation
from tests.benchmarks.community import Community
from tests.benchmarks.figures import Figure, OnFigure

_SLICE = 2_000
_BEGAN_NS, _APART_NS = 1_700_000_000_000_000_000, 50_000_000
"""When the first event came in, and how long after it each next one."""
_WANTED = 150


async def measure_states(community: Community, tell: OnFigure) -> None:
    """Bytes for each active share, of both projections and of the accounts alone."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.benchmarks.memory_figures"),
        *(str(community.events), str(community.accounts)),
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    measured: dict[str, float] = json.loads(said)
    both = measured["accounts"] + measured["catalogs"]
    where = f"states of {community.name}, for each active share"
    tell(Figure(f"{where}: both projections", both, " B", _WANTED, details=measured))
    tell(Figure(f"{where}: the accounts alone", measured["accounts"], " B"))


def _messages(community: Community) -> Iterator[StoredMessage]:
    for seq, (subject, payload) in enumerate(community.story(), 1):
        yield seq, _BEGAN_NS + seq * _APART_NS, subject.encode(), payload, b""


def _measure(community: Community) -> dict[str, float]:
    relation = ShareRelation()
    messages = _messages(community)
    while slice_ := list(islice(messages, _SLICE)):
        relation.take(slice_)
    shares = sum(1 for _ in relation.shares())
    gc.collect()
    tracemalloc.start()
    accounts = account.states_with_shares(relation, {})
    first, _ = tracemalloc.get_traced_memory()
    catalogs = catalog.states_with_shares(relation, {})
    both, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {
        "shares": shares,
        "accounts": first / shares,
        "catalogs": (both - first) / shares,
        "keys": len(accounts) + len(catalogs),
    }


if __name__ == "__main__":
    print(json.dumps(_measure(Community(int(sys.argv[1]), int(sys.argv[2])))))
