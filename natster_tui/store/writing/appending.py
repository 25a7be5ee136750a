"""Appending events to the log, each on condition that its writer knows all earlier ones.

An event is sealed here if the log is sealed. It is stored only once: its message id, the expected
sequence and the acknowledgement say whether it was stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from natster_tui.errors import ApiError, ConflictError, RefusedError, ServerError
from natster_tui.events.event import MESSAGE_ID
from natster_tui.events.log.hazards import why_not_publishable
from natster_tui.store.connection.api_codes import (
    STORE_FAILED,
    WRONG_LAST_ID,
    WRONG_LAST_SEQUENCE,
)
from natster_tui.store.connection.streams import message_at
from natster_tui.store.connection.wire import RepeatableHeaders
from natster_tui.store.connection.write_target import renamed_event
from natster_tui.store.provisioning.refusals import cannot_append
from natster_tui.store.sealing.values import is_sealable, origin_of
from natster_tui.store.tasks import settled
from natster_tui.store.writing.stream_writer import StreamWriter
from natster_tui.text.safe_text import safe_text

if TYPE_CHECKING:
    from natster_tui.store.log import Append, EventLog

APPENDS_IN_FLIGHT = 400
_STORED_BESIDE = 1_024
"""Bytes of a stored event beside its payload, at most: subject, headers, the server's own."""

EXPECTED_LAST_SEQUENCE = "Nats-Expected-Last-Sequence"
EXPECTED_LAST_ID = "Nats-Expected-Last-Msg-Id"
"""Only for a stream without replicas. On nats-server 2.15 replicas stop when this expectation
fails (`critical write error` in their log), and store nothing more."""
EXPECTED_SUBJECT_SEQUENCE = "Nats-Expected-Last-Subject-Sequence"
EXPECTED_SUBJECT = "Nats-Expected-Last-Subject-Sequence-Subject"


