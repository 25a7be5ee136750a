"""The inspector: the row of the pane that was used last, in full."""

from __future__ import annotations

import time
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.strip import Strip

from natster_tui.text.counting import counted
from natster_tui.text.masking import screen_text
from natster_tui.tui.keys.key import Key, bindings
from natster_tui.tui.keys.main_screen import INSPECTOR, SEARCHED_TEXT
from natster_tui.tui.keys.moving import SCROLLED
from natster_tui.tui.panes.revealing import Revealing
from natster_tui.tui.panes.subjects import DocumentSubject, Subject
from natster_tui.tui.places.place import Place
from natster_tui.tui.sheets.layout import Lines, Piece, laid_out
from natster_tui.tui.sheets.sheet import Fold, Sheet, Target, Tone
from natster_tui.tui.sheets.writer import Face, SheetWriter
from natster_tui.tui.theme import plain
from natster_tui.tui.view import View
from natster_tui.tui.widgets.scroll_view import QuietScroll

_EVERY_S = 0.3
"""While many events come in, not each is shown: making and laying out a sheet is expensive."""
_CHOSEN = Style(reverse=True)
_FOUND = Style(bold=True, underline=True)
REST = 10
"""The pause between two builds of a sheet, as a multiple of the time of the last build."""
_SEARCHED = 5_000
"""How many lines are searched each time a key is typed into the search."""


