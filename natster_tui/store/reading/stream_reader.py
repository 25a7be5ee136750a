"""Reading a stream in order, through a consumer, without losing or doubling a message.

The reader uses one ephemeral pull consumer, in memory, without acknowledgements. Pull requests are
bounded in messages and in bytes, and a new one is sent only after the messages of earlier ones have
been taken, so back-pressure reaches the server. Consumer sequences must be contiguous. On a gap, a
missing consumer or silence the consumer is made again, just after the last record handed out. So
the caller gets each record once and in order.

If the stream's sequences have a gap, its leader must confirm that those messages were deleted
before a later message is handed out. A log without gaps costs no extra request.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from time import monotonic
from types import TracebackType
from typing import Any, Self

from natster_tui.errors import (
    ApiError,
    ConnectionLostError,
    DeniedError,
    MalformedAnswerError,
    NatsterError,
    ServerError,
)
from natster_tui.events.event import Record, StoredMessage, as_records
from natster_tui.store.connection.answers.consumers import ConsumerInfoAnswer
from natster_tui.store.connection.api_codes import CONSUMER_NOT_FOUND, CONSUMER_REFUSED
from natster_tui.store.connection.consumers import delete_consumers
from natster_tui.store.connection.delivery_parser import Delivery
from natster_tui.store.connection.inbox import RawInbox
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.reporting import waiting_for
from natster_tui.store.connection.wire import (
    count_in,
    impossible,
    parse_status,
    position_prefix,
)
from natster_tui.store.connection.write_target import PublishedSubject
from natster_tui.store.reading.completeness import gaps_between
from natster_tui.store.reading.leader import StreamLeader
from natster_tui.store.reading.message_gets import POLL_S, get_messages
from natster_tui.store.reading.runs import read_run

WINDOW_MESSAGES = 8_000
WINDOW_BYTES = 4 * 1024 * 1024
"""The bounds of one pull request; two are outstanding at most."""

FIRST_WINDOW, LEAST_WINDOW = 2_000, 250
WINDOW_S = 0.25
"""When a range is read, a window holds about as much as the caller processes in so many seconds.
Other answers of the server, such as a lease's renewal, wait behind the messages asked for."""

FOLLOWING_MESSAGES = 4_000
"""The bound for readers that follow a log. They work in short steps, and more messages arrive in
between than while a replay folds a whole slice. Not all of them should be held in memory."""

SLICE = 2_000
"""Records per batch handed out: small enough that a screen stays responsive in between."""

HEARTBEAT_S = 1.0
PULL_EXPIRES_S = 30.0
SILENCE_S = 2.5
"""After so long without even a heartbeat, the consumer is looked up."""

INACTIVE_S = 30
"""How long the server keeps an idle consumer; we delete ours when we leave."""

WITHHELD_S = 5.0
"""How long to wait for a message that the stream holds. A replica that is behind catches up in
that time, and a new consumer may run on another replica."""
AGAIN_S = 0.1
"""The pause after a consumer that did not deliver what the stream holds."""
ODD_AT_MOST = 20
"""How many consumers in a row may fail without delivering anything."""
AHEAD_S = 0.05
"""On a slow link messages are asked for before the answer that the consumer exists, which saves a
round trip. This is the most to wait first, for the time the server takes to make the consumer."""

_STATUS_HEARTBEAT = 100
_STATUS_UNHEARD = 503
_UNKNOWN = b" "
"""A prefix that no reply subject has."""
_TOO_LARGE = "Message Size Exceeds MaxBytes"


