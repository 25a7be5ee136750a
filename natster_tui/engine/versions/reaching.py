"""Waiting until a stored projection has reached a sequence."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from natster_tui.engine.projecting.stored_projection import stored_checkpoint
from natster_tui.projections.api import Projection
from natster_tui.projections.checkpoint import Checkpoint
from natster_tui.store.connection.reporting import waiting_for
from natster_tui.store.log import EventLog

POLL_S = 0.05
"""Seconds between two reads of the checkpoint."""


async def wait_until_stored(
    log: EventLog, projection: Projection[Any], seq: int, until: float
) -> Checkpoint | None:
    """Wait until a projection is stored at `seq` or later, and return its checkpoint.

    At `until` (monotonic seconds) it returns the last checkpoint that it read, or None.
    """
    with waiting_for(f"waiting for {projection.bucket} to reach event {seq:,}"):
        while True:
            checkpoint = await stored_checkpoint(log.link, projection)
            if (checkpoint is not None and checkpoint.seq >= seq) or time.monotonic() > until:
                return checkpoint
            await asyncio.wait({log.link.lost}, timeout=POLL_S)
