"""The last look at every line before the terminal gets it.

Whatever comes from outside is made visible where it is decoded (`text/safe_text`). Should
something have been forgotten, or be Textual's own (what is pasted into its palette), it is still
no control character that leaves: a line holds text, and the only sequences are Textual's.
"""

from __future__ import annotations

from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from natster_tui.text.safe_text import safe_in_place


class LastLook(LineFilter):
    """Takes out of each line what must not reach a terminal; the line keeps its width."""

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