class Inspector(QuietScroll, can_focus=True):
    """A scrolling text about one subject.

    It paints lines of its own: a widget inside it would have the whole screen laid out for each
    event that is looked at.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(SCROLLED, SEARCHED_TEXT)]

    KEYS: ClassVar[tuple[Key, ...]] = INSPECTOR

    class Followed(Message):
        """A text that names something was clicked, or chosen with Enter."""

        def __init__(self, place: Place) -> None:
            super().__init__()
            self.place = place

    def __init__(self, view: View) -> None:
        super().__init__(id="inspector")
        self.border_title = "5 Inspector"
        self.writer = SheetWriter(view, self, self._inspect_again)
        self._view = view
        self._subject: Subject | None = None
        self._asked: object = None
        self._known: object = None
        """What the sheet was built for."""
        self._rests_until = 0.0
        self._revealing = Revealing(self._inspect_again)
        self._inspected_at = 0.0
        self._path = ""
        self._sheet: Sheet | None = None
        self._layout: Lines | None = None
        self._link: tuple[int, int] | None = None
        """The chosen link: its line, and its number among the links of that line."""
        self.search = ""
        """The text that is searched for; empty for none."""
        self._found: list[int] = []
        """The lines that hold it."""
        self._base = Style.null()
        self._styles: dict[Tone, Style] = {}

    # -- what is shown ---------------------------------------------------------------------

    @property
    def shows_change(self) -> bool:
        """Whether an event's change is shown instead of the event."""
        return self.writer.shows_change

    @shows_change.setter
    def shows_change(self, wanted: bool) -> None:
        self.writer.shows_change = wanted

    @property
    def shows_json(self) -> bool:
        """Whether a document is shown as JSON."""
        return self.writer.face is Face.JSON

    @property
    def is_open(self) -> bool:
        """Whether the layout gives it room for more than its title."""
        return bool(self.display) and self.scrollable_content_region.height > 0

    @property
    def sheet(self) -> Sheet | None:
        """What is shown."""
        return self._sheet

    @property
    def subject(self) -> Subject | None:
        """What the sheet is about."""
        return self._subject

    @property
    def reveals(self) -> bool:
        """Whether secrets are shown just now."""
        return self._revealing.is_on

    def toggle_reveal(self) -> None:
        """Show secrets for a while, or hide them again."""
        self._revealing.toggle(self)

    def _show_subtitle(self) -> None:
        text = " · ".join(filter(None, (self._revealing.countdown, self._counted)))
        self.border_subtitle = Text(plain(text, self._view.glyphs))

    def toggle_json(self, subject: DocumentSubject) -> None:
        """Show a document as JSON, or its page again."""
        writer = self.writer
        writer.face = Face.PAGE if writer.face is Face.JSON else Face.JSON
        writer.folded.clear()
        self.inspect(subject)

    def compare(self, subject: DocumentSubject, text: str) -> None:
        """Compare a document as of a moment with what is shown. Raises BadMomentError."""
        self._subject = subject
        self.writer.comparing.begin(subject, text)
        self.writer.face = Face.COMPARISON
        self._inspect_again()

    def show_page(self) -> bool:
        """Leave JSON, a comparison or an event's change; False if none of them is shown."""
        writer = self.writer
        if isinstance(self._subject, DocumentSubject):
            left, writer.face = writer.face is not Face.PAGE, Face.PAGE
        else:
            left, writer.shows_change = writer.shows_change, False
        if left:
            writer.comparing.end()
            self._inspect_again()
        return left

    def show_path(self, path: str) -> None:
        """Show in the frame the path by which the user came here; empty for none."""
        if path != self._path:
            self._path = path
            self._show_subtitle()

    def inspect(self, subject: Subject | None, *, calmly: bool = False) -> None:
        """Show a subject as it is now; `calmly` skips an event if one was shown a moment ago.

        Another document is shown at once, because the user asked for it.
        """
        now = time.monotonic()
        is_new = _document_of(subject) not in (None, _document_of(self._subject))
        if calmly and not is_new and now - self._inspected_at <= _EVERY_S:
            return
        self._inspected_at = now
        if _document_of(subject) != _document_of(self._subject):
            # Another document is shown as its page, or as JSON if the one before was.
            self.writer.folded.clear()
            if self.writer.face is Face.COMPARISON:
                self.writer.face = Face.PAGE
        self._subject = subject
        if subject is None:
            return
        asked = self.writer.asked(subject, reveal=self.reveals)
        if asked == self._asked and now < self._rests_until:
            return
        known = self.writer.known(subject)
        if known is None or (asked, known) != (self._asked, self._known):
            self._asked, self._known = asked, known
            self._put(self.writer.sheet_of(subject, reveal=self.reveals))
            ended = time.monotonic()
            self._rests_until = ended + REST * (ended - now)

    def _inspect_again(self) -> None:
        self._rests_until = 0.0
        self.inspect(self._subject)
        self._show_subtitle()

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
            self._layout = laid_out(sheet, width, self._view.glyphs, self._wrap)
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
        """A text in segments, in which what is looked for stands out."""
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
        if text and self.writer.folded:
            self.writer.folded.clear()
            self._inspect_again()
        self._look_for_text()
        self._show_subtitle()
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        if self._found and not any(top <= y < top + height for y in self._found):
            self._scroll_to_line(self._found[0])
        self.refresh()

    @property
    def _counted(self) -> str:
        if not self.search:
            return self._path
        lines = counted(len(self._found), "line")
        return f"/{screen_text(self.search, 20)} · {lines}"

    def _look_for_text(self) -> None:
        self._found = []
        if self.search and self._layout is not None:
            self._found = list(self._layout.lines_with(self.search, _SEARCHED))

    def action_next_found(self, step: int) -> None:
        """Show the next line that holds the text, or the previous one."""
        top = self.scroll_offset.y
        ahead = [y for y in self._found if (y > top if step > 0 else y < top)]
        if ahead:
            self._scroll_to_line(ahead[0] if step > 0 else ahead[-1])

    def _scroll_to_line(self, y: int) -> None:
        self.scroll_to(y=y, animate=False, force=True, immediate=True)

    # -- following what is named -----------------------------------------------------------

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
    def chosen_place(self) -> Target | None:
        """What the chosen link leads to."""
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
            if (chosen.target.path in self.writer.folded) == (step > 0):
                self._follow(chosen)
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
        if (chosen := self._chosen) is None:
            self.action_next_link(1)
        else:
            self._follow(chosen)

    def _follow(self, piece: Piece) -> None:
        match piece.target:
            case None:
                return
            case Fold(path):
                self.writer.folded.symmetric_difference_update({path})
                self._inspect_again()
            case place:
                self.post_message(self.Followed(place))

    def on_click(self, event: events.Click) -> None:
        """Follow the clicked link; a click beside the texts follows the first link of the line."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        y = offset.y + self.scroll_offset.y
        pieces = () if self._layout is None else self._layout.pieces(y)
        named = [piece for piece in pieces if piece.target is not None]
        hit = next((each for each in named if each.x <= offset.x < each.end), None)
        if hit is None and named:
            hit = named[0]
        if hit is not None:
            links = self._links(y)
            self._link = (y, links.index(hit)) if hit in links else None
            self.refresh()
            self._follow(hit)


def _document_of(subject: Subject | None) -> tuple[str, str] | None:
    if isinstance(subject, DocumentSubject):
        return subject.projection.name, subject.key
    return None
