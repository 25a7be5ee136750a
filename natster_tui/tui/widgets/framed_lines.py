"""The lines of a list in their frame: border and padding are found once for all lines.

Textual asks its styles for border, padding, outline, tint and opacity at every line that it
renders, which takes as long as rendering the text of the line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich.segment import Segment
from textual._styles_cache import StylesCache
from textual.strip import Strip


@dataclass(frozen=True, slots=True)
class _Frame:
    """The segments to the left and right of the lines from `first` to before `end`."""

    first: int
    end: int
    before: list[Segment]
    after: list[Segment]


class FramedLines(StylesCache):
    """Textual's cache of the lines of a widget whose content has exactly the content's width."""

    def __init__(self) -> None:
        super().__init__()
        self._frame: _Frame | None = None

    def clear(self) -> None:
        """See `StylesCache.clear`: another style may be another frame."""
        super().clear()
        self._frame = None

    def render_line(self, *how: Any, **named: Any) -> Strip:
        """See `StylesCache.render_line`."""
        if self._frame is None:
            self._frame = self._find_frame(*how, **named)
        frame, y = self._frame, how[1]
        if not frame.first <= y < frame.end:
            return super().render_line(*how, **named)
        content: Strip = how[7](y - frame.first)
        width: int = how[2].width
        return Strip([*frame.before, *content, *frame.after], width)

    def _find_frame(self, *how: Any, **named: Any) -> _Frame:
        """Render a line without content, and see what Textual puts around it.

        No line is in the frame if Textual does more to a line than that.
        """
        styles, _y, size, content_size, *others = how
        probe = Segment(" " * content_size.width)
        content: Callable[[int], Strip] = lambda _y: Strip([probe], content_size.width)  # noqa: E731
        others[3] = content
        first = styles.gutter.top
        line = list(super().render_line(styles, first, size, content_size, *others, **named))
        at = next((at for at, segment in enumerate(line) if segment is probe), None)
        if at is None or not content_size.height:
            return _Frame(0, 0, [], [])
        return _Frame(first, first + content_size.height, line[:at], line[at + 1 :])
