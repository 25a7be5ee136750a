"""Dividing the width of a row among texts of different lengths."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len


def fair_widths(needs: Sequence[int], room: int) -> list[int]:
    """How many cells each text gets of `room`, given how many it needs.

    Short ones get all they need. What is left is shared equally by the long ones, so that none
    is cut more than necessary. Cells that no text needs are left over.
    """
    widths = [0] * len(needs)
    left = max(0, room)
    waiting = sorted(range(len(needs)), key=lambda index: needs[index])
    while waiting:
        share = left // len(waiting)
        index = waiting.pop(0)
        widths[index] = min(needs[index], share)
        left -= widths[index]
    return widths


def needed(texts: Sequence[str]) -> int:
    """The cells that the longest of some texts takes."""
    return max(map(cell_len, texts), default=0)


SEPARATOR = " · "
"""Between texts on one line."""


def fitting(texts: Sequence[str], room: int) -> str:
    """Join as many of the first texts as fit into `room` cells whole, but at least one."""
    for count in range(len(texts), 1, -1):
        line = SEPARATOR.join(texts[:count])
        if cell_len(line) <= room:
            return line
    return "".join(texts[:1])
