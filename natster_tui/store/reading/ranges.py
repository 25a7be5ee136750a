"""Reading a range of a stream completely, or failing.

A range read without an error is everything that the stream holds in it. A filtered read is
compared with the number of messages that its consumer announced.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from time import monotonic

from natster_tui.events.event import Record, StoredMessage, as_records
from natster_tui.store.connection.streams import last_message, next_message
from natster_tui.store.reading import gap_check
from natster_tui.store.reading.gap_check import GapCheck
from natster_tui.store.reading.leader import StreamLeader
from natster_tui.store.reading.pull_size import WINDOW_MESSAGES, Window
from natster_tui.store.reading.stream_reader import AGAIN_S, StreamReader

HEARTBEAT_S = 0.1
"""Short, because a range may end in deleted messages: a heartbeat then says that none follow."""

_UNMATCHABLE_SKIPPED = 100
_WILDCARDS = {">", "*"}


async def read_range(
    leader: StreamLeader,
    first: int,
    last: int,
    *,
    purpose: str,
    instance: str,
    known_from: int | None = None,
) -> AsyncGenerator[list[Record], None]:
    """Records from `first` to `last` inclusive, in order, in batches; then it ends.

    For `known_from`, and the errors of an incomplete read, see `GapCheck`.
    """
    read = read_messages(
        leader, first, last, purpose=purpose, instance=instance, known_from=known_from
    )
    async with aclosing(read) as slices:
        async for messages in slices:
            yield as_records(messages)


async def read_messages(
    leader: StreamLeader,
    first: int,
    last: int,
    *,
    purpose: str,
    instance: str,
    known_from: int | None = None,
) -> AsyncGenerator[list[StoredMessage], None]:
    """Like `read_range`, but yields messages that are not yet records."""
    if last < first:
        return
    async with StreamReader(
        leader.link,
        leader.stream,
        first,
        purpose=purpose,
        instance=instance,
        gaps=GapCheck(leader, checks_all=True, known_from=known_from),
        # For a short range, do not ask for more messages than it has.
        window=Window(min(WINDOW_MESSAGES, last - first + 1), fits=True),
        heartbeat_s=HEARTBEAT_S,
    ) as reader:
        async for batch in reader.messages():
            if batch and batch[-1][0] > last:
                if wanted := [message for message in batch if message[0] <= last]:
                    yield wanted
                return
            if batch:
                yield batch
            if reader.next_seq > last:
                return
            if reader.idle and await reader.has_all(last):
                return


async def read_filtered(
    leader: StreamLeader,
    first: int,
    last: int,
    subject_filter: str,
    *,
    purpose: str,
    instance: str,
    replicas: int = 1,
) -> AsyncGenerator[list[Record], None]:
    """The records of a range whose subjects match a wildcard filter.

    If fewer come than the consumer announced, or the stream has replicas (one may be behind), the
    leader is asked what follows. Raises ServerError if that is not delivered.
    """
    at, began = first, monotonic()
    while at <= last:
        progress = _Progress(at)
        read = _read_once(
            leader, progress, last, subject_filter, purpose=purpose, instance=instance
        )
        async with aclosing(read) as batches:
            async for batch in batches:
                yield batch
        if progress.complete or (progress.missing <= 0 and replicas == 1):
            return
        if progress.upto > at:
            at, began = progress.upto, monotonic()
        following = await _following(leader, at, last, subject_filter)
        if following is None:
            return
        if monotonic() - began > gap_check.UNDELIVERED_S:
            raise gap_check.not_delivered(leader, following)
        # The replica is catching up; asking without a pause would slow it down.
        await asyncio.sleep(AGAIN_S)


class _Progress:
    """What one consumer delivered of a filtered range.

    `upto`: everything before this sequence was seen. `complete`: the range's end was reached.
    `missing`: how many fewer came than were announced.
    """

    def __init__(self, first: int) -> None:
        self.upto = first
        self.complete = False
        self.missing = 0


async def _read_once(
    leader: StreamLeader,
    progress: _Progress,
    last: int,
    subject_filter: str,
    *,
    purpose: str,
    instance: str,
) -> AsyncGenerator[list[Record], None]:
    async with StreamReader(
        leader.link,
        leader.stream,
        progress.upto,
        purpose=purpose,
        instance=instance,
        subject_filter=subject_filter,
        gaps=GapCheck(leader, checks_all=False),
        window=Window(fits=True),
        heartbeat_s=HEARTBEAT_S,
    ) as reader:
        progress.missing = reader.pending
        if reader.pending == 0:
            return
        async for batch in reader.batches():
            progress.missing -= len(batch)
            progress.upto = reader.next_seq
            if wanted := [record for record in batch if record.seq <= last]:
                yield wanted
            if reader.next_seq > last:
                progress.complete = True
                return
            if reader.pending == 0 or reader.idle:
                return


async def _following(
    leader: StreamLeader, first: int, last: int, subject_filter: str
) -> int | None:
    """The sequence of the next message in a range that a consumer with the filter would deliver.

    A subject may have a literal wildcard as a token. The server counts such a message as matching
    but never delivers it, so up to a hundred of them are skipped.
    """
    newest = await last_message(leader.link, leader.stream, subject_filter)
    if newest is None or newest.seq < first:
        return None  # answered from the index, however long the log is
    for _ in range(_UNMATCHABLE_SKIPPED):
        found = await next_message(leader.link, leader.stream, first, subject_filter)
        if found is None or found.seq > last:
            return None
        if _WILDCARDS.isdisjoint(found.subject.split(".")):
            return found.seq
        first = found.seq + 1
    return None
