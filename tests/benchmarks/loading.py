"""Putting a generated log onto a server, as fast as the server takes it."""

from __future__ import annotations

import asyncio
import json
from itertools import islice

from natster_tui.events.event import MESSAGE_ID
from natster_tui.events.natster import NATSTER
from natster_tui.store.connection.link import Link
from natster_tui.store.log import EventLog
from natster_tui.store.log_config import LogSettings
from natster_tui.store.sealing.choice import SealingChoice, open_sealing
from natster_tui.store.sealing.values import is_sealable, origin_of
from tests.benchmarks.community import Community

_UNANSWERED = 2_000
"""Messages published before an answer is waited for; the server drops what it cannot buffer."""


async def load(link: Link, community: Community, sealing: SealingChoice) -> None:
    """Create the log and publish every event of it, each with its message id."""
    # The log is never written to again: no need to remember millions of message ids.
    settings = LogSettings(
        max_bytes=64 * 1024**3,
        duplicate_window_s=1,
        sealing="on" if sealing.for_new_log else "off",
    )
    log = await EventLog.create(link, NATSTER, settings)
    log.sealing = await open_sealing(link, log.system, log.info, sealing)
    events = enumerate(community.story(), 1)
    answer: asyncio.Task[bytes] | None = None
    while chunk := list(islice(events, _UNANSWERED)):
        await log.sealing.ready_for(
            {origin_of(subject) for _, (subject, payload) in chunk if is_sealable(payload)}
        )
        messages = [
            (subject, log.sealing.seal_payload(subject, f"b{number}", payload), f"b{number}")
            for number, (subject, payload) in chunk
        ]
        *first, (subject, payload, name) = messages
        for each, content, its_name in first:
            await link.publish(link.target.stored(each), content, {MESSAGE_ID: its_name})
        if answer is not None:
            _check(await answer)
        to = link.target.stored(subject)
        answer = asyncio.create_task(link.request(to, payload, {MESSAGE_ID: name}, 60.0))
    if answer is not None:
        _check(await answer)
    info = await log.refresh()
    if info.last_seq != community.events:
        raise RuntimeError(f"{info.last_seq:,} of {community.events:,} events were stored")


def _check(answer: bytes) -> None:
    if "error" in (said := json.loads(answer)):
        raise RuntimeError(f"an event was refused: {said['error']}")
