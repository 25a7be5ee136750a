"""The four panes and the inspector, and which of them was used last.

Commands such as "why", "copy" and "publish" are about the row of that pane; what it stands for
is asked here, so that they all mean the same row.
"""

from __future__ import annotations

from collections.abc import Iterator

from textual.widget import Widget

from natster_tui.events.event import Event, Record
from natster_tui.tui.panes.accounts import Accounts
from natster_tui.tui.panes.catalogs import Catalogs
from natster_tui.tui.panes.inspector import Inspector
from natster_tui.tui.panes.projectors import Projectors
from natster_tui.tui.panes.timeline import Timeline
from natster_tui.tui.view import View
from natster_tui.tui.widgets.virtual_list import VirtualList

PANES = ("timeline", "accounts", "catalogs", "projectors", "inspector")


class Panes:
    """Held, not queried: a dialog may be on top, and the screen be gone before the last tick."""

    def __init__(self, view: View) -> None:
        self.timeline = Timeline(view)
        self.accounts = Accounts(view)
        self.catalogs = Catalogs(view)
        self.projectors = Projectors(view)
        self.inspector = Inspector()
        self.used = "timeline"
        """The name of the pane whose row commands are about."""
        self._follower = view.workspace.follower

    @property
    def lists(self) -> Iterator[VirtualList]:
        """The panes with rows."""
        yield from (self.timeline, self.accounts, self.catalogs, self.projectors)

    def named(self, name: str) -> Widget:
        """A pane by its name."""
        pane: Widget = getattr(self, name)
        return pane

    def focus(self, pane: Widget) -> None:
        """Give a pane the keyboard, and make it the one that commands are about."""
        if isinstance(pane, VirtualList):
            self.used = pane.id or "timeline"
        if pane.focusable:
            # At once, not by its `focus()`: keys typed ahead are meant for it already.
            pane.screen.set_focus(pane)
        else:
            # What zoom or a narrow terminal hides takes the focus only once it is shown.
            pane.app.call_after_refresh(pane.focus)

    @property
    def chosen_account(self) -> str | None:
        """The account's key, when accounts were used last."""
        return self.accounts.selected_key if self.used == "accounts" else None

    @property
    def chosen_catalog(self) -> str | None:
        """The catalog's name, when catalogs were used last."""
        return self.catalogs.selected_name if self.used == "catalogs" else None

    @property
    def chosen_event(self) -> Event | None:
        """The event, when the timeline was used last, and it is one of ours."""
        return self.timeline.selected_event if self.used == "timeline" else None

    @property
    def record(self) -> Record | None:
        """What stands under the timeline's cursor, if it is at hand."""
        seq = self.timeline.selected_seq
        return None if seq is None else self._follower.get(seq)
