"""The dashboard: four panes and an inspector over a running workspace.

The workspace rings a doorbell when anything changed; at most REFRESH_PER_SECOND times a second
the panes look at it and paint what is visible. No data travels in messages.
"""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer, Input, Static

from natster_tui.domain.event_filter import BadFilterError, parse_filter
from natster_tui.domain.events import CATALOG_TYPES, EventType, Record
from natster_tui.domain.projection import Projection
from natster_tui.domain.projections import ACCOUNTS, CATALOGS, PROJECTIONS
from natster_tui.domain.safe_text import safe_text
from natster_tui.engine.effects import Effect, effects_of
from natster_tui.engine.key_history import sequence_at
from natster_tui.engine.masked_export import export_file
from natster_tui.engine.projector_status import Phase
from natster_tui.engine.time_travel import Moment
from natster_tui.engine.workspace import Connection, Workspace
from natster_tui.errors import NatsterError
from natster_tui.tui.accounts import Accounts
from natster_tui.tui.catalogs import Catalogs
from natster_tui.tui.clipboard import keep_copy
from natster_tui.tui.clock import Clock, parse_local, wall_clock
from natster_tui.tui.commands import bindings
from natster_tui.tui.community_screen import CommunityScreen
from natster_tui.tui.inspector import Inspection, Inspector
from natster_tui.tui.look import ASCII, DARK, LIGHT, UNICODE
from natster_tui.tui.palette import DeclaredCommands
from natster_tui.tui.projectors import Projectors
from natster_tui.tui.prompt import Prompt, Purpose
from natster_tui.tui.publish_screen import PublishScreen
from natster_tui.tui.rebuild_screen import RebuildScreen, VerifyScreen
from natster_tui.tui.row_json import document_json, event_json
from natster_tui.tui.status_line import StatusLine
from natster_tui.tui.text_screen import TextScreen, help_text, problems_text
from natster_tui.tui.timeline import Timeline
from natster_tui.tui.traveller import Traveller
from natster_tui.tui.view import View
from natster_tui.tui.virtual_list import VirtualList
from natster_tui.tui.why_screen import WhyScreen

REFRESH_PER_SECOND = 15
INSPECTOR_EVERY_S = 0.3
REVEAL_S = 10.0
_JUMPS_KEPT = 100
NARROW = 100
"""Below this width the panes stand in one column."""
SHORT = 24
"""Below this height a column has room for two panes only."""

PANES = ("timeline", "accounts", "catalogs", "projectors", "inspector")