class StreamReader:
    """Reads a stream from `start` (a sequence) on; an async context manager.

    `purpose` becomes part of the consumer's name, `natster-tui-<purpose>-<instance>`.
    `slice_messages` is how many are handed out at a time (default SLICE). `subject_filter`
    restricts the read to one wildcard filter. `fits_window` asks for less at a time if the caller
    is slow. Every heartbeat hands out an empty batch, so that the caller can do other work.

    With a `leader` every gap in the sequences is checked: the leader must confirm that nothing is
    left in it. Messages from `there_from` on are known to exist when the read begins; if one is
    removed during the read, history was lost. Streams that overwrite, such as buckets, and filtered
    reads always have gaps, and use no leader.

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
        leader: StreamLeader | None = None,
        there_from: int | None = None,
        window_messages: int = WINDOW_MESSAGES,
        slice_messages: int | None = None,
        heartbeat_s: float = HEARTBEAT_S,
        fits_window: bool = False,
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
        self._window = min(FIRST_WINDOW, window_messages) if fits_window else window_messages
        self._widest = window_messages
        self._fits_window = fits_window
        self._pulled_at = 0.0
        self._slice = slice_messages or SLICE
        self._window_bytes = WINDOW_BYTES
        self._heartbeat_s = heartbeat_s
        self._leader = leader or StreamLeader(link, stream)
        self._accounts = leader is not None and not subject_filter
        self._there_from = there_from
        self._held: int | None = None
        self._held_since = 0.0
        # A consumer's name takes no dots, which the names of versions have.
        self._name_base = f"natster-tui-{purpose.replace('.', '_')}-{instance}"
        self._instance = instance
        self.on_chance = False
        """Whether the read starts before it is known that there is anything to read."""
        self._goes_ahead = link.is_slow
        self._consumer = ""
        self._inbox: RawInbox | None = None
        self._denied: asyncio.Future[None] | None = None
        """Fails when the server denies our requests; it does not answer denied requests."""
        self._arrived: list[Delivery] = []
        self._stirred = asyncio.Event()
        self._consumer_seq = 0
        self._prefix = _UNKNOWN
        self._asked = 0
        self._gone = False
        self._odd_in_a_row = 0
        self._without_consumer = False

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            # Also if cancelled half-way: a consumer must not be left behind.
            await self._stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stop()

    async def _start(self) -> None:
        self._consumer = f"{self._name_base}-{secrets.token_hex(3)}"
        config: dict[str, object] = {
            "name": self._consumer,
            "ack_policy": "none",
            "deliver_policy": "by_start_sequence",
            "opt_start_seq": self.next_seq,
            "replay_policy": "instant",
            "mem_storage": True,
            "num_replicas": 1,
            "inactive_threshold": INACTIVE_S * 1_000_000_000,
            "metadata": {"natster-tui": self._instance},
        }
        # From now on it may exist, even if no answer comes.
        self.link.consumers.add((self.stream, self._consumer))
        verb = f"CONSUMER.CREATE.{self.stream}.{self._consumer}"
        if self.subject_filter:
            config["filter_subject"] = self.subject_filter
            verb = f"{verb}.{self.subject_filter}"
        request = {"stream_name": self.stream, "config": config}
        self._consumer_seq = 0
        self._prefix = _UNKNOWN
        self._asked = 0
        self._pulled_at = 0.0
        self._gone = False
        self._arrived = []
        self._inbox = await self.link.subscribe_raw(self._on_messages)
        self._denied = self.link.listen_for_denial(self._requests)
        if self.on_chance:
            self.link.on_chance.add(self.link.api_subject(verb))
        making = asyncio.create_task(self.link.ask(verb, ConsumerInfoAnswer, request))
        try:
            if self._goes_ahead:
                await asyncio.wait({making}, timeout=min(self.link.round_trip_s / 8, AHEAD_S))
                await self._pull()
            self.pending = (await making).num_pending
        except (ApiError, DeniedError) as error:
            # It was not made, so there is nothing to delete.
            self.link.consumers.discard((self.stream, self._consumer))
            if not (isinstance(error, ApiError) and error.code in CONSUMER_REFUSED):
                raise
            self._without_consumer = True
        finally:
            making.cancel()
        if self._without_consumer:
            await self._stop()
            return
        if any(_is_unheard(delivery) for delivery in self._arrived):
            # The consumer took longer. Nothing was delivered yet, so nothing else has arrived.
            self._arrived, self._asked = [], 0
        await self._pull()

    async def _stop(self) -> None:
        if self._denied is not None:
            self.link.stop_listening(self._requests, self._denied)
            self._denied = None
        inbox, self._inbox = self._inbox, None
        if inbox is not None:
            await inbox.close()
        consumer, self._consumer = self._consumer, ""
        if (self.stream, consumer) in self.link.consumers:
            await self.link.leave(delete_consumers(self.link, {(self.stream, consumer)}))

    async def _restart(self) -> None:
        self.restarts += 1
        # A request that overtook the consumer was lost. Do not risk it a second time.
        self._goes_ahead = False
        await self._stop()
        await self._start()
        await self._leader.confirm()

    def _on_messages(self, deliveries: list[Delivery]) -> None:
        self._arrived += deliveries
        self._stirred.set()

    @property
    def _requests(self) -> PublishedSubject:
        """The subject to ask for messages."""
        return self.link.api_subject(f"CONSUMER.MSG.NEXT.{self.stream}.{self._consumer}")

    async def _pull(self) -> None:
        """Keep the server supplied with requests, two windows at most."""
        assert self._inbox is not None
        if self._fits_window and self._asked <= self._window:
            self._fit_window()
        while self._asked <= self._window:
            request = {
                "batch": self._window,
                "max_bytes": self._window_bytes,
                "expires": int(PULL_EXPIRES_S * 1e9),
                "idle_heartbeat": int(self._heartbeat_s * 1e9),
            }
            await self.link.publish(
                self._requests,
                json.dumps(request).encode(),
                reply=f"{self._inbox.prefix}.1",
            )
            self._asked += self._window

    def _fit_window(self) -> None:
        """Size the window to what the caller processes in WINDOW_S, by the last window."""
        before, self._pulled_at = self._pulled_at, monotonic()
        if before:
            took = max(self._pulled_at - before, WINDOW_S / 2)
            wanted = int(self._window * WINDOW_S / took)
            self._window = min(max(LEAST_WINDOW, wanted), self._widest)

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
            if not self._arrived:
                await self._wait()
            if self.link.is_lost:
                raise ConnectionLostError(self.link.lost_sentence())
            arrived, self._arrived = self._arrived, []
            self.idle = False
            at = 0
            while True:
                before = self.next_seq
                messages, at, odd = self._take(arrived, at)
                if self._accounts and messages:
                    messages, odd = await self._accounted_for(before, messages, odd=odd)
                    await self._leader.confirm_subjects(messages)
                if at == len(arrived) or odd:
                    break
                # Ask now, so that the next window arrives while the caller works on this one.
                await self._pull()
                yield messages
                # The caller may never wait, so let the rest of the program run here.
                await asyncio.sleep(0)
            if odd or self._gone:
                if messages:
                    yield messages
                await self._restart()
                continue
            await self._pull()
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
        if self._accounts and messages:
            messages, _odd = await self._accounted_for(before, messages, odd=False)
        return messages

    def _take(self, arrived: list[Delivery], at: int) -> tuple[list[StoredMessage], int, bool]:
        """Up to a slice of messages of what arrived, from index `at` on.

        Returns them, the index of what follows, and whether the consumer must be made again.
        Raises MalformedAnswerError.
        """
        try:
            messages, at, odd = self._read_slice(arrived, at)
        except (ValueError, IndexError):
            raise self._malformed("its reply subject has no position") from None
        if problem := impossible(messages, self.pending):
            raise self._malformed(problem)
        self._odd_in_a_row = self._odd_in_a_row + odd if not messages else 0
        if self._odd_in_a_row > ODD_AT_MOST:
            raise self._malformed("no message follows the previous ones")
        return messages, at, odd

    def _malformed(self, problem: str) -> MalformedAnswerError:
        return self.link.malformed(f"a request for messages of {self.stream}", problem)

    def _read_slice(
        self, arrived: list[Delivery], at: int
    ) -> tuple[list[StoredMessage], int, bool]:
        """See `_take`. Runs are read at once, and what comes between them one by one."""
        messages: list[StoredMessage] = []
        prefix, odd = self._prefix, False
        end = min(at + self._slice, len(arrived))
        others = [each for each in range(at, end) if not arrived[each][1].startswith(prefix)]
        for stop in (*others, end):
            if at < stop:
                run, pending = read_run(arrived[at:stop], prefix, self.next_seq, self._consumer_seq)
                if run:
                    messages += run
                    self._advance(run[-1][0], len(run), pending)
                    at = stop
            while at < min(stop + 1, end) and not odd:
                odd = self._read_one(arrived[at], messages)
                at += 1
            if odd:
                break
        return messages, at, odd

    def _read_one(self, delivery: Delivery, messages: list[StoredMessage]) -> bool:
        """Read a single delivery; returns whether the consumer must be made again."""
        subject, reply, payload, headers = delivery
        if not reply.startswith(self._prefix):
            if not reply.startswith(b"$JS.ACK."):
                return self._on_status(headers)
            self._prefix = position_prefix(reply)
        position = reply[len(self._prefix) :].split(b".")
        seq = int(position[0])
        if int(position[1]) != self._consumer_seq + 1 or seq < self.next_seq:
            return True
        messages.append((seq, int(position[2]), subject, payload, headers or b""))
        self._advance(seq, 1, int(position[3]))
        return False

    def _advance(self, seq: int, count: int, pending: int) -> None:
        """Note that `count` messages were read, up to one at `seq`."""
        self.next_seq, self.pending, self.idle = seq + 1, pending, False
        self._consumer_seq += count
        self._asked -= count

    def _awaited(self) -> str:
        """What we wait for, as a sentence; empty if nothing is known to be pending."""
        if not self.pending:
            return ""
        return f"waiting for {self.link.described} to deliver messages of {self.stream}"

    async def _accounted_for(
        self, before: int, messages: list[StoredMessage], *, odd: bool
    ) -> tuple[list[StoredMessage], bool]:
        """The messages before the first one that is missing and not deleted.

        `before` is the sequence that they should begin with. Also returns whether the consumer
        must be made again. Raises LogChangedError (see `StreamLeader.first_held`).
        """
        if messages[-1][0] - before >= len(messages):
            gaps = gaps_between(before, [message[0] for message in messages])
            held = await self._leader.first_held(gaps, self._there_from)
            if held is not None:
                self._owe(held)
                await asyncio.sleep(AGAIN_S)
                self.next_seq, odd = held, True
                messages = [message for message in messages if message[0] < held]
        if messages and self._there_from is None:
            self._there_from = messages[0][0]
        return messages, odd

    async def has_all(self, last: int | None = None) -> bool:
        """Whether everything that the stream holds up to `last` (None: at all) was handed out.

        Ask this after an empty batch with `idle` set. The stream's leader answers, because the
        consumer may run on a replica that is behind. If the answer is no, the read goes on, with a
        new consumer if needed. Raises ServerError if a message that the stream holds is not
        delivered within WITHHELD_S.
        """
        if last is None:
            held = await self._leader.next_held(self.next_seq)
        elif self.next_seq > last:
            held = None
        else:
            held = await self._leader.first_held([(self.next_seq, last)], self._there_from)
        if held is None:
            self._held = None
            return True
        # The first time, the message may be a new one.
        self._gone = self._gone or held == self._held
        self._owe(held)
        return False

    def _owe(self, held: int) -> None:
        """Record a message that the stream holds and the consumer did not deliver."""
        now = monotonic()
        if held != self._held:
            self._held, self._held_since = held, now
        elif now - self._held_since > WITHHELD_S:
            raise ServerError(
                f"{self.stream} holds a message at {held:,} that the server does not deliver: the "
                "read is not complete; look at the server's log, then try again"
            )

    async def _wait(self) -> None:
        """Wait until something arrives, the link is lost, or SILENCE_S has passed."""
        self._stirred.clear()
        stirred = asyncio.ensure_future(self._stirred.wait())
        try:
            assert self._denied is not None
            either: set[asyncio.Future[Any]] = {stirred, self.link.lost, self._denied}
            with waiting_for(self._awaited):
                await asyncio.wait(either, timeout=SILENCE_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stirred.cancel()
        if self._denied.done():
            self._denied.result()
        if not self._arrived and not self.link.is_lost:
            await self._inspect_consumer()

    async def _inspect_consumer(self) -> None:
        try:
            verb = f"CONSUMER.INFO.{self.stream}.{self._consumer}"
            await self.link.ask(verb, ConsumerInfoAnswer)
        except ApiError as error:
            if error.code != CONSUMER_NOT_FOUND:
                raise
        # Even if it exists, it sent no heartbeats, so its requests are lost. Make it again.
        self._gone = True

    def _on_status(self, headers: bytes | None) -> bool:
        """Handle a status message; returns whether the consumer must be made again."""
        code, description, pairs = parse_status(headers or b"")
        if code == _STATUS_HEARTBEAT:
            self.idle = True
            self._odd_in_a_row = 0
            return False
        values = dict(pairs)
        pending_bytes = values.get("Nats-Pending-Bytes")
        if description == _TOO_LARGE and pending_bytes == str(self._window_bytes):
            # The window is unused: the next message alone is larger than a whole window.
            self._window_bytes *= 2
        unused = count_in(values.get("Nats-Pending-Messages"))
        if unused is not None:
            # The request ended early: timed out, or its byte window is full.
            self._asked = max(0, self._asked - unused)
            return False
        # 409 "Consumer Deleted", 409 "Leadership Change", 503 "No Responders", 404, unknown.
        return code != 0 or bool(description)


def _is_unheard(delivery: Delivery) -> bool:
    """Whether a delivery says that nothing listened to a request."""
    _subject, _reply, _payload, headers = delivery
    return headers is not None and parse_status(headers)[0] == _STATUS_UNHEARD


async def entered(stack: AsyncExitStack, reader: StreamReader) -> NatsterError | None:
    """Start a read of a stream that may be missing or empty; returns the error if that failed.

    A caller that looks the stream up at the same time saves a round trip, and can then tell
    whether the error matters.
    """
    reader.on_chance = True
    try:
        await stack.enter_async_context(reader)
    except NatsterError as error:
        return error
    return None
