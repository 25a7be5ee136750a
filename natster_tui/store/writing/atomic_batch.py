"""Several messages to one stream, stored together or not at all (NATS ADR-50)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from natster_tui.errors import ApiError, ConflictError, DeniedError
from natster_tui.events.event import Record
from natster_tui.store.connection.api_codes import WRONG_LAST_SEQUENCE
from natster_tui.store.connection.link import Link
from natster_tui.store.writing.stream_writer import StreamWriter

BATCH_LIMIT = 1_000
"""Messages in one atomic batch; the server refuses more (10199)."""

SENT_AT_ONCE = 100
"""How many messages are written before other tasks get to run."""

BATCH_ID = "Nats-Batch-Id"
BATCH_SEQUENCE = "Nats-Batch-Sequence"
BATCH_COMMIT = "Nats-Batch-Commit"
EXPECTED_LAST = "Nats-Expected-Last-Subject-Sequence"


@dataclass(frozen=True, slots=True)
class BatchMessage:
    """One message; `expected` is the revision that its subject must have, None for any."""

    subject: str
    value: bytes
    expected: int | None = None
    operation: str = ""
    """A key-value operation (`DEL`), or nothing for a value."""


def is_unfinished(record: Record) -> bool:
    """Whether more messages of the same batch follow a stored message."""
    return record.header(BATCH_ID) is not None and record.header(BATCH_COMMIT) is None


async def publish_batch(link: Link, bucket: str, messages: Sequence[BatchMessage]) -> int:
    """Store them all in a bucket; returns the sequence of the last one.

    Raises ConflictError, with nothing stored, if an expectation fails. If the answer is lost
    (ServerError), the batch may be stored or not: read the bucket before going on.
    """
    if len(messages) > BATCH_LIMIT:
        raise ValueError(f"{len(messages)} messages do not fit in one batch")
    batch = secrets.token_hex(12)
    writer = StreamWriter(link, f"KV_{bucket}")
    for number, message in enumerate(messages, 1):
        headers = {BATCH_ID: batch, BATCH_SEQUENCE: str(number)}
        if message.expected is not None:
            headers[EXPECTED_LAST] = str(message.expected)
        if message.operation:
            headers["KV-Operation"] = message.operation
        if number < len(messages):
            await writer.send(message.subject, message.value, headers)
            if number % SENT_AT_ONCE == 0:
                await asyncio.sleep(0)
            continue
        headers[BATCH_COMMIT] = "1"
        request = f"a batch to {bucket}"
        try:
            ack = await writer.store(message.subject, message.value, headers, what=request)
        except ApiError as error:
            if error.code != WRONG_LAST_SEQUENCE:
                # The only sign of a denied message is that the batch lacks it.
                for each in messages:
                    if denial := link.denial_of(link.target.stored(each.subject)):
                        raise DeniedError(denial.sentence) from error
                raise
            raise ConflictError(
                f"another writer changed {bucket} meanwhile; nothing was written"
            ) from error
        if (ack.batch, ack.count) != (batch, len(messages)):
            raise link.malformed(request, "it acknowledges another batch")
        return ack.seq
    raise ValueError("a batch holds at least one message")
