"""Rows made of cells: text of a known width, never markup."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from natster_tui.tui.theme import Glyphs, plain


class Cell(NamedTuple):
    """A piece of a row. `width` 0 shares the room that is left with other such cells.

    `style` names a component style of the list that draws it; `right` aligns the text right.
    """

    text: str
    width: int = 0
    style: str = ""
    right: bool = False


def fit(text: str, width: int, ellipsis: str = "…", *, right: bool = False) -> str:
    """The text in exactly `width` terminal cells, cut with an ellipsis when it is longer."""
    if width <= 0:
        return ""
    length = len(text) if text.isascii() else cell_len(text)
    if length > width:
        room = width - cell_len(ellipsis)
        return set_cell_size(text, max(0, room)) + ellipsis if room >= 0 else ellipsis[:width]
    return " " * (width - length) + text if right else text + " " * (width - length)


def row_strip(
    cells: Sequence[Cell],
    width: int,
    base: Style,
    styles: dict[str, Style],
    glyphs: Glyphs,
    covered: int = 0,
) -> Strip:
    """A row of `width` cells; one blank between cells. `covered` more are behind a scroll bar."""
    fixed = sum(cell.width for cell in cells) + max(0, len(cells) - 1)
    flexible = [cell for cell in cells if cell.width == 0]
    left = max(0, width - fixed)
    share, extra = divmod(left, len(flexible)) if flexible else (0, 0)
    segments: list[Segment] = []
    last, taken = len(cells) - 1, 0
    for number, cell in enumerate(cells):
        room = cell.width
        if room == 0:
            room = share + (1 if extra > 0 else 0)
            extra -= 1
        text = fit(plain(cell.text, glyphs), room, glyphs.ellipsis, right=cell.right)
        taken += room
        if number < last:
            # A blank has no colour, so it need not be a segment of its own.
            text += " "
            taken += 1
        segments.append(Segment(text, base + styles[cell.style] if cell.style else base))
    if covered and taken == width:
        segments.append(Segment(" " * covered, base))
        taken += covered
    return Strip(segments, taken).adjust_cell_length(width + covered, base)
