"""The line filter of ASCII mode, for what Textual itself draws with other characters.

Our own texts use `theme.ASCII` from the start. Scroll bars, fields, menus and the palette are
Textual's. Each character is replaced by ASCII characters of the same width, so that nothing moves.
Names stay unchanged.
"""

from __future__ import annotations

from collections.abc import Iterable

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_REPLACED = str.maketrans(
    {
        **dict.fromkeys("▁▂▃▄▅▆▇▔━─", "-"),
        **dict.fromkeys("█▉▊▋▌▍▎▏▐▕│┃", "|"),
        **dict.fromkeys("╭╮╰╯┌┐└┘├┤┬┴┼", "+"),
        "▲": "^",
        "▼": "v",
        "▶": ">",
        "◀": "<",
        "↑": "^",
        "↓": "v",
        "←": "<",
        "→": ">",
        "·": "-",
        "…": "~",
        "•": "*",
        "●": "*",
        "✓": "v",
        "🔎": "/ ",
    }
)


class AsciiFilter(LineFilter):
    """Replaces the characters of lines, marks and boxes."""

    def apply(self, segments: Iterable[Segment], background: Color) -> list[Segment]:
        """See `LineFilter.apply`."""
        return [
            segment
            if segment.text.isascii()
            else Segment(segment.text.translate(_REPLACED), segment.style, segment.control)
            for segment in segments
        ]
