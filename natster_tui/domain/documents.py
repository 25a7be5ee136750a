"""Documents as bytes and as JSON: the one encoder, and strict readers for stored ones."""

from __future__ import annotations

import json
from typing import Any

Document = dict[str, Any]
"""A projection's document as JSON values, names in order."""

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def encode_document(document: Document | list[Any]) -> bytes:
    """UTF-8 JSON without spaces, names in the order given; of a document or of a page of one."""
    return _encode(document).encode()


def read_document(stored: bytes) -> Document | None:
    """The object that stored bytes hold, or None when they hold something else."""
    value = _read(stored)
    return value if isinstance(value, dict) else None


def read_list(stored: bytes) -> list[Any] | None:
    """The list that stored bytes hold, or None when they hold something else."""
    value = _read(stored)
    return value if isinstance(value, list) else None


def _read(stored: bytes) -> Any:
    """Strict, because stored bytes may be anybody's: UTF-8 only, no NaN and no Infinity."""
    try:
        return json.loads(stored.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


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
