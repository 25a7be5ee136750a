"""Answers about one message: the stored message, and the acknowledgement of a write."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from natster_tui.events.event import Record
from natster_tui.store.connection.answers.reading import (
    LARGEST_SEQUENCE,
    Answer,
    Base64,
    Count,
    Nanoseconds,
    Part,
)


class StoredMessage(Part):
    """One message of a stream; `headers` is its `NATS/1.0` block, or empty."""

    subject: Annotated[str, Field(min_length=1)]
    seq: Annotated[int, Field(ge=1, le=LARGEST_SEQUENCE)]
    time_ns: Nanoseconds = Field(validation_alias="time")
    payload: Base64 = Field(default=b"", validation_alias="data")
    headers: Base64 = Field(default=b"", validation_alias="hdrs")

    def record(self) -> Record:
        """The same as a record."""
        return Record(self.seq, self.time_ns, self.subject, self.payload, self.headers)


class MessageAnswer(Answer):
    """The answer to STREAM.MSG.GET."""

    message: StoredMessage


class PublishAck(Answer):
    """The acknowledgement of a stored message, or of the last one of an atomic batch.

    `stream` and `domain` say where it was stored; `batch` and `count` come with a batch.
    """

    stream: Annotated[str, Field(min_length=1)]
    seq: Annotated[int, Field(ge=1, le=LARGEST_SEQUENCE)]
    domain: str = ""
    duplicate: bool = False
    batch: str = ""
    count: Count = 0
