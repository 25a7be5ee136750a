"""What a NATS server answers, as values: decoded strictly, or refused.

Nothing that a server sends is trusted to have the right shape. Each answer has a model here;
`read_answer` turns the bytes into one, raises ApiError when the server answered with an error,
and MalformedAnswerError when the bytes cannot be that answer. Fields that we do not use are
ignored, so that a newer server is no problem.

Sequences and counts are 0 to 2^64-1, sizes are bytes, durations nanoseconds. A limit that is not
set is 0, whether the server leaves it out or says -1. Lists and maps may be None: the server
writes those that it never filled as `null`.
"""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    model_validator,
)

from natster_tui.errors import ApiError, MalformedAnswerError
from natster_tui.events.event import Record
from natster_tui.events.times import parse_timestamp
from natster_tui.text.masking import screen_text

LARGEST_SEQUENCE = 2**64 - 1
LARGEST_INT64 = 2**63 - 1
LARGEST_PAYLOAD = 2**31 - 1
"""The server keeps `max_payload` in 32 bits."""

_LARGEST_LIST = 10_000_000
"""More elements than any list in an answer can have."""


def _timestamp(text: object) -> object:
    if not isinstance(text, str) or parse_timestamp(text) is None:
        raise ValueError("should be an RFC 3339 time")
    return text


def _nanoseconds(text: object) -> object:
    time_ns = parse_timestamp(text) if isinstance(text, str) else None
    if time_ns is None:
        raise ValueError("should be an RFC 3339 time")
    return time_ns


def _from_base64(text: object) -> object:
    if not isinstance(text, str):
        raise ValueError("should be base64")  # noqa: TRY004 - pydantic takes a ValueError
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("should be base64") from None


def _unset_as_zero(limit: int) -> int:
    return max(0, limit)


Sequence = Annotated[int, Field(ge=0, le=LARGEST_SEQUENCE)]
Count = Sequence
Limit = Annotated[int, Field(ge=-1, le=LARGEST_INT64), AfterValidator(_unset_as_zero)]
Duration = Annotated[int, Field(ge=0, le=LARGEST_INT64)]
Timestamp = Annotated[str, BeforeValidator(_timestamp)]
"""A time as the server wrote it, known to be one: it may be part of an identity."""
Nanoseconds = Annotated[int, BeforeValidator(_nanoseconds)]
"""The same as nanoseconds since the epoch."""
Base64 = Annotated[bytes, BeforeValidator(_from_base64)]
Metadata = dict[str, str]


class Part(BaseModel):
    """A part of an answer. Unknown fields are ignored, known ones must have their own type."""

    model_config = ConfigDict(
        frozen=True, strict=True, extra="ignore", hide_input_in_errors=True, populate_by_name=True
    )


class ErrorBody(Part):
    """JetStream's error; `err_code` is 0 on servers that did not have such codes yet."""

    code: Annotated[int, Field(ge=0, le=LARGEST_INT64)] = 0
    err_code: Annotated[int, Field(ge=0, le=LARGEST_INT64)] = 0
    description: str = "unknown error"


class Answer(Part):
    """An answer of JetStream: an error, or the fields of the class that inherits from this."""

    error: ErrorBody | None = None


# -- streams -----------------------------------------------------------------------------------


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
    max_consumers: Limit = 0
    max_age: Duration = 0
    duplicate_window: Duration = 0
    num_replicas: Annotated[int, Field(ge=0, le=1_000)] = 1
    first_seq: Sequence = 0
    no_ack: bool = False
    sealed: bool = False
    deny_delete: bool = False
    deny_purge: bool = False
    allow_direct: bool = False
    allow_atomic: bool = False
    allow_msg_ttl: bool = False
    allow_rollup_hdrs: bool = False
    persist_mode: str = ""
    mirror: dict[str, JsonValue] | None = None
    metadata: Metadata | None = None


class StreamState(Part):
    """What a stream holds; `deleted` only where it was asked for."""

    messages: Count
    bytes: Count
    first_seq: Sequence
    last_seq: Sequence
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
    """Where a stream lives in a cluster; `leader` is empty while there is none."""

    name: str = ""
    leader: str = ""
    replicas: tuple[Peer, ...] | None = None


