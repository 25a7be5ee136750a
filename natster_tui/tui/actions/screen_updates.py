"""The updates of the main screen at a refresh, the most urgent first."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from textual.app import App

from natster_tui.engine.workspace import Connection
from natster_tui.preferences.model import ContextSettings
from natster_tui.tui.actions.contested_names import ContestedNames
from natster_tui.tui.actions.needs import needs_met
from natster_tui.tui.actions.refresh import Update
from natster_tui.tui.background import end_answers, news
from natster_tui.tui.panes.panes import Panes
from natster_tui.tui.places.navigator import Navigator
from natster_tui.tui.screens.dialogs import is_at_work, shows_what_was_read
from natster_tui.tui.view import View
from natster_tui.tui.widgets.alert import Alert
from natster_tui.tui.widgets.key_line import PaneKeyLine
from natster_tui.tui.widgets.status_line import StatusLine
from natster_tui.tui.widgets.travel_banner import TravelBanner
from natster_tui.tui.widgets.virtual_list import VirtualList


@dataclass(frozen=True, slots=True)
class Bars:
    """The one-line widgets above and below the panes."""

    status: StatusLine
    keys: PaneKeyLine
    alert: Alert
    banner: TravelBanner

    @classmethod
    def of(cls, view: View, context: ContextSettings) -> Bars:
        """The bars for a view; `context` says how the first line looks."""
        glyphs = view.glyphs
        return cls(StatusLine(context), PaneKeyLine(glyphs), Alert(glyphs), TravelBanner(view))


class ScreenUpdates:
    """Updates the panes and bars; notes are shown by `app`."""

    def __init__(
        self, view: View, panes: Panes, navigator: Navigator, bars: Bars, app: App[None]
    ) -> None:
        self._view = view
        self._workspace = view.workspace
        self._panes = panes
        self._navigator = navigator
        self._bars = bars
        self._app = app
        self.contested = ContestedNames(view.workspace, view.keymap)
        self._shown_of: tuple[object, ...] = ()
        self._closes_dialogs = False
        self._connection = view.workspace.connection

    @property
    def updates(self) -> Sequence[Update]:
        """The timeline, the bars with the projectors, each pane of documents, and the rest."""
        documents = self._panes.documents.values()
        return [
            self._update_timeline,
            self._update_bars,
            *(partial(_update, pane) for pane in documents),
            self._update_the_rest,
        ]

    def _update_timeline(self) -> None:
        self._forget_what_is_gone()
        self._end_notes_of_an_outage()
        if self._is_whole:
            self._panes.timeline.update_if_changed()

    @property
    def _is_whole(self) -> bool:
        """Whether the screen has its widgets; when the dashboard ends, they go one by one."""
        return self._panes.timeline.is_attached and self._bars.keys.is_attached

    def _forget_what_is_gone(self) -> None:
        """Show nothing that was read from another log, or before an account was erased."""
        log = self._workspace.log
        if log is not None and log.identity != self._shown_of:
            before, self._shown_of = self._shown_of, log.identity
            if before:
                self._bars.banner.forget()
                self._closes_dialogs = True
        if self._closes_dialogs:
            while shows_what_was_read(self._app.screen):
                self._app.pop_screen()
            # A dialog that is working is closed when it is done.
            self._closes_dialogs = is_at_work(self._app.screen)

    def _end_notes_of_an_outage(self) -> None:
        """Once connected again, the notes that answered keys during the outage are out of date."""
        before, self._connection = self._connection, self._workspace.connection
        if before is not self._connection is Connection.CONNECTED:
            end_answers(self._app)

    def _update_the_rest(self) -> None:
        panes = self._panes
        if panes.projectors.is_attached:
            for sentence in self.contested.newly():
                news(self._app, sentence)
            panes.inspector.show_path(self._navigator.path)
            panes.inspector.inspect(panes.selection, calmly=panes.timeline.following)

    def _update_bars(self) -> None:
        if not self._is_whole:
            return
        last = self._workspace.follower.last_arrival
        since = None if last is None else time.monotonic() - last
        self._bars.status.show(self._view, since)
        self._bars.keys.show(needs_met(self._view, self._panes, self._navigator))
        self._bars.alert.show(self._workspace)
        self._bars.banner.show()
        # Together with the header, which says whether they are up to date.
        projectors = self._panes.projectors
        if projectors.is_attached:
            projectors.wake()
            projectors.update_if_changed()


def _update(pane: VirtualList) -> None:
    """Show what is new, as long as the pane is on a screen."""
    if pane.is_attached:
        pane.update_if_changed()
