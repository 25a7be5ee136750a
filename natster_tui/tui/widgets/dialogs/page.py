"""A page of lines, whose links can be followed and which can be searched."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.strip import Strip

from natster_tui.tui.keys.dialogs import PAGE
from natster_tui.tui.keys.key import bindings
from natster_tui.tui.places.place import Place
from natster_tui.tui.theme import Glyphs, plain
from natster_tui.tui.widgets.scroll_view import QuietScroll

_LINK = Style(underline=True)
_CHOSEN = Style(reverse=True)
_MATCH = Style(reverse=True, bold=True)


@dataclass(frozen=True, slots=True)
class PageLine:
    """A line, perhaps longer than the screen is wide; `place` is what it names."""

    text: Text
    place: Place | None = None


class Lines:
    """Collects lines. What comes from outside must be made safe before it is added."""

    def __init__(self) -> None:
        self.lines: list[PageLine] = []

    def add(self, text: str | Text = "", style: str = "") -> None:
        """Add a line."""
        self.lines.append(PageLine(text if isinstance(text, Text) else Text(text, style)))

    def link(
        self, name: str, place: Place, *, before: str = "", after: str = "", style: str = ""
    ) -> None:
        """Add a line with a name that can be followed."""
        text = Text(before, style)
        text.append(name, _LINK)
        text.append(after)
        self.lines.append(PageLine(text, place))

    @property
    def text(self) -> str:
        """All of it without styles."""
        return "\n".join(line.text.plain for line in self.lines)


class Page(QuietScroll, can_focus=True):
    """Shows lines. `j` and `k` choose those that name something, or scroll."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(PAGE)]
    DEFAULT_CSS = """
    Page {
        height: 1fr;
        background: $surface;
    }
    """

    class Followed(Message):
        """A line that names something was clicked, or chosen with Enter."""

        def __init__(self, place: Place) -> None:
            super().__init__()
            self.place = place

    def __init__(self, glyphs: Glyphs, lines: Iterable[PageLine] = ()) -> None:
        super().__init__()
        self._glyphs = glyphs
        self._lines: list[PageLine] = []
        self._rows: list[Text] = []
        """The lines, wrapped."""
        self._starts: list[int] = []
        """The first row of each line."""
        self._width = 0
        self._links: list[int] = []
        """The lines that name something."""
        self._link: int | None = None
        self._wanted = ""
        self._matches: list[int] = []
        self._match = 0
        self._add(lines)

    # -- lines -----------------------------------------------------------------------------

    def show(self, lines: Iterable[PageLine]) -> None:
        """Show other lines; the scroll position stays if it can."""
        before = self._link
        self._lines, self._rows, self._starts, self._links = [], [], [], []
        self._link = None
        self.append(lines)
        if before is not None and before < len(self._links):
            self._link = before

    def append(self, lines: Iterable[PageLine]) -> None:
        """Show more lines below."""
        count = len(self._lines)
        self._add(lines)
        if not self.is_attached:
            return
        self._wrap(count)
        # With a layout, because the dialog may want more room now, or less.
        self.refresh(layout=True)
        self.refresh_bindings()

    def _add(self, lines: Iterable[PageLine]) -> None:
        for line in lines:
            if line.place is not None:
                self._links.append(len(self._lines))
            self._lines.append(line)

    def _wrap(self, first: int = 0) -> None:
        """Wrap the lines from one on at the present width."""
        width = self.scrollable_content_region.width or self._width
        if width != self._width:
            first, self._width = 0, width
        if first == 0:
            self._rows, self._starts = [], []
        for line in self._lines[first:]:
            self._starts.append(len(self._rows))
            self._rows += self._wrapped(line, width)
        self.set_line_count(len(self._rows))
        self._look_for_again()

    def _wrapped(self, line: PageLine, width: int) -> list[Text]:
        """A line as rows; those that it goes on in are indented as it is."""
        text = line.text
        text.plain = plain(text.plain, self._glyphs)
        if cell_len(text.plain) <= width:
            return [text]
        indent = min(len(text.plain) - len(text.plain.lstrip(" ")), width // 2)
        rows = text[indent:].wrap(self.app.console, max(10, width - indent), overflow="fold")
        for row in rows:
            row.pad_left(indent)
        return list(rows)

    @property
    def widest(self) -> int:
        """Cells of the longest line."""
        return max((cell_len(line.text.plain) for line in self._lines), default=0)

    def rows_at(self, width: int) -> int:
        """How many rows the lines take at a width."""
        if width == self._width and len(self._starts) == len(self._lines):
            return len(self._rows)
        return sum(len(self._wrapped(line, width)) for line in self._lines)

    def on_resize(self) -> None:
        """Wrap at the new width."""
        self._wrap()
        self.refresh()

    # -- following what is named -----------------------------------------------------------

    @property
    def has_links(self) -> bool:
        """Whether any line names something that can be followed."""
        return bool(self._links)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """See `DOMNode.check_action`: without links, Enter is the dialog's."""
        if action == "follow":
            return self.has_links
        return super().check_action(action, parameters)

    def action_next_link(self, step: int) -> None:
        """The next line in view that names something; without one the text scrolls."""
        wanted = self._link + step if self._link is not None else self._first_link(step)
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        if (
            0 <= wanted < len(self._links)
            and top <= self._starts[self._links[wanted]] < top + height
        ):
            self._link = wanted
            self.refresh()
        else:
            self.scroll_relative(y=step, animate=False)

    def _first_link(self, step: int) -> int:
        """The first link in view, or the last one."""
        top = self.scroll_offset.y
        end = top + self.scrollable_content_region.height
        seen = [at for at, line in enumerate(self._links) if top <= self._starts[line] < end]
        return seen[0 if step > 0 else -1] if seen else -1

    def action_page(self, direction: int) -> None:
        """A page up or down."""
        self._link = None
        height = max(1, self.scrollable_content_region.height - 1)
        self.scroll_relative(y=direction * height, animate=False)

    def action_follow(self) -> None:
        """Go to what the chosen line names; the first press chooses the first one."""
        if self._link is not None:
            self._follow(self._links[self._link])
        elif self._links:
            self.action_next_link(1)

    def _follow(self, line: int) -> None:
        place = self._lines[line].place
        if place is not None:
            self.post_message(self.Followed(place))

    def on_click(self, event: events.Click) -> None:
        """Go to what the clicked line names."""
        offset = event.get_content_offset(self)
        if offset is not None and self._starts:
            y = offset.y + self.scroll_offset.y
            if y < len(self._rows):
                self._follow(bisect_right(self._starts, y) - 1)

    # -- looking for a text ----------------------------------------------------------------

    def look_for(self, text: str) -> None:
        """Highlight a text in any letter case, and show the first match."""
        self._wanted = text.strip().lower()
        self._look_for_again()
        top = self.scroll_offset.y
        self._match = next((n for n, row in enumerate(self._matches) if row >= top), 0)
        self._show_match()
        self.refresh()

    def _look_for_again(self) -> None:
        self._matches = [
            row
            for row, text in enumerate(self._rows)
            if self._wanted and self._wanted in text.plain.lower()
        ]

    @property
    def found(self) -> str:
        """The number of rows with the searched text, in words; empty without a search."""
        if not self._wanted:
            return ""
        if not self._matches:
            return "not found"
        return f"{self._match + 1:,} of {len(self._matches):,}"

    @property
    def has_matches(self) -> bool:
        """Whether the text was found."""
        return bool(self._matches)

    def next_match(self, step: int) -> None:
        """Show the next or the previous match; after the last comes the first."""
        if self._matches:
            self._match = (self._match + step) % len(self._matches)
            self._show_match()
            self.refresh()

    def _show_match(self) -> None:
        if not self._matches:
            return
        row, top = self._matches[self._match], self.scroll_offset.y
        height = self.scrollable_content_region.height
        if not top <= row < top + height:
            y = max(0, row - height // 3)
            self.scroll_to(y=y, animate=False, force=True, immediate=True)
        # Enter follows what was found.
        line = bisect_right(self._starts, row) - 1
        self._link = self._links.index(line) if line in self._links else None

    # -- painting --------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """Paint one visible line."""
        width, row = self.scrollable_content_region.width, y + self.scroll_offset.y
        base = self.rich_style
        if row >= len(self._rows):
            return Strip.blank(width, base)
        text = self._rows[row].copy()
        text.end = ""
        if self._wanted and self._wanted in text.plain.lower():
            self._mark(text)
        # A text of one style has no spans, and renders without it.
        own = base + self.app.console.get_style(text.style)
        segments = [
            Segment(segment.text, own + (segment.style or Style.null()))
            for segment in text.render(self.app.console)
        ]
        strip = Strip(segments).adjust_cell_length(width, base)
        is_chosen = (
            self._link is not None
            and self._links[self._link] == bisect_right(self._starts, row) - 1
        )
        return strip.apply_style(_CHOSEN) if is_chosen else strip

    def _mark(self, text: Text) -> None:
        shown, at = text.plain.lower(), 0
        while (at := shown.find(self._wanted, at)) >= 0:
            text.stylize(_MATCH, at, at + len(self._wanted))
            at += len(self._wanted)