class StreamInfoAnswer(Answer):
    """The answer to STREAM.INFO, STREAM.CREATE and STREAM.UPDATE.

    `raw_config` is the configuration as it was sent, for an update that must not lose a setting.
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


# -- messages ----------------------------------------------------------------------------------


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
    """What acknowledges a stored message, or the last one of an atomic batch.

    `stream` and `domain` say where it landed; `batch` and `count` come with a batch.
    """

    stream: Annotated[str, Field(min_length=1)]
    seq: Annotated[int, Field(ge=1, le=LARGEST_SEQUENCE)]
    domain: str = ""
    duplicate: bool = False
    batch: str = ""
    count: Count = 0


# -- consumers ---------------------------------------------------------------------------------


class Delivered(Part):
    """How far a consumer is; `last_active` is None until it delivered or heard something."""

    consumer_seq: Sequence = 0
    stream_seq: Sequence = 0
    last_active_ns: Nanoseconds | None = Field(default=None, validation_alias="last_active")


class ConsumerConfig(Part):
    """A consumer's settings."""

    durable_name: str = ""
    deliver_subject: str = ""
    ack_policy: str = ""
    metadata: Metadata | None = None


class ConsumerInfoAnswer(Answer):
    """The answer to CONSUMER.INFO and CONSUMER.CREATE."""

    stream_name: str = ""
    name: Annotated[str, Field(min_length=1)]
    config: ConsumerConfig = ConsumerConfig()
    delivered: Delivered = Delivered()
    ack_floor: Delivered = Delivered()
    num_ack_pending: Count = 0
    num_redelivered: Count = 0
    num_waiting: Count = 0
    num_pending: Count


class ConsumerListAnswer(Answer):
    """One page of the answer to CONSUMER.LIST."""

    total: Count = 0
    consumers: tuple[ConsumerInfoAnswer, ...] | None = None


# -- accounts and servers ----------------------------------------------------------------------


class AccountLimits(Part):
    """What an account, or a tier of it, may use."""

    max_memory: Limit = 0
    max_storage: Limit = 0
    max_streams: Limit = 0
    max_consumers: Limit = 0
    memory_max_stream_bytes: Limit = 0
    storage_max_stream_bytes: Limit = 0
    max_bytes_required: bool = False


class AccountTier(Part):
    """What an account, or a tier of it, uses, and its limits."""

    memory: Count = 0
    storage: Count = 0
    reserved_memory: Count = 0
    reserved_storage: Count = 0
    streams: Count = 0
    consumers: Count = 0
    limits: AccountLimits = AccountLimits()


class AccountInfoAnswer(AccountTier, Answer):
    """The answer to INFO: the account of this connection."""

    domain: str = ""
    tiers: dict[str, AccountTier] | None = None


class ServerInfo(Part):
    """What a server says of itself when a connection begins."""

    server_id: Annotated[str, Field(min_length=1)]
    version: Annotated[str, Field(pattern=r"^[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}([-+.].{0,200})?$")]
    max_payload: Annotated[int, Field(ge=1, le=LARGEST_PAYLOAD)]
    server_name: str = ""
    cluster: str = ""
    domain: str = ""
    headers: bool = False
    jetstream: bool = False
    auth_required: bool = False
    tls_required: bool = False
    tls_available: bool = False
    connect_urls: tuple[str, ...] | None = None
    ldm: bool = False


# -- reading -----------------------------------------------------------------------------------

PartT = TypeVar("PartT", bound=Part)
AnswerT = TypeVar("AnswerT", bound=Answer)


class _ErrorAnswer(Answer):
    """Whatever was asked: an answer with an error needs no other field."""

    error: ErrorBody


def read_answer(data: bytes, model: type[AnswerT], *, request: str, where: str) -> AnswerT:
    """An answer as a value. `request` and `where` name what was asked, and of which server.

    Raises ApiError when it is an error, MalformedAnswerError when it cannot be read.
    """
    try:
        answer = model.model_validate_json(data)
    except ValidationError as error:
        try:
            refused = _ErrorAnswer.model_validate_json(data)
        except ValidationError:
            raise malformed(where, request, _first_problem(error)) from None
        raise _refused(request, refused.error) from None
    if answer.error is not None:
        raise _refused(request, answer.error)
    return answer


def read_part(data: bytes, model: type[PartT], *, request: str, where: str) -> PartT:
    """The same for what is no answer of JetStream, such as a server's greeting."""
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        raise malformed(where, request, _first_problem(error)) from None


def malformed(where: str, request: str, problem: str) -> MalformedAnswerError:
    """That an answer cannot be believed; `problem` says what is wrong with it."""
    return MalformedAnswerError(
        f"{where} gave a malformed answer to {request} ({problem}): check that it is a NATS server "
        "and that nothing between changes what it says"
    )


def _refused(request: str, error: ErrorBody) -> ApiError:
    """A JetStream error as one of ours."""
    description = screen_text(error.description, 300)
    return ApiError(f"JetStream refused {request}: {description}", error.err_code, description)


def _first_problem(error: ValidationError) -> str:
    """Where an answer is wrong, and how; never what stands there."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    told = first["msg"].removeprefix("Value error, ")
    if first["type"] == "json_invalid":
        told = "not JSON"
    return f"{place}: {told[:1].lower()}{told[1:]}" if place else told