class Appender:
    """Appends to one log."""

    def __init__(self, log: EventLog) -> None:
        self.appended = 0
        """How many events this object appended, without duplicates."""
        self._log = log
        self._writer = StreamWriter(log.link, log.stream)

    async def confirm(self, subject: str) -> None:
        """Check, before the first event is appended, that the log would store it."""
        await self._writer.confirm(subject)

    async def one(self, message: Append, expected_last: int, expected_subject: str) -> int:
        """Append one event if `expected_last` is the newest sequence matching the filter.

        Returns the event's sequence. Raises ConflictError if another writer was first, ServerError
        with the limit and the remedy if the log is full, and RefusedError if the account was
        erased at the same time.
        """
        headers = (
            *message.headers,
            (EXPECTED_SUBJECT_SEQUENCE, str(expected_last)),
            (EXPECTED_SUBJECT, expected_subject),
        )
        before = self._log.info.last_seq
        await self._ready_for((message,))
        erased, appended = self._log.sealing.tombstones, self.appended
        try:
            seq = await self.publish(message, headers)
        except ConflictError:
            landed = await self._find_landed(message.message_id, before)
            if landed is None:
                raise
            seq = landed
        await self._refuse_if_renamed(seq, message, appended)
        if self._log.sealing.seals and is_sealable(message.payload):
            await self._refuse_unreadable(seq, erased)
        return seq

    async def _refuse_if_renamed(self, seq: int, message: Append, appended: int) -> None:
        """Raise MisplacedWriteError if an event was stored on another subject.

        A subject mapping of the account makes it another event, and the stream acknowledges that.
        `appended` is how many events there were before it: a duplicate was not stored.
        """
        if self.appended == appended:
            return
        try:
            stored = await message_at(self._log.link, self._log.stream, seq)
        except ServerError:
            # It is stored: if that were reported as a failure, it would be published again.
            return
        if stored is not None and stored.subject != message.subject:
            raise renamed_event(seq, message.subject, stored.subject)

    async def _refuse_unreadable(self, seq: int, erased: str | None) -> None:
        """Raise RefusedError if the event's key was destroyed before the event was stored.

        `erased` is the digest of the erasures when the event was sealed.
        """
        try:
            await self._log.sealing.refresh()
            if self._log.sealing.tombstones == erased:
                return
            record = await self._log.record_at(seq)
        except ServerError:
            return  # it is stored, as above
        if record is not None and record.seal is not None and record.seal.unopened is not None:
            raise RefusedError(
                f"event {seq:,} is stored, but the keys of its account were erased just now, so it "
                "can never be read: publish it again"
            )

    async def many(self, messages: Sequence[Append], expected_last: int | None) -> int:
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
        one_by_one = expected_last is not None and self._log.info.replicas > 1
        in_flight = 1 if one_by_one else APPENDS_IN_FLIGHT
        await self._ready_for(messages)
        appended = self.appended
        try:
            for index, message in enumerate(messages):
                headers = message.headers
                if expected_last is not None:
                    headers = (*headers, (EXPECTED_LAST_SEQUENCE, str(expected_last + index)))
                    if index and not one_by_one:
                        before = messages[index - 1].message_id
                        headers = (*headers, (EXPECTED_LAST_ID, before))
                waiting.append(asyncio.create_task(self.publish(message, headers)))
                if index == 0:
                    # Before hundreds of others follow.
                    await self._refuse_if_renamed(await waiting[0], message, appended)
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
                f"{self._log.stream} takes the event {safe_text(message.message_id, 100)} for a "
                f"duplicate of one that was removed from it (at {seq:,}): wait until the stream's "
                "duplicate window is over, then try again"
            )

    async def _ready_for(self, messages: Sequence[Append]) -> None:
        """Get the keys to seal these messages with; an erased origin gets a new one.

        Raises ServerError if the stream takes no events.
        """
        if reason := why_not_publishable(self._log.info):
            raise ServerError(reason)
        origins = {origin_of(m.subject) for m in messages if is_sealable(m.payload)}
        if origins and self._log.sealing.seals:
            await self._log.sealing.refresh()
            await self._log.sealing.ready_for(origins)

    async def publish(self, message: Append, headers: tuple[tuple[str, str], ...]) -> int:
        """Publish one event, sealed if the log is, with these headers; returns its sequence.

        Raises ConflictError if an expectation among the headers fails, and ServerError with the
        limit and the remedy if the log is full.
        """
        sealing = self._log.sealing
        payload = sealing.seal_payload(message.subject, message.message_id, message.payload)
        what = f"an event on {message.subject}"
        try:
            ack = await self._writer.store(
                message.subject, payload, RepeatableHeaders(headers), what=what
            )
        except ApiError as error:
            if error.code in (WRONG_LAST_SEQUENCE, WRONG_LAST_ID):
                raise ConflictError(
                    f"another writer appended to {self._log.stream} first: look at what came in, "
                    "and try again"
                ) from error
            if error.code == STORE_FAILED:
                raise await self._full(error, len(payload)) from error
            raise cannot_append(self._log.stream, error) from error
        if not ack.duplicate:
            self.appended += 1
        return ack.seq

    async def _full(self, error: ApiError, event_bytes: int) -> ServerError:
        """The error for a full log, with the limit that was reached and what to do."""
        info = await self._log.refresh()
        has_room = info.max_bytes == 0 or info.bytes + event_bytes + _STORED_BESIDE < info.max_bytes
        if 0 < info.max_msgs <= info.messages:
            limit, size = "max_msgs", info.max_msgs
        elif info.discard_new_per_subject and has_room:
            limit, size = "max_msgs_per_subject", info.max_msgs_per_subject
        else:
            limit, size = "max_bytes", info.max_bytes
        return ServerError(
            f"{self._log.stream} is full ({safe_text(error.description, 200)}; "
            f"{limit}{f' {size:,}' if size else ''}): raise {limit} of the stream, "
            "then try again"
        )

    async def _find_landed(self, message_id: str, after: int) -> int | None:
        """The sequence of our own message if it was stored: a retry may get a conflict."""
        info = await self._log.refresh()
        if not message_id:
            return None
        async with aclosing(
            self._log.records(after + 1, info.last_seq, purpose="landed", instance="append")
        ) as batches:
            async for batch in batches:
                for record in batch:
                    if record.header(MESSAGE_ID) == message_id:
                        return record.seq
        return None
