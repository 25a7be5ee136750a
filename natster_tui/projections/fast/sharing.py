"""One object for equal values that many states hold, so that states take less memory.

A catalog that is shared with a hundred accounts stands in all of their states as the same pair of
names, and an import stands on both sides of a share with the same time. Without this, each of them
would hold a copy: half of what a share takes.
"""

from __future__ import annotations

from typing import Any, TypeVar

_KEPT = 50_000
"""Values kept here. Equal values mostly come close together; all of them would take as much memory
as they save."""

_values: dict[Any, Any] = {}

Value = TypeVar("Value", tuple[str, str], int)


def same(value: Value) -> Value:
    """An equal value that was given lately, or else this one. For values that never change."""
    found: Value | None = _values.get(value)
    if found is not None:
        return found
    if len(_values) >= _KEPT:
        _values.clear()
    _values[value] = value
    return value
