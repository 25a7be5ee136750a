"""The dashboard: four panes and an inspector over a running workspace.

The workspace rings a doorbell when anything changed; at most REFRESH_PER_SECOND times a second
the panes look at it and paint what is visible. No data travels in messages.
"""

from __future__ import annotations

import time
from typing import Any, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Footer, Input, Static

from natster_tui.domain.projection import Projection
from natster_tui.domain.projections import ACCOUNTS, CATALOGS, PROJECTIONS
from natster_tui.domain.safe_text import safe_text
from natster_tui.engine.projector import Phase
from natster_tui.engine.workspace import Connection, Workspace
from natster_tui.tui.accounts import Accounts
from natster_tui.tui.catalogs import Catalogs
from natster_tui.tui.clock import Clock, wall_clock
from natster_tui.tui.commands import bindings
from natster_tui.tui.inspector import Inspection, Inspector
from natster_tui.tui.look import ASCII, DARK, LIGHT, UNICODE
from natster_tui.tui.palette import DeclaredCommands
from natster_tui.tui.projectors import Projectors
from natster_tui.tui.rebuild_screen import RebuildScreen, VerifyScreen
from natster_tui.tui.status_line import StatusLine
from natster_tui.tui.text_screen import TextScreen, help_text, problems_text
from natster_tui.tui.timeline import Timeline
from natster_tui.tui.view import View
from natster_tui.tui.virtual_list import VirtualList

REFRESH_PER_SECOND = 15
INSPECTOR_EVERY_S = 0.3
REVEAL_S = 10.0
NARROW = 100
"""Below this width the panes stand in one column."""

PANES = ("timeline", "accounts", "catalogs", "projectors", "inspector")


