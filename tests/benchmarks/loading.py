"""Putting a generated log onto a server, as fast as the server takes it."""

from __future__ import annotations

import asyncio
import json
from itertools import islice

from natster_tui.domain.events import MESSAGE_ID, STREAM
from natster_tui.store.link import Link
from natster_tui.store.log import EventLog, LogSettings
from tests.benchmarks.community import Community

_UNANSWERED = 2_000
"""Messages published before an answer is waited for; the server drops what it cannot buffer."""


async def load(link: Link, community: Community) -> EventLog:
    """Create the log and publish every event of it, each with its message id."""
    # The log is never written to again: no need to remember millions of message ids.
    settings = LogSettings(max_bytes=64 * 1024**3, duplicate_window_s=1)
    log = await EventLog.create(link, STREAM, settings)
    events = enumerate(community.story(), 1)
    answer: asyncio.Task[bytes] | None = None
    while chunk := list(islice(events, _UNANSWERED)):
        *first, (last, (subject, payload)) = chunk
        for number, (each, content) in first:
            await link.publish(
                each,
                log.sealing.seal_payload(each, f"b{number}", content),
                {MESSAGE_ID: f"b{number}"},
            )
        if answer is not None:
            _check(await answer)
        stored = log.sealing.seal_payload(subject, f"b{last}", payload)
        answer = asyncio.create_task(link.request(subject, stored, {MESSAGE_ID: f"b{last}"}, 60.0))
    if answer is not None:
        _check(await answer)
    info = await log.refresh()
    if info.last_seq != community.events:
        raise RuntimeError(f"{info.last_seq:,} of {community.events:,} events were stored")
    return log


def _check(answer: bytes) -> None:
    if "error" in (said := json.loads(answer)):
        raise RuntimeError(f"an event was refused: {said['error']}")
