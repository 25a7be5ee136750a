"""The timeline: the whole log, oldest first, following the head until the user scrolls up.

A virtual list over stream sequences. Rows that are not loaded are requested, and shown as
placeholders until they arrive; nothing blocks on them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from math import ceil
from textwrap import wrap

from textual.message import Message

from natster_tui.engine.log.filter_matches import FilterMatches
from natster_tui.engine.workspace import Connection
from natster_tui.events.event import Event
from natster_tui.text.counting import counted
from natster_tui.text.masking import screen_text
from natster_tui.tui.keys.main_screen import TIMELINE
from natster_tui.tui.panes.event_columns import EventRows
from natster_tui.tui.view import View
from natster_tui.tui.widgets.cells import Cell
from natster_tui.tui.widgets.virtual_list import Heading, VirtualList

_MARGIN = 60
"""Rows fetched beyond the visible ones, so that they are loaded before they are scrolled to."""


class Timeline(VirtualList):
    """The log's events. `following` says whether the newest one is kept in view."""

    KEYS = TIMELINE

    class Jumped(Message):
        """The cursor was put on an event by a search, a match or a jump."""

        def __init__(self, timeline: Timeline, seq: int) -> None:
            super().__init__()
            self.timeline = timeline
            self.seq = seq

        @property
        def control(self) -> Timeline:
            """The timeline, for `on`."""
            return self.timeline

    def __init__(self, view: View) -> None:
        super().__init__(view, "Timeline", "timeline")
        self.following = True
        self._event_rows = EventRows(view)
        self._first = 1
        self._head_seen = 0
        self._filtered: FilterMatches | None = None
        self._standing: int | None = None
        """The event that the user put the cursor on, whether or not a filter shows it."""

    @property
    def selected_seq(self) -> int | None:
        """The sequence under the cursor."""
        return None if self.row_count == 0 else self._seq_at(self.cursor)

    @property
    def selected_event(self) -> Event | None:
        """The event under the cursor, if it is loaded and of a known kind."""
        seq = self.selected_seq
        record = None if seq is None else self.view.workspace.follower.get(seq)
        event = None if record is None else self.view.parsed(record).event
        return event if isinstance(event, Event) else None

    def _seq_at(self, row: int) -> int:
        """The sequence in a row, of the filter that the rows were counted for."""
        return self._first + row if self._filtered is None else self._filtered.seqs[row]

    def _row_of(self, seq: int) -> int:
        """The row of an event, or of the next one that passes the filter."""
        if self._filtered is None:
            return seq - self._first
        return bisect_left(self._filtered.seqs, seq)

    def sources(self) -> tuple[object, ...]:
        """See `VirtualList.sources`."""
        workspace = self.view.workspace
        filtered = workspace.timeline_filter.shown
        return (
            workspace.follower.version,
            None if filtered is None else (id(filtered), filtered.version),
            workspace.connection,
            workspace.sentence,
            workspace.connection is not Connection.CONNECTED and self._next_try,
            # Rows contain names and dates.
            self.view.version,
            self.view.homonyms,
            self.view.now() // 60,
        )

    def update_rows(self) -> None:
        """Update the rows to the log's current end."""
        workspace = self.view.workspace
        follower, filtered = workspace.follower, workspace.timeline_filter.shown
        if filtered is not self._filtered:
            self._event_rows.forget()
        self._filtered, self._first = filtered, follower.first
        self.set_row_count(self._rows_now())
        if self.following:
            self._head_seen = follower.head
            if follower.meter.per_second > self.rows_height:
                # No jump: else the columns would move all the time while many events come in.
                super().place_cursor(self.row_count - 1)
            else:
                self.place_cursor(self.row_count - 1)
        elif self._standing is not None:
            # On its event, or the next one that passes the filter, or the last found so far.
            row = min(self._row_of(self._standing), self.row_count - 1)
            if row != self.cursor:
                self.place_cursor(row)
        self._fetch_visible()
        self._describe()
        self.refresh_rows()

    def _rows_now(self) -> int:
        follower = self.view.workspace.follower
        if self._filtered is not None:
            return len(self._filtered.seqs)
        return max(0, follower.head - self._first + 1)

    @property
    def filter_text(self) -> str:
        """The filter as it was typed; empty if all events are shown."""
        filtered = self.view.workspace.timeline_filter.shown
        return "" if filtered is None else filtered.wanted.text

    def follow(self) -> None:
        """Keep the newest event in view from now on."""
        self.following = True
        self.update_rows()
        self.post_message(self.Moved(self))

    def jump_to(self, seq: int) -> None:
        """Put the cursor on an event, and post `Jumped`."""
        self.select(seq)
        self.post_message(self.Jumped(self, seq))

    def select(self, seq: int) -> None:
        """Put the cursor on an event, as the user asked."""
        self.move_cursor(self._brought_into_view(seq))
        self._fetch_visible()

    def show_event(self, seq: int) -> None:
        """Put the cursor on an event, without the timeline becoming the pane in use."""
        row = self._brought_into_view(seq)
        self.chosen_by_user = True
        self.place_cursor(row)
        self._standing = self.selected_seq if self.row_count else None
        self.refresh_rows()
        self._fetch_visible()

    def _brought_into_view(self, seq: int) -> int:
        """Scroll to an event, and return its row."""
        self._stop_following()
        if self.view.workspace.timeline_filter.shown is not self._filtered:
            self.update_rows()
        row = self._row_of(seq)
        height = self.rows_height
        if not self.scroll_offset.y <= row < self.scroll_offset.y + height:
            # A jump shows what was around the event as well.
            self.scroll_to(y=max(0, row - height // 2), animate=False, force=True, immediate=True)
        return row

    def _describe(self) -> None:
        follower = self.view.workspace.follower
        total = f"{self.row_count:,}"
        if self.following:
            subtitle = f"following {self.glyphs.new}"
        else:
            at_end = self.cursor >= self.row_count - 1
            new = 0 if at_end else max(0, follower.head - self._head_seen)
            follows = f"{self.view.keymap.hint('list.last')} follows"
            subtitle = f"{new:,} new {self.glyphs.new} {follows}" if new else follows
        filtered = self._filtered
        if filtered is None:
            self.caption(f"1 Timeline ({total})", subtitle)
            return
        head = follower.head
        looked = "" if filtered.is_complete(head) else f", looked at {filtered.scanned:,}"
        wanted = screen_text(filtered.wanted.text, 40)
        key = self.view.keymap.hint("app.back")
        self.caption(
            f"1 Timeline {wanted} ({total} of {head:,}{looked})", f"{key} all · {subtitle}"
        )

    def _fetch_visible(self) -> None:
        follower = self.view.workspace.follower
        height = max(1, self.scrollable_content_region.height)
        top = self.scroll_offset.y
        if self._filtered is None:
            first = self._first + top
            follower.want(max(self._first, first - _MARGIN), first + height + _MARGIN)
            return
        for row in range(max(0, top - 5), min(self.row_count, top + height + 5)):
            seq = self._seq_at(row)
            if follower.get(seq) is None:
                follower.want(seq, seq)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """After any scrolling: fetch what is in view, and follow only at the end."""
        super().watch_scroll_y(old_value, new_value)
        if not self.is_attached:
            return
        self._fetch_visible()
        if round(new_value) < self.max_scroll_y and new_value < old_value:
            self._stop_following()

    def _stop_following(self) -> None:
        if self.following:
            self.following = False
            self._standing = self.selected_seq
            self._head_seen = self.view.workspace.follower.head
            self._describe()

    def move_cursor(self, row: int) -> None:
        """See `VirtualList.move_cursor`: up stops following."""
        if row < self.cursor:
            self._stop_following()
        super().move_cursor(row)
        if self.row_count:
            self._standing = self.selected_seq

    def action_last(self) -> None:
        """Follow again."""
        self.follow()

    # -- rows ------------------------------------------------------------------------------

    def place_cursor(self, row: int) -> None:
        """See `VirtualList.place_cursor`. After a jump the widths are those of the new rows."""
        before = self.cursor
        super().place_cursor(row)
        if abs(self.cursor - before) > self.rows_height:
            self._event_rows.forget()

    def row_cells(self, row: int) -> Sequence[Cell]:
        """See `VirtualList.row_cells`."""
        return self._event_rows.cells(self._seq_at(row), self.row_width)

    def headings(self) -> Sequence[Heading]:
        """See `VirtualList.headings`."""
        return self._event_rows.headings(self.row_width)

    def layout_version(self) -> object:
        """See `VirtualList.layout_version`."""
        return self._event_rows.version

    @property
    def _next_try(self) -> str:
        """How many times connecting was tried, and when the next try is."""
        retries = self.view.workspace.retries
        if not retries.count:
            return ""
        left = retries.seconds_left
        again = "trying again now" if left is None else f"the next try is in {ceil(left)} s"
        return f"tried {counted(retries.count, 'time')}, {again}"

    def empty_lines(self) -> Sequence[str]:
        """See `VirtualList.empty_lines`: an empty log says what to do next."""
        workspace = self.view.workspace
        if workspace.connection is not Connection.CONNECTED:
            width = max(20, self.scrollable_content_region.width - 2)
            sentence = [f" {line}" for line in wrap(workspace.sentence, width)]
            state = f" {workspace.connection.value} {self.glyphs.ellipsis}"
            return ("", state, "", *sentence, "", f" {self._next_try}".rstrip())
        if self._filtered is not None:
            return (
                "",
                " no event passes the filter",
                "",
                f" {self.view.keymap.hint('app.back')} shows all of them",
            )
        stream = workspace.info.stream if workspace.info else ""
        return (
            "",
            f" {stream} is empty: nothing has happened yet.",
            "",
            " Watch it here as it fills, or, in another terminal:",
            "   natster-tui import FILE      a log exported elsewhere",
            "   natster-tui publish …        a single event",
            "   natster-tui demo             a community to look at",
        )
