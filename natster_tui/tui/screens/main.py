"""The main screen, which does not paint everything again when the focus moves.

The widget that loses the focus and the one that gets it paint their own frames.
"""

from __future__ import annotations

from textual import events
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget

from natster_tui.tui.panes.sizes import Divider, PaneSizes
from natster_tui.tui.terminal.compositor import FrontCompositor


class MainScreen(Screen[None]):
    """Status line, panes, prompt and keys; dialogs are on top of it."""

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)

    def __init__(self, sizes: PaneSizes) -> None:
        super().__init__(id="_default")
        self._compositor = FrontCompositor()
        self._sizes = sizes
        self._dragged: Divider | None = None

    def on_resize(self) -> None:
        """Apply the panes' sizes after the new layout, which comes a little later."""
        self.call_after_refresh(self._sizes.apply, self)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take the line between two panes."""
        self._dragged = self._sizes.divider_at(self, event.screen_x, event.screen_y)
        if self._dragged is not None:
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Let the line follow."""
        if self._dragged is not None:
            self.clear_selection()
            self._sizes.drag(self, self._dragged, event.screen_x, event.screen_y)

    def on_mouse_up(self) -> None:
        """Leave the line where it is."""
        if self._dragged is not None:
            self._dragged = None
            self.release_mouse()
            self.clear_selection()
