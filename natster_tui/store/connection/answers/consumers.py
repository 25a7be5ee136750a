"""Answers about a stream's consumers."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from natster_tui.store.connection.answers.reading import (
    Answer,
    Count,
    Metadata,
    Nanoseconds,
    Part,
    Sequence,
)


class Delivered(Part):
    """A consumer's position; `last_active` is None until a message is delivered or acknowledged."""

    consumer_seq: Sequence = 0
    stream_seq: Sequence = 0
    last_active_ns: Nanoseconds | None = Field(default=None, validation_alias="last_active")


class ConsumerConfig(Part):
    """A consumer's settings."""

    filter_subject: str = ""
    filter_subjects: tuple[str, ...] | None = None
    metadata: Metadata | None = None


class ConsumerInfoAnswer(Answer):
    """The answer to CONSUMER.INFO and CONSUMER.CREATE."""

    name: Annotated[str, Field(min_length=1)]
    config: ConsumerConfig = ConsumerConfig()
    delivered: Delivered = Delivered()
    ack_floor: Delivered = Delivered()
    num_ack_pending: Count = 0
    num_redelivered: Count = 0
    num_waiting: Count = 0
    num_pending: Count
    push_bound: bool = False


class ConsumerListAnswer(Answer):
    """One page of the answer to CONSUMER.LIST."""

    total: Count = 0
    consumers: tuple[ConsumerInfoAnswer, ...] | None = None
