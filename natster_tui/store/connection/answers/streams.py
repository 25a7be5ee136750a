"""Answers about a stream: its settings, its state, and its cluster."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue, model_validator

from natster_tui.store.connection.answers.reading import (
    Answer,
    Count,
    Duration,
    Limit,
    Metadata,
    Part,
    Sequence,
    Timestamp,
)

_LARGEST_LIST = 10_000_000
"""A limit above the length of any list in an answer."""


class SubjectTransform(Part):
    """Under which subject a message is stored that was published on `src`; wildcards included."""

    src: str = ""
    dest: str = ""


class StreamConfig(Part):
    """A stream's settings."""

    name: Annotated[str, Field(min_length=1)]
    subjects: tuple[str, ...] | None = None
    retention: str = "limits"
    storage: str = "file"
    discard: str = "old"
    max_bytes: Limit = 0
    max_msgs: Limit = 0
    max_msgs_per_subject: Limit = 0
    max_msg_size: Limit = 0
    max_age: Duration = 0
    duplicate_window: Duration = 0
    num_replicas: Annotated[int, Field(ge=0, le=1_000)] = 1
    first_seq: Sequence = 0
    no_ack: bool = False
    sealed: bool = False
    discard_new_per_subject: bool = False
    deny_delete: bool = False
    deny_purge: bool = False
    allow_direct: bool = False
    allow_atomic: bool = False
    allow_msg_ttl: bool = False
    subject_delete_marker_ttl: Duration = 0
    allow_rollup_hdrs: bool = False
    persist_mode: str = ""
    mirror: dict[str, JsonValue] | None = None
    subject_transform: SubjectTransform | None = None
    metadata: Metadata | None = None


class StreamState(Part):
    """What a stream holds; `deleted` only if it was asked for."""

    messages: Count
    bytes: Count
    first_seq: Sequence
    last_seq: Sequence
    last_ts: str = ""
    """The time of the newest message, RFC 3339; use it only for comparisons."""
    num_deleted: Count = 0
    deleted: Annotated[tuple[Sequence, ...], Field(max_length=_LARGEST_LIST)] | None = None

    @model_validator(mode="after")
    def _fits(self) -> StreamState:
        if self.first_seq > self.last_seq + 1:
            raise ValueError("first_seq is beyond last_seq")
        if self.messages > self.last_seq - self.first_seq + 1:
            raise ValueError("more messages than sequences")
        return self


class Peer(Part):
    """A server of a stream's cluster."""

    name: str


class ClusterInfo(Part):
    """A stream's servers in a cluster; `leader` is empty while there is none."""

    name: str = ""
    leader: str = ""
    replicas: tuple[Peer, ...] | None = None


class StreamInfoAnswer(Answer):
    """The answer to STREAM.INFO, STREAM.CREATE and STREAM.UPDATE.

    `raw_config` is the configuration as received, so that an update loses no setting.
    """

    config: StreamConfig
    raw_config: dict[str, JsonValue] = Field(validation_alias="config")
    created: Timestamp
    state: StreamState
    cluster: ClusterInfo | None = None
    domain: str = ""


class StreamNamesAnswer(Answer):
    """The answer to STREAM.NAMES."""

    total: Count = 0
    streams: tuple[str, ...] | None = None


class DoneAnswer(Answer):
    """The answer to a deletion or a purge."""

    success: Literal[True]
