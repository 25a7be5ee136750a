"""How the width of a row is divided among texts of different lengths."""

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
