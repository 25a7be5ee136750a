"""The dashboard's own screen, without what is not needed to move the focus.

The widget that loses the focus and the one that gets it paint their frames by themselves;
Textual's screen would paint everything.
"""

from __future__ import annotations

from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget


class MainScreen(Screen[None]):
    """Status line, panes, prompt and keys; dialogs stand on top of it."""

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
