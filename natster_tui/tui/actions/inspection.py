"""Changing what the inspector shows: an event's change, JSON, a comparison, secrets."""

from __future__ import annotations

from textual.app import App

from natster_tui.engine.history.time_travel import Moment
from natster_tui.events.moments import BadMomentError
from natster_tui.tui.actions.refresh import Refresher
from natster_tui.tui.background import notice
from natster_tui.tui.panes.panes import Panes
from natster_tui.tui.view import View
from natster_tui.tui.widgets.prompt import Prompt, Purpose, proposed
from natster_tui.tui.widgets.travel_banner import TravelBanner
from natster_tui.tui.widgets.virtual_list import VirtualList

_NO_DOCUMENT = "choose an account, a catalog or another document first"


class Inspection:
    """Changes what the inspector shows, and goes to it if the layout hides it."""

    def __init__(
        self,
        view: View,
        panes: Panes,
        prompt: Prompt,
        traveller: TravelBanner,
        refresher: Refresher,
        app: App[None],
    ) -> None:
        self._view = view
        self._panes = panes
        self._prompt = prompt
        self._traveller = traveller
        self._refresher = refresher
        self._app = app

    def inspect(self, pane: VirtualList) -> None:
        """Show the row of a pane; an account narrows the catalogs if its pane has the focus."""
        if not self._app.screen_stack:
            return  # the dashboard has ended meanwhile
        self._panes.last_used = pane
        if self._app.focused is pane:
            self._panes.narrow_by(pane)
        self._refresher.soon()

    def show_moment(self, moment: Moment | None) -> None:
        """Show the chosen document as of a moment, or else the change by the event there."""
        if moment is not None and self._panes.chosen_document is None:
            self.show_change(True)
        else:
            # Returning to now leaves the inspector's row as it is.
            self._panes.inspector.shows_change = moment is not None
            self._refresher.soon()

    def leave_past(self) -> bool:
        """Return to now; False if the screen shows now."""
        if not self._traveller.is_travelling:
            return False
        self._traveller.return_to_now()
        self._refresher.soon()
        return True

    def show_change(self, wanted: bool) -> None:
        """Show what the timeline's event changed, or the event itself."""
        self._panes.inspector.shows_change = wanted
        self._panes.last_used = self._panes.timeline
        self._refresher.soon()

    def toggle_change(self) -> None:
        """Switch between the event and what it changed."""
        self.show_change(not self._panes.inspector.shows_change)
        self._go_there_if_hidden()

    def toggle_json(self) -> None:
        """Show a document as JSON, or its page again."""
        if (chosen := self._panes.chosen_document) is None:
            notice(self._app, _NO_DOCUMENT)
            return
        self._panes.inspector.toggle_json(chosen)
        self._go_there_if_hidden()

    def toggle_reveal(self) -> None:
        """Show secrets for a while, or hide them again."""
        self._panes.inspector.toggle_reveal()
        self._go_there_if_hidden()

    def ask_for_moment(self) -> None:
        """Ask for the moment to compare the chosen document with."""
        if self._panes.chosen_document is None:
            notice(self._app, _NO_DOCUMENT)
            return
        travelling = self._view.moment is not None
        self._prompt.open(Purpose.COMPARE, proposed(Purpose.COMPARE, travelling=travelling))

    def compare(self, text: str) -> None:
        """Compare the chosen document with a moment; a text that names none stays in the prompt."""
        chosen = self._panes.chosen_document
        try:
            if chosen is not None:
                self._panes.inspector.compare(chosen, text)
        except BadMomentError as error:
            self._prompt.say(str(error), is_problem=True)
            return
        self._prompt.close()
        self._panes.show_inspector()

    def _go_there_if_hidden(self) -> None:
        if not self._panes.inspector.is_open:
            self._panes.show_inspector()
