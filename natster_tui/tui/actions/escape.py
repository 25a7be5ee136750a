"""The Escape key on the main screen, which leaves one thing with each press."""

from __future__ import annotations

from textual.app import App

from natster_tui.tui.actions.inspection import Inspection
from natster_tui.tui.actions.search import Search
from natster_tui.tui.panes.panes import Panes
from natster_tui.tui.panes.sizes import PaneSizes
from natster_tui.tui.widgets.prompt import Prompt


class Escape:
    """Leaves the zoom, a search, the past, a page of the inspector, a filter, or a pane."""

    def __init__(
        self,
        panes: Panes,
        prompt: Prompt,
        search: Search,
        inspection: Inspection,
        sizes: PaneSizes,
        app: App[None],
    ) -> None:
        self._panes = panes
        self._prompt = prompt
        self._search = search
        self._inspection = inspection
        self._sizes = sizes
        self._app = app

    def press(self) -> None:
        """Leave the first thing that there is to leave; the timeline gets the focus last."""
        steps = (
            self._leave_zoom,
            self._search.give_up,
            self._leave_page_in_use,
            self._inspection.leave_past,
            self._panes.inspector.show_page,
            self._leave_change,
            self._leave_inspector,
            self._leave_filter,
        )
        if not any(step() for step in steps):
            self._panes.focus(self._panes.timeline)

    def _leave_zoom(self) -> bool:
        screen = self._app.default_screen
        if not screen.has_class("zoomed") or self._prompt.is_open:
            return False
        self._sizes.toggle_zoom(screen)
        return True

    @property
    def _is_inspecting(self) -> bool:
        return self._app.focused is self._panes.inspector

    def _leave_page_in_use(self) -> bool:
        return self._is_inspecting and self._panes.inspector.show_page()

    def _leave_change(self) -> bool:
        if not self._panes.inspector.shows_change:
            return False
        self._inspection.show_change(False)
        return True

    def _leave_inspector(self) -> bool:
        if not self._is_inspecting:
            return False
        self._panes.focus(self._panes.last_used)
        return True

    def _leave_filter(self) -> bool:
        return self._app.focused is self._panes.timeline and self._search.clear_filter()
