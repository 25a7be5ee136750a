"""Documents as bytes and as JSON: the one encoder, and strict readers for stored ones.

A projector spends much of its time on this, so a compiled library (orjson) does it.
"""

from __future__ import annotations

from typing import Any

import orjson

Document = dict[str, Any]
"""A projection's document as JSON values, names in order."""


def encode_document(document: Document | list[Any] | str) -> bytes:
    """Encode a document, or a part of one, as UTF-8 JSON without spaces, in the order given."""
    # A copy: orjson's own bytes object keeps the whole buffer that it was written in.
    return bytes(memoryview(orjson.dumps(document)))


def encoded_json(json: bytes) -> orjson.Fragment:
    """Encoded JSON as a value inside a document that is yet to be encoded."""
    return orjson.Fragment(json)


def read_document(stored: bytes) -> Document | None:
    """The object that stored bytes hold, or None when they hold something else."""
    value = _read(stored)
    return value if isinstance(value, dict) else None


def read_list(stored: bytes) -> list[Any] | None:
    """The list that stored bytes hold, or None when they hold something else."""
    value = _read(stored)
    return value if isinstance(value, list) else None


def _read(stored: bytes) -> Any:
    """Read strictly, because any program may have stored the bytes: UTF-8, no NaN or Infinity."""
    try:
        return orjson.loads(stored)
    except ValueError:
        return None


DEEPEST = 64
"""Levels of nesting allowed in a document; ours have four. The comparison is recursive."""


def is_too_deep(value: Any) -> bool:
    """Whether a JSON value has more than DEEPEST levels; such a value is rejected."""
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def text_of(value: object) -> str:
    """A JSON string as it is; raises TypeError for anything else."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value


def seconds_of(value: object) -> int:
    """Unix seconds as they are; raises TypeError for anything else."""
    if type(value) is not int or value < 0:
        raise TypeError(f"{value!r} is not a time")
    return value


def texts_of(value: object) -> list[str]:
    """A list of JSON strings as it is; raises TypeError for anything else."""
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is not a list")
    return [text_of(item) for item in value]


_TIMES = ("_at", "_seen", "_time", "_since")
"""The endings of the names of fields that hold times in unix seconds."""
_TIME_FROM = 1_000_000_000
"""Smaller numbers are not shown as times; this one is in 2001, before any event."""


def is_time(name: str, value: object) -> bool:
    """Whether a field is a time in unix seconds, judging by its name and value."""
    return type(value) is int and value >= _TIME_FROM and name.endswith(_TIMES)
