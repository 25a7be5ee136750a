"""Reading a stream in order, through a consumer, without losing or doubling a message.

The reader uses one consumer at a time (`pull_consumer`). Consumer sequences must be contiguous. On
a gap, a missing consumer or silence the consumer is made again, just after the last record handed
out. So the caller gets each record once and in order.

If the stream's sequences have a gap, its leader must confirm that those messages were deleted
before a later message is handed out. A log without gaps costs no extra request.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from types import TracebackType
from typing import Self

from natster_tui.errors import (
    ConnectionLostError,
    MalformedAnswerError,
    NatsterError,
)
from natster_tui.events.event import Record, StoredMessage, as_records
from natster_tui.store.connection.delivery_parser import Delivery
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.wire import delivery_problem, position_prefix
from natster_tui.store.reading.gap_check import GapCheck
from natster_tui.store.reading.leader import StreamLeader
from natster_tui.store.reading.message_gets import POLL_S, get_messages
from natster_tui.store.reading.pull_consumer import PullConsumer, Status
from natster_tui.store.reading.pull_size import Window
from natster_tui.store.reading.runs import read_run

SLICE = 2_000
"""Records per batch handed out: small enough that a screen stays responsive in between."""

HEARTBEAT_S = 1.0

AGAIN_S = 0.1
"""The pause after a consumer that did not deliver what the stream holds."""
MOST_RESTARTS = 20
"""How many consumers in a row may fail without delivering anything."""
_UNKNOWN = b" "
"""A prefix that no reply subject has."""


class StreamReader:
    """Reads a stream from `start` (a sequence) on; an async context manager.

    `purpose` becomes part of the consumer's name, `natster-tui-<purpose>-<instance>`.
    `slice_messages` is how many are handed out at a time (default SLICE). `subject_filter`
    restricts the read to one wildcard filter. `window` says how many are asked for at a time. Every
    heartbeat hands out an empty batch, so that the caller can do other work.

    `gaps` checks every gap in the sequences: the stream's leader must confirm that nothing is left
    in it. Streams that overwrite, such as buckets, and filtered reads always have gaps; by default
    they are not checked.

    If a stream refuses the consumer, its messages are asked for one by one instead.
    """

    def __init__(
        self,
        link: Link,
        stream: str,
        start: int,
        *,
        purpose: str,
        instance: str,
        subject_filter: str = "",
        gaps: GapCheck | None = None,
        window: Window | None = None,
        slice_messages: int | None = None,
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        self.link = link
        self.stream = stream
        self.subject_filter = subject_filter
        self.next_seq = max(start, 1)
        self.pending = -1
        """How many messages the server has yet to deliver, as of the last record; -1: unknown."""
        self.idle = False
        """Whether the server had nothing more to deliver; updated with each batch."""
        self.restarts = 0
        """How often the consumer had to be made again."""
        self._slice = slice_messages or SLICE
        self._heartbeat_s = heartbeat_s
        self._gaps = gaps or GapCheck(StreamLeader(link, stream), checks_all=False)
        self.consumer = PullConsumer(
            link,
            stream,
            purpose=purpose,
            instance=instance,
            subject_filter=subject_filter,
            window=window or Window(),
            heartbeat_s=heartbeat_s,
        )
        self._consumer_seq = 0
        self._prefix = _UNKNOWN
        self._restarts_in_a_row = 0
        self._without_consumer = False

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as unless_started:
            # Also if cancelled half-way: a consumer must not be left behind.
            unless_started.push_async_callback(self.consumer.remove)
            await self._start()
            unless_started.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.consumer.remove()

    async def _start(self) -> None:
        self._consumer_seq, self._prefix = 0, _UNKNOWN
        pending = await self.consumer.make(self.next_seq)
        if pending is None:
            self._without_consumer = True
        else:
            self.pending = pending

    async def _restart(self) -> None:
        self.restarts += 1
        await self.consumer.remove()
        await self._start()
        await self._gaps.leader.confirm()

    async def batches(self) -> AsyncGenerator[list[Record], None]:
        """Records in order, without end; an empty list on a heartbeat.

        Raises ConnectionLostError when the link ends, ApiError when the stream is gone.
        """
        async with aclosing(self.messages()) as slices:
            async for messages in slices:
                yield as_records(messages)

    async def messages(self) -> AsyncGenerator[list[StoredMessage], None]:
        """The same as messages, for a replay that makes records of only a few."""
        while True:
            if self._without_consumer:
                yield await self._get()
                continue
            consumer = self.consumer
            if not consumer.arrived:
                await consumer.wait(self._awaited)
            if self.link.is_lost:
                raise ConnectionLostError(self.link.lost_sentence())
            arrived = consumer.take()
            self.idle = False
            at = 0
            while True:
                before = self.next_seq
                messages, at, restart = self._take(arrived, at)
                if self._gaps.checks_all and messages:
                    messages, restart = await self._checked(before, messages, restart=restart)
                    await self._gaps.leader.confirm_subjects(messages)
                if at == len(arrived) or restart:
                    break
                # Ask now, so that the next window arrives while the caller works on this one.
                await consumer.ask()
                yield messages
                # The caller may never wait, so let the rest of the program run here.
                await asyncio.sleep(0)
            if restart or consumer.is_lost:
                if messages:
                    yield messages
                await self._restart()
                continue
            await consumer.ask()
            yield messages

    async def _get(self) -> list[StoredMessage]:
        """The next messages by direct requests; empty if there are no new ones."""
        before = self.next_seq
        messages, self.next_seq, self.pending = await get_messages(
            self.link, self.stream, before, self.subject_filter
        )
        self.idle = self.next_seq == before
        if self.idle:
            await asyncio.wait({self.link.lost}, timeout=min(self._heartbeat_s, POLL_S))
        if self._gaps.checks_all and messages:
            messages, _restart_needed = await self._checked(before, messages, restart=False)
        return messages

    def _take(self, arrived: list[Delivery], at: int) -> tuple[list[StoredMessage], int, bool]:
        """Up to a slice of messages of what arrived, from index `at` on.

        Returns them, the index of what follows, and whether the consumer must be made again.
        Raises MalformedAnswerError.
        """
        try:
            messages, at, restart = self._read_slice(arrived, at)
        except (ValueError, IndexError):
            raise self._malformed("its reply subject has no position") from None
        if problem := delivery_problem(messages, self.pending):
            raise self._malformed(problem)
        self._restarts_in_a_row = self._restarts_in_a_row + restart if not messages else 0
        if self._restarts_in_a_row > MOST_RESTARTS:
            raise self._malformed("no message follows the previous ones")
        return messages, at, restart

    def _malformed(self, problem: str) -> MalformedAnswerError:
        return self.link.malformed(f"a request for messages of {self.stream}", problem)

    def _read_slice(
        self, arrived: list[Delivery], at: int
    ) -> tuple[list[StoredMessage], int, bool]:
        """See `_take`. Runs are read at once, and what comes between them one by one."""
        messages: list[StoredMessage] = []
        prefix, restart = self._prefix, False
        end = min(at + self._slice, len(arrived))
        others = [each for each in range(at, end) if not arrived[each][1].startswith(prefix)]
        for stop in (*others, end):
            if at < stop:
                run, pending = read_run(arrived[at:stop], prefix, self.next_seq, self._consumer_seq)
                if run:
                    messages += run
                    self._advance(run[-1][0], len(run), pending)
                    at = stop
            while at < min(stop + 1, end) and not restart:
                restart = self._read_one(arrived[at], messages)
                at += 1
            if restart:
                break
        return messages, at, restart

    def _read_one(self, delivery: Delivery, messages: list[StoredMessage]) -> bool:
        """Read a single delivery; returns whether the consumer must be made again."""
        subject, reply, payload, headers = delivery
        if not reply.startswith(self._prefix):
            if not reply.startswith(b"$JS.ACK."):
                return self._take_status(headers)
            self._prefix = position_prefix(reply)
        position = reply[len(self._prefix) :].split(b".")
        seq = int(position[0])
        if int(position[1]) != self._consumer_seq + 1 or seq < self.next_seq:
            return True
        messages.append((seq, int(position[2]), subject, payload, headers or b""))
        self._advance(seq, 1, int(position[3]))
        return False

    def _take_status(self, headers: bytes | None) -> bool:
        """Handle a status message; returns whether the consumer must be made again."""
        status = self.consumer.read_status(headers)
        if status is Status.IDLE:
            self.idle = True
            self._restarts_in_a_row = 0
        return status is Status.UNUSABLE

    def _advance(self, seq: int, count: int, pending: int) -> None:
        """Note that `count` messages were read, up to one at `seq`."""
        self.next_seq, self.pending, self.idle = seq + 1, pending, False
        self._consumer_seq += count
        self.consumer.asked -= count

    def _awaited(self) -> str:
        """What we wait for, as a sentence; empty if nothing is known to be pending."""
        if not self.pending:
            return ""
        return f"waiting for {self.link.described} to deliver messages of {self.stream}"

    async def _checked(
        self, before: int, messages: list[StoredMessage], *, restart: bool
    ) -> tuple[list[StoredMessage], bool]:
        """The messages before the first one that is missing and not deleted.

        `before` is the sequence that they should begin with. Also returns whether the consumer
        must be made again. Raises what `GapCheck.first_missing` raises.
        """
        missing = await self._gaps.first_missing(before, messages)
        if missing is None:
            return messages, restart
        await asyncio.sleep(AGAIN_S)
        self.next_seq = missing
        return [message for message in messages if message[0] < missing], True

    async def has_all(self, last: int | None = None) -> bool:
        """Whether everything that the stream holds up to `last` (None: its end) was handed out.

        Ask this after an empty batch with `idle` set. The stream's leader answers, because the
        consumer may run on a replica that is behind. If the answer is no, the read goes on, with a
        new consumer if needed. Raises what `GapCheck.undelivered` raises.
        """
        held, again = await self._gaps.undelivered(self.next_seq, last)
        # The first time, the message may be a new one.
        self.consumer.is_lost = self.consumer.is_lost or again
        return held is None


async def start_reader(stack: AsyncExitStack, reader: StreamReader) -> NatsterError | None:
    """Start a reader of a stream that may not exist; returns the error if that failed.

    A caller that looks the stream up at the same time saves a round trip, and can then tell
    whether the error matters.
    """
    reader.consumer.is_optional = True
    try:
        await stack.enter_async_context(reader)
    except NatsterError as error:
        return error
    return None
