"""Opening the dialogs of the dashboard's commands for what is selected in the panes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from textual.app import App
from textual.screen import Screen

from natster_tui.engine.rebuilding.scope import OneKey, Scope, WholeProjections
from natster_tui.projections.api import Projection
from natster_tui.projections.projection_sentences import Names
from natster_tui.projections.registering.registry import ACCOUNTS
from natster_tui.tui.actions.confirmation import Confirmation
from natster_tui.tui.background import notice
from natster_tui.tui.keys.moving import LIST, SCROLLED
from natster_tui.tui.panes.panes import Panes
from natster_tui.tui.places.box import GoToBox
from natster_tui.tui.places.lookup import Documents
from natster_tui.tui.places.navigator import Navigator
from natster_tui.tui.places.place import EventPlace
from natster_tui.tui.preferences import Preferences
from natster_tui.tui.screens.help import HelpScreen, PaneKeys, help_sections
from natster_tui.tui.screens.pages.community import CommunityScreen
from natster_tui.tui.screens.pages.page_dialog import PageDialog, Result
from natster_tui.tui.screens.pages.problems import problems_page
from natster_tui.tui.screens.pages.sealing_keys import sealing_page
from natster_tui.tui.screens.publishing.form import PublishScreen
from natster_tui.tui.screens.publishing.initial_values import proposal_for
from natster_tui.tui.screens.rebuild import RebuildScreen
from natster_tui.tui.screens.replay import ReplayScreen
from natster_tui.tui.screens.trial import TrialScreen
from natster_tui.tui.screens.verify import VerifyScreen
from natster_tui.tui.screens.versions import VersionsScreen
from natster_tui.tui.screens.why import WhyScreen
from natster_tui.tui.view import View

_POLL_S, _POLLS = 0.05, 200
"""How often, and how many times, the timeline is checked for a published event."""


def shows_what_was_read(screen: Screen[Any]) -> bool:
    """Whether a dialog shows events or documents as they were when it was opened."""
    shows = isinstance(screen, WhyScreen | CommunityScreen | ReplayScreen)
    return shows and not is_at_work(screen)


def is_at_work(screen: Screen[Any]) -> bool:
    """Whether a dialog is rebuilding or verifying; it ends by itself and shows the result."""
    return isinstance(screen, ReplayScreen) and screen.working


class Dialogs:
    """Shows dialogs on `app`; `navigator` opens what is chosen in them."""

    def __init__(
        self,
        view: View,
        panes: Panes,
        navigator: Navigator,
        app: App[None],
        preferences: Preferences,
    ) -> None:
        self._view = view
        self._panes = panes
        self._navigator = navigator
        self._app = app
        self._keymap = preferences.keymap
        self.confirmation = Confirmation(preferences, view.glyphs, app)
        self._declared = [pane.declared for pane in panes.documents.values()]
        self._documents = Documents(view, self._declared)

    def show(self, name: str) -> None:
        """Open the dialog of a command, by its name."""
        dialogs = {
            "rebuild": self.rebuild,
            "verify": self.verify,
            "versions": self.versions,
            "why": self.why,
            "publish": self.publish,
            "community": self.community,
            "problems": self.problems,
            "keys": self.keys,
        }
        self.confirmation.then(name, dialogs[name])

    async def go_to(self) -> None:
        """The box that finds anything. Returns when keys can be typed into it."""
        box = GoToBox(self._view, self._declared, self._documents, self._navigator)
        await self._app.push_screen(box)
        box.set_focus(box.field)

    def rebuild(self) -> None:
        """For the projector under the cursor if its pane has the focus, else for all.

        The row of the pane used last may be rebuilt alone.
        """
        if (tried := self._tried) is not None:
            notice(self._app, f"{tried.name} is only tried: verify shows what would differ")
            return
        self._rebuild(WholeProjections(tuple(self._projections())))

    def _rebuild(self, scope: Scope) -> None:
        """The dialog, with a choice made already; the chosen row can be rebuilt alone."""
        one = scope if isinstance(scope, OneKey) else None
        if one is None and (chosen := self._panes.chosen_document) is not None:
            one = OneKey(chosen.projection, chosen.key)
        screen = RebuildScreen(self._view, scope, self._view.stored_projections, one)
        self._app.push_screen(screen, self._followed)

    def verify(self) -> None:
        """For the projector under the cursor if its pane has the focus, else for all.

        For a projection that is only tried: how it differs from what is stored.
        """
        if (tried := self._tried) is not None:
            self._app.push_screen(TrialScreen(self._view, tried), self._followed)
            return
        self._app.push_screen(VerifyScreen(self._view, self._projections()), self._followed)

    def versions(self) -> None:
        """The stored version and one beside it, of the chosen projector if it has any beside."""
        watch = self._view.workspace.versions
        names = [projection.name for projection in self._projections()]
        names += [projection.name for projection in self._view.stored_projections]
        pairs = next(filter(None, map(watch.pairs, names)), ())
        if not pairs:
            notice(self._app, "no version is stored beside: natster-tui project NAME --beside")
            return
        screen = VersionsScreen(self._view, pairs, self.confirmation)
        self._app.push_screen(screen, self._followed)

    def _projections(self) -> Sequence[Projection[Any]]:
        pane = self._panes.projectors
        if pane.has_focus and pane.selected is not None:
            return [pane.selected.projection]
        return self._view.stored_projections

    @property
    def _tried(self) -> Projection[Any] | None:
        """The projection that commands are about, if it is one that is only tried."""
        panes = self._panes
        if panes.projectors.has_focus and panes.projectors.selected is not None:
            projection = panes.projectors.selected.projection
        elif (chosen := panes.chosen_document) is not None:
            projection = chosen.projection
        else:
            return None
        return projection if projection.tried_from else None

    def why(self) -> None:
        """The events that made the account or catalog of the row."""
        panes = self._panes
        if (chosen := panes.chosen_document) is not None:
            self._explain(chosen.projection, chosen.key)
        elif (event := panes.chosen_event) is not None:
            # An event is its own reason; what people ask about is the account that did it.
            self._explain(ACCOUNTS, event.origin)
        else:
            notice(self._app, "choose an account, a catalog or an event first")

    def _explain(self, projection: Projection[Any], key: str) -> None:
        def chosen(seq: int | None) -> None:
            if seq is not None:
                self._navigator.open(EventPlace(seq))

        self._app.push_screen(WhyScreen(self._view, projection, key), chosen)

    def publish(self) -> None:
        """The publish form, filled in from the row of the pane used last."""
        if self._view.workspace.read_only:
            notice(self._app, "read-only: nothing can be published")
            return
        if self._view.moment is not None:
            travel = self._keymap.hint("timeline.travel")
            notice(
                self._app,
                f"the past cannot be changed: press {travel} to return to now, then publish",
            )
            return
        proposal = proposal_for(self._panes, self._view)
        self._app.push_screen(PublishScreen(self._view, *proposal), self._published)

    def _published(self, seq: int | None) -> None:
        if seq is not None:
            notice(self._app, f"published as {seq:,}")
            self._select_when_it_comes(seq)

    def _select_when_it_comes(self, seq: int) -> None:
        """Select a new event in the timeline as soon as it arrives."""
        polls = iter(range(_POLLS))

        def poll() -> None:
            if self._view.workspace.follower.head >= seq:
                self._panes.timeline.update_rows()
                self._navigator.open(EventPlace(seq))
                timer.stop()
            elif next(polls, None) is None:
                timer.stop()

        timer = self._app.set_interval(_POLL_S, poll)

    def community(self) -> None:
        """The figures of the community."""
        self._app.push_screen(CommunityScreen(self._view), self._followed)

    def problems(self) -> None:
        """Who projects, what is parked, hazards, and problems so far."""
        lines = problems_page(self._view.workspace, self._keymap)
        page = PageDialog(self._view, "Problems and hazards", lines)
        self._app.push_screen(page, self._followed)

    def keys(self) -> None:
        """What is sealed, and the data keys by account."""
        workspace = self._view.workspace
        lines = sealing_page(workspace, Names(workspace.accounts))
        page = PageDialog(self._view, "Sealing and keys", lines)
        self._app.push_screen(page, self._followed)

    def _followed(self, result: Result) -> None:
        """Go to the place that was chosen in a dialog, or open the rebuild that it offered."""
        match result:
            case None:
                return
            case OneKey() | WholeProjections():
                self.confirmation.then("rebuild", partial(self._rebuild, result))
            case place:
                self._navigator.open(place)

    async def help(self) -> None:
        """All keys, those of the pane in use first. Returns when keys can be typed into it."""
        glyphs, pane = self._view.glyphs, self._panes.last_used
        of_pane = PaneKeys(pane.pane_name, pane.KEYS, LIST, pane.columns_explained)
        if self._panes.inspector.has_focus:
            of_pane = PaneKeys("Inspector", self._panes.inspector.KEYS, SCROLLED)
        sections = help_sections(glyphs, self._view.filters, of_pane, self._keymap)
        page = HelpScreen(sections, self._view)
        await self._app.push_screen(page)
        page.set_focus(page.field)
