"""A scroll view whose content may change many times a second.

Textual lays out the whole screen when the height of a widget's content changes, and paints a scroll
bar whenever a number behind it changes. Both cost more than painting the new rows, so here neither
happens unless something looks different.
"""

from __future__ import annotations

from math import ceil
from typing import Any, Self

from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar

_STEPS = 8
"""Heights of a thumb's end within one cell, as Textual draws it."""


class QuietScrollBar(ScrollBar):
    """Textual's scroll bar, painted only when its thumb looks different."""

    _drawn: tuple[object, ...] = ()
    _may_differ = False

    def _look(self) -> tuple[object, ...]:
        """See `ScrollBarRender.render_bar` for how the thumb is found."""
        height, virtual, window = self.size.height, self.window_virtual_size, self.window_size
        state = (height, self.mouse_over, self.grabbed is not None)
        if not (0 < window < virtual and height):
            return state
        thumb = max(1, window * height / virtual)
        top = (height - thumb) * self.position / (virtual - window)
        return (*state, int(top * _STEPS), ceil(thumb * _STEPS))

    def refresh(self, *regions: Region, **how: Any) -> Self:
        """See `Widget.refresh`.

        What it shows is several numbers, which change one after the other. So whether it looks
        different is found out when all of them have changed.
        """
        # A reactive of Textual's names what it asks for, and what it does not.
        if regions or how.get("layout") or how.get("recompose"):
            super().refresh(*regions, **how)
        else:
            self._may_differ = True
            self.check_idle()
        return self

    def _check_refresh(self) -> None:
        if self._may_differ:
            self._may_differ = False
            if self._look() != self._drawn:
                super().refresh()
        super()._check_refresh()

    def render(self) -> Any:
        """See `Widget.render`."""
        self._drawn = self._look()
        return super().render()

    def notify_style_update(self) -> None:
        """The theme changed."""
        super().notify_style_update()
        self._drawn = ()


class QuietScroll(ScrollView):
    """The scroll view. Subclasses paint lines, and say how many there are."""

    DEFAULT_CSS = """
    QuietScroll {
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        scrollbar-size-horizontal: 0;
        scrollbar-color: $panel-lighten-2;
        scrollbar-background: $surface;
    }
    """

    @property
    def vertical_scrollbar(self) -> ScrollBar:
        """See `Widget.vertical_scrollbar`."""
        if self._vertical_scrollbar is None:
            self._vertical_scrollbar = bar = QuietScrollBar(
                vertical=True, name="vertical", thickness=self.scrollbar_size_vertical
            )
            bar.display = False
            self.app._start_widget(self, bar)
        return self._vertical_scrollbar

    def _scroll_update(self, virtual_size: Size) -> None:
        super()._scroll_update(virtual_size)
        # Textual moves the thumb with the content only while the bar is shown.
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.position = self.scroll_y

    def set_line_count(self, lines: int) -> None:
        """Set the number of lines; the scroll position stays if it can."""
        size = Size(self.scrollable_content_region.width or 1, lines)
        if size == self.virtual_size:
            return
        # Assigning would lay out the whole screen. What this pane's box looks like does not
        # depend on what is in it; a scroll bar that comes or goes asks for a layout by itself.
        self.set_reactive(QuietScroll.virtual_size, size)
        self._scroll_update(size)
