"""The timeline: the whole log, oldest first, following the head until somebody scrolls up.

A virtual list over stream sequences. Rows that are not at hand are asked for, and stand as a
placeholder until they come; nothing waits for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from natster_tui.domain.account import read_context
from natster_tui.domain.events import Event, EventType, Record, read_event
from natster_tui.domain.parking import ParkReason
from natster_tui.domain.presentation import VERBS, Names, event_phrase
from natster_tui.domain.projections import ACCOUNTS
from natster_tui.domain.safe_text import safe_text
from natster_tui.engine.workspace import Connection
from natster_tui.tui.cells import Cell
from natster_tui.tui.clock import row_time
from natster_tui.tui.view import View
from natster_tui.tui.virtual_list import VirtualList

_MARGIN = 60
"""Rows fetched beyond the visible ones, so that scrolling meets them."""

_STYLES = {
    EventType.INITIALIZED: "good",
    EventType.CONTEXT_BOUND: "second",
    EventType.SHARED: "marked",
    EventType.UNSHARED: "warn",
    EventType.IMPORTED: "accent",
}


class Timeline(VirtualList):
    """The log's events. `following` says whether the newest one is kept in view."""

    def __init__(self, view: View) -> None:
        super().__init__(view, "Timeline", "timeline")
        self.following = True
        self._first = 1
        self._head_seen = 0

    @property
    def selected_seq(self) -> int | None:
        """The sequence under the cursor."""
        return None if self.row_count == 0 else self._first + self.cursor

    def sources(self) -> tuple[object, ...]:
        """See `VirtualList.sources`."""
        workspace = self.view.workspace
        return (
            workspace.follower.version,
            workspace.connection,
            workspace.sentence,
            # Names and dates stand in the rows.
            workspace.projectors[ACCOUNTS.name].version,
            self.view.now() // 60,
        )

    def update_rows(self) -> None:
        """Take note of how far the log goes now."""
        follower = self.view.workspace.follower
        if follower.first != self._first:
            # Events were forgotten at the front: the cursor stays on its event.
            self.cursor = max(0, self.cursor + self._first - follower.first)
            self._first = follower.first
        rows = max(0, follower.head - self._first + 1)
        self.set_row_count(rows)
        if self.following:
            self._head_seen = follower.head
            self.move_cursor(rows - 1, by_user=False)
        self._fetch_visible()
        self._describe()
        self.refresh_rows()

    def follow(self) -> None:
        """Keep the newest event in view from now on."""
        self.following = True
        self.update_rows()
        self.post_message(self.Moved(self))

    def select(self, seq: int) -> None:
        """Put the cursor on an event."""
        self._stop_following()
        self.move_cursor(seq - self._first)
        self._fetch_visible()

    def _describe(self) -> None:
        follower = self.view.workspace.follower
        total = f"{self.row_count:,}"
        if self.following:
            subtitle = f"following {self.glyphs.new}"
        else:
            new = max(0, follower.head - self._head_seen)
            subtitle = f"{new:,} new {self.glyphs.new} G follows" if new else "G follows"
        self.caption(f"1 Timeline ({total})", subtitle)

    def _fetch_visible(self) -> None:
        height = max(1, self.scrollable_content_region.height)
        top = self._first + self.scroll_offset.y
        self.view.workspace.follower.want(max(self._first, top - _MARGIN), top + height + _MARGIN)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Scrolled, by whatever means: fetch what is in view, and follow only at the end."""
        super().watch_scroll_y(old_value, new_value)
        if not self.is_attached:
            return
        self._fetch_visible()
        if round(new_value) < self.max_scroll_y and new_value < old_value:
            self._stop_following()

    def _stop_following(self) -> None:
        if self.following:
            self.following = False
            self._head_seen = self.view.workspace.follower.head
            self._describe()

    def move_cursor(self, row: int, *, by_user: bool = True) -> None:
        """See `VirtualList.move_cursor`: up stops following, the last row by G resumes."""
        if by_user and row < self.cursor:
            self._stop_following()
        super().move_cursor(row, by_user=by_user)

    def action_last(self) -> None:
        """Follow again."""
        self.follow()

    # -- rows ------------------------------------------------------------------------------

    def row_cells(self, row: int) -> Sequence[Cell]:
        """See `VirtualList.row_cells`."""
        seq = self._first + row
        follower = self.view.workspace.follower
        digits = max(5, len(f"{follower.head:,}"))
        number = Cell(f"{seq:,}", digits, "dim", right=True)
        record = follower.get(seq)
        if record is None:
            known = follower.is_known(seq)
            return [number, Cell("deleted from the log" if known else "…", 0, "dim")]
        event = read_event(record)
        when = Cell(row_time(record.event_time, self.view.now()), 11, "dim")
        if isinstance(event, ParkReason):
            return [number, when, *self._parked_cells(record, event.value)]
        return [number, when, *self._event_cells(event)]

    def _parked_cells(self, record: Record, reason: str) -> Sequence[Cell]:
        return [
            Cell(self.glyphs.parked, 2, "bad"),
            Cell("parked", 11, "bad"),
            Cell(f"{reason}: {safe_text(record.subject, 200)}", 0, "dim"),
        ]

    def _event_cells(self, event: Event) -> Sequence[Cell]:
        reason = self._parked_reason(event)
        if reason:
            return self._parked_cells(event.record, reason)
        glyphs = self.glyphs
        mark = {
            EventType.INITIALIZED: glyphs.initialized,
            EventType.CONTEXT_BOUND: glyphs.bound,
            EventType.SHARED: glyphs.shared,
            EventType.UNSHARED: glyphs.unshared,
            EventType.IMPORTED: glyphs.imported,
        }[event.type]
        names = Names(self.view.workspace.accounts)
        who, whom, catalog = event_phrase(event, names)
        style = _STYLES[event.type]
        cells = [Cell(mark, 2, style), Cell(VERBS[event.type], 11, style)]
        if event.type is EventType.CONTEXT_BOUND:
            context = read_context(event.payload)
            how = "" if context is None else safe_text(context.oauth_id.split("|")[0], 30)
            return [*cells, Cell(f"{who} {glyphs.to} web {how}".rstrip())]
        if not whom:
            return [*cells, Cell(who)]
        whom = whom.replace("→", glyphs.to).replace("←", glyphs.came)
        return [*cells, Cell(f"{who} {whom}"), Cell(catalog, self._catalog_width, "strong")]

    @property
    def _catalog_width(self) -> int:
        return max(10, min(22, self.scrollable_content_region.width // 5))

    def _parked_reason(self, event: Event) -> str:
        """Why the projection that parks most, accounts, sets this event aside; empty if not."""
        return self.view.parked_reason(event)

    def empty_lines(self) -> Sequence[str]:
        """See `VirtualList.empty_lines`: an empty log says what to do next."""
        workspace = self.view.workspace
        if workspace.connection is not Connection.CONNECTED:
            width = max(20, self.scrollable_content_region.width - 2)
            said = [f" {line}" for line in wrap(workspace.sentence, width)]
            return ("", f" {workspace.connection.value} {self.glyphs.ellipsis}", "", *said)
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
