"""The last word in ASCII mode: what Textual itself draws with other characters.

Our own texts are written with `look.ASCII` from the start; scroll bars, fields, menus and the
palette are Textual's. Each is replaced by as many ASCII characters as it has cells, so that
nothing moves. Names stay what they are.
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
    """Replaces the characters that decorate."""

    def apply(self, segments: Iterable[Segment], background: Color) -> list[Segment]:
        """See `LineFilter.apply`."""
        return [
            segment
            if segment.text.isascii()
            else Segment(segment.text.translate(_REPLACED), segment.style, segment.control)
            for segment in segments
        ]
