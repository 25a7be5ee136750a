"""The log as JSON lines, and when two events are the same one.

The form that `export` writes and `import` reads (DESIGN section 8):
`{"seq","time","subject","headers","payload"|"payload_base64"}`.

An event's identity is its `Nats-Msg-Id`. Without one it is `imp-` and the SHA-256, in
hexadecimal, over four fields each preceded by its length as eight bytes, big-endian: the
sequence in decimal digits, the time as the server writes it (RFC 3339 in UTC, no trailing
zeros), the subject, and the payload as it is stored.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any

from natster_tui.events.event import MESSAGE_ID, OCCURRED_AT, Record
from natster_tui.events.times import format_timestamp, parse_occurred_at, parse_timestamp
from natster_tui.text.strict_json import json_line

_NOT_CARRIED = ("nats-expected-", "nats-rollup", "nats-ttl")
"""Headers that speak to the server about one publish, and would be wrong in another log."""

_BLANK = re.compile(r"[ \t\r\n]")
"""What ends a subject on the wire; any other character may be part of one."""

_HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_LINE_ENDS = str.maketrans("\r\n", "  ")


class BadLineError(ValueError):
    """A line that is not an event; the text says what is wrong with it."""


def encode_line(record: Record, payload: bytes | None = None) -> str:
    """One record as a line without its end; `payload` stands in for the stored one."""
    stored = record.stored if payload is None else payload
    headers: dict[str, str | list[str]] = {}
    for name, value in record.headers:
        earlier = headers.get(name)
        if earlier is None:
            headers[name] = value
        elif isinstance(earlier, list):
            earlier.append(value)
        else:
            headers[name] = [earlier, value]
    line: dict[str, Any] = {
        "seq": record.seq,
        "time": format_timestamp(record.time_ns),
        "subject": record.subject,
        "headers": headers,
    }
    try:
        line["payload"] = stored.decode("utf-8")
    except UnicodeDecodeError:
        line["payload_base64"] = base64.b64encode(stored).decode("ascii")
    return json_line(line)


MASKED = "masked"
"""What a line has that was written for people."""


def decode_line(line: str) -> Record:
    """The record that a line stands for; raises BadLineError."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadLineError("it is not JSON") from error
    if not isinstance(value, dict):
        raise BadLineError("it is not a JSON object")
    if value.get(MASKED):
        raise BadLineError(
            "its secrets were masked when the dashboard wrote it: natster-tui export writes what "
            "can be imported"
        )
    seq, time, subject = value.get("seq"), value.get("time"), value.get("subject")
    if type(seq) is not int or seq < 1:
        raise BadLineError("seq is not a sequence")
    time_ns = parse_timestamp(time) if isinstance(time, str) else None
    if time_ns is None:
        raise BadLineError("time is not an RFC 3339 timestamp")
    if not isinstance(subject, str) or not subject or _BLANK.search(subject):
        raise BadLineError("subject is not a subject")
    _check_encodable("subject", subject)
    return Record(seq, time_ns, subject, _payload_of(value), _headers_of(value.get("headers")))


def _payload_of(value: dict[str, Any]) -> bytes:
    text, encoded = value.get("payload"), value.get("payload_base64")
    if (text is None) == (encoded is None):
        raise BadLineError("exactly one of payload and payload_base64 must be there")
    try:
        if isinstance(text, str):
            return text.encode("utf-8")
        if isinstance(encoded, str):
            return base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise BadLineError("the payload cannot be decoded") from error
    raise BadLineError("the payload is not a text")


def _headers_of(value: object) -> tuple[tuple[str, str], ...]:
    if value is None:
        return ()
    if not isinstance(value, dict):
        raise BadLineError("headers is not an object")
    pairs = []
    for name, told in value.items():
        if _HEADER_NAME.fullmatch(name) is None:
            raise BadLineError(f"headers holds a name that cannot be sent: {name!a}")
        for one in told if isinstance(told, list) else [told]:
            if not isinstance(one, str):
                raise BadLineError(f"header {name} is not a text")
            _check_encodable(f"header {name}", one)
            # As it will be stored: an identity must be the same before the wire and after.
            pairs.append((name, one.translate(_LINE_ENDS).strip()))
    return tuple(pairs)


def _check_encodable(what: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadLineError(f"{what} holds half of a surrogate pair") from error


def event_identity(record: Record) -> str:
    """What makes two events the same one, wherever they are stored."""
    given = record.header(MESSAGE_ID)
    if given:
        return given
    digest = hashlib.sha256()
    for part in (
        str(record.seq).encode(),
        format_timestamp(record.time_ns).encode(),
        record.subject.encode(),
        record.stored,
    ):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return f"imp-{digest.hexdigest()}"


def imported_headers(record: Record) -> tuple[tuple[str, str], ...]:
    """The headers with which a record is appended to another log.

    Its own ones, without those that speak to the server about one publish; its identity as the
    message id; and its time, unless a valid `Natster-Occurred-At` says it already.
    """
    kept = [
        (name, value)
        for name, value in record.headers
        if not name.lower().startswith(_NOT_CARRIED) and name != MESSAGE_ID
    ]
    if parse_occurred_at(record.header(OCCURRED_AT)) is None:
        kept = [(name, value) for name, value in kept if name != OCCURRED_AT]
        kept.insert(0, (OCCURRED_AT, format_timestamp(record.time_ns)))
    return ((MESSAGE_ID, event_identity(record)), *kept)
