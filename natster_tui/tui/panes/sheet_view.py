"""The widget that paints, scrolls and searches a sheet, and follows its links."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.strip import Strip

from natster_tui.tui.sheets.layout import Lines, Piece, laid_out
from natster_tui.tui.sheets.sheet import Fold, Sheet, Target, Tone
from natster_tui.tui.theme import Glyphs
from natster_tui.tui.widgets.scroll_view import QuietScroll

_CHOSEN = Style(reverse=True)
_FOUND = Style(bold=True, underline=True)
_SEARCHED = 5_000
"""How many lines are searched each time a key is typed into the search."""


class SheetView(QuietScroll, can_focus=True):
    """A scrolling sheet. Subclasses say what following a link does.

    It paints the lines itself: with a widget inside it, Textual would lay out the whole screen for
    each event that is shown.
    """

    def __init__(self, name: str, glyphs: Glyphs) -> None:
        super().__init__(id=name)
        self._glyphs = glyphs
        self._sheet: Sheet | None = None
        self._layout: Lines | None = None
        self._link: tuple[int, int] | None = None
        """The chosen link: its line, and its number among the links of that line."""
        self.search = ""
        """The text that is searched for; empty for none."""
        self.found: list[int] = []
        """The lines that hold it."""
        self._base = Style.null()
        self._styles: dict[Tone, Style] = {}

    @property
    def sheet(self) -> Sheet | None:
        """The sheet that is shown."""
        return self._sheet

    def follow(self, target: Target) -> None:
        """A link was clicked, or chosen with Enter."""
        raise NotImplementedError

    # -- painting --------------------------------------------------------------------------

    def show_sheet(self, sheet: Sheet) -> bool:
        """Show a sheet; whether its title is another one. If not, the scroll position stays."""
        before = self._sheet
        if sheet == before:
            return False
        is_other = before is None or sheet.title != before.title
        if is_other:
            self.scroll_home(animate=False)
            self._link = None
        self._sheet = sheet
        self._draw()
        return is_other

    def _wrap(self, text: str, width: int) -> list[str]:
        lines = Text(text).wrap(self.app.console, width, overflow="fold")
        return [line.plain for line in lines]

    def _draw(self) -> None:
        self._base = self.rich_style
        theme = self.app.theme_variables
        self._styles = {tone: Style.parse(theme.get(tone, tone) or "none") for tone in Tone}
        sheet, width = self._sheet, 0
        # When the scroll bar appears or goes, the width changes without an event.
        for _ in range(2):
            if sheet is None or width == (width := self.scrollable_content_region.width):
                break
            self._layout = laid_out(sheet, width, self._glyphs, self._wrap)
            self.set_line_count(self._layout.height)
        if self._link is not None and self._chosen is None:
            self._link = None
        self._look_for_text()
        self.refresh(self.scrollable_content_region.size.region)

    def render_line(self, y: int) -> Strip:
        """Paint one visible line."""
        width, at = self.scrollable_content_region.width, y + self.scroll_offset.y
        pieces = () if self._layout is None else self._layout.pieces(at)
        segments, end = [], 0
        for piece in pieces:
            if piece.x > end:
                segments.append(Segment(" " * (piece.x - end), self._base))
            style = self._base + self._styles[piece.tone]
            if self._link is not None and self._link[0] == at and piece == self._chosen:
                style += _CHOSEN
            segments += self._marked(piece.text.rstrip(), style)
            end = piece.end
        return Strip(segments).adjust_cell_length(width, self._base)

    def _marked(self, text: str, style: Style) -> list[Segment]:
        """A text in segments, with the searched text highlighted."""
        wanted, plain_text = self.search.lower(), text.lower()
        if not wanted or len(plain_text) != len(text):
            return [Segment(text, style)]
        segments, start = [], 0
        while (at := plain_text.find(wanted, start)) >= 0:
            segments.append(Segment(text[start:at], style))
            end = at + len(wanted)
            segments.append(Segment(text[at:end], style + self._styles[Tone.WARN] + _FOUND))
            start = end
        return [*segments, Segment(text[start:], style)]

    def on_resize(self) -> None:
        """Wrap at the new width."""
        self._draw()

    def notify_style_update(self) -> None:
        """The theme changed."""
        super().notify_style_update()
        if self.rich_style != self._base:
            self._draw()

    # -- finding a text --------------------------------------------------------------------

    def find(self, text: str) -> None:
        """Look for a text in what is shown, and show the first line that holds it."""
        self.search = text
        self._look_for_text()
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        if self.found and not any(top <= y < top + height for y in self.found):
            self._scroll_to_line(self.found[0])
        self.refresh()

    def _look_for_text(self) -> None:
        self.found = []
        if self.search and self._layout is not None:
            self.found = list(self._layout.lines_with(self.search, _SEARCHED))

    def action_next_found(self, step: int) -> None:
        """Show the next line that holds the text, or the previous one."""
        top = self.scroll_offset.y
        ahead = [y for y in self.found if (y > top if step > 0 else y < top)]
        if ahead:
            self._scroll_to_line(ahead[0] if step > 0 else ahead[-1])

    def _scroll_to_line(self, y: int) -> None:
        self.scroll_to(y=y, animate=False, force=True, immediate=True)

    # -- following links -------------------------------------------------------------------

    def _links(self, y: int) -> list[Piece]:
        return [] if self._layout is None else self._layout.links(y)

    @property
    def _chosen(self) -> Piece | None:
        """The link that was chosen, if it is still there."""
        if self._link is None:
            return None
        y, number = self._link
        links = self._links(y)
        return links[number] if number < len(links) else None

    @property
    def chosen_target(self) -> Target | None:
        """The target of the chosen link."""
        return None if self._chosen is None else self._chosen.target

    def action_next_link(self, step: int) -> None:
        """Choose the next visible line with a link; if there is none, scroll."""
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        number = 0
        if self._link is not None and top <= self._link[0] < top + height:
            y, number = self._link[0] + step, self._link[1]
        else:
            y = top if step > 0 else top + height - 1
        while top - 1 <= y <= top + height:
            if links := self._links(y):
                self._choose(y, min(number, len(links) - 1))
                return
            y += step
        self.scroll_relative(y=step, animate=False)

    def action_beside(self, step: int) -> None:
        """The next link on the same line; in JSON to the left folds, and to the right unfolds."""
        chosen = self._chosen
        if self._link is None or chosen is None:
            self.action_next_link(1)
            return
        if isinstance(chosen.target, Fold):
            if chosen.target.is_folded == (step > 0):
                self.follow(chosen.target)
            return
        y, number = self._link
        self._choose(y, max(0, min(number + step, len(self._links(y)) - 1)))

    def _choose(self, y: int, number: int) -> None:
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        self._link = (y, number)
        if not top <= y < top + height:
            self.scroll_relative(y=-1 if y < top else 1, animate=False)
        self.refresh()

    def action_page(self, direction: int) -> None:
        """One page up or down."""
        height = self.scrollable_content_region.height
        self.scroll_relative(y=direction * max(1, height - 1), animate=False)

    def action_follow_link(self) -> None:
        """Follow the chosen link; if none is chosen, choose the first."""
        if (target := self.chosen_target) is None:
            self.action_next_link(1)
        else:
            self.follow(target)

    def on_click(self, event: events.Click) -> None:
        """Follow the clicked link; a click beside the texts follows the first link of the line."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        y = offset.y + self.scroll_offset.y
        pieces = () if self._layout is None else self._layout.pieces(y)
        named = [(piece, piece.target) for piece in pieces if piece.target is not None]
        if not named:
            return
        hits = (each for each in named if each[0].x <= offset.x < each[0].end)
        hit, target = next(hits, named[0])
        links = self._links(y)
        self._link = (y, links.index(hit)) if hit in links else None
        self.refresh()
        self.follow(target)
