"""Whether the program whose projections are to be taken over is still at work.

Taking over is refused when, within 30 s, a consumer named like the bucket moves or a document
is written outside our batches. Our own consumers are never named so.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from natster_tui.engine.projecting.stored_projection import bucket_of
from natster_tui.errors import RefusedError
from natster_tui.projections.api import Projection
from natster_tui.store.connection.consumers import ConsumerInfo, list_consumers
from natster_tui.store.log import EventLog

QUIET_S = 30.0
LOOK_EVERY_S = 1.0


async def refuse_while_active(
    log: EventLog,
    projections: Sequence[Projection[Any]],
    instance: str,
    say: Callable[[str], None] = lambda _line: None,
    quiet_s: float = QUIET_S,
) -> None:
    """Return once nobody else has projected for `quiet_s` seconds; RefusedError if somebody has."""
    names = {projection.bucket for projection in projections}
    since_ns = time.time_ns() - int(quiet_s * 1e9)
    for projection in projections:
        snapshot = await bucket_of(log, projection, instance).load()
        if any(
            not entry.from_batch and entry.time_ns > since_ns
            for entry in snapshot.documents.values()
        ):
            raise RefusedError(
                f"another program wrote to {projection.bucket} within the last {quiet_s:.0f} s: "
                "stop it, then take over"
            )
    before = await _consumers(log, names)
    if not before:
        return
    say(f"watching for {quiet_s:.0f} s whether {' and '.join(sorted(before))} is still at work …")
    until = time.monotonic() + quiet_s
    while time.monotonic() < until:
        await asyncio.wait({log.link.lost}, timeout=min(LOOK_EVERY_S, quiet_s))
        now = await _consumers(log, names)
        for name, consumer in now.items():
            if name not in before or _moved(before[name], consumer):
                raise RefusedError(
                    f"the consumer {name} on {log.stream} is at work: stop the program that "
                    "uses it, then take over"
                )


def _moved(before: ConsumerInfo, now: ConsumerInfo) -> bool:
    return before.delivered != now.delivered or before.waiting != now.waiting


async def _consumers(log: EventLog, names: set[str]) -> dict[str, ConsumerInfo]:
    return {
        consumer.name: consumer
        for consumer in await list_consumers(log.link, log.stream)
        if consumer.name in names and not consumer.is_ours
    }