class Dashboard(App[None]):
    """The application. `clock` is for what is shown only; tests hold it still."""

    CSS_PATH = "dashboard.tcss"
    TITLE = "natster"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings()]
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
        self._jumped_from: list[int] = []
        self._show_change = False
        self._effects: tuple[int, list[Effect]] = (0, [])
        self._effects_asked = 0
        # Held, not queried: a dialog may be on top, and the screen be gone before the last tick.
        self.timeline = Timeline(self.view)
        self.accounts = Accounts(self.view)
        self.catalogs = Catalogs(self.view)
        self.projectors = Projectors(self.view)
        self.inspector = Inspector()
        self._status = StatusLine(id="status")
        self._alert_line = Static(id="alert")
        self._banner = Static(id="banner", classes="hidden")
        self._traveller = Traveller(self.view, self._start_journey, self._arrived, self.notice)
        self._hint = Static(hint, id="hint", classes="" if hint else "hidden", markup=False)
        self._prompt = Prompt(self._names)

    def compose(self) -> ComposeResult:
        """The main screen."""
        yield self._status
        yield self._banner
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
        yield self._prompt
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Connect the doorbell, and paint."""
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = DARK.name
        if self._ascii_only:
            self.default_screen.add_class("ascii")
        self.workspace.listen(self._ring)
        self.set_interval(1 / REFRESH_PER_SECOND, self._refresh_if_rung)
        self.timeline.focus()
        self._refresh_panes()

    def push_screen(self, *args: Any, **kwargs: Any) -> Any:
        """Show a dialog, in ASCII too where that is asked for."""
        if self._ascii_only and args and isinstance(args[0], Screen):
            args[0].add_class("ascii")
        return super().push_screen(*args, **kwargs)

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
        self._status.show(self.view, since)
        alert = self._alert_line
        sentence = self._alert()
        banner = self._traveller.banner
        self._banner.set_class(not banner, "hidden")
        self._banner.update(Text(banner), layout=False)
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
            if problem and (stopped or (watching and not projector.status.awaits_lease)):
                return f"{projector.projection.name}: {problem}"
        return ""

    def _refresh_inspector(self) -> None:
        inspector = self.inspector
        inspection = Inspection(
            self.view,
            self.theme_variables,
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
        elif seq is not None and self._show_change:
            record = self.workspace.follower.get(seq)
            if record is not None and self._effects_asked != seq:
                self._effects_asked = seq
                self.run_worker(self._read_effects(record), exclusive=True, group="effects")
            known = self._effects[1] if self._effects[0] == seq else None
            shown = inspection.change(seq, known)
        elif seq is not None:
            shown = inspection.event(seq, self.workspace.follower.get(seq), self.view.parked_reason)
        else:
            return
        inspector.put(*shown)

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
        if isinstance(message.pane, Accounts):
            self.catalogs.focus()
        else:
            self.inspector.focus()

    def on_descendant_focus(self) -> None:
        """The pane with the focus is what the inspector is about."""
        focused = self.focused
        if isinstance(focused, VirtualList | Inspector):
            self._stand_at(focused.id or "timeline")
        if isinstance(focused, VirtualList):
            self._inspect(focused)

    def _stand_at(self, pane: str) -> None:
        """The layout follows the pane that is worked in."""
        for name in PANES:
            self.default_screen.set_class(pane == name, f"at-{name}")

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
        self._stand_at(name)
        pane = self._pane(name)
        if pane.focusable:
            # At once, not by `focus()`: keys typed ahead are meant for the new pane already.
            self.default_screen.set_focus(pane)
        else:
            # What zoom or a narrow terminal hides takes the focus only once it is shown.
            self.call_after_refresh(pane.focus)

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

    def action_why(self) -> None:
        """Show the events that made the account or catalog of the row."""
        account = self.accounts.selected_key
        catalog = self.catalogs.selected_name
        event = self.timeline.selected_event
        if self._inspected == "catalogs" and catalog is not None:
            self._explain(CATALOGS, catalog)
        elif self._inspected == "accounts" and account is not None:
            self._explain(ACCOUNTS, account)
        elif self._inspected == "timeline" and event is not None:
            # An event is its own reason; what people ask about is the account that did it.
            self._explain(ACCOUNTS, event.origin)
        else:
            self.notice("choose an account, a catalog or an event first")

    def _explain(self, projection: Projection[Any], key: str) -> None:
        def chosen(seq: int | None) -> None:
            if seq is not None:
                self.workspace.set_filter(None)
                self.go_to(seq)
                self.timeline.focus()

        self.push_screen(WhyScreen(self.view, projection, key), chosen)

    def action_change(self) -> None:
        """Switch the inspector between the event and what it changed."""
        self._show_change = not self._show_change
        self._inspected = "timeline"
        self._ring()

    async def _read_effects(self, record: Record) -> None:
        """Find out what an event changed, for the inspector."""
        log = self.workspace.log
        if log is None:
            return
        try:
            effects = await effects_of(log, record, self.workspace.options.instance)
        except NatsterError as error:
            self.notice(error.sentence)
            return
        self._effects = (record.seq, effects)
        self._inspector_drawn = 0.0
        self._ring()

    # -- time travel -----------------------------------------------------------------------

    def action_travel(self) -> None:
        """Show everything as of the timeline's event; when travelling already, return to now."""
        if self._traveller.is_away:
            self.workers.cancel_group(self, "travel")
            self._traveller.come_back()
        elif (seq := self.timeline.selected_seq) is not None:
            self._traveller.go(seq)
        self._ring()

    def action_step(self, step: int) -> None:
        """One event forward or back in time."""
        if self._traveller.is_away:
            self._traveller.step(step)
        else:
            self.action_travel()

    def _start_journey(self, journey: Coroutine[None, None, None]) -> None:
        self.run_worker(journey, exclusive=True, group="travel")

    def _arrived(self, moment: Moment | None) -> None:
        self._show_change = moment is not None
        self.default_screen.set_class(moment is not None, "travelling")
        if moment is not None:
            self.timeline.select(max(1, moment.seq))
        self._inspected = "timeline"
        self._ring()

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

    # -- the prompt ------------------------------------------------------------------------

    def _names(self) -> list[str]:
        """What completes a filter's names: catalogs, and keys of accounts."""
        return [*self.view.catalogs, *self.view.accounts]

    def action_find(self) -> None:
        """Filter the timeline, or search the list that has the focus."""
        if self.focused is self.accounts:
            self._prompt.open(Purpose.FIND_ACCOUNTS, self.accounts.search)
        elif self.focused is self.catalogs:
            self._prompt.open(Purpose.FIND_CATALOGS, self.catalogs.search)
        else:
            filtered = self.workspace.filtered
            self._prompt.open(Purpose.FILTER, "" if filtered is None else filtered.wanted.text)

    def action_parked(self) -> None:
        """Show parked events only, or all events again."""
        filtered = self.workspace.filtered
        only_parked = filtered is not None and filtered.wanted.text == "parked"
        self._set_filter("" if only_parked else "parked")

    def action_community(self) -> None:
        """Show the figures of the community."""
        self.push_screen(CommunityScreen(self.view))

    def action_copy(self) -> None:
        """Copy the row of the pane used last, as JSON on one line, secrets masked."""
        seq = self.timeline.selected_seq
        account, catalog = self.accounts.selected_key, self.catalogs.selected_name
        record = None if seq is None else self.workspace.follower.get(seq)
        what, text = "", ""
        if self._inspected == "accounts" and account is not None:
            what, text = "the account", document_json(self.view, ACCOUNTS.name, account)
        elif self._inspected == "catalogs" and catalog is not None:
            what, text = "the catalog", document_json(self.view, CATALOGS.name, catalog)
        elif record is not None:
            what, text = f"event {record.seq:,}", event_json(record)
        if not text:
            self.notice("there is nothing to copy here")
            return
        self.copy_to_clipboard(text)
        kept = keep_copy(text)
        self.notice(f"copied {what}; where the terminal has no clipboard: {kept}")

    def action_publish(self) -> None:
        """Open the publish form, filled in from the row of the pane used last."""
        if self.workspace.read_only:
            self.notice("read-only: nothing can be published")
            return
        if self.view.moment is not None:
            self.notice("the past cannot be changed: press t to return to now, then publish")
            return
        kind, origin, target, catalog = EventType.SHARED, "", "", ""
        event = self.timeline.selected_event
        if self._inspected == "timeline" and event is not None:
            kind, origin = event.type, event.origin
            if event.type in CATALOG_TYPES:
                target, catalog = event.target, event.catalog
        elif self._inspected == "accounts":
            origin = self.accounts.selected_key or ""
        elif self._inspected == "catalogs" and self.catalogs.selected_name is not None:
            catalog = self.catalogs.selected_name
            state = self.view.catalogs.get(catalog)
            origin = "" if state is None else state.owner
        self.push_screen(PublishScreen(self.view, kind, origin, target, catalog), self._published)

    def _published(self, seq: int | None) -> None:
        if seq is not None:
            self.notice(f"published as {seq:,}")
            self.timeline.follow()

    def action_jump(self) -> None:
        """Ask for a sequence or a time to go to."""
        self._prompt.open(Purpose.JUMP)

    @property
    def _searched(self) -> Accounts | Catalogs | None:
        match self._prompt.purpose:
            case Purpose.FIND_ACCOUNTS:
                return self.accounts
            case Purpose.FIND_CATALOGS:
                return self.catalogs
            case _:
                return None

    def on_input_changed(self, event: Input.Changed) -> None:
        """A search narrows as it is typed."""
        if event.input is self._prompt and self._searched is not None:
            self._searched.search = event.value.strip()
            self._searched.update_rows()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter keeps a search, sets a filter, or goes there."""
        if event.input is not self._prompt:
            return
        match self._prompt.purpose:
            case Purpose.FILTER:
                self._set_filter(event.value)
            case Purpose.JUMP:
                self._jump(event.value)
            case Purpose.EXPORT:
                self._export(event.value)
            case _:
                self._prompt.close()
                if self._searched is not None:
                    self._searched.focus()

    def _set_filter(self, text: str) -> None:
        try:
            wanted = parse_filter(text, self.view.now()) if text.strip() else None
        except BadFilterError as error:
            self.notice(str(error))
            return
        self.workspace.set_filter(wanted)
        self._prompt.close()
        self.timeline.focus()

    def _jump(self, text: str) -> None:
        text = text.strip().replace(",", "")
        if text.isascii() and text.isdigit():
            self.go_to(int(text[:19]))
        elif (seconds := parse_local(text, self.view.now())) is not None:
            self.run_worker(self._jump_to_time(seconds), exclusive=True)
        else:
            self.notice("that is neither a sequence nor a time like 2026-11-23 10:22")
            return
        self._prompt.close()
        self.timeline.focus()

    async def _jump_to_time(self, seconds: int) -> None:
        if self.workspace.log is None:
            return
        try:
            seq = await sequence_at(self.workspace.log, seconds, self.workspace.options.instance)
        except NatsterError as error:
            self.notice(error.sentence)
            return
        self.go_to(max(1, seq))

    def go_to(self, seq: int) -> None:
        """Put the timeline's cursor on an event; `b` comes back from there."""
        before = self.timeline.selected_seq
        if before is not None:
            self._jumped_from.append(before)
            del self._jumped_from[:-_JUMPS_KEPT]
        self.timeline.select(seq)
        self._inspect(self.timeline)

    def action_match(self, step: int) -> None:
        """The next or previous event that passes the last filter."""
        matches, seq = self.workspace.matches, self.timeline.selected_seq
        if matches is None:
            self.notice("nothing was filtered for yet: press / in the timeline first")
            return
        if seq is None or not matches.seqs:
            self.notice("no event passes the last filter")
            return
        at = bisect_right(matches.seqs, seq) if step > 0 else bisect_left(matches.seqs, seq) - 1
        if 0 <= at < len(matches.seqs):
            self.timeline.select(matches.seqs[at])
            self._inspect(self.timeline)
        else:
            self.notice("no more matches in this direction")

    def action_export(self) -> None:
        """Ask for a file, and write what the timeline shows to it."""
        self._prompt.open(Purpose.EXPORT, "natster-events.jsonl")

    def _export(self, name: str) -> None:
        if name.strip():
            self._prompt.close()
            self.timeline.focus()
            path = Path(name.strip()).expanduser()
            self.run_worker(self._write_export(path), exclusive=True, group="export")

    async def _write_export(self, path: Path) -> None:
        log, filtered = self.workspace.log, self.workspace.filtered
        if log is None:
            self.notice("not connected: nothing was exported")
            return
        try:
            count = await export_file(
                log,
                path,
                None if filtered is None else filtered.seqs,
                self.workspace.options.instance,
            )
        except NatsterError as error:
            self.notice(error.sentence)
            return
        self.notice(f"exported {count:,} events to {path}, secrets masked")

    def action_return(self) -> None:
        """Go back to where the last jump began."""
        if self._jumped_from:
            self.timeline.select(self._jumped_from.pop())
            self._inspect(self.timeline)

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
        """Let the pane with the focus fill the screen, or give it back; the lines stay."""
        self.default_screen.toggle_class("zoomed")

    async def action_back(self) -> None:
        """Undo the last narrowing: the search, the zoom, the chosen account, the pane."""
        if self._traveller.is_away and not self._prompt.is_open:
            self.action_travel()
            return
        searched = [pane for pane in (self.accounts, self.catalogs) if pane.search]
        if self._prompt.is_open:
            self._prompt.close()
            if self._searched is not None:
                self._searched.search = ""
                self._searched.update_rows()
            (self._searched or self.timeline).focus()
        elif self.default_screen.has_class("zoomed"):
            self.action_zoom()
        elif searched:
            for pane in searched:
                pane.search = ""
                pane.update_rows()
        elif isinstance(self.focused, Inspector):
            self._pane(self._inspected).focus()
        elif self.focused is self.timeline and self.workspace.filtered is not None:
            self.workspace.set_filter(None)
        else:
            self.timeline.focus()

    def action_theme(self) -> None:
        """Switch between dark and light."""
        self.theme = LIGHT.name if self.theme == DARK.name else DARK.name

    def notice(self, sentence: str) -> None:
        """A short note in the corner."""
        self.notify(safe_text(sentence), markup=False)
