"""The base class of dialogs: a click outside, or on the line `esc closes`, closes them."""

from __future__ import annotations

from typing import TypeVar

from textual import events
from textual.screen import ModalScreen

Result = TypeVar("Result")


class Dialog(ModalScreen[Result]):
    """The base of all dialogs; the frame has the class `dialog`."""

    def __init__(self) -> None:
        super().__init__(classes="page")

    @property
    def ends_outside(self) -> bool:
        """Whether a click outside closes it: not if that could lose anything."""
        return True

    def action_leave(self) -> None:
        """Close it."""
        self.dismiss(None)

    def on_click(self, event: events.Click) -> None:
        """Close it, if the click was outside, or on the line that says how to close it."""
        widget, region = self.get_widget_at(event.screen_x, event.screen_y)
        if widget is self:
            if self.ends_outside:
                self.action_leave()
            return
        is_frame = widget.has_class("dialog") or widget.has_class("closes")
        says_how = is_frame and widget.border_subtitle
        if says_how and event.screen_y == region.bottom - 1:
            self.action_leave()
