"""The log as JSON lines: the form that `export` writes and `import` reads.

    {"seq","time","subject","headers","payload"|"payload_base64"}

`headers` holds a text for each name, or a list of texts where the name is repeated. A name with a
value that is not UTF-8 is in `headers_base64` instead, with the bytes of all its values in
base64; the field is there only when it is needed. `payload_base64` is for payloads that are not
UTF-8. Unknown fields are ignored.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Annotated, Any, NotRequired

from pydantic import ConfigDict, Field, ValidationError
from typing_extensions import TypedDict

from natster_tui.events.event import Record
from natster_tui.events.headers import Headers, read_value
from natster_tui.events.log.line_validator import line_validator
from natster_tui.events.times import format_timestamp, parse_timestamp
from natster_tui.text.strict_json import json_line

MASKED = "masked"
"""The field of a line that was written for people, with its secrets masked."""

_LARGEST_SEQ = 2**64 - 1
_BLANK = re.compile(r"[ \t\r\n]")
"""The characters that end a subject on the wire; any other may be part of one."""

_LINE_ENDS = str.maketrans("\r\n", "  ")
_BLANKS_AROUND = " \t\n\r\x0b\x0c"
"""What reading a header block strips from a value."""

_HeaderTexts = dict[str, str | list[str]]


class _Line(TypedDict):
    """One line. A typed dictionary: a model would take three times as long to make."""

    __pydantic_config__ = ConfigDict(  # type: ignore[misc] # pydantic's way to configure one
        strict=True, extra="ignore"
    )

    seq: Annotated[int, Field(ge=1, le=_LARGEST_SEQ)]
    time: str
    subject: Annotated[str, Field(min_length=1)]
    headers: NotRequired[_HeaderTexts | None]
    headers_base64: NotRequired[_HeaderTexts | None]
    payload: NotRequired[str | None]
    payload_base64: NotRequired[str | None]
    masked: NotRequired[Any]


_LINES = line_validator(_Line)

_WRONG = {
    "seq": "seq is not a sequence",
    "time": "time is not an RFC 3339 timestamp",
    "subject": "subject is not a subject",
    "headers": "headers is not an object",
    "headers_base64": "headers_base64 is not an object",
    "payload": "the payload is not a text",
    "payload_base64": "the payload is not a text",
}


class BadLineError(ValueError):
    """The line is not an event; the message says what is wrong with it."""


def encode_line(record: Record, payload: bytes | None = None) -> str:
    """One record as a line without its end; `payload` replaces the stored payload."""
    return json_line(line_value(record, payload))


def line_value(record: Record, payload: bytes | None = None) -> dict[str, Any]:
    """The same as a dict, for a caller that changes it."""
    stored = record.stored if payload is None else payload
    by_name: dict[str, list[str]] = {}
    for name, value in record.headers:
        by_name.setdefault(name, []).append(value)
    headers: _HeaderTexts = {}
    encoded: _HeaderTexts = {}
    for name, values in by_name.items():
        if all(map(_is_text, values)):
            headers[name] = values[0] if len(values) == 1 else values
        else:
            encoded_values = [_base64(value.encode("utf-8", "surrogateescape")) for value in values]
            encoded[name] = encoded_values[0] if len(encoded_values) == 1 else encoded_values
    line: dict[str, Any] = {
        "seq": record.seq,
        "time": format_timestamp(record.time_ns),
        "subject": record.subject,
        "headers": headers,
    }
    if encoded:
        line["headers_base64"] = encoded
    try:
        line["payload"] = stored.decode("utf-8")
    except UnicodeDecodeError:
        line["payload_base64"] = _base64(stored)
    return line


def _is_text(value: str) -> bool:
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def decode_line(line: str | bytes) -> Record:
    """The record in a line; raises BadLineError.

    Headers with any name are read. `natster_tui.events.log.carried` says which of them an import
    keeps.
    """
    try:
        value: _Line = _LINES.validate_json(line)
    except ValidationError as error:
        raise BadLineError(_what_is_wrong(error)) from error
    if value.get(MASKED):
        raise BadLineError(
            "its secrets were masked when the dashboard wrote it: natster-tui export writes what "
            "can be imported"
        )
    time_ns = parse_timestamp(value["time"])
    if time_ns is None:
        raise BadLineError(_WRONG["time"])
    subject = value["subject"]
    if _BLANK.search(subject):
        raise BadLineError(_WRONG["subject"])
    headers = _headers_of(value.get("headers"))
    if encoded := value.get("headers_base64"):
        headers += _decoded_headers_of(encoded)
    return Record(value["seq"], time_ns, subject, _payload_of(value), headers)


def _what_is_wrong(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = first["loc"]
    if not place:
        return "it is not JSON" if first["type"] == "json_invalid" else "it is not a JSON object"
    field = str(place[0])
    if field.startswith("headers") and len(place) > 1:
        return f"header {str(place[1])!a} is not a text"
    return _WRONG.get(field, "it is not JSON")


def _payload_of(value: _Line) -> bytes:
    text, encoded = value.get("payload"), value.get("payload_base64")
    if text is not None and encoded is None:
        return text.encode()
    if encoded is not None and text is None:
        try:
            return base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error) as error:
            raise BadLineError("the payload cannot be decoded") from error
    raise BadLineError("exactly one of payload and payload_base64 must be there")


def _headers_of(texts: _HeaderTexts | None) -> Headers:
    if not texts:
        return ()
    # As they will be stored: the identity must not change when the event is sent.
    return tuple(
        (name, one.translate(_LINE_ENDS).strip(_BLANKS_AROUND))
        for name, given in texts.items()
        for one in (given if isinstance(given, list) else (given,))
    )


def _decoded_headers_of(texts: _HeaderTexts) -> Headers:
    pairs = []
    for name, given in texts.items():
        for one in given if isinstance(given, list) else (given,):
            try:
                value = read_value(base64.b64decode(one, validate=True))
            except (ValueError, binascii.Error) as error:
                raise BadLineError(f"header {name!a} cannot be decoded") from error
            pairs.append((name, value.translate(_LINE_ENDS).strip(_BLANKS_AROUND)))
    return tuple(pairs)
