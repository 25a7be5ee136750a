"""On which line of a TOML file a key is set. The parser does not say."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any


def line_of(text: str, where: Sequence[str | int]) -> int:
    """The line, counted from 1, on which the value at `where` begins, or the last part it has.

    The text must be valid. The shortest beginning of it that is valid too and has the value ends
    with the statement that sets it. Slow on a long file: it is for telling a mistake.
    """
    lines = text.splitlines(keepends=True)
    wanted = _depth(tomllib.loads(text), where)
    begins = 1
    for count in range(1, len(lines) + 1):
        try:
            found = tomllib.loads("".join(lines[:count]))
        except tomllib.TOMLDecodeError:
            continue  # in the middle of a statement that has several lines
        if _depth(found, where) >= wanted:
            return begins
        begins = count + 1
    return max(1, len(lines))


def _depth(value: Any, where: Sequence[str | int]) -> int:
    """How many steps of `where` lead to something."""
    for depth, step in enumerate(where):
        is_key = isinstance(value, Mapping) and step in value
        is_index = isinstance(value, list) and isinstance(step, int) and step < len(value)
        if not is_key and not is_index:
            return depth
        value = value[step]
    return len(where)
