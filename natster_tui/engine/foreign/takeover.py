"""Checking, before a takeover, that the other program has stopped; and its leftover consumers.

A takeover is refused if a pull request waits at a consumer named like the bucket, or if, within
30 s, that consumer moves or a document is written outside our batches. Our own consumers never have
such a name.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from natster_tui.engine.projecting.stored_projection import bucket_of
from natster_tui.errors import RefusedError
from natster_tui.projections.api import Projection
from natster_tui.store.connection.consumers import (
    ConsumerInfo,
    consumer_named,
    delete_consumer,
    list_consumers,
)
from natster_tui.store.log import EventLog

QUIET_S = 30.0
POLL_S = 1.0


async def refuse_while_active(
    log: EventLog,
    projections: Sequence[Projection[Any]],
    instance: str,
    say: Callable[[str], None] = lambda _line: None,
    quiet_s: float | None = None,
) -> None:
    """Return once no other program has projected for `quiet_s` seconds (default `QUIET_S`).

    Raises RefusedError as soon as one does. `say` is called before a longer wait.
    """
    quiet_s = QUIET_S if quiet_s is None else quiet_s
    names = {projection.bucket for projection in projections}
    since_ns = time.time_ns() - int(quiet_s * 1e9)
    await _refuse_written_since(log, projections, instance, since_ns, quiet_s)
    before = await _consumers(log, names)
    for consumer in before.values():
        _refuse_if_asking(log, consumer)
    if not before:
        return
    say(f"watching for {quiet_s:.0f} s whether {' and '.join(sorted(before))} is still at work …")
    until = time.monotonic() + quiet_s
    while time.monotonic() < until:
        await asyncio.wait({log.link.lost}, timeout=min(POLL_S, quiet_s))
        now = await _consumers(log, names)
        for name, consumer in now.items():
            _refuse_if_asking(log, consumer)
            if name not in before or _moved(before[name], consumer):
                raise RefusedError(
                    f"the consumer {name} on {log.stream} is at work: stop the program that "
                    "uses it, then take over"
                )
    await _refuse_written_since(log, projections, instance, since_ns, quiet_s)


async def leftover_consumers(
    log: EventLog, projections: Sequence[Projection[Any]]
) -> tuple[ConsumerInfo, ...]:
    """The consumers of another program that nothing reads from any more."""
    found = await _consumers(log, {projection.bucket for projection in projections})
    return tuple(found[name] for name in sorted(found) if not found[name].is_asking)


def leftover_sentence(log: EventLog, consumer: ConsumerInfo) -> str:
    """The notice for a leftover consumer."""
    return f"the other program's consumer {consumer.name} on {log.stream} is left behind"


async def delete_leftover(log: EventLog, consumer: ConsumerInfo) -> None:
    """Delete a leftover consumer; raises RefusedError if a program uses it after all."""
    now = await consumer_named(log.link, log.stream, consumer.name)
    if now is None:
        return
    if now.is_ours or now.is_asking or _moved(consumer, now):
        raise RefusedError(
            f"the consumer {consumer.name} on {log.stream} is at work: it was not deleted"
        )
    await delete_consumer(log.link, log.stream, consumer.name)


async def _refuse_written_since(
    log: EventLog,
    projections: Sequence[Projection[Any]],
    instance: str,
    since_ns: int,
    quiet_s: float,
) -> None:
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


def _refuse_if_asking(log: EventLog, consumer: ConsumerInfo) -> None:
    if consumer.is_asking:
        raise RefusedError(
            f"a program waits for events at the consumer {consumer.name} on {log.stream}: stop "
            "that program, then take over"
        )


def _moved(before: ConsumerInfo, now: ConsumerInfo) -> bool:
    return (before.delivered, before.ack_floor) != (now.delivered, now.ack_floor)


async def _consumers(log: EventLog, names: set[str]) -> dict[str, ConsumerInfo]:
    return {
        consumer.name: consumer
        for consumer in await list_consumers(log.link, log.stream)
        if consumer.name in names and not consumer.is_ours
    }
