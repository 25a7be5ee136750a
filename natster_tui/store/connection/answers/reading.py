"""Parsing a server's answers.

We do not trust a server to send the right shape. Each answer has a model in this package.
`read_answer` parses the bytes into one; it raises ApiError if the server answered with an error,
and MalformedAnswerError if the bytes are not such an answer. Fields that we do not use are ignored,
so newer servers work too.

Sequences and counts are 0 to 2^64-1, sizes are bytes, durations nanoseconds. A limit that is not
set is 0, whether the server leaves it out or sends -1. Lists and maps may be None: the server
writes empty ones as `null`.
"""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from natster_tui.errors import ApiError, MalformedAnswerError
from natster_tui.events.times import parse_timestamp
from natster_tui.text.masking import screen_text

LARGEST_SEQUENCE = 2**64 - 1
LARGEST_INT64 = 2**63 - 1


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
"""A validated time, kept as the server wrote it, because it may be part of an identity."""
Nanoseconds = Annotated[int, BeforeValidator(_nanoseconds)]
"""A time as nanoseconds since the epoch."""
Base64 = Annotated[bytes, BeforeValidator(_from_base64)]
Metadata = dict[str, str]


class Part(BaseModel):
    """A part of an answer. Unknown fields are ignored, known ones are strictly typed."""

    model_config = ConfigDict(
        frozen=True, strict=True, extra="ignore", hide_input_in_errors=True, populate_by_name=True
    )


class ErrorBody(Part):
    """JetStream's error; `err_code` is 0 on older servers, which have no such codes."""

    code: Annotated[int, Field(ge=0, le=LARGEST_INT64)] = 0
    err_code: Annotated[int, Field(ge=0, le=LARGEST_INT64)] = 0
    description: str = "unknown error"


class Answer(Part):
    """An answer of JetStream: an error, or the fields of the class that inherits from this."""

    error: ErrorBody | None = None


PartT = TypeVar("PartT", bound=Part)
AnswerT = TypeVar("AnswerT", bound=Answer)


class _ErrorAnswer(Answer):
    """An answer to any request that holds an error; it needs no other field."""

    error: ErrorBody


def read_answer(data: bytes, model: type[AnswerT], *, request: str, where: str) -> AnswerT:
    """Parse an answer. `request` and `where` name the request and the server in errors.

    Raises ApiError if it is an error, MalformedAnswerError if it cannot be read.
    """
    try:
        answer = model.model_validate_json(data)
    except ValidationError as error:
        try:
            refused = _ErrorAnswer.model_validate_json(data)
        except ValidationError:
            raise malformed(where, request, first_problem(error)) from None
        raise _refused(request, refused.error) from None
    if answer.error is not None:
        raise _refused(request, answer.error)
    return answer


def read_part(data: bytes, model: type[PartT], *, request: str, where: str) -> PartT:
    """Parse an answer that is not JetStream's, such as a server's INFO."""
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        raise malformed(where, request, first_problem(error)) from None


def malformed(where: str, request: str, problem: str) -> MalformedAnswerError:
    """The error for an invalid answer; `problem` says what is wrong with it."""
    return MalformedAnswerError(
        f"{where} gave a malformed answer to {request} ({problem}): check that it is a NATS server "
        "and that no proxy changes its answers"
    )


def _refused(request: str, error: ErrorBody) -> ApiError:
    """A JetStream error as one of ours."""
    description = screen_text(error.description, 300)
    return ApiError(f"JetStream refused {request}: {description}", error.err_code, description)


def first_problem(error: ValidationError) -> str:
    """The field of an answer that is wrong, and why; never its value."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    problem = first["msg"].removeprefix("Value error, ")
    if first["type"] == "json_invalid":
        problem = "not JSON"
    return f"{place}: {problem[:1].lower()}{problem[1:]}" if place else problem
