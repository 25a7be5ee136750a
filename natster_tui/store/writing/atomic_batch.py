"""Several messages to one stream, stored together or not at all (NATS ADR-50).

All messages of a batch leave in one write. A batch that is sent message by message costs more of
our time than everything else about a commit.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from natster_tui.errors import ApiError, ConflictError, DeniedError
from natster_tui.events.event import Record
from natster_tui.store.connection.api_codes import WRONG_LAST_SEQUENCE
from natster_tui.store.connection.frames import Outgoing, header_block
from natster_tui.store.connection.link import Link
from natster_tui.store.connection.wire import KV_OPERATION
from natster_tui.store.writing.stream_writer import StreamWriter

BATCH_LIMIT = 1_000
"""Messages in one atomic batch; the server refuses more (10199)."""

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
    if not 0 < len(messages) <= BATCH_LIMIT:
        raise ValueError(f"a batch holds 1 to {BATCH_LIMIT} messages, not {len(messages)}")
    batch, request = secrets.token_hex(12), f"a batch to {bucket}"
    writer = StreamWriter(link, f"KV_{bucket}")
    *first, last = messages
    await writer.queue(_outgoing(first, batch))
    headers = dict(_headers(last, batch, len(messages)), **{BATCH_COMMIT: "1"})
    try:
        ack = await writer.store(last.subject, last.value, headers, what=request)
    except ApiError as error:
        if error.code != WRONG_LAST_SEQUENCE:
            # The only sign of a denied message is that the batch lacks it.
            for each in messages:
                if denial := link.denials.of(link.target.stored(each.subject)):
                    raise DeniedError(denial.sentence) from error
            raise
        raise ConflictError(
            f"another writer changed {bucket} first; nothing was written"
        ) from error
    if (ack.batch, ack.count) != (batch, len(messages)):
        raise link.malformed(request, "it acknowledges another batch")
    return ack.seq


def _outgoing(messages: Sequence[BatchMessage], batch: str) -> list[Outgoing]:
    """The messages of a batch before its last one. Most of them have the same two headers."""
    start, end = header_block((BATCH_ID, batch), (BATCH_SEQUENCE, "#")).split("#")
    return [
        Outgoing(
            each.subject,
            f"{start}{number}{end}"
            if each.expected is None and not each.operation
            else header_block(*_headers(each, batch, number)),
            each.value,
        )
        for number, each in enumerate(messages, 1)
    ]


def _headers(message: BatchMessage, batch: str, number: int) -> list[tuple[str, str]]:
    headers = [(BATCH_ID, batch), (BATCH_SEQUENCE, str(number))]
    if message.expected is not None:
        headers.append((EXPECTED_LAST, str(message.expected)))
    if message.operation:
        headers.append((KV_OPERATION, message.operation))
    return headers
