"""The inspector: the row of the pane that was used last, in full."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import ClassVar

from rich.style import Style
from rich.table import Table
from rich.text import Text
from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.strip import Strip
from textual.visual import RichVisual, Visual

from natster_tui.engine.history.document_history import effects_of
from natster_tui.errors import NatsterError
from natster_tui.events.event import Record
from natster_tui.projections.history.steps import Effect
from natster_tui.projections.registering.registry import ACCOUNTS, CATALOGS
from natster_tui.projections.wording import Names
from natster_tui.store.log import EventLog
from natster_tui.tui.background import start
from natster_tui.tui.keys.commands import INSPECTOR
from natster_tui.tui.keys.key import Key, bindings
from natster_tui.tui.keys.moving import SCROLLED
from natster_tui.tui.panes.catalog_columns import catalog_warnings
from natster_tui.tui.panes.document_sheet import account_sheet, catalog_sheet, document_sheet
from natster_tui.tui.panes.event_sheet import absent_event_sheet, change_sheet, event_sheet
from natster_tui.tui.panes.projector_sheet import lease_line, projector_sheet
from natster_tui.tui.panes.sheet import Manner, Sheet
from natster_tui.tui.panes.subjects import (
    DocumentSubject,
    EventSubject,
    ProjectorSubject,
    Subject,
)
from natster_tui.tui.places.place import Place
from natster_tui.tui.theme import plain
from natster_tui.tui.view import View
from natster_tui.tui.widgets.scroll_view import QuietScroll

REVEAL_S = 10.0
"""Seconds for which secrets are shown."""
_EVERY_S = 0.3
"""While events stream past, they are not read in full, and laying one out costs the most."""
_LABEL = 12
_CHOSEN = Style(reverse=True)


class Inspector(QuietScroll, can_focus=True):
    """A scrolling text about one subject.

    It paints lines of its own: a widget inside it would have the whole screen laid out for each
    event that is looked at.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(SCROLLED)]

    KEYS: ClassVar[tuple[Key, ...]] = INSPECTOR

    class Followed(Message):
        """A line that names something was clicked, or chosen with Enter."""

        def __init__(self, place: Place) -> None:
            super().__init__()
            self.place = place

    def __init__(self, view: View) -> None:
        super().__init__(id="inspector")
        self.border_title = "5 Inspector"
        self.shows_change = False
        """Whether an event's change is shown instead of the event."""
        self._view = view
        self._subject: Subject | None = None
        self._effects: Sequence[Effect] | str | None = None
        self._effects_of: tuple[Record | None, EventLog | None] = (None, None)
        """What the effects were read for. After an erasure the log is opened again, and the
        record, a little later, is another object."""
        self._reveal_until = 0.0
        self._inspected_at = 0.0
        self._path = ""
        self._sheet: Sheet | None = None
        self._lines: list[Strip] = []
        self._links: list[tuple[int, Place]] = []
        """What can be followed, each with the first screen line that names it."""
        self._link: int | None = None
        """The link that was chosen."""
        self._base = Style.null()

    # -- what is shown ---------------------------------------------------------------------

    @property
    def reveals(self) -> bool:
        """Whether secrets are shown just now."""
        return time.monotonic() < self._reveal_until

    def toggle_reveal(self) -> None:
        """Show secrets for a while, or hide them again."""
        self._reveal_until = 0.0 if self.reveals else time.monotonic() + REVEAL_S
        if self.reveals:
            self.set_timer(REVEAL_S + 0.05, self._inspect_again)
        self._inspect_again()

    def show_path(self, path: str) -> None:
        """Show in the frame by which way one came here; empty if one went nowhere."""
        if path != self._path:
            self._path = path
            self.border_subtitle = Text(plain(path, self._view.glyphs))

    def inspect(self, subject: Subject | None, *, calmly: bool = False) -> None:
        """Show a subject as it is now; `calmly` skips it if another was shown a moment ago."""
        now = time.monotonic()
        if calmly and now - self._inspected_at <= _EVERY_S:
            return
        self._inspected_at, self._subject = now, subject
        sheet = None if subject is None else self._sheet_of(subject)
        if sheet is not None:
            self._put(sheet)

    def _inspect_again(self) -> None:
        self.inspect(self._subject)

    def _sheet_of(self, subject: Subject) -> Sheet:
        view = self._view
        manner = Manner(Names(view.accounts), view.now(), self.reveals)
        match subject:
            case DocumentSubject():
                return self._document(subject, manner)
            case ProjectorSubject(projector):
                workspace = view.workspace
                lease = workspace.leases[projector.projection.name]
                failed_s = time.monotonic() - projector.status.failed_at
                line = lease_line(lease, read_only=workspace.read_only)
                return projector_sheet(projector, line, failed_s)
            case EventSubject(seq, None):
                return absent_event_sheet(seq, deleted=view.workspace.follower.is_known(seq))
            case EventSubject(seq, record) if not self.shows_change:
                assert record is not None
                return event_sheet(view.reading(record), view.parked(record), manner)
            case EventSubject(seq, record):
                assert record is not None
                return change_sheet(seq, self._effects_by(record), manner)

    def _document(self, subject: DocumentSubject, manner: Manner) -> Sheet:
        view, projection, key = self._view, subject.projection, subject.key
        fold = view.fold(projection.name)
        if projection is ACCOUNTS:
            return account_sheet(key, fold, manner, is_hub=key in view.hubs)
        if projection is CATALOGS:
            return catalog_sheet(key, fold, manner, catalog_warnings(view, key), view.accounts)
        return document_sheet(key, fold, manner)

    # -- what an event changed -------------------------------------------------------------

    def _effects_by(self, record: Record) -> Sequence[Effect] | str | None:
        """What an event changed, as far as it is known; the first call begins to read it."""
        wanted = (record, self._view.workspace.log)
        if self._effects_of != wanted:
            self._effects_of, self._effects = wanted, None
            start(self, partial(self._read_effects, record), "effects")
        return self._effects

    async def _read_effects(self, record: Record) -> None:
        workspace, wanted = self._view.workspace, self._effects_of
        log = workspace.log
        if log is None:
            return
        try:
            effects: list[Effect] | str = await effects_of(
                log, record, workspace.options.instance, self._view.projections
            )
        except NatsterError as error:
            effects = error.sentence
        if self._effects_of == wanted:
            self._effects = effects
            self._inspect_again()

    # -- painting --------------------------------------------------------------------------

    def _put(self, sheet: Sheet) -> None:
        """Show a sheet; the scroll position stays when it is about the same thing."""
        before = self._sheet
        if sheet == before:
            return
        if before is None or sheet.title != before.title:
            self.scroll_home(animate=False)
            self._link = None
            self.border_title = Text(plain(f"5 {sheet.title}", self._view.glyphs))
        self._sheet = sheet
        self._draw()

    def _table(self, sheet: Sheet) -> Table:
        theme, glyphs = self.app.theme_variables, self._view.glyphs
        table = Table.grid(padding=(0, 1))
        table.add_column(width=_LABEL - 1, style="dim")
        table.add_column(ratio=1, overflow="fold")
        for line in sheet.lines:
            style = theme.get(line.tone, line.tone)
            table.add_row(line.label, Text(plain(line.text, glyphs), style))
        return table

    def _draw(self) -> None:
        self._base = self.rich_style
        sheet, width = self._sheet, 0
        # A scroll bar that comes or goes leaves another width, of which no event tells.
        for _ in range(2):
            if sheet is None or width == (width := self.scrollable_content_region.width):
                break
            visual = RichVisual(self, self._table(sheet))
            self._lines = Visual.to_strips(self, visual, width, None, self.visual_style)
            self.set_line_count(len(self._lines))
        self._links = [] if sheet is None else list(self._links_of(sheet, width))
        if self._link is not None and self._link >= len(self._links):
            self._link = None
        self.refresh(self.scrollable_content_region.size.region)

    def _links_of(self, sheet: Sheet, width: int) -> Iterator[tuple[int, Place]]:
        """The places in a sheet, each with the screen line on which its line begins."""
        lines = list(sheet.lines)
        last = max((at for at, line in enumerate(lines) if line.place is not None), default=-1)
        y = 0
        for line in lines[: last + 1]:
            if line.place is not None:
                yield y, line.place
            text = Text(plain(line.text, self._view.glyphs))
            y += max(1, len(text.wrap(self.app.console, max(1, width - _LABEL), overflow="fold")))

    # -- following what is named -----------------------------------------------------------

    def action_next_link(self, step: int) -> None:
        """The next line in view that names something; without one the text scrolls."""
        wanted = step - 1 if self._link is None else self._link + step
        if self._link is None and step < 0:
            wanted = -1
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        if 0 <= wanted < len(self._links) and top <= self._links[wanted][0] < top + height:
            self._link = wanted
            self.refresh()
        else:
            self.scroll_relative(y=step, animate=False)

    def action_follow_link(self) -> None:
        """Go to what the chosen line names; the first press chooses the first one."""
        if self._link is None:
            self.action_next_link(1)
        else:
            self.post_message(self.Followed(self._links[self._link][1]))

    def on_click(self, event: events.Click) -> None:
        """Go to what the clicked line names."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        y = offset.y + self.scroll_offset.y
        for number, (at, place) in enumerate(self._links):
            if at == y:
                self._link = number
                self.post_message(self.Followed(place))

    def render_line(self, y: int) -> Strip:
        """Paint one visible line."""
        width, at = self.scrollable_content_region.width, y + self.scroll_offset.y
        line = self._lines[at] if at < len(self._lines) else Strip.blank(width, self._base)
        line = line.crop_extend(0, width, self._base)
        chosen = self._link is not None and self._links[self._link][0] == at
        return line.apply_style(_CHOSEN) if chosen else line

    def on_resize(self) -> None:
        """Wrap at the new width."""
        self._draw()

    def notify_style_update(self) -> None:
        """The theme changed."""
        super().notify_style_update()
        if self.rich_style != self._base:
            self._draw()