class Dashboard(App[None]):
    """The application. `clock` is for what is shown only; tests hold it still."""

    CSS_PATH = "dashboard.tcss"
    TITLE = "natster"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings()]
    COMMANDS = {DeclaredCommands}  # noqa: RUF012 - Textual declares it so
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (NARROW, "-wide")]  # noqa: RUF012

    def __init__(
        self,
        workspace: Workspace,
        *,
        ascii_only: bool = False,
        clock: Clock = wall_clock,
        hint: str = "",
    ) -> None:
        super().__init__()
        self.workspace = workspace
        self.view = View(workspace, ASCII if ascii_only else UNICODE, clock)
        self._ascii_only = ascii_only
        self._rung = True
        self._reveal_until = 0.0
        self._inspected: str = "timeline"
        self._painted_second = 0
        self._inspector_drawn = 0.0
        self._alerted = ""
        self._search_pane = "accounts"
        # Held, not queried: a dialog may be on top, and the screen be gone before the last tick.
        self.timeline = Timeline(self.view)
        self.accounts = Accounts(self.view)
        self.catalogs = Catalogs(self.view)
        self.projectors = Projectors(self.view)
        self.inspector = Inspector()
        self._status = StatusLine(id="status")
        self._alert_line = Static(id="alert")
        self._hint = Static(hint, id="hint", classes="" if hint else "hidden", markup=False)
        self._find = Input(id="find", placeholder="name or key", classes="hidden", compact=True)

    def compose(self) -> ComposeResult:
        """The main screen."""
        yield self._status
        with Horizontal(id="panes"):
            with Vertical(id="left"):
                yield self.timeline
                yield self.inspector
            with Vertical(id="right"):
                yield self.accounts
                yield self.catalogs
                yield self.projectors
        yield self._hint
        yield self._alert_line
        yield self._find
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Connect the doorbell, and paint."""
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = DARK.name
        if self._ascii_only:
            self.screen.add_class("ascii")
        self.workspace.listen(self._ring)
        self.set_interval(1 / REFRESH_PER_SECOND, self._refresh_if_rung)
        self.timeline.focus()
        self._refresh_panes()

    # -- painting --------------------------------------------------------------------------

    def _ring(self) -> None:
        self._rung = True

    def _refresh_if_rung(self) -> None:
        second = int(time.monotonic())
        if self._rung or second != self._painted_second:
            self._rung = False
            self._painted_second = second
            self._refresh_panes()

    def _refresh_panes(self) -> None:
        if not self.timeline.is_attached:
            return
        for pane in (self.timeline, self.accounts, self.catalogs, self.projectors):
            pane.update_if_changed()
        self._refresh_status()
        now = time.monotonic()
        if not self.timeline.following or now - self._inspector_drawn > INSPECTOR_EVERY_S:
            # Nobody reads fifteen events a second in full, and its layout costs most of all.
            self._inspector_drawn = now
            self._refresh_inspector()

    def _refresh_status(self) -> None:
        last = self.workspace.follower.last_arrival
        since = None if last is None else time.monotonic() - last
        self._status.show(self.workspace, self.view.glyphs, since)
        alert = self._alert_line
        sentence = self._alert()
        if sentence != self._alerted:
            self._alerted = sentence
            alert.set_class(bool(sentence), "shown")
            alert.update(Text(f"{self.view.glyphs.warn} {sentence}" if sentence else ""))

    def _alert(self) -> str:
        """The one thing that somebody must know now, if any."""
        if self.workspace.sentence and self.workspace.connection is not Connection.CONNECTED:
            return self.workspace.sentence
        for projector in self.workspace.projectors.values():
            stopped = projector.status.phase is Phase.STOPPED
            # Watching because of --read-only or because another one projects is no alarm.
            watching = projector.status.phase is Phase.WATCHING and not self.workspace.read_only
            problem = projector.status.problem
            if problem and (stopped or (watching and problem != self.workspace.lease.sentence)):
                return f"{projector.projection.name}: {problem}"
        return ""

    def _refresh_inspector(self) -> None:
        inspector = self.inspector
        inspection = Inspection(
            self.workspace,
            self.theme_variables,
            self.view.now(),
            reveal=time.monotonic() < self._reveal_until,
        )
        accounts, catalogs = self.accounts, self.catalogs
        projector = self.projectors.selected
        seq = self.timeline.selected_seq
        if self._inspected == "accounts" and accounts.selected_key is not None:
            shown = inspection.account(accounts.selected_key)
        elif self._inspected == "catalogs" and catalogs.selected_name is not None:
            name = catalogs.selected_name
            shown = inspection.catalog(name, catalogs.warnings(name))
        elif self._inspected == "projectors" and projector is not None:
            shown = inspection.projector(projector)
        elif seq is not None:
            shown = inspection.event(seq, self.workspace.follower.get(seq), self.view.parked_reason)
        else:
            return
        inspector.put(*shown)

    # -- what the panes say ----------------------------------------------------------------

    def on_virtual_list_moved(self, message: VirtualList.Moved) -> None:
        """Another row: the inspector shows it, and an account narrows the catalogs."""
        self._inspect(message.pane)

    def on_virtual_list_chosen(self, message: VirtualList.Chosen) -> None:
        """Enter: look at the row closely."""
        self._inspect(message.pane)
        if isinstance(message.pane, Accounts):
            self.catalogs.focus()
        else:
            self.inspector.focus()

    def on_descendant_focus(self) -> None:
        """The pane with the focus is what the inspector is about."""
        focused = self.focused
        if isinstance(focused, VirtualList | Inspector):
            for name in PANES:
                self.screen.set_class(focused.id == name, f"at-{name}")
        if isinstance(focused, VirtualList):
            self._inspect(focused)

    def _inspect(self, pane: VirtualList) -> None:
        self._inspected = pane.id or "timeline"
        if isinstance(pane, Accounts) and pane.has_focus:
            self.catalogs.show(pane.selected_key)
        self._ring()

    # -- commands --------------------------------------------------------------------------

    def _pane(self, name: str) -> Widget:
        panes = (self.timeline, self.accounts, self.catalogs, self.projectors, self.inspector)
        return next(pane for pane in panes if pane.id == name)

    def action_pane(self, name: str) -> None:
        """Go to a pane."""
        self._pane(name).focus()

    def action_follow(self) -> None:
        """Follow the head of the log."""
        self.timeline.follow()

    def action_rebuild(self) -> None:
        """Open the rebuild dialog, for the projector under the cursor if its pane has focus."""
        choices: list[list[Projection[Any]]] = [list(PROJECTIONS), [ACCOUNTS], [CATALOGS]]
        chosen = list(PROJECTIONS)
        pane = self.projectors
        if pane.has_focus and pane.selected is not None:
            chosen = [pane.selected.projection]
        self.push_screen(RebuildScreen(self.view, chosen, choices))

    def action_verify(self) -> None:
        """Open the verify dialog."""
        pane = self.projectors
        if pane.has_focus and pane.selected is not None:
            self.push_screen(VerifyScreen(self.view, [pane.selected.projection]))
        else:
            self.push_screen(VerifyScreen(self.view, PROJECTIONS))

    def action_reveal(self) -> None:
        """Show secrets for a while; the same key hides them again."""
        if time.monotonic() < self._reveal_until:
            self._reveal_until = 0.0
        else:
            self._reveal_until = time.monotonic() + REVEAL_S
            self.set_timer(REVEAL_S + 0.05, self._ring)
        self._ring()

    def action_sort(self) -> None:
        """Sort the focused list, accounts if neither has the focus."""
        pane = self.focused if isinstance(self.focused, Accounts | Catalogs) else None
        (pane or self.accounts).next_sort()

    def action_find(self) -> None:
        """Search the focused list, accounts if neither has the focus."""
        pane: Accounts | Catalogs = self.accounts
        if isinstance(self.focused, Catalogs):
            pane = self.focused
        field = self._find
        field.remove_class("hidden")
        field.placeholder = f"find in {pane.id}: name or key"
        self._search_pane = pane.id or "accounts"
        field.value = pane.search
        field.focus()

    def _searched(self) -> Accounts | Catalogs:
        return self.catalogs if self._search_pane == "catalogs" else self.accounts

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow as it is typed."""
        if event.input.id == "find":
            pane = self._searched()
            pane.search = event.value.strip()
            pane.update_rows()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter keeps the search and goes to the list."""
        if event.input.id == "find":
            event.input.add_class("hidden")
            self._searched().focus()

    def action_all_catalogs(self) -> None:
        """Show the catalogs of all accounts."""
        self.catalogs.show(None)
        self._ring()

    def action_problems(self) -> None:
        """Show what went wrong so far."""
        self.push_screen(TextScreen("Problems and hazards", problems_text(self.workspace)))

    def action_help(self) -> None:
        """Show all keys."""
        self.push_screen(TextScreen("Help", help_text()))

    def action_zoom(self) -> None:
        """Let the focused pane fill the screen, or give it back."""
        if self.screen.maximized is not None:
            self.screen.minimize()
        elif self.focused is not None:
            self.screen.maximize(self.focused)

    async def action_back(self) -> None:
        """Undo the last narrowing: the search, the zoom, the chosen account, the pane."""
        field = self._find
        pane = self._searched()
        if not field.has_class("hidden"):
            field.value = ""
            field.add_class("hidden")
            pane.focus()
        elif self.screen.maximized is not None:
            self.screen.minimize()
        elif pane.search:
            field.value = ""
            pane.search = ""
            pane.update_rows()
        elif isinstance(self.focused, Inspector):
            self._pane(self._inspected).focus()
        else:
            self.timeline.focus()

    def action_theme(self) -> None:
        """Switch between dark and light."""
        self.theme = LIGHT.name if self.theme == DARK.name else DARK.name

    def notice(self, sentence: str) -> None:
        """A short note in the corner."""
        self.notify(safe_text(sentence), markup=False)
