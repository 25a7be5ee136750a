"""The lease of a rebuild, which a process holds while it commits one.

The rebuilds of a projection run one after the other, and its projector pauses for them, in this
process or another.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from natster_tui.engine.leases.holding import holding, waiting_sentence
from natster_tui.engine.leases.keeper import LeaseKeeper
from natster_tui.errors import ConflictError
from natster_tui.projections.api import Projection
from natster_tui.store.lease import rebuild_keys
from natster_tui.store.log import EventLog

REBUILD_WAIT_S = 300.0
"""How long a rebuild waits for another process's rebuild of the same projection."""


@asynccontextmanager
async def rebuilding(
    log: EventLog, projection: Projection[Any], instance: str
) -> AsyncIterator[None]:
    """Hold the rebuild lease of a projection; waits while another process holds it.

    The projectors of other processes notice it within a second, and pause. Raises ServerError
    when the server refuses the lease, ConflictError when the other rebuild does not end.
    """
    keeper = LeaseKeeper(projection, instance, keys=rebuild_keys(projection.name))

    def refusal() -> ConflictError:
        return ConflictError(
            f"nothing was written: {waiting_sentence(keeper)}, for {REBUILD_WAIT_S:,.0f} s; "
            "let it end, or stop it, then try again"
        )

    async with holding(log, keeper, REBUILD_WAIT_S, refusal):
        yield
