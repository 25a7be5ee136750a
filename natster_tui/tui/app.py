"""The application: it makes the dashboard's parts, connects them, and passes keys to `actions`.

The workspace rings a bell when anything has changed. The panes then read what they show from the
workspace (see `actions.refresh`) and paint what is visible. Messages carry no data.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Input, Static

from natster_tui.engine.workspace import Workspace
from natster_tui.preferences.memory import Memory
from natster_tui.tui.actions.copy_export import CopyExport
from natster_tui.tui.actions.escape import Escape
from natster_tui.tui.actions.inspection import Inspection
from natster_tui.tui.actions.layout_memory import LayoutMemory
from natster_tui.tui.actions.refresh import Refresher
from natster_tui.tui.actions.screen_updates import Bars, ScreenUpdates
from natster_tui.tui.actions.search import Search
from natster_tui.tui.background import notice
from natster_tui.tui.clock import Clock, wall_clock
from natster_tui.tui.kept_filters import KeptFilters
from natster_tui.tui.keys.key import bindings
from natster_tui.tui.keys.main_screen import commands
from natster_tui.tui.panes.inspector import Inspector
from natster_tui.tui.panes.panes import Panes
from natster_tui.tui.panes.sizes import BY_HEIGHT, BY_WIDTH, NARROW, PaneSizes
from natster_tui.tui.panes.timeline import Timeline
from natster_tui.tui.places.navigator import Navigator
from natster_tui.tui.preferences import Preferences
from natster_tui.tui.screens.dialogs import Dialogs
from natster_tui.tui.screens.main import MainScreen
from natster_tui.tui.terminal.terminal_app import TerminalApp
from natster_tui.tui.theme import ASCII, DARK, LIGHT, UNICODE
from natster_tui.tui.view import View
from natster_tui.tui.widgets.palette import DeclaredCommands
from natster_tui.tui.widgets.prompt import Prompt, Purpose, proposed
from natster_tui.tui.widgets.text_field import AskingField
from natster_tui.tui.widgets.travel_banner import TravelBanner
from natster_tui.tui.widgets.virtual_list import VirtualList


class Dashboard(TerminalApp):
    """The application. `clock` is for what is shown only; tests hold it still."""

    CSS_PATH = "dashboard.tcss"
    TITLE = "natster"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(commands().values())]
    COMMANDS = {DeclaredCommands}  # noqa: RUF012 - Textual declares it so
    HORIZONTAL_BREAKPOINTS = BY_WIDTH
    VERTICAL_BREAKPOINTS = BY_HEIGHT

    def __init__(
        self,
        workspace: Workspace,
        *,
        ascii_only: bool = False,
        clock: Clock = wall_clock,
        hint: str = "",
        hubs: Sequence[str] = (),
        preferences: Preferences = Preferences(),  # noqa: B008 - frozen
        memory: Memory | None = None,
    ) -> None:
        pressed = workspace.interactive_priority.claim
        super().__init__(preferences.keymap, pressed, ascii_only=ascii_only)
        self.sizes = PaneSizes({})
        self.workspace = workspace
        self.view = View(workspace, ASCII if ascii_only else UNICODE, clock, hubs, self.keymap)
        self.panes = Panes(self.view, self.view.projections, preferences.columns)
        self._bars = Bars.of(self.view, preferences.context)
        self.traveller = self._bars.banner
        self._hint = Static(hint, id="hint", classes="" if hint else "hidden", markup=False)
        self._prompt = Prompt(self.view, KeptFilters.of_user())
        view, panes = self.view, self.panes
        self.search = Search(view, panes, self._prompt, self)
        self.navigator = Navigator(view, panes, self.traveller)
        self.screen_updates = ScreenUpdates(view, panes, self.navigator, self._bars, self)
        self.refresher = Refresher(
            self.screen_updates.updates, workspace, preferences.refresh_per_second
        )
        self.inspection = Inspection(
            view, panes, self._prompt, self.traveller, self.refresher, self
        )
        self.escape = Escape(panes, self._prompt, self.search, self.inspection, self.sizes, self)
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.layout_memory = LayoutMemory(
            memory or Memory(None), preferences.theme, panes, self.sizes, self
        )
        self.begin_with_theme(self.layout_memory.first_theme)
        self.copy_export = CopyExport(view, panes, self)
        self.dialogs = Dialogs(view, panes, self.navigator, self, preferences)

    def get_default_screen(self) -> Screen[None]:
        """See `App.get_default_screen`."""
        return MainScreen(self.sizes)

    def compose(self) -> ComposeResult:
        """The main screen."""
        yield self._bars.status
        yield self._bars.banner
        with Horizontal(id="panes"):
            with Vertical(id="left"):
                yield self.panes.timeline
                yield self.panes.inspector
            with Vertical(id="right"):
                yield from self.panes.documents.values()
                yield self.panes.projectors
        yield self._hint
        yield self._bars.alert
        yield self._prompt
        yield self._bars.keys

    def on_mount(self) -> None:
        """Connect the doorbell, and paint."""
        self.layout_memory.restore(self.search)
        self.set_keymap(self.keymap.for_textual)
        if self._ascii_only:
            self.default_screen.add_class("ascii")
        for number in self.panes.further_numbers:
            self.bind(number, f"pane({number})", show=False)
        self.workspace.listen(self.refresher.ring)
        # Before it has the focus, because a very low terminal shows no other pane.
        self.panes.mark_in_use(self.panes.timeline)
        self.panes.focus(self.panes.timeline)
        self.refresher.start(self.set_interval)

    def on_unmount(self) -> None:
        """Save the last changes to the layout."""
        self.layout_memory.end()

    # -- messages --------------------------------------------------------------------------

    def on_virtual_list_moved(self, message: VirtualList.Moved) -> None:
        """Another row: the inspector shows it, and an account narrows the catalogs."""
        self.inspection.inspect(message.pane)

    def on_virtual_list_chosen(self, message: VirtualList.Chosen) -> None:
        """Enter: look at the row closely."""
        self.inspection.inspect(message.pane)
        # Also when a key that was typed ahead has moved the focus since.
        self.panes.narrow_by(message.pane)
        narrowed = next(self.panes.narrowed_by(message.pane), None)
        self.panes.focus(narrowed or self.panes.inspector)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The pane with the focus is what the inspector is about."""
        focused = event.widget
        if focused is not self.panes.inspector and focused not in tuple(self.panes.lists):
            return  # a field, or something in a dialog, which may be closed by now
        if focused is not self.default_screen.focused:
            return  # another key has moved the focus since
        self.panes.mark_in_use(focused)
        if isinstance(focused, VirtualList):
            self.inspection.inspect(focused)

    def on_timeline_jumped(self, message: Timeline.Jumped) -> None:
        """The cursor is on another event; while travelling, everything goes there."""
        self.inspection.inspect(message.timeline)
        if self.traveller.is_travelling:
            self.traveller.go(message.seq)

    def on_inspector_followed(self, message: Inspector.Followed) -> None:
        """Go to what a line of the inspector names; the keyboard stays there."""
        self.navigator.open(message.place, stay=True)
        self.refresher.soon()

    def on_travel_banner_arrived(self, message: TravelBanner.Arrived) -> None:
        """The panes show another moment."""
        moment = message.moment
        self.default_screen.set_class(moment is not None, "travelling")
        for pane in self.panes.lists:
            pane.wake()
        if moment is not None:
            self.panes.timeline.show_event(max(1, moment.seq))
        self.inspection.show_moment(moment)

    def on_input_changed(self, message: Input.Changed) -> None:
        """A search narrows as it is typed."""
        if message.input is self._prompt.field and self._prompt.is_open:
            self.search.typed(self._prompt.value)

    async def on_asking_field_answered(self, message: AskingField.Answered) -> None:
        """Enter keeps a search, sets a filter, or names a file."""
        if message.field is self._prompt.field:
            self._answered(message.text)
        message.field.is_answering = False
        await self.typed_ahead.answer()

    def _answered(self, text: str) -> None:
        if self._prompt.purpose is Purpose.EXPORT:
            self.copy_export.export(text, self._prompt)
        elif self._prompt.purpose is Purpose.COMPARE:
            self.inspection.compare(text)
        else:
            self.search.answered(text)

    # -- commands --------------------------------------------------------------------------

    def action_pane(self, number: int) -> None:
        """Go to a pane."""
        if (pane := self.panes.numbered(number)) is not None:
            self.panes.mark_in_use(pane)
            self.panes.focus(pane)

    async def action_quit(self) -> None:
        """Leave the dashboard, after a question if the settings want one."""
        self.dialogs.confirmation.then("quit", self.exit)

    def action_follow(self) -> None:
        """Follow the head of the log."""
        self.panes.timeline.follow()

    def action_dialog(self, name: str) -> None:
        """Open a dialog: rebuild, verify, why, publish, community, problems or keys."""
        self.dialogs.show(name)

    async def action_help(self) -> None:
        """Open the help page."""
        await self.dialogs.help()

    def action_ask(self, purpose: str) -> None:
        """Ask for the file to export to, or for the moment to compare with."""
        if Purpose[purpose] is Purpose.COMPARE:
            self.inspection.ask_for_moment()
        else:
            self._prompt.open(Purpose.EXPORT, proposed(Purpose.EXPORT, travelling=False))

    def action_change(self) -> None:
        """Switch the inspector between the event and what it changed."""
        self.inspection.toggle_change()

    # -- time travel -----------------------------------------------------------------------

    def action_travel(self) -> None:
        """Show everything as of the timeline's event; when travelling already, return to now."""
        self.traveller.toggle(self.panes.timeline.selected_seq)
        self.refresher.soon()

    def action_step(self, step: int) -> None:
        """One event forward or back in time."""
        if self.traveller.is_travelling:
            self.traveller.step(step)
        else:
            self.action_travel()

    # -- the inspector and the lists -------------------------------------------------------

    def action_json(self) -> None:
        """Show a document as JSON, or its page again."""
        self.inspection.toggle_json()

    def action_reveal(self) -> None:
        """Show secrets for a while; the same key hides them again."""
        self.inspection.toggle_reveal()

    def action_sort(self) -> None:
        """Sort the focused list by its next order, or the accounts if no list has the focus."""
        self.panes.sortable(self.focused).next_sort()

    def action_reverse_sort(self) -> None:
        """Reverse the order of the focused list, or of the accounts if no list has the focus."""
        self.panes.sortable(self.focused).reverse_sort()

    # -- search -------------------------------------------------------------------------

    def action_find(self) -> None:
        """Filter the timeline, or search the list that has the focus."""
        self.search.ask()

    def action_parked(self) -> None:
        """Show parked events only, or all events again."""
        self.search.toggle_parked()

    def action_copy(self) -> None:
        """Copy the row of the pane used last, as JSON; its secrets only while revealed."""
        self.copy_export.copy(reveal=self.panes.inspector.reveals)

    def action_match(self, step: int) -> None:
        """The next or previous event that passes the last filter."""
        self.search.walk_matches(step)

    async def action_go_to(self) -> None:
        """Open the go-to box."""
        await self.dialogs.go_to()

    def action_go_back(self) -> None:
        """Go back to the previous place."""
        self.navigator.back()

    def action_go_forward(self) -> None:
        """Undo going back."""
        self.navigator.forward()

    def action_all_catalogs(self) -> None:
        """Show the catalogs of all accounts; again: those of the account before."""
        self.panes.toggle_narrowing()
        self.refresher.soon()

    def action_resize(self, side: str, step: int) -> None:
        """Make the pane with the focus, or its column, larger or smaller."""
        if not self.sizes.resize(self.default_screen, self.focused, side, step):
            notice(self, f"panes have sizes of their own from {NARROW} columns on")

    def action_usual_sizes(self) -> None:
        """Give all panes their usual sizes back."""
        self.sizes.reset(self.default_screen)

    def action_zoom(self) -> None:
        """Let the pane with the focus fill the screen, or give it back; the lines stay."""
        self.sizes.toggle_zoom(self.default_screen)

    async def action_back(self) -> None:
        """Leave the zoom, a search, the past, a page, a filter, or the pane."""
        self.escape.press()

    def action_theme(self) -> None:
        """Switch between dark and light."""
        self.theme = LIGHT.name if self.current_theme.dark else DARK.name
