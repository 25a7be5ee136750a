"""The event log: one JetStream stream, appended to and read, never changed otherwise.

This module creates a log or adopts an existing one, reads by sequence, and appends with expected
sequences. It never updates, purges or deletes an existing log.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from natster_tui.errors import (
    ApiError,
    ConflictError,
    LogChangedError,
    MissingLogError,
    RefusedError,
    ServerError,
)
from natster_tui.events.event import MESSAGE_ID, Record, StoredMessage
from natster_tui.events.log.hazards import why_not_publishable
from natster_tui.events.log.info import LogInfo
from natster_tui.events.system import EventSystem
from natster_tui.store.connection.answers.streams import StreamInfoAnswer
from natster_tui.store.connection.api_codes import (
    REPLICAS_NOT_SUPPORTED,
    STORE_FAILED,
    STREAM_NOT_FOUND,
    WRONG_LAST_ID,
    WRONG_LAST_SEQUENCE,
)
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.streams import (
    last_message,
    message_at,
    next_message,
    stream_info,
)
from natster_tui.store.connection.together import together
from natster_tui.store.connection.wire import RepeatableHeaders
from natster_tui.store.log_config import LogSettings, log_info, stream_config
from natster_tui.store.provisioning.maker import BucketMaker
from natster_tui.store.reading.leader import StreamLeader
from natster_tui.store.reading.ranges import read_filtered, read_messages, read_range
from natster_tui.store.reading.stream_reader import FOLLOWING_MESSAGES, StreamReader
from natster_tui.store.sealing.values import PlainSealing, Sealing, is_sealable, origin_of
from natster_tui.store.tasks import settled
from natster_tui.store.writing.stream_writer import StreamWriter
from natster_tui.text.safe_text import safe_text

CLUSTER_FOR_THREE_REPLICAS = 3
APPENDS_IN_FLIGHT = 400

EXPECTED_LAST_SEQUENCE = "Nats-Expected-Last-Sequence"
EXPECTED_LAST_ID = "Nats-Expected-Last-Msg-Id"
"""Only for a stream without replicas. On nats-server 2.15 replicas stop when this expectation
fails (`critical write error` in their log), and store nothing more."""
EXPECTED_SUBJECT_SEQUENCE = "Nats-Expected-Last-Subject-Sequence"
EXPECTED_SUBJECT = "Nats-Expected-Last-Subject-Sequence-Subject"


@dataclass(frozen=True, slots=True)
class Append:
    """One message to append; `headers` must hold its Nats-Msg-Id."""

    subject: str
    payload: bytes
    headers: tuple[tuple[str, str], ...] = field(default=())

    @property
    def message_id(self) -> str:
        """The message id, or an empty string."""
        return next((value for name, value in self.headers if name == MESSAGE_ID), "")


class EventLog:
    """The log, reached over a link. `info` is as of the last `refresh`."""

    def __init__(
        self, link: Link, info: LogInfo, system: EventSystem, sealing: Sealing | None = None
    ) -> None:
        self.system = system
        """What its messages say."""
        self.appended = 0
        """How many events this object appended, without duplicates."""
        self.link = link
        self.info = info
        self.sealing: Sealing = sealing or PlainSealing()
        self.buckets = BucketMaker(link, replicas=info.replicas, log_limit=info.max_bytes)
        """Creates the log's buckets."""
        self._writer = StreamWriter(link, info.stream)
        self.leader = StreamLeader(link, info.stream, info.created, info.subjects)
        """Knows which sequences were deleted from the log."""

    @property
    def identity(self) -> tuple[object, ...]:
        """A value that changes when data read earlier may no longer be shown.

        It covers the log itself, the erasures, and the available keys.
        """
        sealing = self.sealing
        return (self.info.stream, self.info.created, sealing.tombstones, sealing.problems)

    @classmethod
    async def open(cls, link: Link, system: EventSystem) -> EventLog:
        """Open the existing log; raises MissingLogError if there is none."""
        return cls(link, await _read_info(link, system.stream), system)

    @classmethod
    async def create(cls, link: Link, system: EventSystem, settings: LogSettings) -> EventLog:
        """Create the log; raises ApiError if the server refuses or the name is taken."""
        replicas = settings.replicas
        if replicas is None:
            # Addresses, not nodes: a node may have several.
            nodes = len(link.info.connect_urls or ())
            if nodes >= CLUSTER_FOR_THREE_REPLICAS:
                three = settings.model_copy(update={"replicas": 3})
                try:
                    return await cls.create(link, system, three)
                except ApiError as error:
                    # Another refusal may pass, and the replicas of a log are never changed later.
                    if error.code != REPLICAS_NOT_SUPPORTED:
                        raise
            replicas = 1
        config = stream_config(system, settings, replicas)
        await link.ask(f"STREAM.CREATE.{system.stream}", StreamInfoAnswer, config)
        return await cls.open(link, system)

    @property
    def stream(self) -> str:
        """The stream's name."""
        return self.info.stream

    async def refresh(self) -> LogInfo:
        """Read the log's current state from the server.

        Raises LogChangedError if another log has the same name now: what was read or folded
        through this object does not belong to it.
        """
        info = await _read_info(self.link, self.info.stream)
        if info.created != self.info.created:
            raise LogChangedError(
                f"{info.stream} was deleted and made again at {info.created}: "
                "this is not the log that was being read"
            )
        self.info = info
        return info

    async def record_at(self, seq: int) -> Record | None:
        """The record at a sequence, or None if there is none or it was deleted."""
        record = await message_at(self.link, self.stream, seq)
        return None if record is None else (await self.sealing.open_records([record]))[0]

    async def records(
        self,
        first: int,
        last: int,
        *,
        purpose: str,
        instance: str,
        subject_filter: str = "",
        there_from: int | None = None,
    ) -> AsyncGenerator[list[Record], None]:
        """Records from `first` to `last` inclusive, in batches; close it when leaving early.

        Ends without an error only if they are all that the log holds in that range. Messages from
        `there_from` on are known to exist: LogChangedError is raised if one of them is removed
        before it is read. By default this applies to everything after the first record.
        """
        if subject_filter:
            read = read_filtered(
                self.leader,
                first,
                last,
                subject_filter,
                purpose=purpose,
                instance=instance,
                replicas=self.info.replicas,
            )
        else:
            read = read_range(
                self.leader,
                first,
                last,
                purpose=purpose,
                instance=instance,
                there_from=there_from,
            )
        async with aclosing(read) as batches:
            async for batch in batches:
                yield await self.sealing.open_records(batch)

    def messages(
        self, first: int, last: int, *, purpose: str, instance: str, there_from: int | None = None
    ) -> AsyncGenerator[list[StoredMessage], None]:
        """The messages of a range, with payloads as stored; otherwise the same as `records`."""
        return read_messages(
            self.leader, first, last, purpose=purpose, instance=instance, there_from=there_from
        )

    def reader(
        self,
        start: int,
        *,
        purpose: str,
        instance: str,
        slice_messages: int | None = None,
    ) -> StreamReader:
        """Follow the log from `start` on, at the caller's pace."""
        return StreamReader(
            self.link,
            self.stream,
            start,
            purpose=purpose,
            instance=instance,
            leader=self.leader,
            window_messages=FOLLOWING_MESSAGES,
            slice_messages=slice_messages,
        )

    async def last_of_subject(self, subject_filter: str) -> int:
        """The sequence of the newest event that matches a filter; 0 if none does."""
        found = await last_message(self.link, self.stream, subject_filter)
        return 0 if found is None else found.seq

    async def clear_payload(self) -> int:
        """The sequence of an event that needs a payload, and whose payload is not sealed.

        Only the first and the newest of each kind are looked at; 0 if all of them are sealed.
        """
        system = self.system
        wanted = [system.subject(event=kind.name) for kind in system.needing_payload]
        ends = await together(
            *(next_message(self.link, self.stream, 1, each) for each in wanted),
            *(last_message(self.link, self.stream, each) for each in wanted),
        )
        for record in ends:
            if record is not None and is_sealable(record.payload):
                return record.seq
        return 0

    async def confirm(self, subject: str) -> None:
        """Check, before the first event is appended, that this log would store it.

        Appending checks the same. Call this early, beside other work, to save time. Raises
        MisplacedWriteError, ServerError.
        """
        await self._writer.confirm(subject)

    async def append(self, message: Append, *, expected_last: int, expected_subject: str) -> int:
        """Append one event if `expected_last` is the newest sequence matching the filter.

        Returns the event's sequence. Raises ConflictError if another writer was first, ServerError
        with the limit and the remedy if the log is full, and RefusedError if the account was
        erased meanwhile.
        """
        headers = (
            *message.headers,
            (EXPECTED_SUBJECT_SEQUENCE, str(expected_last)),
            (EXPECTED_SUBJECT, expected_subject),
        )
        before = self.info.last_seq
        await self._ready_for((message,))
        erased = self.sealing.tombstones
        try:
            seq = await self._publish(message, headers)
        except ConflictError:
            landed = await self._find_landed(message.message_id, before)
            if landed is None:
                raise
            seq = landed
        if self.sealing.seals and is_sealable(message.payload):
            await self._refuse_unreadable(seq, erased)
        return seq

    async def _refuse_unreadable(self, seq: int, erased: str | None) -> None:
        """Raise RefusedError if the event's key was destroyed before the event was stored.

        `erased` is the digest of the erasures when the event was sealed.
        """
        await self.sealing.refresh()
        if self.sealing.tombstones == erased:
            return
        record = await self.record_at(seq)
        if record is not None and record.seal is not None and record.seal.unopened is not None:
            raise RefusedError(
                f"event {seq:,} is stored, but the keys of its account were erased meanwhile, so "
                "it can never be read: publish it again"
            )

    async def append_all(self, messages: Sequence[Append], *, expected_last: int | None) -> int:
        """Append many events in order, several in flight; returns how many were stored.

        With `expected_last` each message expects to come directly after the one before it. If
        another writer appends in between, the remaining messages are not stored, and the number
        stored so far is returned. The expected sequence is not enough: if another event takes the
        place of one of ours, the sequence that the next one expects is right again. So with
        several in flight, each also expects the message id of the one before it. A replicated log
        gets them one by one, because there a failed expectation of an id ends the stream.
        """
        waiting: list[asyncio.Task[int]] = []
        landed = 0
        one_by_one = expected_last is not None and self.info.replicas > 1
        in_flight = 1 if one_by_one else APPENDS_IN_FLIGHT
        await self._ready_for(messages)
        try:
            for index, message in enumerate(messages):
                headers = message.headers
                if expected_last is not None:
                    headers = (*headers, (EXPECTED_LAST_SEQUENCE, str(expected_last + index)))
                    if index and not one_by_one:
                        before = messages[index - 1].message_id
                        headers = (*headers, (EXPECTED_LAST_ID, before))
                waiting.append(asyncio.create_task(self._publish(message, headers)))
                if len(waiting) >= in_flight:
                    self._check_landed(messages[landed], await waiting[0], expected_last, landed)
                    landed += 1
                    del waiting[0]
            for task in waiting:
                self._check_landed(messages[landed], await task, expected_last, landed)
                landed += 1
        except ConflictError:
            return landed
        finally:
            await settled(waiting)
        return landed

    def _check_landed(
        self, message: Append, seq: int, expected_last: int | None, index: int
    ) -> None:
        """Raise ServerError if an ordered message was answered with another sequence."""
        if expected_last is not None and seq != expected_last + index + 1:
            raise ServerError(
                f"{self.stream} takes the event {safe_text(message.message_id, 100)} for a "
                f"duplicate of one that was removed from it (at {seq:,}): wait until the stream's "
                "duplicate window is over, then try again"
            )

    async def _ready_for(self, messages: Sequence[Append]) -> None:
        """Get the keys to seal these messages with, and new ones for origins erased meanwhile.

        Raises ServerError if the stream takes no events.
        """
        if reason := why_not_publishable(self.info):
            raise ServerError(reason)
        origins = {origin_of(m.subject) for m in messages if is_sealable(m.payload)}
        if origins and self.sealing.seals:
            await self.sealing.refresh()
            await self.sealing.ready_for(origins)

    async def _publish(self, message: Append, headers: tuple[tuple[str, str], ...]) -> int:
        payload = self.sealing.seal_payload(message.subject, message.message_id, message.payload)
        what = f"an event on {message.subject}"
        try:
            ack = await self._writer.store(
                message.subject, payload, RepeatableHeaders(headers), what=what
            )
        except ApiError as error:
            if error.code in (WRONG_LAST_SEQUENCE, WRONG_LAST_ID):
                raise ConflictError(
                    f"another writer appended to {self.stream} first: look at what came in, and "
                    "try again"
                ) from error
            if error.code == STORE_FAILED:
                raise await self._full(error) from error
            raise
        if not ack.duplicate:
            self.appended += 1
        return ack.seq

    async def _full(self, error: ApiError) -> ServerError:
        """The error for a full log, with the limit that was reached and what to do."""
        info = await self.refresh()
        has_all_messages = 0 < info.max_msgs <= info.messages
        limit = "max_msgs" if has_all_messages else "max_bytes"
        size = info.max_msgs if has_all_messages else info.max_bytes
        return ServerError(
            f"{self.stream} is full ({safe_text(error.description, 200)}; "
            f"{limit}{f' {size:,}' if size else ''}): raise {limit} of the stream, "
            "then try again"
        )

    async def _find_landed(self, message_id: str, after: int) -> int | None:
        """Find our own message among the newer ones: a retry may be answered with a conflict."""
        info = await self.refresh()
        if not message_id:
            return None
        async with aclosing(
            self.records(after + 1, info.last_seq, purpose="landed", instance="append")
        ) as batches:
            async for batch in batches:
                for record in batch:
                    if record.header(MESSAGE_ID) == message_id:
                        return record.seq
        return None


async def _read_info(link: Link, stream: str) -> LogInfo:
    try:
        return log_info(await stream_info(link, stream))
    except ApiError as error:
        if error.code != STREAM_NOT_FOUND:
            raise
        raise MissingLogError(
            f"there is no log {stream} at {link.target.beside(link.settings.described)} for "
            f"{link.settings.user_described}: check --server and --stream, "
            "or make it with --create-log"
        ) from error
