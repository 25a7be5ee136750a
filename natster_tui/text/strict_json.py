"""The JSON reader that decides, for all code alike, whether a payload is readable.

UTF-8 without a byte order mark, RFC 8259 (no NaN or Infinity), nesting of at most 64, no lone
surrogates. If a name occurs twice, the last one wins. Names are case-sensitive.
"""

from __future__ import annotations

import json
from typing import NoReturn, Union

MAX_NESTING = 64


class UnreadableError(ValueError):
    """The bytes are not readable JSON; the text says why."""


class Number(str):
    """A number, kept as it was written: a payload may hold more digits than Python converts."""

    __slots__ = ()


Json = Union[None, bool, str, "list[Json]", "dict[str, Json]"]


def _refuse_constant(name: str) -> NoReturn:
    raise UnreadableError(f"{name} is not JSON")


_decoder = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=Number, parse_float=Number)


def read_json(payload: bytes) -> Json:
    """Parse a payload; raises UnreadableError if it breaks one of the rules above."""
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableError("not UTF-8") from error
    if text.startswith("\ufeff"):
        raise UnreadableError("begins with a byte order mark")
    try:
        value: Json = _decoder.decode(text)
    except UnreadableError:
        raise
    except RecursionError as error:
        raise UnreadableError(f"nested deeper than {MAX_NESTING}") from error
    except ValueError as error:
        raise UnreadableError(f"not JSON: {error}") from error
    if text.count("[") + text.count("{") > MAX_NESTING and _depth(value) > MAX_NESTING:
        raise UnreadableError(f"nested deeper than {MAX_NESTING}")
    if "\\u" in text and _has_lone_surrogate(value):
        raise UnreadableError("holds half of a surrogate pair")
    return value


def json_line(value: object) -> str:
    """A value as JSON on one line of printable ASCII, whatever its texts hold."""
    return json.dumps(value).replace("\x7f", "\\u007f")


def _depth(value: Json) -> int:
    """How deep arrays and objects are nested; 0 for a plain value."""
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, (list, dict))]:
        depth += 1
        level = [
            child for item in level for child in (item.values() if isinstance(item, dict) else item)
        ]
    return depth


def _has_lone_surrogate(value: Json) -> bool:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            try:
                item.encode()
            except UnicodeEncodeError:
                return True
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, dict):
            waiting.extend(item)
            waiting.extend(item.values())
    return False
