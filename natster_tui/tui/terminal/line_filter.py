"""The last line filter before the terminal: no text can contain a control character.

Text from outside is made safe where it is decoded (`text/safe_text`). This filter catches what was
forgotten there, and what goes through Textual only, such as text pasted into its palette.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from natster_tui.text.safe_text import safe_in_place


class SafeLineFilter(LineFilter):
    """Replaces what must not reach a terminal; each line keeps its width."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The line as it may be written."""
        if all(_harmless(segment.text) == segment.text for segment in segments):
            return segments
        return [Segment(_harmless(text), style, control) for text, style, control in segments]


@lru_cache(maxsize=8192)
def _harmless(text: str) -> str:
    shown = safe_in_place(text)
    if shown == text:
        return text
    kept = zip(text, shown, strict=True)
    return "".join(now for before, now in kept if cell_len(before) == cell_len(now))


class FilterChain(LineFilter):
    """Several filters as one, because Textual makes a line of the result of each filter."""

    def __init__(self, filters: Sequence[LineFilter]) -> None:
        super().__init__()
        self.filters = filters

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The line after all of them."""
        for each in self.filters:
            segments = each.apply(segments, background)
        return segments
