"""The keys of a sealed log as JSON lines, which stand before its events.

    {"key","value"|"value_base64"}

`key` is the name of an entry of the keys' bucket, and the value is what is stored there. The entry
`_keyring` comes first and identifies the keyring. The others are wrapped data keys and sealed
tombstones, in the order in which they were written. Key-encryption keys are never exported.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import NamedTuple, NotRequired

from pydantic import ConfigDict, ValidationError
from typing_extensions import TypedDict

from natster_tui.events.log.line_validator import line_validator
from natster_tui.events.log.lines import BadLineError
from natster_tui.text.strict_json import json_line

KEYRING = "_keyring"

_ACCOUNT = r"(?:_nobody|[A-Za-z0-9=-][A-Za-z0-9_=-]*)"
_NAME = re.compile(rf"{KEYRING}|_tombstone\.{_ACCOUNT}|{_ACCOUNT}\.k[0-9a-f]{{16}}")
"""The names that entries may have. Others are refused, because a name becomes a subject."""

_BEGINS_WITH_KEY = re.compile(rb'\s*\{\s*"key"')


class KeyLine(NamedTuple):
    """One entry of the keys' bucket: its name there and what is stored."""

    name: str
    value: bytes


class _Line(TypedDict):
    __pydantic_config__ = ConfigDict(  # type: ignore[misc] # pydantic's way to configure one
        strict=True, extra="ignore"
    )

    key: str
    value: NotRequired[str | None]
    value_base64: NotRequired[str | None]


_LINES = line_validator(_Line)


def is_key_name(name: str) -> bool:
    """Whether an entry of the keys' bucket with this name can be exported and imported."""
    return _NAME.fullmatch(name) is not None


def is_key_line(line: bytes) -> bool:
    """Whether a line is a key rather than an event."""
    return _BEGINS_WITH_KEY.match(line) is not None


def encode_key_line(entry: KeyLine) -> str:
    """One entry as a line without its end."""
    line = {"key": entry.name}
    try:
        line["value"] = entry.value.decode("utf-8")
    except UnicodeDecodeError:
        line["value_base64"] = base64.b64encode(entry.value).decode("ascii")
    return json_line(line)


def decode_key_line(line: str | bytes) -> KeyLine:
    """The entry in a line; raises BadLineError."""
    try:
        value: _Line = _LINES.validate_json(line)
    except ValidationError as error:
        raise BadLineError("it is not a key with its value") from error
    if not is_key_name(value["key"]):
        raise BadLineError("key is not the name of a key")
    text, encoded = value.get("value"), value.get("value_base64")
    if text is not None and encoded is None:
        return KeyLine(value["key"], text.encode())
    if encoded is not None and text is None:
        try:
            return KeyLine(value["key"], base64.b64decode(encoded, validate=True))
        except (ValueError, binascii.Error) as error:
            raise BadLineError("the key's value cannot be decoded") from error
    raise BadLineError("exactly one of value and value_base64 must be there")
