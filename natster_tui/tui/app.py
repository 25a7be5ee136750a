"""The dashboard: four panes and an inspector over a running workspace.

The workspace rings a doorbell when anything changed; the panes then look at it (see `refreshing`)
and paint what is visible. No data travels in messages.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.filter import LineFilter
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, Static

from natster_tui.engine.history.time_travel import Moment
from natster_tui.engine.workspace import Workspace
from natster_tui.text.masking import screen_text
from natster_tui.tui.actions.contested_names import ContestedNames
from natster_tui.tui.actions.copy_export import TakingAway
from natster_tui.tui.actions.navigation import Finding
from natster_tui.tui.actions.refresh import Refreshing
from natster_tui.tui.actions.time_travel import Traveller
from natster_tui.tui.background import start as start_work
from natster_tui.tui.bindings import Need, bindings, commands
from natster_tui.tui.clock import Clock, wall_clock
from natster_tui.tui.panes.documents import DocumentsPane
from natster_tui.tui.panes.inspector import Inspector
from natster_tui.tui.panes.panes import Panes
from natster_tui.tui.screens.dialogs import Dialogs, is_at_work, shows_what_was_read
from natster_tui.tui.screens.main import MainScreen
from natster_tui.tui.terminal.ascii_filter import AsciiFilter
from natster_tui.tui.terminal.driver import attentive
from natster_tui.tui.terminal.line_filter import LastLook
from natster_tui.tui.theme import ASCII, DARK, LIGHT, UNICODE
from natster_tui.tui.view import View
from natster_tui.tui.widgets.alert import alert_of
from natster_tui.tui.widgets.key_line import PaneKeyLine
from natster_tui.tui.widgets.palette import DeclaredCommands
from natster_tui.tui.widgets.prompt import Prompt, Purpose
from natster_tui.tui.widgets.status_line import StatusLine
from natster_tui.tui.widgets.text_field import Field
from natster_tui.tui.widgets.virtual_list import VirtualList

NARROW = 100
"""Below this width the panes stand in one column."""
SHORT = 24
"""Below this height a column has room for two panes only."""


class Dashboard(App[None]):
    """The application. `clock` is for what is shown only; tests hold it still."""

    CSS_PATH = "dashboard.tcss"
    TITLE = "natster"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(commands().values())]
    COMMANDS = {DeclaredCommands}  # noqa: RUF012 - Textual declares it so
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (NARROW, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (SHORT, "-tall")]  # noqa: RUF012

    def __init__(
        self,
        workspace: Workspace,
        *,
        ascii_only: bool = False,
        clock: Clock = wall_clock,
        hint: str = "",
        hubs: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.workspace = workspace
        self.driver_class = attentive(self.driver_class, workspace.right_of_way.take)
        self.view = View(workspace, ASCII if ascii_only else UNICODE, clock, hubs)
        self._ascii_only = ascii_only
        self._own_filters = [*([AsciiFilter()] if ascii_only else []), LastLook()]
        self._alerted = ""
        self._shown_of: tuple[object, ...] = ()
        self._closes_dialogs = False
        self.panes = Panes(self.view, self.view.projections)
        self._status = StatusLine(id="status")
        self._alert_line = Static(id="alert")
        self._banner = Static(id="banner", classes="hidden")
        self._banner_shown = ""
        self._hint = Static(hint, id="hint", classes="" if hint else "hidden", markup=False)
        self._key_line = PaneKeyLine(self.view.glyphs)
        self._prompt = Prompt(self._names, self._typed, self._answered)
        view, panes, start, say = self.view, self.panes, partial(start_work, self), self.notice
        self.traveller = Traveller(view, start, self._arrived, say)
        self.refreshing = Refreshing(
            [
                self._look_at_timeline,
                *(partial(_update, pane) for pane in self.panes.documents.values()),
                self._look_at_the_rest,
            ],
            lambda: workspace.follower.meter.per_second,
            lambda: workspace.right_of_way.is_taken,
        )
        self.finding = Finding(view, panes, self._prompt, start, self._jumped, say)
        self.taking_away = TakingAway(view, panes, self.copy_to_clipboard, start, say)
        self._contested = ContestedNames(workspace)
        self.dialogs = Dialogs(view, panes, self.push_screen, self._reached, say)

    def get_default_screen(self) -> Screen[None]:
        """See `App.get_default_screen`."""
        return MainScreen(id="_default")

    def compose(self) -> ComposeResult:
        """The main screen."""
        yield self._status
        yield self._banner
        with Horizontal(id="panes"):
            with Vertical(id="left"):
                yield self.panes.timeline
                yield self.panes.inspector
            with Vertical(id="right"):
                yield from self.panes.documents.values()
                yield self.panes.projectors
        yield self._hint
        yield self._alert_line
        yield self._prompt
        yield self._key_line

    def on_mount(self) -> None:
        """Connect the doorbell, and paint."""
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = DARK.name
        if self._ascii_only:
            self.default_screen.add_class("ascii")
        for number in self.panes.further_numbers:
            self.bind(number, f"pane({number})", show=False)
        self.workspace.listen(self.refreshing.ring)
        self.panes.timeline.focus()
        self.refreshing.start(self.set_interval)

    def push_screen(self, *args: Any, **kwargs: Any) -> Any:
        """Show a dialog, in ASCII too where that is asked for."""
        if self._ascii_only and args and isinstance(args[0], Screen):
            args[0].add_class("ascii")
        return super().push_screen(*args, **kwargs)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """See `App.get_line_filters`; ASCII mode has one more, and the last look comes last."""
        return [*super().get_line_filters(), *self._own_filters]

    async def on_event(self, event: events.Event) -> None:
        """Answer each key before the next: what was typed ahead is meant for what comes of it.

        Textual posts a key to whatever has the focus as it arrives, and asks for its binding when
        it has bubbled up from there. Of `/type:shared` in one piece the letters would be on their
        way to the timeline before the slash has opened the prompt.
        """
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            focused = self.focused
            if isinstance(focused, Field) and focused.take(event):
                return
            if isinstance(event, events.Key) and (
                isinstance(focused, Field) or not isinstance(focused, Input)
            ):
                active = self.screen.active_bindings.get(event.key)
                if active is not None:
                    await self.run_action(active.binding.action, active.node)
                    return
        await super().on_event(event)

    # -- painting --------------------------------------------------------------------------

    def _look_at_timeline(self) -> None:
        self._forget_what_is_gone()
        if self.panes.timeline.is_attached:
            self.panes.timeline.update_if_changed()
            self._refresh_status()

    def _forget_what_is_gone(self) -> None:
        """Show nothing that was read from another log, or before an account was erased."""
        log = self.workspace.log
        if log is not None and log.identity != self._shown_of:
            before, self._shown_of = self._shown_of, log.identity
            if before:
                self.workers.cancel_group(self, "travel")
                self.traveller.forget()
                self._closes_dialogs = True
        if self._closes_dialogs:
            while shows_what_was_read(self.screen):
                self.pop_screen()
            # One that is at work is closed when it is done.
            self._closes_dialogs = is_at_work(self.screen)

    def _look_at_the_rest(self) -> None:
        if self.panes.projectors.is_attached:
            self.panes.projectors.update_if_changed()
            for sentence in self._contested.newly():
                self.notice(sentence)
            self.panes.inspector.inspect(self.panes.subject, calmly=self.panes.timeline.following)

    def _refresh_status(self) -> None:
        last = self.workspace.follower.last_arrival
        since = None if last is None else time.monotonic() - last
        self._status.show(self.view, since)
        self._key_line.show(self._met)
        alert = self._alert_line
        sentence = alert_of(self.workspace)
        banner = self.traveller.banner
        if banner != self._banner_shown:
            self._banner_shown = banner
            self._banner.set_class(not banner, "hidden")
            self._banner.update(Text(banner), layout=False)
        if sentence != self._alerted:
            self._alerted = sentence
            alert.set_class(bool(sentence), "shown")
            alert.update(Text(f"{self.view.glyphs.warn} {sentence}" if sentence else ""))

    @property
    def _met(self) -> frozenset[Need]:
        """What keys may need, and there is."""
        view, panes, workspace = self.view, self.panes, self.workspace
        there_is = {
            Need.CONNECTION: view.is_connected,
            Need.EVENTS: panes.timeline.row_count > 0,
            Need.ROW: panes.used.row_count > 0,
            Need.NOT_FOLLOWING: not panes.timeline.following,
            Need.NOW: view.moment is None,
            Need.PAST: view.moment is not None,
            Need.NARROWED: any(pane.of is not None for pane in panes.documents.values()),
            Need.FILTERED: workspace.matches is not None,
            Need.JUMPED: self.finding.has_jumped,
            Need.WRITING: not workspace.read_only,
        }
        return frozenset(need for need, is_met in there_is.items() if is_met)

    # -- failing ---------------------------------------------------------------------------

    @property
    def failure(self) -> Exception | None:
        """What ended the dashboard, when it was a mistake of ours."""
        return self._exception

    def _fatal_error(self) -> None:
        """End without Textual's traceback: it would print local variables, secrets included."""
        self._close_messages_no_wait()

    # -- what the panes say ----------------------------------------------------------------

    def on_virtual_list_moved(self, message: VirtualList.Moved) -> None:
        """Another row: the inspector shows it, and an account narrows the catalogs."""
        self._inspect(message.pane)

    def on_virtual_list_chosen(self, message: VirtualList.Chosen) -> None:
        """Enter: look at the row closely."""
        self._inspect(message.pane)
        narrowed = next(self.panes.narrowed_by(message.pane), None)
        self.panes.focus(narrowed or self.panes.inspector)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The pane with the focus is what the inspector is about."""
        focused = event.widget
        if focused.screen is not self.default_screen or focused is self._prompt:
            return
        self._stand_at(focused)
        if isinstance(focused, VirtualList):
            self._inspect(focused)

    def _stand_at(self, pane: Widget) -> None:
        """The layout follows the pane that is worked in."""
        if pane.has_class("here"):
            return
        screen, panes = self.default_screen, self.panes
        # Restyling every widget takes as long as painting: only where it makes a difference. What
        # makes one later (zoom, another size) restyles them itself.
        matters = screen.has_class("zoomed") or screen.has_class("-narrow")
        for each in (*panes.lists, panes.inspector):
            each.set_class(each is pane, "here", update=matters)
        at_left = pane in (panes.timeline, panes.inspector)
        for name, is_so in (
            ("at-left", at_left),
            ("at-right", not at_left),
            ("at-timeline", pane is panes.timeline),
            ("at-inspector", pane is panes.inspector),
        ):
            screen.set_class(is_so, name, update=matters)

    def _inspect(self, pane: VirtualList) -> None:
        self.panes.used = pane
        if isinstance(pane, DocumentsPane) and pane.has_focus:
            for narrowed in self.panes.narrowed_by(pane):
                narrowed.show(pane.selected_key)
        self.refreshing.soon()

    # -- commands --------------------------------------------------------------------------

    def action_pane(self, number: int) -> None:
        """Go to a pane."""
        if (pane := self.panes.numbered(number)) is not None:
            self._stand_at(pane)
            self.panes.focus(pane)

    def action_follow(self) -> None:
        """Follow the head of the log."""
        self.panes.timeline.follow()

    def action_rebuild(self) -> None:
        """Open the rebuild dialog, for the projector under the cursor if its pane has focus."""
        self.dialogs.rebuild()

    def action_verify(self) -> None:
        """Open the verify dialog."""
        self.dialogs.verify()

    def action_why(self) -> None:
        """Show the events that made the account or catalog of the row."""
        self.dialogs.why()

    def action_change(self) -> None:
        """Switch the inspector between the event and what it changed."""
        self._show_change(not self.panes.inspector.shows_change)

    # -- time travel -----------------------------------------------------------------------

    def action_travel(self) -> None:
        """Show everything as of the timeline's event; when travelling already, return to now."""
        if self.traveller.is_away:
            self.workers.cancel_group(self, "travel")
            self.traveller.come_back()
        elif (seq := self.panes.timeline.selected_seq) is not None:
            self.traveller.go(seq)
        self.refreshing.soon()

    def action_step(self, step: int) -> None:
        """One event forward or back in time."""
        if self.traveller.is_away:
            self.traveller.step(step)
        else:
            self.action_travel()

    def _arrived(self, moment: Moment | None) -> None:
        self.default_screen.set_class(moment is not None, "travelling")
        for pane in self.panes.lists:
            pane.wake()
        if moment is not None:
            self.panes.timeline.select(max(1, moment.seq))
        self._show_change(moment is not None)

    def _show_change(self, wanted: bool) -> None:
        self.panes.inspector.shows_change = wanted
        self.panes.used = self.panes.timeline
        self.refreshing.soon()

    def _jumped(self, seq: int) -> None:
        """The timeline's cursor was put on an event; while travelling, everything goes there."""
        self._inspect(self.panes.timeline)
        if self.traveller.is_away:
            self.traveller.go(seq)

    def _reached(self, seq: int) -> None:
        """An event was chosen in a dialog: go there, past any filter."""
        self.workspace.set_filter(None)
        self.finding.go_to(seq)
        self.panes.focus(self.panes.timeline)

    def action_reveal(self) -> None:
        """Show secrets for a while; the same key hides them again."""
        self.panes.inspector.toggle_reveal()

    def action_sort(self) -> None:
        """Sort the focused list, accounts if neither has the focus."""
        pane = self.focused if isinstance(self.focused, DocumentsPane) else None
        (pane or self.panes.accounts).next_sort()

    # -- the prompt ------------------------------------------------------------------------

    def _names(self, field: str) -> list[str]:
        """What completes a filter's field: catalogs, or accounts by name and by key."""
        if field == "catalog":
            return [*self.view.catalogs]
        accounts = self.view.accounts
        names = [state.account_name for state in accounts.values() if state.account_name]
        return [*names, *accounts]

    def action_find(self) -> None:
        """Filter the timeline, or search the list that has the focus."""
        self.finding.ask()

    def action_parked(self) -> None:
        """Show parked events only, or all events again."""
        self.finding.toggle_parked()

    def action_community(self) -> None:
        """Show the figures of the community."""
        self.dialogs.community()

    def action_copy(self) -> None:
        """Copy the row of the pane used last, as JSON; its secrets only while revealed."""
        self.taking_away.copy(reveal=self.panes.inspector.reveals)

    def action_publish(self) -> None:
        """Open the publish form, filled in from the row of the pane used last."""
        self.dialogs.publish()

    def action_jump(self) -> None:
        """Ask for a sequence or a time to go to."""
        self._prompt.open(Purpose.JUMP)

    def _typed(self, text: str) -> None:
        """A search narrows as it is typed."""
        self.finding.typed(text)

    def _answered(self, text: str) -> None:
        """Enter keeps a search, sets a filter, goes there, or names a file."""
        if self._prompt.purpose is not Purpose.EXPORT:
            self.finding.answered(text)
        elif text.strip():
            self._prompt.close()
            self.panes.focus(self.panes.timeline)
            self.taking_away.export(text)

    def action_match(self, step: int) -> None:
        """The next or previous event that passes the last filter."""
        self.finding.walk_matches(step)

    def action_export(self) -> None:
        """Ask for a file, and write what the timeline shows to it."""
        self._prompt.open(Purpose.EXPORT, "natster-events.jsonl")

    def action_return(self) -> None:
        """Go back to where the last jump began."""
        self.finding.go_back()

    def action_all_catalogs(self) -> None:
        """Show the catalogs of all accounts."""
        for pane in self.panes.documents.values():
            pane.show(None)
        self.refreshing.soon()

    def action_problems(self) -> None:
        """Show what went wrong so far."""
        self.dialogs.problems()

    def action_help(self) -> None:
        """Show all keys."""
        self.dialogs.help()

    def action_zoom(self) -> None:
        """Let the pane with the focus fill the screen, or give it back; the lines stay."""
        self.default_screen.toggle_class("zoomed")

    async def action_back(self) -> None:
        """Undo the last narrowing: the zoom, the search, the journey, the filter, the pane."""
        zoomed = self.default_screen.has_class("zoomed") and not self._prompt.is_open
        if zoomed:
            self.action_zoom()
        elif self.finding.give_up():
            pass
        elif self.traveller.is_away:
            self.action_travel()
        elif isinstance(self.focused, Inspector):
            self.panes.focus(self.panes.used)
        elif self.focused is self.panes.timeline and self.workspace.filtered is not None:
            self.workspace.set_filter(None)
        else:
            self.panes.focus(self.panes.timeline)

    def action_theme(self) -> None:
        """Switch between dark and light."""
        self.theme = LIGHT.name if self.theme == DARK.name else DARK.name

    def notice(self, sentence: str) -> None:
        """A short note in the corner."""
        self.notify(screen_text(sentence), markup=False)


def _update(pane: VirtualList) -> None:
    """Show what is new, as long as the pane is on a screen."""
    if pane.is_attached:
        pane.update_if_changed()
