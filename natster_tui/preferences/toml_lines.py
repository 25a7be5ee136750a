"""Finding the line on which a key of a TOML file is set, which the parser does not report."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from typing import Any

Where = tuple[str | int, ...]
"""The keys that lead to a value, and the index of an entry of a list."""

_MAY_END = re.compile(r"""[\]}]|\"{3}|'{3}""")
"""What the last line of a statement holds, if it has several lines."""


def lines_of(text: str) -> dict[Where, int]:
    """For each value, the line on which the statement that sets it begins, counted from 1.

    The text must be valid. Each statement is parsed alone, after the header of its table: it ends
    with the first line that makes it valid.
    """
    lines: dict[Where, int] = {}
    header = statement = ""
    begin = 1
    for number, line in enumerate(text.split("\n"), 1):
        is_within = statement != ""
        statement += f"{line}\n"
        if is_within and not _MAY_END.search(line):
            continue
        is_header = statement.lstrip().startswith("[")
        try:
            value = tomllib.loads(statement if is_header else header + statement)
        except tomllib.TOMLDecodeError:
            continue
        for where in _places((), value):
            lines.setdefault(where, begin)
        if is_header:
            header = statement
        statement, begin = "", number + 1
    return lines


def _places(where: Where, value: Any) -> Iterator[Where]:
    """The places of all values in a value."""
    entries: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        entries = value.items()
    elif isinstance(value, list):
        entries = enumerate(value)
    for step, entry in entries:
        yield (*where, step)
        yield from _places((*where, step), entry)
