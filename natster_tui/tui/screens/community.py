"""The community at a glance: figures, activity over time, duplicate names, prize candidates."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from natster_tui.engine.history.activity import Activity, read_activity
from natster_tui.errors import NatsterError
from natster_tui.projections.community.figures import (
    case_collisions,
    community_figures,
    contested_names,
    prize_candidates,
)
from natster_tui.projections.wording import Names
from natster_tui.text.masking import screen_text
from natster_tui.tui.background import start
from natster_tui.tui.clock import full_time
from natster_tui.tui.keys.dialogs import COMMUNITY
from natster_tui.tui.keys.key import bindings
from natster_tui.tui.terminal.clipboard import fits_clipboard, keep_copy
from natster_tui.tui.view import View
from natster_tui.tui.widgets.key_line import KeyLine

_HEIGHT = 6
_SPANS = 72
_LISTED = 200


class CommunityScreen(ModalScreen[None]):
    """One scrolling text, of now or of the moment travelled to."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(COMMUNITY)]

    def __init__(self, view: View) -> None:
        super().__init__(classes="page")
        self._view = view
        self._body = Static()
        self._activity: Activity | None = None
        self._problem = ""

    def compose(self) -> ComposeResult:
        """The text in a frame."""
        with VerticalScroll(classes="dialog") as frame:
            frame.border_title = "Community"
            frame.border_subtitle = "y copies the candidates · esc closes"
            yield self._body
        yield KeyLine(self._view.glyphs)

    def on_mount(self) -> None:
        """Show what is known, and read what is not."""
        self._draw()
        start(self, self._read, "read")

    async def _read(self) -> None:
        log = self._view.workspace.log
        if log is None:
            return
        try:
            moment = self._view.moment
            self._activity = await read_activity(
                log,
                _SPANS,
                self._view.workspace.options.instance,
                None if moment is None else moment.seq,
            )
        except NatsterError as error:
            self._problem = error.sentence
        self._draw()

    def _draw(self) -> None:
        view = self._view
        names = Names(view.accounts)
        figures = community_figures(view.accounts, view.catalogs, view.hubs)
        text = Text()
        for count, label in figures.rows:
            text.append(f"{count:>8,}  ", "bold")
            text.append(f"{label}\n")
        for hub in sorted(view.hubs)[:_LISTED]:
            text.append(f"{'hub':>8}  ", "bold")
            text.append(f"{names.of(hub)}\n")
        text.append("\n")
        if self._activity is not None:
            self._plot(text, "events", self._activity.events)
            self._plot(text, "active shares", self._activity.shares)
            text.append(
                f"{full_time(self._activity.first)} to {full_time(self._activity.last)}\n\n", "dim"
            )
        else:
            text.append(f"{self._problem or 'reading the log …'}\n\n", "dim")
        text.append("Duplicate names\n", "bold")
        for name in contested_names(view.catalogs)[:_LISTED]:
            state = view.catalogs[name]
            others = ", ".join(map(names.of, state.contested_by))
            text.append(f"  {screen_text(name, 60)}: {names.of(state.owner)}, also {others}\n")
        for name, twins in sorted(case_collisions(view.catalogs).items())[:_LISTED]:
            said = ", ".join(screen_text(twin, 60) for twin in twins)
            text.append(f"  {screen_text(name, 60)}: differs from {said} in letter case only\n")
        text.append("\nPrize candidates\n", "bold")
        for key in prize_candidates(view.accounts, view.hubs)[:_LISTED]:
            text.append(f"  {names.of(key)}  {screen_text(key, 80)}\n")
        self._body.update(text)

    def _plot(self, text: Text, label: str, counts: tuple[int, ...]) -> None:
        """Bars, one column a span, the highest one _HEIGHT lines high."""
        bars = self._view.glyphs.bars
        steps = len(bars) - 1
        top = max(max(counts), 1)
        text.append(f"{label}, at most {top:,}\n", "dim")
        for line in range(_HEIGHT - 1, -1, -1):
            row = ""
            for count in counts:
                filled = round(count / top * _HEIGHT * steps) - line * steps
                row += bars[max(0, min(steps, filled))]
            text.append(row + "\n", self.app.theme_variables["primary"])

    def action_copy(self) -> None:
        """Copy the prize candidates, one a line: name and key."""
        names = Names(self._view.accounts)
        candidates = prize_candidates(self._view.accounts, self._view.hubs)
        listed = "\n".join(f"{names.of(key)}\t{screen_text(key, 80)}" for key in candidates)
        if fits_clipboard(listed):
            self.app.copy_to_clipboard(listed)
        self.app.notify(
            f"copied {len(candidates):,} candidates; also in {keep_copy(listed)}", markup=False
        )

    def action_scroll(self, lines: int) -> None:
        """Scroll the text."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)
