"""A list of any length that creates only its visible rows.

It is the base of all panes with rows: it keeps a cursor, scrolls, and asks its subclass for the
cells of a row when that row is painted. Ten million rows cost as much as twenty.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from natster_tui.tui.keys.key import Key, bindings
from natster_tui.tui.keys.moving import LIST
from natster_tui.tui.theme import Glyphs, plain
from natster_tui.tui.view import View
from natster_tui.tui.widgets.cells import Cell, row_strip
from natster_tui.tui.widgets.framed_lines import FramedLines
from natster_tui.tui.widgets.scroll_view import QuietScroll

_Line = tuple[bool, Sequence[Cell]]
"""What a line shows: whether the cursor is on it, and its cells."""

HEADED_FROM = 4
"""Lines that a list needs to have room for its headings."""
REST = 15
"""The pause between two updates of the rows, as a multiple of the time of the last update."""


@dataclass(frozen=True, slots=True)
class Heading:
    """The heading of a column, as wide as the column; `meaning` is its tooltip."""

    cell: Cell
    meaning: str = ""


class VirtualList(QuietScroll, can_focus=True):
    """The list. Subclasses say how many rows there are and what a row's cells are."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "list--cursor",
        "list--dim",
        "list--strong",
        "list--good",
        "list--warn",
        "list--bad",
        "list--accent",
        "list--second",
        "list--marked",
    }
    DEFAULT_CSS = """
    VirtualList {
        background: $surface;
        & > .list--cursor { background: $panel; }
        &:focus > .list--cursor { background: $primary-muted; text-style: bold; }
        & > .list--dim { color: $foreground-muted; }
        & > .list--strong { text-style: bold; }
        & > .list--good { color: $text-success; }
        & > .list--warn { color: $text-warning; }
        & > .list--bad { color: $text-error; }
        & > .list--accent { color: $text-accent; }
        & > .list--second { color: $text-secondary; }
        & > .list--marked { color: $text-primary; text-style: bold; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(LIST)]

    KEYS: ClassVar[tuple[Key, ...]] = ()
    """The pane's keys, for footer, help and palette."""

    class Moved(Message):
        """The user moved the cursor to another row."""

        def __init__(self, pane: VirtualList) -> None:
            super().__init__()
            self.pane = pane

    class Chosen(Message):
        """Enter, or a second click, on the cursor's row."""

        def __init__(self, pane: VirtualList) -> None:
            super().__init__()
            self.pane = pane

    def __init__(self, view: View, title: str, name: str) -> None:
        super().__init__(id=name)
        self.view = view
        self.pane_name = title.lstrip("0123456789 ")
        """The pane's name on the help page."""
        self._caption = ("", "")
        self.caption(title)
        self.cursor = 0
        self.chosen_by_user = False
        self._rows = 0
        self._head = 0
        """Lines that the headings take."""
        self._drawn_from: tuple[object, ...] = ()
        self._rests_until = 0.0
        self._drawn_styles: dict[str, Style] = {}
        self._painted: dict[int, _Line] = {}
        self._looked_up: dict[int, _Line] = {}
        self._styles_cache = FramedLines()
        self.row_width = self._covered = 0
        """The cells of a row, and those that the scroll bar covers."""

    def caption(self, title: str, subtitle: str = "") -> None:
        """Set the texts in the frame, as Text, because Textual would parse a string as markup."""
        if (title, subtitle) != self._caption:
            self._caption = (title, subtitle)
            self.border_title = Text(plain(title, self.glyphs))
            self.border_subtitle = Text(plain(subtitle, self.glyphs))

    # -- for subclasses --------------------------------------------------------------------

    def row_cells(self, row: int) -> Sequence[Cell]:
        """The cells of a row that exists."""
        raise NotImplementedError

    def headings(self) -> Sequence[Heading]:
        """The headings above the rows, if there is room; none in a list without headings."""
        return ()

    @property
    def columns_explained(self) -> Sequence[tuple[str, str]]:
        """The headings with what they mean, for the help."""
        explained = ((each.cell.text.strip(), each.meaning) for each in self.headings())
        return [(text or "(mark)", meaning) for text, meaning in explained if meaning]

    def choose_heading(self, number: int) -> None:
        """A heading was clicked."""

    def layout_version(self) -> object:
        """Differs whenever all rows must be painted again, because columns moved."""
        return None

    def empty_lines(self) -> Sequence[str]:
        """The lines to show if there are no rows."""
        return ()

    def update_rows(self) -> None:
        """Update the rows to the current state."""
        raise NotImplementedError

    def sources(self) -> tuple[object, ...]:
        """The values that the rows depend on; they differ whenever a row may look different."""
        raise NotImplementedError

    def update_if_changed(self) -> None:
        """Update and paint the rows if `sources` changed, but not too often.

        Sorting tens of thousands of rows takes longer than the time between two refreshes. While a
        log is being folded the rows change all the time, and sorting must not delay keys or the
        fold.
        """
        began = time.monotonic()
        if began < self._rests_until:
            return
        now = (self.sources(), self.size)
        if now != self._drawn_from:
            self._drawn_from = now
            self.update_rows()
            ended = time.monotonic()
            self._rests_until = ended + REST * (ended - began)

    def wake(self) -> None:
        """Update at the next refresh, without a pause, because the user is waiting."""
        self._rests_until = 0.0

    @property
    def glyphs(self) -> Glyphs:
        """The marks to use."""
        return self.view.glyphs

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        return self._rows

    def set_row_count(self, rows: int) -> None:
        """Set the number of rows; the cursor and the scroll position stay where they are."""
        self._measure()
        self._rows = rows
        self.cursor = max(0, min(self.cursor, rows - 1))
        self._head = int(
            rows > 0
            and self.scrollable_content_region.height >= HEADED_FROM
            and bool(self.headings())
        )
        self.set_line_count(rows + self._head)

    def move_cursor(self, row: int) -> None:
        """Put the cursor on a row, as the user asked, and bring it into view."""
        before = self.cursor
        # Until the user has chosen a row, the cursor stays at the top while rows come in.
        self.chosen_by_user = True
        self.place_cursor(row)
        if self.cursor != before:
            self.post_message(self.Moved(self))
        self.refresh_rows()

    def place_cursor(self, row: int) -> None:
        """Put the cursor on a row, and bring it into view; `refresh_rows` paints it."""
        self.cursor = max(0, min(row, self._rows - 1))
        self._show_cursor()

    @property
    def rows_height(self) -> int:
        """The lines for rows, below the headings."""
        return max(0, self.scrollable_content_region.height - self._head)

    def _show_cursor(self) -> None:
        height = self.rows_height
        top = self.scroll_offset.y
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True, immediate=True)
        elif height and self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, force=True, immediate=True)

    # -- keys and mouse --------------------------------------------------------------------

    def action_cursor(self, step: int) -> None:
        """One row up or down."""
        self.move_cursor(self.cursor + step)

    def action_page(self, direction: int) -> None:
        """One page up or down."""
        self.move_cursor(self.cursor + direction * max(1, self.rows_height - 1))

    def action_first(self) -> None:
        """To the first row."""
        self.move_cursor(0)

    def action_last(self) -> None:
        """To the last row."""
        self.move_cursor(self._rows - 1)

    def action_choose(self) -> None:
        """Say that the cursor's row was chosen."""
        if self._rows:
            self.post_message(self.Chosen(self))

    def on_click(self, event: events.Click) -> None:
        """Click moves the cursor; on the cursor's row it chooses."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y < self._head:
            number = self._heading_at(offset.x)
            if number is not None:
                self.choose_heading(number)
            return
        row = offset.y - self._head + self.scroll_offset.y
        if row >= self._rows:
            return
        if row == self.cursor and event.chain > 1:
            self.action_choose()
        else:
            self.move_cursor(row)
            self.post_message(self.Moved(self))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Explain the heading under the mouse."""
        offset = event.get_content_offset(self)
        number = None
        if offset is not None and offset.y < self._head:
            number = self._heading_at(offset.x)
        self.tooltip = None if number is None else Text(self.headings()[number].meaning) or None

    def _heading_at(self, x: int) -> int | None:
        """Which column a cell of the line of headings belongs to."""
        end = 0
        for number, heading in enumerate(self.headings()):
            end += heading.cell.width + 1
            if x < end:
                return number
        return None

    # -- painting --------------------------------------------------------------------------

    def notify_style_update(self) -> None:
        """The theme changed."""
        super().notify_style_update()
        self._drawn_styles.clear()

    def _row_styles(self) -> dict[str, Style]:
        if not self._drawn_styles:
            self._drawn_styles = {
                name.removeprefix("list--"): self.get_component_rich_style(name, partial=True)
                for name in self.COMPONENT_CLASSES
            }
            # Kept, because Textual walks through all ancestors for it.
            self._drawn_styles[""] = self.rich_style
        return self._drawn_styles

    def _line(self, y: int) -> _Line:
        if y < self._head:
            return False, [heading.cell for heading in self.headings()]
        row = y - self._head + self.scroll_offset.y
        if row < self._rows:
            return row == self.cursor, self.row_cells(row)
        lines = self._lines_instead() if self._rows == 0 else ()
        return False, [Cell(lines[y] if y < len(lines) else "", 0, "dim")]

    def _lines_instead(self) -> Sequence[str]:
        """The lines of an empty list, without the blank ones if there is little room."""
        lines = self.empty_lines()
        if len(lines) <= self.scrollable_content_region.height:
            return lines
        return [line for line in lines if line.strip()]

    def render_lines(self, crop: Region) -> list[Strip]:
        """See `Widget.render_lines`."""
        self._measure()
        return super().render_lines(crop)

    def _measure(self) -> None:
        """Find how long rows are. Textual finds it each time in the styles, so it is kept."""
        self.row_width = self.scrollable_content_region.width
        self._covered = self.content_region.width - self.row_width

    def render_line(self, y: int) -> Strip:
        """Paint one visible line."""
        styles = self._row_styles()
        base = styles[""]
        line = self._looked_up.pop(y + self.scroll_offset.y, None)
        if line is None:
            before = self.layout_version()
            line = self._line(y)
            if self.layout_version() != before:
                # A row that needs more room came into view.
                self.call_later(self.refresh_rows)
        is_cursor, cells = self._painted[y] = line
        if is_cursor:
            base += styles["cursor"]
        return row_strip(cells, self.row_width, base, styles, self.glyphs, self._covered)

    def on_focus(self) -> None:
        """The cursor looks different with the focus."""
        self._drawn_styles.clear()
        self.refresh()

    def on_blur(self) -> None:
        """See `on_focus`."""
        self._drawn_styles.clear()
        self.refresh()

    def on_resize(self) -> None:
        """Keep the cursor in view."""
        self._looked_up.clear()
        self.set_row_count(self._rows)
        self._show_cursor()

    def refresh_rows(self) -> None:
        """Paint the visible lines that changed since they were last painted.

        For Textual, painting a line takes ten times as long as we need to make its cells.
        """
        self._measure()
        size, top = self.scrollable_content_region.size, self.scroll_offset.y
        before = self.layout_version()
        self._looked_up = {top + y: self._line(y) for y in range(size.height)}
        if self.layout_version() != before:
            self._looked_up = {top + y: self._line(y) for y in range(size.height)}
        changed = [
            y for y in range(size.height) if self._painted.get(y) != self._looked_up[top + y]
        ]
        if changed:
            self.refresh(*(Region(0, y, size.width, lines) for y, lines in _runs(changed)))


def _runs(lines: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Ascending lines as runs of neighbours: the first, and how many."""
    first, after = lines[0], lines[0] + 1
    for line in lines[1:]:
        if line != after:
            yield first, after - first
            first = line
        after = line + 1
    yield first, after - first
